"""Gauges of intake, read from the database at a scrape."""

from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge
from intake.domain.security import Kind
from intake.store.security import count_locks


def _locks(conn: Connection) -> Samples:
    counted = count_locks(conn)
    return [((kind,), float(counted.get(kind, 0))) for kind in Kind]


GAUGES = (
    StateGauge(
        name="intake_security_locks",
        help="Claims and operators that are locked after wrong answers to security questions, until a manager lifts it.",
        labels=("kind",),
        read=_locks,
    ),
)
