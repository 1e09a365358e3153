"""What was heard of claims and has to be looked at, and of whom a person has to see to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from chassis.database import Connection, Row
from la_notifier.domain import NotToldReason

# Says that the notices of a claim must be looked at; a look that goes on keeps its lease.
_WANT_LOOK = """
    INSERT INTO looks (claim_ref) VALUES (%s)
    ON CONFLICT (claim_ref) DO UPDATE SET due = clock_timestamp(), attempts = 0
"""
_HEAR = """
    INSERT INTO heard_events (event_id, claim_ref, version, occurred_time) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

# Takes one due claim under a lease.
_CLAIM_LOOK = """
    UPDATE looks
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        leased_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    WHERE claim_ref = (
        SELECT claim_ref FROM looks
        WHERE due <= clock_timestamp() AND (leased_until IS NULL OR leased_until <= clock_timestamp())
        ORDER BY due LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING claim_ref, lease, attempts, (
        SELECT min(known.intention_on) FROM (
            SELECT intention_on FROM notices WHERE notices.claim_ref = looks.claim_ref
            UNION ALL SELECT intention_on FROM not_told WHERE not_told.claim_ref = looks.claim_ref
        ) AS known
    ) AS intention_on
"""
_HEARD = (
    "SELECT event_id, version, occurred_time FROM heard_events WHERE claim_ref = %s ORDER BY version, occurred_time"
)
# Holds the claim for this transaction, if the lease is still ours: one look at a time saves.
_HOLD_LOOK = "SELECT 1 FROM looks WHERE claim_ref = %s AND lease = %s FOR UPDATE"

# Puts a look off until later.
_POSTPONE_LOOK = """
    UPDATE looks SET lease = NULL, leased_until = NULL, due = clock_timestamp() + make_interval(secs => %s)
    WHERE claim_ref = %s AND lease = %s
"""
# What was heard while the look went on stays, and with it the claim.
_FORGET_HEARD = "DELETE FROM heard_events WHERE event_id = ANY(%s)"
_FINISH_LOOK = """
    DELETE FROM looks WHERE claim_ref = %(claim_ref)s
    AND NOT EXISTS (SELECT 1 FROM heard_events WHERE claim_ref = %(claim_ref)s)
"""
_FREE_LOOK = "UPDATE looks SET lease = NULL, leased_until = NULL WHERE claim_ref = %s"

# Keeps the rows of a claim that still hold, with their age.
_DROP_NOT_TOLD = "DELETE FROM not_told WHERE claim_ref = %s AND NOT (authority_code || ' ' || reason = ANY(%s))"
_ADD_NOT_TOLD = """
    INSERT INTO not_told (claim_ref, authority_code, reason, since, intention_on) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_NOT_TOLD_OF = "SELECT authority_code, reason, since FROM not_told WHERE claim_ref = %s ORDER BY authority_code"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An event that was heard of a claim, and at which of its versions."""

    event_id: UUID
    version: int
    occurred_time: datetime


@dataclass(frozen=True, kw_only=True)
class Look:
    """A claim whose notices are being looked at. `intention_on` is as it was found before, None where it was not."""

    claim_ref: str
    lease: UUID
    attempts: int
    heard: tuple[Heard, ...]
    intention_on: date | None


def want_look(conn: Connection, *, claim_ref: str, heard: Heard) -> None:
    """Keeps what was heard and makes the claim due."""
    conn.execute(_HEAR, [heard.event_id, claim_ref, heard.version, heard.occurred_time])
    conn.execute(_WANT_LOOK, [claim_ref])


def claim_look(conn: Connection, *, lease_seconds: float) -> Look | None:
    """Takes the claim that is due longest; None when none is."""
    row = conn.execute(_CLAIM_LOOK, {"lease_seconds": lease_seconds}).fetchone()
    if row is None:
        return None
    heard = tuple(Heard(**found) for found in conn.execute(_HEARD, [row["claim_ref"]]))
    return Look(**row, heard=heard)


def hold_look(conn: Connection, look: Look) -> bool:
    """Whether the look is still this worker's; if so, nobody else's until the transaction ends."""
    return conn.execute(_HOLD_LOOK, [look.claim_ref, look.lease]).fetchone() is not None


def postpone_look(conn: Connection, look: Look, *, seconds: float) -> None:
    """Makes the claim due again later."""
    conn.execute(_POSTPONE_LOOK, [seconds, look.claim_ref, look.lease])


def forget_heard(conn: Connection, look: Look) -> None:
    """Drops what was heard before the look, which has taken it in. To be called under `hold_look`."""
    conn.execute(_FORGET_HEARD, [[heard.event_id for heard in look.heard]])


def finish_look(conn: Connection, look: Look) -> None:
    """Ends the look; what was heard in the meantime makes the next. To be called under `hold_look`."""
    forget_heard(conn, look)
    if conn.execute(_FINISH_LOOK, {"claim_ref": look.claim_ref}).rowcount == 0:
        conn.execute(_FREE_LOOK, [look.claim_ref])


def save_not_told(
    conn: Connection,
    claim_ref: str,
    *,
    reasons: Iterable[tuple[str, NotToldReason]],
    now: datetime,
    intention_on: date | None,
) -> None:
    """Makes these, each with its authority's code or "", all that a person has to see to for this claim."""
    wanted = list(reasons)
    conn.execute(_DROP_NOT_TOLD, [claim_ref, [f"{code} {reason}" for code, reason in wanted]])
    for code, reason in wanted:
        conn.execute(_ADD_NOT_TOLD, [claim_ref, code, reason, now, intention_on])


def not_told_of(conn: Connection, claim_ref: str) -> Sequence[Row]:
    """What a person has to see to for a claim: authority_code, reason, since."""
    return conn.execute(_NOT_TOLD_OF, [claim_ref]).fetchall()
