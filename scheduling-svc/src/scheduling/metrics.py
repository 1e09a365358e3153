"""Metrics that are counted as things happen."""

from prometheus_client import Histogram

from chassis import metrics

_HOUR = 3600

LEAD_TIME = Histogram(
    "scheduling_appointment_lead_time_seconds",
    "Elapsed seconds from first contact to the start of the interview that was booked.",
    buckets=tuple(hours * _HOUR for hours in (4, 8, 12, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504)),
    registry=metrics.REGISTRY,
)
