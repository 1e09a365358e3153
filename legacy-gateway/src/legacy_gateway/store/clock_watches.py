"""Each machine's view of the database's clock."""

from datetime import datetime

from chassis.database import Connection
from legacy_gateway.domain import ClockWatch

DATABASE_TIME = """
    -- The clock by which leases and waits are measured.
    SELECT clock_timestamp() AS now
"""

FIND = """
    -- The last view of this machine.
    SELECT ahead_least, ahead_most, steady_since FROM clock_watches WHERE machine = %(machine)s
"""

SAVE = """
    -- Saves this machine's view, unless another process on it is saving one. The order does not matter: an older view shows
    -- by how far the clock was ahead.
    WITH changed AS (
        UPDATE clock_watches
        SET ahead_least = %(ahead_least)s, ahead_most = %(ahead_most)s, steady_since = %(steady_since)s,
            watched = statement_timestamp()
        WHERE machine = (SELECT machine FROM clock_watches WHERE machine = %(machine)s FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO clock_watches (machine, ahead_least, ahead_most, steady_since, watched)
    SELECT %(machine)s, %(ahead_least)s, %(ahead_most)s, %(steady_since)s, statement_timestamp()
    WHERE NOT EXISTS (SELECT 1 FROM clock_watches WHERE machine = %(machine)s)
    ON CONFLICT DO NOTHING
"""


def database_time(conn: Connection) -> datetime:
    """The time of the database's clock."""
    [row] = conn.execute(DATABASE_TIME)
    now: datetime = row["now"]
    return now


def find(conn: Connection, machine: str) -> ClockWatch | None:
    """The last view of this machine; None if it has none."""
    row = conn.execute(FIND, {"machine": machine}).fetchone()
    return ClockWatch(**row) if row else None


def save(conn: Connection, machine: str, watch: ClockWatch) -> None:
    """Saves this machine's view for the processes that start on it."""
    conn.execute(SAVE, {"machine": machine, **vars(watch)})
