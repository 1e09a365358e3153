"""Gauges of scheduling, read from the database at a scrape."""

from collections.abc import Callable
from datetime import timedelta

from chassis import clock
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge
from scheduling.domain.measures import Measures
from scheduling.store import appointments, first_contacts, measures

RATIO_OVER = timedelta(hours=24)
"""The ratio covers the bookings of this long until now, by the platform's clock."""


def _within_target(conn: Connection) -> Samples:
    ratio = appointments.within_target_ratio(conn, since=clock.now() - RATIO_OVER)
    return [] if ratio is None else [((), ratio)]


def _unbooked(conn: Connection) -> Samples:
    return [((), float(first_contacts.count_unbooked(conn)))]


def _of_offices(value_of: Callable[[Measures], float | None]) -> Callable[[Connection], Samples]:
    """Reads a measure of each office that has it."""

    def read(conn: Connection) -> Samples:
        found = ((one.office_code, value_of(one)) for one in measures.all_measures(conn))
        return [((code,), value) for code, value in found if value is not None]

    return read


def _lead_times(conn: Connection) -> Samples:
    return [
        ((one.office_code, clock_name), seconds)
        for one in measures.all_measures(conn)
        for clock_name, seconds in (("ELAPSED", one.elapsed_seconds), ("WORKING", one.working_seconds))
        if seconds is not None
    ]


GAUGES = (
    StateGauge(
        name="scheduling_within_target_ratio",
        help="Share of the appointments booked in the last 24 hours that start by their target; absent without any.",
        labels=(),
        read=_within_target,
    ),
    StateGauge(
        name="scheduling_unbooked_claims",
        help="Claims that wait for an interview: they never had one, or it was cancelled or missed.",
        labels=(),
        read=_unbooked,
    ),
    StateGauge(
        name="scheduling_office_within_target_ratio",
        help="Share of the interviews booked in the last seven days that start by their target, by office.",
        labels=("office",),
        read=_of_offices(lambda one: one.within_target_ratio),
    ),
    StateGauge(
        name="scheduling_office_lead_time_seconds",
        help="Mean time from first contact to the interviews booked in the last seven days, by office.",
        labels=("office", "clock"),
        read=_lead_times,
    ),
    StateGauge(
        name="scheduling_office_utilisation_ratio",
        help="Share of the slots of the next five working days that are taken, by office.",
        labels=("office",),
        read=_of_offices(lambda one: one.utilisation),
    ),
    StateGauge(
        name="scheduling_office_expected_breaches",
        help="Claimants who call within the next five working days and cannot be seen in time, an expected number.",
        labels=("office",),
        read=_of_offices(lambda one: one.expected_breaches),
    ),
    StateGauge(
        name="scheduling_office_breach_probability",
        help="How probable it is that somebody who calls on the worst of the next five working days is not seen in time.",
        labels=("office",),
        read=_of_offices(lambda one: one.breach_probability),
    ),
)
