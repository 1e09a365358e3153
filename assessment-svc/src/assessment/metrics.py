"""The metrics of assessment-svc. All labels come from closed lists."""

from prometheus_client import Histogram

from chassis.metrics import REGISTRY

_HOUR, _DAY = 3600, 86400
_BUCKETS = tuple(hours * _HOUR for hours in (4, 12)) + tuple(
    days * _DAY for days in (1, 2, 5, 7, 10, 14, 16, 21, 28, 31, 42, 56, 90)
)

FIRST_CONTACT_TO_DECISION = Histogram(
    "assessment_first_contact_to_decision_seconds",
    "Elapsed time from the claimant's first contact to the first decision on a scheme.",
    ["scheme"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
EVIDENCE_COMPLETE_TO_DECISION = Histogram(
    "assessment_evidence_complete_to_decision_seconds",
    "Elapsed time from the moment at which all evidence was in to the first decision on a scheme.",
    ["scheme"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
