"""Calls about claims."""

from datetime import datetime
from uuid import UUID

from chassis.database import Connection, Row
from chassis.errors import NotFound
from chassis.vault import ClaimCipher
from intake.domain.call import Call, Caller, Outcome, Security

_INSERT_CALL = """
    INSERT INTO calls (call_id, claim_ref, operator, purpose, language, needs, caller,
        security, security_questions, tries_left, started)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

# Calls that nobody ended, the oldest first; one that is being ended now is left alone.
_FORGOTTEN_CALLS = """
    SELECT * FROM calls WHERE ended IS NULL AND started < %s ORDER BY started LIMIT 100 FOR UPDATE SKIP LOCKED
"""

_SAVE_CALL = """
    UPDATE calls SET security = %s, tries_left = %s, ended = %s, outcome = %s, call_back_time = %s WHERE call_id = %s
"""


def insert_call(conn: Connection, cipher: ClaimCipher, call: Call, caller: Caller) -> None:
    """A new call, at commit. Who is on the line is sealed."""
    on_the_line = {"relation": caller.relation, "name": caller.name, "authority": caller.authority}
    conn.at_commit(
        _INSERT_CALL,
        [
            call.call_id,
            call.claim_ref,
            call.operator,
            call.purpose,
            call.language,
            list(call.needs),
            cipher.seal(on_the_line, field=f"caller|{call.call_id}", version=1),
            call.security,
            list(call.security_questions),
            call.tries_left,
            call.started,
        ],
    )


def load_call(conn: Connection, call_id: UUID) -> Call:
    """A call, held until the transaction ends. Raises NotFound."""
    row = conn.execute("SELECT * FROM calls WHERE call_id = %s FOR UPDATE", [call_id]).fetchone()
    if row is None:
        raise NotFound("NO_CALL", "there is no such call", metadata={"call_id": str(call_id)})
    return _call(row)


def lock_forgotten_calls(conn: Connection, *, started_before: datetime) -> list[Call]:
    """Calls that began before then and have not ended, a hundred at most, held until the transaction ends."""
    return [_call(row) for row in conn.execute(_FORGOTTEN_CALLS, [started_before])]


def save_call(conn: Connection, call: Call) -> None:
    """A call after a try at its security questions, or at its end; at commit."""
    conn.at_commit(
        _SAVE_CALL, [call.security, call.tries_left, call.ended, call.outcome, call.call_back_time, call.call_id]
    )


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
