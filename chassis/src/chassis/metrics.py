"""Metrics of the chassis. Gauges that are read from the database are in `chassis.state_gauges`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

HANDLING = Histogram(
    "grpc_server_handling_seconds",
    "How long calls took, by either door.",
    ["method", "code"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
WORKER_SUCCESS = Gauge(
    "chassis_worker_last_success_timestamp_seconds",
    "When a worker last finished a round without an error.",
    ["worker"],
    registry=REGISTRY,
)
WORKER_FAILURES = Counter(
    "chassis_worker_failures_total", "Rounds of a worker that ended in an error.", ["worker"], registry=REGISTRY
)
PRUNING_FAILURES = Counter(
    "chassis_pruning_failures_total",
    "Batches of old rows that could not be removed, by table.",
    ["table"],
    registry=REGISTRY,
)
CERTIFICATE_EXPIRES = Gauge(
    "chassis_certificate_expires_timestamp_seconds",
    "When the certificate that the service uses between services expires.",
    registry=REGISTRY,
)
EVENTS_PUBLISHED = Counter(
    "chassis_events_published_total", "Events added to the bus, repeats included.", ["type"], registry=REGISTRY
)
EVENTS_HANDLED = Counter(
    "chassis_events_handled_total",
    "Deliveries of events by what became of them: handled, duplicate, finished, failed, dead.",
    ["type", "result"],
    registry=REGISTRY,
)
REFUSAL_REASONS = (
    "UNSIGNED",
    "UNKNOWN_KEY",
    "BAD_SIGNATURE",
    "WRONG_SOURCE",
    "EVENT_ID_TAKEN",
    "TOO_LARGE",
    "WATERMARK_TOO_HIGH",
)
ENTRIES_REFUSED = Counter(
    "chassis_entries_refused_total",
    "Entries of the bus that were not believed, by what they claim to be and why.",
    ["kind", "reason"],
    registry=REGISTRY,
)
for _kind in ("event", "receipt", "watermark"):
    for _reason in REFUSAL_REASONS:
        ENTRIES_REFUSED.labels(_kind, _reason)  # from 0 on: an alert sees no rise in a sample that begins at 1
LEFT_UNDONE = Counter(
    "chassis_left_undone_total",
    "What was to follow a commit (a count, a wake, a memory) and failed: the commit stands.",
    registry=REGISTRY,
)
