"""Gauges of open work, of interim payments to consider, and of crisis loans beside delay."""

from collections.abc import Callable

from assessment.domain.emergencies import Week
from assessment.domain.states import OPEN
from assessment.domain.work import BOOKING_AWAITED_FOR
from assessment.service import emergencies
from assessment.store import interim_payments, work
from chassis import clock
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge


def _unbooked(conn: Connection) -> Samples:
    return [((), float(work.count_unbooked(conn, submitted_before=clock.now() - BOOKING_AWAITED_FOR)))]


def _work(conn: Connection) -> Samples:
    counts = work.count_by_state(conn)
    return [((state.value,), float(counts.get(state, 0))) for state in OPEN]


def _interim_payments(conn: Connection) -> Samples:
    return [((), float(interim_payments.count_waiting(conn)))]


def _risen(conn: Connection) -> Samples:
    found = emergencies.measured(conn, [], until=clock.today())
    risen = [one.office_code for one in found.offices if one.risen]
    return [((office,), 1.0) for office in risen] + [((ALL_OFFICES,), float(found.together.risen))]


def _weekly(of: Callable[[Week], float]) -> Callable[[Connection], Samples]:
    """Reads a number of all offices together: of the last seven days, and of a usual week."""

    def read(conn: Connection) -> Samples:
        found = emergencies.measured(conn, [], until=clock.today()).together
        usual = [(("usual",), of(found.usual))] if found.usual else []
        return [(("last",), of(found.week)), *usual]

    return read


ALL_OFFICES = "ALL"

GAUGES = (
    StateGauge(
        name="assessment_interim_payments",
        help="Claims that are late, for which nobody has considered an interim payment yet.",
        labels=(),
        read=_interim_payments,
    ),
    StateGauge(
        name="assessment_crisis_loans_risen",
        help="1 for an office, or for ALL together, with more crisis loans in seven days than chance explains.",
        labels=("office",),
        read=_risen,
    ),
    StateGauge(
        name="assessment_crisis_loans_week",
        help="Crisis loans decided: in the last seven days, and in a usual week.",
        labels=("week",),
        read=_weekly(lambda week: week.crisis_loans),
    ),
    StateGauge(
        name="assessment_stalled_transfers_week",
        help="Transfers that stalled: in the last seven days, and in a usual week.",
        labels=("week",),
        read=_weekly(lambda week: week.stalled_transfers),
    ),
    StateGauge(
        name="assessment_lead_time_week_seconds",
        help="Mean time from first contact to the interviews that were booked in the last seven days, and in a usual week.",
        labels=("week",),
        read=_weekly(lambda week: week.lead_seconds),
    ),
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
