"""Metrics that are counted as things happen."""

from prometheus_client import Counter, Histogram

from chassis import metrics

_HOUR = 3600

_BUCKETS = tuple(hours * _HOUR for hours in (4, 8, 12, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504))

LEAD_TIME = Histogram(
    "scheduling_appointment_lead_time_seconds",
    "Elapsed seconds from first contact to the start of the interview that was booked.",
    ("channel",),
    buckets=_BUCKETS,
    registry=metrics.REGISTRY,
)

WORKING_LEAD_TIME = Histogram(
    "scheduling_appointment_working_lead_time_seconds",
    "Seconds of working time from first contact to the start of the interview that was booked: the target's measure.",
    ("channel",),
    buckets=_BUCKETS,
    registry=metrics.REGISTRY,
)

INTERVIEWS_ENDED = Counter(
    "scheduling_interviews_ended_total",
    "Interviews of which it was recorded whether the claimant came.",
    ("channel", "outcome"),
    registry=metrics.REGISTRY,
)
