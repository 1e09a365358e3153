"""Calls about claims."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from chassis.database import Connection, Row
from chassis.errors import NotFound
from chassis.vault import ClaimCipher
from intake.domain.call import Call, Caller, Outcome, Security

# Inserts a call. The earlier calls on the claim have a later one now, which settles their call-backs.
INSERT_CALL = """
    WITH earlier AS (
        UPDATE calls SET has_later_call = true WHERE claim_ref = %(claim_ref)s AND NOT has_later_call
    )
    INSERT INTO calls (call_id, claim_ref, operator, purpose, language, needs, caller,
        security, security_questions, tries_left, started)
    VALUES (%(call_id)s, %(claim_ref)s, %(operator)s, %(purpose)s, %(language)s, %(needs)s, %(caller)s,
        %(security)s, %(security_questions)s, %(tries_left)s, %(started)s)
"""

CALL = "SELECT * FROM calls WHERE call_id = %s FOR UPDATE"

LANGUAGE = "SELECT language FROM calls WHERE call_id = %s AND operator = %s"

# Calls that nobody ended, the oldest first; one that is being ended now is left alone.
FORGOTTEN_CALLS = """
    SELECT * FROM calls WHERE ended IS NULL AND started < %s ORDER BY started LIMIT 100 FOR UPDATE SKIP LOCKED
"""

SAVE_CALL = """
    UPDATE calls SET security = %(security)s, tries_left = %(tries_left)s, ended = %(ended)s, outcome = %(outcome)s,
        call_back_time = %(call_back_time)s
    WHERE call_id = %(call_id)s
"""


def insert_call(conn: Connection, cipher: ClaimCipher, call: Call, caller: Caller) -> None:
    """Inserts a new call. The person on the line is sealed."""
    sealed = cipher.seal(asdict(caller), field=f"caller|{call.call_id}", version=1)
    lists = {"needs": list(call.needs), "security_questions": list(call.security_questions)}
    conn.execute(INSERT_CALL, asdict(call) | lists | {"caller": sealed})


def lock_call(conn: Connection, call_id: UUID) -> Call:
    """A call that nobody else can change until the transaction ends. Raises NotFound."""
    row = conn.execute(CALL, [call_id]).fetchone()
    if row is None:
        raise NotFound("NO_CALL", "there is no such call", metadata={"call_id": str(call_id)})
    return _call(row)


def load_language(conn: Connection, call_id: UUID, *, operator: str) -> str | None:
    """The language of an operator's call; None where there is no such call."""
    row = conn.execute(LANGUAGE, [call_id, operator]).fetchone()
    return str(row["language"]) if row else None


def lock_forgotten_calls(conn: Connection, *, started_before: datetime) -> list[Call]:
    """Locks calls that began before then and have not ended, a hundred at most."""
    return [_call(row) for row in conn.execute(FORGOTTEN_CALLS, [started_before])]


def save_call(conn: Connection, call: Call) -> None:
    """Saves a call after a try at its security questions, or at its end."""
    conn.execute(SAVE_CALL, asdict(call))


def _call(row: Row) -> Call:
    return Call(
        call_id=row["call_id"],
        claim_ref=row["claim_ref"],
        operator=row["operator"],
        purpose=row["purpose"],
        language=row["language"],
        needs=tuple(row["needs"]),
        security=Security(row["security"]),
        security_questions=tuple(row["security_questions"]),
        tries_left=row["tries_left"],
        started=row["started"],
        ended=row["ended"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        call_back_time=row["call_back_time"],
    )
