"""Calls about claims."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast
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
        security, security_questions, catalogue, tries_left, started)
    VALUES (%(call_id)s, %(claim_ref)s, %(operator)s, %(purpose)s, %(language)s, %(needs)s, %(caller)s,
        %(security)s, %(security_questions)s, %(catalogue)s, %(tries_left)s, %(started)s)
"""

CALL = "SELECT * FROM calls WHERE call_id = %s FOR UPDATE"

LATEST_CALL = "SELECT * FROM calls WHERE claim_ref = %s ORDER BY started DESC, call_id DESC LIMIT 1 FOR UPDATE"

# Reads a page of the calls about a claim, newest first.
CALLS_OF_CLAIM = """
    SELECT * FROM calls
    WHERE claim_ref = %(claim_ref)s
        AND (%(after_time)s::timestamptz IS NULL OR (started, call_id) < (%(after_time)s, %(after_id)s))
    ORDER BY started DESC, call_id DESC LIMIT %(limit)s
"""

OTHER_CALLS = "SELECT 1 FROM calls WHERE claim_ref = %s AND call_id <> %s LIMIT 1"

# Lists the needs that were stated in the calls about a claim.
NEEDS = "SELECT DISTINCT unnest(needs) AS need FROM calls WHERE claim_ref = %s"

# Ends the wrap-ups of an operator, or of everybody. One that is being ended or resumed now is left alone.
END_WRAP_UPS = """
    UPDATE calls SET wrap_up_ended = LEAST(%(at)s::timestamptz, ended + %(longest)s::interval)
    WHERE call_id IN (
        SELECT call_id FROM calls
        WHERE ended IS NOT NULL AND wrap_up_ended IS NULL
            AND (operator = %(operator)s OR %(operator)s::text IS NULL) AND call_id IS DISTINCT FROM %(but)s
            AND ended <= %(ended_by)s
        LIMIT 100 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""

LANGUAGE = "SELECT language FROM calls WHERE call_id = %s AND operator = %s"

# Calls that nobody ended, the oldest first; one that is being ended now is left alone.
FORGOTTEN_CALLS = """
    SELECT * FROM calls WHERE ended IS NULL AND started < %s ORDER BY started LIMIT 100 FOR UPDATE SKIP LOCKED
"""

SAVE_CALL = """
    UPDATE calls SET operator = %(operator)s, security = %(security)s, security_questions = %(security_questions)s,
        catalogue = %(catalogue)s, tries_left = %(tries_left)s, ended = %(ended)s, outcome = %(outcome)s,
        call_back_time = %(call_back_time)s,
        held_since = %(held_since)s, hold = %(hold)s, gap = %(gap)s, wrap_up = %(wrap_up)s,
        wrap_up_ended = %(wrap_up_ended)s, earlier_operators = %(earlier_operators)s, earlier_passed = %(earlier_passed)s
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


def lock_latest_call(conn: Connection, claim_ref: str) -> Call | None:
    """The latest call on a claim, which nobody else can change until the transaction ends; None before the first."""
    row = conn.execute(LATEST_CALL, [claim_ref]).fetchone()
    return _call(row) if row else None


def load_calls(
    conn: Connection, cipher: ClaimCipher, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[Call, Caller]]:
    """A page of the calls about a claim with who was on the line, newest first."""
    after_time, after_id = after or (None, None)
    parameters = {"claim_ref": cipher.claim_ref, "after_time": after_time, "after_id": after_id, "limit": limit}
    return [(_call(row), open_caller(cipher, row)) for row in conn.execute(CALLS_OF_CLAIM, parameters)]


def has_other_calls(conn: Connection, call: Call) -> bool:
    """Whether there was any other call on the same claim."""
    return conn.execute(OTHER_CALLS, [call.claim_ref, call.call_id]).fetchone() is not None


def load_needs(conn: Connection, claim_ref: str) -> frozenset[str]:
    """The needs that were stated in the calls about a claim."""
    return frozenset(row["need"] for row in conn.execute(NEEDS, [claim_ref]))


def end_wrap_ups(
    conn: Connection, *, operator: str | None, but: UUID | None, at: datetime, longest: timedelta, ended_by: datetime
) -> list[Call]:
    """Ends wrap-ups of calls that ended by then, of one operator or of all, but for one; a hundred at most.

    None takes longer than `longest`. Returns these calls.
    """
    parameters = {"operator": operator, "but": but, "at": at, "longest": longest, "ended_by": ended_by}
    return [_call(row) for row in conn.execute(END_WRAP_UPS, parameters)]


def open_caller(cipher: ClaimCipher, row: Row) -> Caller:
    """The person who was on the line in a call."""
    return Caller(**cast("dict[str, Any]", cipher.open(row["caller"], field=f"caller|{row['call_id']}", version=1)))


def load_language(conn: Connection, call_id: UUID, *, operator: str) -> str | None:
    """The language of an operator's call; None where there is no such call."""
    row = conn.execute(LANGUAGE, [call_id, operator]).fetchone()
    return str(row["language"]) if row else None


def lock_forgotten_calls(conn: Connection, *, started_before: datetime) -> list[Call]:
    """Locks calls that began before then and have not ended, a hundred at most."""
    return [_call(row) for row in conn.execute(FORGOTTEN_CALLS, [started_before])]


def save_call(conn: Connection, call: Call) -> None:
    """Saves a call that changed."""
    lists = {name: list(getattr(call, name)) for name in ("security_questions", "earlier_operators")}
    conn.execute(SAVE_CALL, asdict(call) | lists)


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
        catalogue=row["catalogue"],
        tries_left=row["tries_left"],
        started=row["started"],
        ended=row["ended"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        call_back_time=row["call_back_time"],
        held_since=row["held_since"],
        hold=row["hold"],
        gap=row["gap"],
        wrap_up=row["wrap_up"],
        wrap_up_ended=row["wrap_up_ended"],
        earlier_operators=tuple(row["earlier_operators"]),
        earlier_passed=row["earlier_passed"],
    )
