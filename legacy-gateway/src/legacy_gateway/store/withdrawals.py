"""Withdrawn claims: what is given up for them, and what systems hold of them. Call `claims.note_amendment` first."""

from collections.abc import Iterable
from datetime import datetime

from chassis.database import Connection, Row
from legacy_gateway.domain import HalfClaim, State, System, TransferOfWithdrawn, WithdrawnRecord
from legacy_gateway.systems import RULES

RECORD = """
    -- A claim is withdrawn once.
    INSERT INTO withdrawals (claim_ref, withdraw_time) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""

FIND = """
    -- When a claim was withdrawn.
    SELECT withdraw_time FROM withdrawals WHERE claim_ref = %s
"""

UNSETTLED = """
    -- The claim whose withdrawal waits for longest, of those that come after another.
    SELECT claim_ref, withdraw_time FROM withdrawals
    WHERE settled_time IS NULL AND (withdraw_time, claim_ref) > (%s, %s)
    ORDER BY withdraw_time, claim_ref LIMIT 1
"""

GIVE_UP = """
    -- Records that are not on their way and not held are never sent: those that wait, even if a sender prepares one, held
    -- changes, and refused records that a correction would replace.
    UPDATE transfers
    SET state = 'CANCELLED', lease_token = NULL, lease_until = NULL, next_attempt_time = NULL, may_wake_time = NULL,
        updated = %(now)s
    WHERE claim_ref = %(claim_ref)s
        AND (state IN ('WAITING', 'HELD') OR (state = 'REJECTED' AND NOT corrected))
"""

TRANSFERS = """
    -- The transfers of a claim that were not given up.
    SELECT system, phase, state FROM transfers WHERE claim_ref = %s AND state <> 'CANCELLED'
"""

ADD_RECORD = """
    -- The records of a withdrawn claim that a system holds.
    INSERT INTO withdrawn_records (claim_ref, system, half, since) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

SETTLE = """
    -- From now on nothing of the claim is under way.
    UPDATE withdrawals SET settled_time = %s WHERE claim_ref = %s
"""

RECORDS = """
    -- The records of a withdrawn claim that systems hold or held.
    SELECT system, half, since, removed_time FROM withdrawn_records WHERE claim_ref = %s ORDER BY system
"""

REMOVE = """
    -- A person has ended what a system held.
    UPDATE withdrawn_records SET removed_time = coalesce(removed_time, %(now)s), removed_by = coalesce(removed_by, %(by)s)
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s
"""

TAKE_HALF = """
    -- The half claim that is due for longest, for this worker alone until the time of the next attempt; none at a system that
    -- is held or does not answer.
    UPDATE withdrawn_records AS half_claim
    SET next_attempt_time = statement_timestamp() + make_interval(secs => %(seconds)s), attempts = attempts + 1
    WHERE (claim_ref, system) = (
        SELECT claim_ref, system FROM withdrawn_records
        WHERE half AND removed_time IS NULL AND next_attempt_time <= statement_timestamp()
            AND system NOT IN (SELECT systems.system FROM systems WHERE opened_time IS NOT NULL)
            AND system NOT IN (SELECT system_holds.system FROM system_holds WHERE released_time IS NULL)
        ORDER BY next_attempt_time LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING claim_ref, system, since, attempts - 1 AS setbacks, ARRAY(
        SELECT transfer_id FROM transfers
        WHERE transfers.claim_ref = half_claim.claim_ref AND transfers.system = half_claim.system
            AND phase = 1 AND state = 'ACCEPTED'
        ORDER BY generation DESC
    ) AS transfer_ids
"""

PUT_OFF_HALF = """
    -- The next attempt at a half claim; none where a person must look.
    UPDATE withdrawn_records SET next_attempt_time = statement_timestamp() + make_interval(secs => %(wait)s::float8)
    WHERE claim_ref = %(claim_ref)s AND system = %(system)s
"""


def record(conn: Connection, claim_ref: str, *, withdraw_time: datetime) -> None:
    """Records that the claim was withdrawn, unless that is known."""
    conn.execute(RECORD, [claim_ref, withdraw_time])


def withdraw_time_of(conn: Connection, claim_ref: str) -> datetime | None:
    """When the claim was withdrawn; None if it was not."""
    row = conn.execute(FIND, [claim_ref]).fetchone()
    return row["withdraw_time"] if row else None


def unsettled_after(conn: Connection, place: tuple[datetime, str]) -> tuple[datetime, str] | None:
    """The withdrawal that waits for longest of those after a place: its time and claim. None where there is none."""
    row = conn.execute(UNSETTLED, place).fetchone()
    return (row["withdraw_time"], row["claim_ref"]) if row else None


def give_up(conn: Connection, claim_ref: str, *, now: datetime) -> None:
    """Cancels what is neither on its way nor held. A sender that prepares a record finds its lease lost."""
    conn.execute(GIVE_UP, {"claim_ref": claim_ref, "now": now})


def transfers_of(conn: Connection, claim_ref: str) -> list[TransferOfWithdrawn]:
    """The claim's transfers that were not given up."""
    return [_transfer(row) for row in conn.execute(TRANSFERS, [claim_ref])]


def settle(conn: Connection, claim_ref: str, held: Iterable[tuple[System, bool]], *, now: datetime) -> None:
    """Records what systems hold (with whether it is half a claim), and that nothing is under way any more."""
    for system, half in held:
        conn.execute(ADD_RECORD, [claim_ref, system, half, now])
    conn.execute(SETTLE, [now, claim_ref])


def records_of(conn: Connection, claim_ref: str) -> list[WithdrawnRecord]:
    """The records of a withdrawn claim that systems hold or held."""
    return [WithdrawnRecord(**row | {"system": System(row["system"])}) for row in conn.execute(RECORDS, [claim_ref])]


def remove(conn: Connection, claim_ref: str, system: str, *, by: str, now: datetime) -> bool:
    """Records that a person has ended what the system held; False where nothing of the claim is listed there."""
    values = {"claim_ref": claim_ref, "system": system, "by": by, "now": now}
    return conn.execute(REMOVE, values).rowcount == 1


def take_half(conn: Connection, *, seconds: float) -> HalfClaim | None:
    """The half claim that is due for longest, for this worker alone for so many seconds; None where none is due."""
    row = conn.execute(TAKE_HALF, {"seconds": seconds}).fetchone()
    if row is None:
        return None
    return HalfClaim(**row | {"system": System(row["system"]), "transfer_ids": tuple(row["transfer_ids"])})


def put_off_half(conn: Connection, half: HalfClaim, *, wait_seconds: float | None) -> None:
    """Sets the next attempt at a half claim, so many seconds from now; None leaves it to a person."""
    conn.execute(PUT_OFF_HALF, {"claim_ref": half.claim_ref, "system": half.system, "wait": wait_seconds})


def _transfer(row: Row) -> TransferOfWithdrawn:
    return TransferOfWithdrawn(rules=RULES[System(row["system"])], phase=row["phase"], state=State(row["state"]))
