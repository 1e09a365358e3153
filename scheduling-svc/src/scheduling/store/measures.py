"""The measures of offices, and the breaches that were told of."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from chassis.database import Connection, Row
from scheduling.domain.measures import Measures

_LOCK = 0x6D656173  # "meas"

# When each office was measured.
MEASURED = "SELECT office_code, measured_time FROM office_measures"

# The bookings of some offices since a day: how many were in time, and their mean lead times.
BOOKINGS = """
    SELECT office_code, sum(within_target)::float / sum(booked) AS within_target_ratio,
        sum(elapsed_seconds) / sum(booked) AS elapsed_seconds, sum(working_seconds) / sum(booked) AS working_seconds
    FROM demand_days WHERE day >= %s AND office_code = ANY(%s)
    GROUP BY office_code
"""

SAVE = """
    INSERT INTO office_measures (office_code, measured_time, capacity, booked, expected_breaches, breach_probability,
        within_target_ratio, elapsed_seconds, working_seconds)
    VALUES (%(office_code)s, %(measured_time)s, %(capacity)s, %(booked)s, %(expected_breaches)s, %(breach_probability)s,
        %(within_target_ratio)s, %(elapsed_seconds)s, %(working_seconds)s)
    ON CONFLICT (office_code) DO UPDATE
    SET measured_time = excluded.measured_time, capacity = excluded.capacity, booked = excluded.booked,
        expected_breaches = excluded.expected_breaches, breach_probability = excluded.breach_probability,
        within_target_ratio = excluded.within_target_ratio, elapsed_seconds = excluded.elapsed_seconds,
        working_seconds = excluded.working_seconds
"""

# Notes what is told now; what was told before is left out.
MARK_TOLD = """
    INSERT INTO breach_warnings (office_code, day, told_time)
    SELECT %s, day, %s FROM unnest(%s::date[]) AS day
    ON CONFLICT DO NOTHING RETURNING day
"""

PRUNE_TOLD = "DELETE FROM breach_warnings WHERE day < %s"

ALL = "SELECT * FROM office_measures ORDER BY office_code"


def try_lock(conn: Connection) -> bool:
    """Locks the measuring until the end of the transaction; False if another replica measures."""
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS locked", [_LOCK]).fetchone()
    return row is not None and bool(row["locked"])


def measured(conn: Connection) -> dict[str, datetime]:
    """The time at which each office was measured last."""
    return {row["office_code"]: row["measured_time"] for row in conn.execute(MEASURED)}


def bookings(conn: Connection, offices: Sequence[str], *, since: date) -> dict[str, Row]:
    """The share within target and the mean lead times in seconds of each of these offices that booked something."""
    return {row.pop("office_code"): row for row in conn.execute(BOOKINGS, [since, list(offices)])}


def save(conn: Connection, measures: Measures) -> None:
    """Keeps the measures of an office in the place of those before."""
    conn.execute(SAVE, vars(measures))


def mark_told(conn: Connection, office_code: str, days: Collection[date], *, at: datetime) -> set[date]:
    """Notes that we tell of these days; gives those of which nobody was told yet."""
    return {row["day"] for row in conn.execute(MARK_TOLD, [office_code, at, list(days)])}


def forget_told(conn: Connection, *, before: date) -> None:
    """Forgets what was told of days before."""
    conn.execute(PRUNE_TOLD, [before])


def all_measures(conn: Connection) -> list[Measures]:
    """The measures of every office, in the order of their codes."""
    return [Measures(**row) for row in conn.execute(ALL)]
