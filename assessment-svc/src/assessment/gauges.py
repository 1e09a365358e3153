"""Gauges of open work."""

from assessment.domain.states import OPEN
from assessment.domain.work import BOOKING_AWAITED_FOR
from assessment.store import work
from chassis import clock
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge


def _unbooked(conn: Connection) -> Samples:
    return [((), float(work.count_unbooked(conn, submitted_before=clock.now() - BOOKING_AWAITED_FOR)))]


def _work(conn: Connection) -> Samples:
    counts = work.count_by_state(conn)
    return [((state.value,), float(counts.get(state, 0))) for state in OPEN]


GAUGES = (
    StateGauge(
        name="assessment_unbooked",
        help="Claims that still have no interview thirty minutes after they were submitted.",
        labels=(),
        read=_unbooked,
    ),
    StateGauge(
        name="assessment_work", help="Work items that are not confirmed, by their state.", labels=("state",), read=_work
    ),
)
