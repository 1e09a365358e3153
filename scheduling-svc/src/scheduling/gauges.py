"""Gauges of scheduling, read from the database at a scrape."""

from datetime import timedelta

from chassis import clock
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge
from scheduling.store import appointments, first_contacts

RATIO_OVER = timedelta(hours=24)
"""The ratio covers the bookings of this long until now, by the platform's clock."""


def _within_target(conn: Connection) -> Samples:
    ratio = appointments.within_target_ratio(conn, since=clock.now() - RATIO_OVER)
    return [] if ratio is None else [((), ratio)]


def _unbooked(conn: Connection) -> Samples:
    return [((), float(first_contacts.count_unbooked(conn)))]


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
)
