"""What each machine saw of the database's clock."""

from datetime import datetime

from chassis.database import Connection
from legacy_gateway.domain import ClockWatch

DATABASE_TIME = """
    -- The clock by which leases and waits are measured.
    SELECT clock_timestamp() AS now
"""

FIND = """
    -- What processes of this machine saw last.
    SELECT ahead_least, ahead_most, steady_since FROM clock_watches WHERE machine = %(machine)s
"""

SAVE = """
    -- What this machine sees; not while another process on it saves the same. Processes may save in any order: an older view
    -- shows by how far the clock is ahead.
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
    """What the database's clock shows now."""
    [row] = conn.execute(DATABASE_TIME)
    now: datetime = row["now"]
    return now


def find(conn: Connection, machine: str) -> ClockWatch | None:
    """What this machine saw last; None where it never looked."""
    row = conn.execute(FIND, {"machine": machine}).fetchone()
    return ClockWatch(**row) if row else None


def save(conn: Connection, machine: str, watch: ClockWatch) -> None:
    """Keeps what this machine sees for the processes that start on it."""
    conn.execute(SAVE, {"machine": machine, **vars(watch)})
