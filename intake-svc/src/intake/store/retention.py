"""Legal holds, and the erasure of claims whose time is over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import errors

from chassis.database import Connection, Row
from chassis.errors import AlreadyExists
from chassis.vault import ClaimCipher, Vault
from intake.domain.retention import Erasure, LegalHold

INSERT_HOLD = """
    INSERT INTO legal_holds (hold_id, claim_ref, reason, placed_by, placed_time)
    VALUES (%(hold_id)s, %(claim_ref)s, %(sealed)s, %(placed_by)s, %(placed_time)s)
"""

# The mark is on the claim itself: an erasure that has found the claim just before looks at it again once it has the lock.
MARK_HELD = "UPDATE claims SET legal_hold = %s WHERE claim_ref = %s"

LIFT_HOLD = "UPDATE legal_holds SET lifted_by = %s, lifted_time = %s WHERE hold_id = %s"

HOLD_OF_CLAIM = "SELECT * FROM legal_holds WHERE claim_ref = %s AND lifted_time IS NULL"

HOLDS = """
    SELECT legal_holds.*, key_id, wrapped FROM legal_holds LEFT JOIN data_keys USING (claim_ref)
    WHERE lifted_time IS NULL AND (placed_time, hold_id) > (%(time)s, %(hold_id)s)
    ORDER BY placed_time, hold_id LIMIT %(limit)s
"""

# Claims whose time is over, the oldest first. One that was rung about since is kept from then on.
_DUE = """
    FROM claims WHERE last_live_time < %(since)s AND erased_time IS NULL AND NOT legal_hold
        AND NOT EXISTS (SELECT FROM calls WHERE calls.claim_ref = claims.claim_ref AND calls.started >= %(since)s)
"""
DUE = f"SELECT claim_ref, version {_DUE} ORDER BY last_live_time, claim_ref LIMIT %(limit)s FOR UPDATE OF claims SKIP LOCKED"

COUNT_DUE = f"SELECT count(*) AS count {_DUE}"

COUNT_HELD = "SELECT count(*) AS count FROM legal_holds WHERE lifted_time IS NULL"

# By nothing that is left of it can the person be found.
ERASE = """
    UPDATE claims SET erased_time = %(now)s, person_lookup = NULL, postcode_lookup = NULL WHERE claim_ref = ANY(%(refs)s)
"""
ERASE_NINOS = "UPDATE claim_schemes SET nino_lookup = NULL WHERE claim_ref = ANY(%(refs)s)"
ERASE_SOUNDS = "DELETE FROM claim_sounds WHERE claim_ref = ANY(%(refs)s)"
# Needs are in plain text; and nobody is called back.
ERASE_NEEDS = "UPDATE calls SET needs = '{}', has_later_call = true WHERE claim_ref = ANY(%(refs)s)"
# A later claim of the person has nothing left to confirm from this one.
UNLINK = "UPDATE claims SET earlier_ref = NULL, earlier_questions = NULL WHERE earlier_ref = ANY(%(refs)s)"


def save_hold(conn: Connection, cipher: ClaimCipher, hold: LegalHold) -> None:
    """Saves a new hold. Raises AlreadyExists (`LEGAL_HOLD`) where one stands."""
    sealed = cipher.seal(hold.reason, field=_field(hold.hold_id), version=1)
    try:
        conn.execute(INSERT_HOLD, {**vars(hold), "sealed": sealed})
    except errors.UniqueViolation:
        raise AlreadyExists("LEGAL_HOLD", "the claim is held already", metadata={"claim_ref": hold.claim_ref}) from None
    conn.execute(MARK_HELD, [True, hold.claim_ref])


def load_hold(conn: Connection, cipher: ClaimCipher, claim_ref: str) -> LegalHold | None:
    """The hold of a claim; None where none stands."""
    row = conn.execute(HOLD_OF_CLAIM, [claim_ref]).fetchone()
    return _hold(row, cipher) if row else None


def save_lifted(conn: Connection, hold: LegalHold) -> None:
    """Saves that a hold was lifted."""
    conn.execute(LIFT_HOLD, [hold.lifted_by, hold.lifted_time, hold.hold_id])
    conn.execute(MARK_HELD, [False, hold.claim_ref])


def load_holds(conn: Connection, vault: Vault, *, after: tuple[datetime, UUID], limit: int) -> list[LegalHold]:
    """Holds that stand, the oldest first, behind a place."""
    rows = conn.execute(HOLDS, {"time": after[0], "hold_id": after[1], "limit": limit}).fetchall()
    return [_hold(row, vault.cipher_of(row["claim_ref"], row)) for row in rows]


def lock_due(conn: Connection, *, since: datetime, limit: int) -> list[Row]:
    """Claims (`claim_ref`, `version`) that ended before, locked. Those that somebody works on are left for another time."""
    return conn.execute(DUE, {"since": since, "limit": limit}).fetchall()


def erase(conn: Connection, claim_refs: Sequence[str], *, at: datetime) -> None:
    """Takes from the claims what is not sealed and leads to the person."""
    given = {"refs": list(claim_refs), "now": at}
    for statement in (ERASE, ERASE_NINOS, ERASE_SOUNDS, ERASE_NEEDS, UNLINK):
        conn.execute(statement, given)


def counts(conn: Connection, *, since: datetime, erased: int) -> Erasure:
    """The counts as they are now."""
    [due] = conn.execute(COUNT_DUE, {"since": since}).fetchall()
    [held] = conn.execute(COUNT_HELD).fetchall()
    return Erasure(erased=erased, due=due["count"], held=held["count"])


def _hold(row: Row, cipher: ClaimCipher) -> LegalHold:
    names = ("hold_id", "claim_ref", "placed_by", "placed_time", "lifted_by", "lifted_time")
    reason = cipher.open(row["reason"], field=_field(row["hold_id"]), version=1)
    return LegalHold(reason=reason, **{name: row[name] for name in names})


def _field(hold_id: UUID) -> str:
    return f"legal_hold {hold_id}"
