"""First phases that a system is asked to give up."""

from dataclasses import dataclass
from datetime import datetime

from chassis.database import Connection
from legacy_gateway.domain import System

TAKE = """
    -- The one that is due for longest, for this worker alone until the time of the next attempt; none at a system that is held
    -- or does not answer.
    UPDATE first_phase_withdrawals
    SET next_attempt_time = statement_timestamp() + make_interval(secs => %(seconds)s), attempts = attempts + 1
    WHERE transfer_id = (
        SELECT transfer_id FROM first_phase_withdrawals
        WHERE done_time IS NULL AND next_attempt_time <= statement_timestamp()
            AND system NOT IN (SELECT systems.system FROM systems WHERE opened_time IS NOT NULL)
            AND system NOT IN (SELECT system_holds.system FROM system_holds WHERE released_time IS NULL)
        ORDER BY next_attempt_time LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING transfer_id, claim_ref, system, since, attempts - 1 AS setbacks
"""

GIVE_UP = """
    -- The system holds it no more.
    WITH done AS (
        UPDATE first_phase_withdrawals SET done_time = coalesce(done_time, %(now)s), next_attempt_time = NULL
        WHERE transfer_id = %(transfer_id)s
    )
    UPDATE transfers SET state = 'CANCELLED', updated = %(now)s
    WHERE transfer_id = %(transfer_id)s AND state = 'ACCEPTED'
"""

PUT_OFF = """
    -- The next attempt; none where a person must look.
    UPDATE first_phase_withdrawals
    SET next_attempt_time = statement_timestamp() + make_interval(secs => %(wait)s::float8)
    WHERE transfer_id = %(transfer_id)s AND done_time IS NULL
"""


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """A first phase that its system is asked to give up, since a time of the platform's clock, at which it had been accepted.

    `setbacks` counts the attempts before this one.
    """

    transfer_id: str
    claim_ref: str
    system: System
    since: datetime
    setbacks: int


def take(conn: Connection, *, seconds: float) -> GivenUp | None:
    """The first phase that is due for longest, for this worker alone for so many seconds; None where none is due."""
    row = conn.execute(TAKE, {"seconds": seconds}).fetchone()
    return GivenUp(**row | {"system": System(row["system"])}) if row else None


def give_up(conn: Connection, transfer_id: str, *, now: datetime) -> None:
    """Records that the system holds a first phase no more. `now` is on the platform's clock."""
    conn.execute(GIVE_UP, {"transfer_id": transfer_id, "now": now})


def put_off(conn: Connection, transfer_id: str, *, wait_seconds: float | None) -> None:
    """Sets the next attempt, so many seconds from now; None leaves it to a person."""
    conn.execute(PUT_OFF, {"transfer_id": transfer_id, "wait": wait_seconds})
