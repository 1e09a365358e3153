"""The days of each system: which are done, which are due, and what was captured on one."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import psycopg

from chassis.database import Connection, Database
from legacy_gateway.domain import State, System

_KEY = 0x62616C61  # "bala"

PLAN = """
    -- The days that the schedule has reached, from the one after the last one planned; at first, from the day of the
    -- system's first transfer. A day that somebody asked for before is planned as well.
    INSERT INTO reconciliation_days (system, day, scheduled_time)
    SELECT %(system)s, reached.day::date, %(now)s FROM generate_series(
        coalesce(
            (SELECT max(day) + 1 FROM reconciliation_days WHERE system = %(system)s AND scheduled_time IS NOT NULL),
            (SELECT (min(created) AT TIME ZONE 'Europe/London')::date FROM transfers WHERE system = %(system)s)
        ),
        %(last)s, interval '1 day'
    ) AS reached (day)
    ON CONFLICT (system, day) DO UPDATE SET scheduled_time = excluded.scheduled_time
"""

REQUEST = """
    -- A day that somebody asks for now. Who asks while another one's request waits gets the same run.
    INSERT INTO reconciliation_days (system, day, requested_time) VALUES (%s, %s, statement_timestamp())
    ON CONFLICT (system, day) DO UPDATE
    SET requested_time = coalesce(reconciliation_days.requested_time, statement_timestamp()), due_time = statement_timestamp()
    RETURNING requested_time
"""

DUE = """
    -- The next day to be run: one that somebody asked for first, then the oldest.
    SELECT day FROM reconciliation_days
    WHERE system = %s AND due_time <= statement_timestamp()
        AND (requested_time IS NOT NULL OR (scheduled_time IS NOT NULL AND done_time IS NULL))
    ORDER BY requested_time, day LIMIT 1
"""

BEGIN_RUN = """
    SELECT statement_timestamp() AS begun
"""

DONE = """
    -- A run is whole. It serves a request that came before it, and the schedule if that had reached the day.
    UPDATE reconciliation_days
    SET run_time = %(begun)s, failures = 0, due_time = statement_timestamp(),
        requested_time = CASE WHEN requested_time > %(begun)s THEN requested_time END,
        done_time = CASE WHEN scheduled_time IS NOT NULL THEN coalesce(done_time, statement_timestamp()) END
    WHERE system = %(system)s AND day = %(day)s
"""

FAILURES = """
    SELECT failures FROM reconciliation_days WHERE system = %s AND day = %s
"""

PUT_OFF = """
    UPDATE reconciliation_days
    SET failures = failures + 1, due_time = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE system = %(system)s AND day = %(day)s
"""

RUN_TIME = """
    SELECT run_time FROM reconciliation_days WHERE system = %s AND day = %s
"""

CAPTURED = """
    -- Transfers captured within a time, by their state now.
    SELECT state, count(*) AS count FROM transfers WHERE system = %s AND created >= %s AND created < %s GROUP BY state
"""

LAST_DONE = """
    -- When each system's last scheduled run ended; for one that has had none, when its first transfer was made.
    SELECT system.name AS system, coalesce(
        (SELECT max(done_time) FROM reconciliation_days WHERE reconciliation_days.system = system.name),
        (SELECT min(created) FROM transfers WHERE transfers.system = system.name)
    ) AS moment
    FROM unnest(%s::text[]) AS system (name)
"""

_PORTION = timedelta(hours=1)


@contextmanager
def locked(database_url: str, system: System) -> Iterator[bool]:
    """Whether this process alone runs the balance of the system while the block lasts: an advisory lock of its own session.

    It keeps work from being done twice at once, and nothing depends on it: every row that a run writes can be written once.
    """
    with psycopg.connect(database_url, autocommit=True, connect_timeout=5) as conn:
        row = conn.execute(
            "SELECT pg_try_advisory_lock(%s::integer, hashtext(%s)) AS ours", [_KEY, str(system)]
        ).fetchone()
        yield bool(row and row[0])


def plan(conn: Connection, system: System, *, last: date, now: datetime) -> None:
    """Plans every day up to this one that was not planned yet."""
    conn.execute(PLAN, {"system": system, "last": last, "now": now})


def request(conn: Connection, system: System, day: date) -> datetime:
    """Asks for a run of a day now; gives the real time of the request."""
    [row] = conn.execute(REQUEST, [system, day])
    asked: datetime = row["requested_time"]
    return asked


def due(conn: Connection, system: System) -> date | None:
    """The next day of the system to be run; None where none is due."""
    row = conn.execute(DUE, [system]).fetchone()
    return row["day"] if row else None


def real_time(conn: Connection) -> datetime:
    """The database's time."""
    [row] = conn.execute(BEGIN_RUN)
    now: datetime = row["begun"]
    return now


def done(conn: Connection, system: System, day: date, *, begun: datetime) -> None:
    """A run of the day that began at this real time came to its end."""
    conn.execute(DONE, {"system": system, "day": day, "begun": begun})


def failures(conn: Connection, system: System, day: date) -> int:
    """How many runs of the day failed, one after the other."""
    row = conn.execute(FAILURES, [system, day]).fetchone()
    return row["failures"] if row else 0


def put_off(conn: Connection, system: System, day: date, *, seconds: float) -> None:
    """A run of the day failed: again after so many seconds."""
    conn.execute(PUT_OFF, {"system": system, "day": day, "seconds": seconds})


def run_time(conn: Connection, system: System, day: date) -> datetime | None:
    """When the last whole run of a day began, by real time; None where there was none."""
    row = conn.execute(RUN_TIME, [system, day]).fetchone()
    return row["run_time"] if row else None


def captured(database: Database, system: System, *, since: datetime, until: datetime) -> dict[State, int]:
    """How many transfers were captured within a time, by their state; each hour in a transaction of its own."""
    found: Counter[State] = Counter()
    while since < until:
        end = min(since + _PORTION, until)
        with database.transaction() as conn:
            for row in conn.execute(CAPTURED, [system, since, end]):
                found[State(row["state"])] += row["count"]
        since = end
    return dict(found)


def last_done(conn: Connection) -> dict[str, datetime]:
    """When each system's last scheduled run ended, or its first transfer was made; without the systems that have neither."""
    rows = conn.execute(LAST_DONE, [[str(system) for system in System]])
    return {row["system"]: row["moment"] for row in rows if row["moment"] is not None}
