"""Call-backs: rows of the calls in which they were promised."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from chassis.database import Connection, Row
from chassis.errors import NotFound
from chassis.vault import ClaimCipher
from intake.domain.call import Caller
from intake.domain.call_back import CallBack
from intake.domain.search import CallBackSearch
from intake.store.calls import open_caller

_DUE: LiteralString = "COALESCE(letter_due_time, call_back_due, call_back_time)"

# A call-back is settled by the mark, or by a later call that began at the same moment and so left no mark.
_LATER: LiteralString = """
    EXISTS (SELECT 1 FROM calls AS later WHERE later.claim_ref = calls.claim_ref AND later.started > calls.started)
"""

_CALL_BACK: LiteralString = (
    "SELECT calls.*, has_later_call OR " + _LATER + " AS is_settled, " + _DUE + " AS due FROM calls"  # noqa: S608 - constants
)

CALL_BACK = _CALL_BACK + " WHERE call_id = %s AND outcome = 'CALL_BACK' FOR UPDATE"

_OPEN: LiteralString = (
    _CALL_BACK + " WHERE outcome = 'CALL_BACK' AND NOT has_later_call AND letter_sent_time IS NULL AND NOT " + _LATER
)
_FREE: LiteralString = "(call_back_taken_until IS NULL OR call_back_taken_until <= %(real_now)s)"

# Conditions of each state that a list can ask for.
_STATES: dict[str, LiteralString] = {
    "DUE_NOW": " AND " + _DUE + " <= %(now)s AND " + _FREE,
    "DUE": " AND letter_due_time IS NULL AND " + _DUE + " <= %(now)s AND " + _FREE,
    "LETTER_DUE": " AND letter_due_time IS NOT NULL AND " + _FREE,
    "WAITING": " AND letter_due_time IS NULL AND " + _DUE + " > %(now)s AND " + _FREE,
    "TAKEN": " AND NOT " + _FREE,
}
_OF_LANGUAGE: LiteralString = " AND language = %(language)s"
_AFTER: LiteralString = " AND (" + _DUE + ", call_id) > (%(after_time)s, %(after_id)s)"
_IN_ORDER: LiteralString = " ORDER BY " + _DUE + ", call_id LIMIT %(limit)s"

# Saves a call-back that was taken or tried. The last release reads none of it.
SAVE_CALL_BACK = """
    UPDATE calls SET call_back_attempts = %(attempts)s, call_back_taken_by = %(taken_by)s,
        call_back_taken_until = %(taken_until)s,
        call_back_due = CASE WHEN NOT %(is_letter)s THEN %(due)s::timestamptz ELSE call_back_due END,
        letter_due_time = CASE WHEN %(is_letter)s THEN %(due)s::timestamptz END,
        letter_sent_time = %(letter_ended_time)s, letter_sent_by = %(letter_ended_by)s,
        letter_given_up = %(is_given_up)s
    WHERE call_id = %(call_id)s
"""


@dataclass(frozen=True, kw_only=True)
class CallBackFound:
    """A call-back with the row of its call."""

    call_back: CallBack
    row: Row

    def caller(self, cipher: ClaimCipher) -> Caller:
        """The person who was promised the call-back."""
        return open_caller(cipher, self.row)


def lock_call_back(conn: Connection, call_id: UUID) -> CallBackFound:
    """A call-back that nobody else can change until the transaction ends. Raises NotFound."""
    row = conn.execute(CALL_BACK, [call_id]).fetchone()
    if row is None:
        raise NotFound("NO_CALL_BACK", "no call-back was promised in such a call", metadata={"call_id": str(call_id)})
    return _found(row)


def lock_next_call_back(
    conn: Connection, *, language: str | None, now: datetime, real_now: datetime
) -> CallBackFound | None:
    """The call-back or letter that has been due for longest, and that nobody has or is taking now.

    What others have locked is passed over while there is another. The last one is waited for: who has locked it may be ending
    the wrap-up of its call, and leave it due.
    """
    query, parameters = _query(CallBackSearch(language=language, limit=1), now=now, real_now=real_now)
    row = (
        conn.execute(query + " FOR UPDATE SKIP LOCKED", parameters).fetchone()
        or conn.execute(query + " FOR UPDATE", parameters).fetchone()
    )
    return _found(row) if row else None


def find_call_backs(conn: Connection, search: CallBackSearch, *, now: datetime, real_now: datetime) -> list[CallBack]:
    """Call-backs that match, the one that is due first at the top."""
    query, parameters = _query(search, now=now, real_now=real_now)
    return [_found(row).call_back for row in conn.execute(query, parameters)]


def save_call_back(conn: Connection, call_back: CallBack) -> None:
    """Saves a call-back that was taken or tried."""
    conn.execute(
        SAVE_CALL_BACK,
        {
            "call_id": call_back.call_id,
            "attempts": call_back.attempts,
            "taken_by": call_back.taken_by,
            "taken_until": call_back.taken_until,
            "is_letter": call_back.is_letter,
            "due": call_back.due,
            "letter_ended_time": call_back.letter_ended_time,
            "letter_ended_by": call_back.letter_ended_by,
            "is_given_up": call_back.is_given_up,
        },
    )


def _query(search: CallBackSearch, *, now: datetime, real_now: datetime) -> tuple[LiteralString, dict[str, object]]:
    after_time, after_id = search.after or (None, None)
    query = _OPEN + _STATES[search.state]
    if search.language:
        query += _OF_LANGUAGE
    if search.after:
        query += _AFTER
    parameters: dict[str, object] = {
        "now": now,
        "real_now": real_now,
        "language": search.language,
        "after_time": after_time,
        "after_id": after_id,
        "limit": search.limit,
    }
    return query + _IN_ORDER, parameters


def _found(row: Row) -> CallBackFound:
    call_back = CallBack(
        call_id=row["call_id"],
        claim_ref=row["claim_ref"],
        language=row["language"],
        needs=tuple(row["needs"]),
        due=row["due"],
        attempts=row["call_back_attempts"],
        is_letter=row["letter_due_time"] is not None,
        letter_ended_time=row["letter_sent_time"],
        letter_ended_by=row["letter_sent_by"],
        is_given_up=row["letter_given_up"],
        taken_by=row["call_back_taken_by"],
        taken_until=row["call_back_taken_until"],
        is_settled=row["is_settled"],
    )
    return CallBackFound(call_back=call_back, row=row)
