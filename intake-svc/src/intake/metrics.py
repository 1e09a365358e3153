"""The metrics of intake-svc, under the contract's names."""

from prometheus_client import Histogram

from chassis.metrics import REGISTRY

CALL_DURATION = Histogram(
    "intake_call_duration_seconds",
    "How long calls took from start to end, by how they ended.",
    ["outcome"],
    buckets=(60, 120, 300, 600, 900, 1200, 1500, 1800, 2400, 3000, 3600),
    registry=REGISTRY,
)
CALL_HOLD = Histogram(
    "intake_call_hold_seconds",
    "How long callers were on hold in a call, of calls with a hold.",
    buckets=(10, 30, 60, 120, 300, 600, 1200, 1800),
    registry=REGISTRY,
)
WRAP_UP = Histogram(
    "intake_wrap_up_seconds",
    "How long operators worked on a call after it had ended.",
    buckets=(10, 30, 60, 120, 180, 300, 600, 1200, 1800),
    registry=REGISTRY,
)
QUESTIONS_ASKED = Histogram(
    "intake_questions_asked",
    "How many questions had been asked when a claim was submitted.",
    ["scheme"],
    buckets=(10, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 80),
    registry=REGISTRY,
)
