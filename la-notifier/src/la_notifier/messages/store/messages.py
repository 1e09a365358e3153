"""Messages: made once each by what events tell, taken under a lease, settled by a step.

A lease and a wait are real time by the database's clock; `due_time` and `expires` are the platform's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.database import Connection, Row
from la_notifier.messages.domain.message import (
    Medium,
    Message,
    MessageKind,
    MessageState,
    MessageSummary,
    NewMessage,
    Reason,
    Step,
)

ADD_MESSAGE = """
    -- A message about something; none where there is one about it already. That one keeps its use for as long as the later
    -- of the two: the list for an interview that was put off.
    INSERT INTO messages (claim_ref, kind, subject, created, due_time, expires)
    VALUES (%(claim_ref)s, %(kind)s, %(subject)s, %(created)s, %(due_time)s, %(expires)s)
    ON CONFLICT ON CONSTRAINT one_message_about_a_thing DO UPDATE SET expires = excluded.expires
    WHERE messages.state IN ('DUE', 'UNREACHABLE') AND messages.expires < excluded.expires
"""

_TAKEN = """message.message_id, message.claim_ref, message.kind, message.subject, message.state, message.medium, message.lease,
        message.attempts, message.polls, message.due_time, message.expires, message.notify_id, message.letter_only"""

TAKE_TO_WRITE = f"""
    -- Leases the message that is due to be written for longest, by the platform's clock.
    UPDATE messages AS message
    SET lease = gen_random_uuid(), leased_until = statement_timestamp() + make_interval(secs => %(seconds)s),
        attempts = attempts + 1
    WHERE message_id = (
        SELECT message_id FROM messages
        WHERE state IN ('DUE', 'UNREACHABLE') AND due_time <= %(now)s AND next_attempt_time <= statement_timestamp()
            AND (leased_until IS NULL OR leased_until <= statement_timestamp())
        ORDER BY due_time LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING {_TAKEN}
"""  # noqa: S608

TAKE_TO_SEND = f"""
    -- Leases the written message that waits for longest. From here on it may be at Notify: what is left so is asked about.
    UPDATE messages AS message
    SET state = 'SENDING', lease = gen_random_uuid(), attempts = attempts + 1, polls = 0,
        leased_until = statement_timestamp() + make_interval(secs => %(seconds)s),
        next_attempt_time = statement_timestamp() + make_interval(secs => %(unknown_seconds)s)
    FROM data_keys AS key
    WHERE key.claim_ref = message.claim_ref AND message_id = (
        SELECT message_id FROM messages
        WHERE state = 'WAITING' AND next_attempt_time <= statement_timestamp()
        ORDER BY next_attempt_time LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING {_TAKEN}, message.content, message.written, key.key_id, key.wrapped
"""  # noqa: S608

TAKE_TO_ASK = f"""
    -- Leases the message about which Notify is to be asked for longest.
    UPDATE messages AS message
    SET lease = gen_random_uuid(), leased_until = statement_timestamp() + make_interval(secs => %(seconds)s), polls = polls + 1
    WHERE message_id = (
        SELECT message_id FROM messages
        WHERE state IN ('SENDING', 'SENT') AND next_attempt_time <= statement_timestamp()
            AND (leased_until IS NULL OR leased_until <= statement_timestamp())
        ORDER BY next_attempt_time LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING {_TAKEN}
"""  # noqa: S608

HOLD = """
    -- Locks a message that is still leased by this worker.
    SELECT 1 FROM messages WHERE message_id = %s AND lease = %s FOR UPDATE
"""

SAVE_WRITTEN = """
    -- Saves a written message, and ends its lease. Of one that goes by letter now, the reason stays. What was written before
    -- and is written anew goes before the others, or in a long queue it would be too old again when its turn comes.
    UPDATE messages
    SET state = %(state)s, medium = %(medium)s, language = %(language)s, discreet = %(discreet)s, content = %(content)s,
        letter_id = %(letter_id)s,
        reason = coalesce(%(reason)s, CASE WHEN letter_only THEN reason END), written = %(now)s,
        ended = CASE WHEN %(is_end)s THEN %(now)s::timestamptz END, attempts = 0, lease = NULL, leased_until = NULL,
        next_attempt_time = CASE
            WHEN NOT %(is_end)s THEN statement_timestamp() - make_interval(hours => (content IS NOT NULL)::int)
        END
    WHERE message_id = %(message_id)s
"""

SETTLE = """
    -- Saves a step of a message that is held, and ends its lease. What was said goes when it is delivered or written anew.
    UPDATE messages
    SET state = %(state)s, lease = NULL, leased_until = NULL, notify_id = coalesce(%(notify_id)s, notify_id),
        reason = coalesce(%(reason)s, reason), letter_only = letter_only OR %(letter_only)s,
        next_attempt_time = statement_timestamp() + make_interval(secs => %(wait_seconds)s::float8),
        sent = CASE WHEN %(is_sent)s THEN coalesce(sent, %(now)s) ELSE sent END,
        attempts = CASE WHEN %(is_due_again)s THEN 0 ELSE attempts END,
        content = CASE WHEN NOT %(is_end)s AND NOT %(is_due_again)s THEN content END,
        ended = CASE WHEN %(is_end)s THEN %(now)s::timestamptz END
    WHERE message_id = %(message_id)s
"""

LOCK_OF_CLAIM = """
    -- Locks the messages of a claim, and waits for those that are being saved.
    SELECT message_id FROM messages WHERE claim_ref = %s ORDER BY message_id FOR UPDATE
"""

WRITE_ANEW = """
    -- What a claimant has not had yet is written anew. Letters that nobody has marked as printed are cancelled, and what is
    -- being written at this moment, from the facts as they were, is taken from its worker. LOCK_OF_CLAIM goes first.
    WITH cancelled AS (
        UPDATE letters SET state = 'CANCELLED', content = NULL
        WHERE state = 'WAITING' AND letter_id IN (
            SELECT coalesce(letter_id, message_id) FROM messages WHERE claim_ref = %(claim_ref)s AND state = 'LETTER'
        )
        RETURNING letter_id
    )
    UPDATE messages
    SET state = CASE WHEN state = 'UNREACHABLE' THEN state ELSE 'DUE' END, ended = NULL, attempts = 0, lease = NULL,
        leased_until = NULL, next_attempt_time = statement_timestamp()
    WHERE claim_ref = %(claim_ref)s AND (
        state IN ('DUE', 'WAITING', 'UNREACHABLE')
        OR coalesce(letter_id, message_id) IN (SELECT cancelled.letter_id FROM cancelled)
    )
"""

POSTPONE = """
    -- Makes a message due again later, and ends its lease.
    UPDATE messages SET due_time = %s, attempts = 0, lease = NULL, leased_until = NULL WHERE message_id = %s
"""

MESSAGES_OF_CLAIM = """
    -- The messages of a claim, the newest first.
    SELECT message.message_id, message.kind, message.state, message.medium, message.language, message.reason, message.due_time,
        message.sent, message.ended, message.attempts, message.discreet, message.next_attempt_time,
        (SELECT printed FROM letters WHERE letter_id = coalesce(message.letter_id, message.message_id)) AS printed
    FROM messages AS message WHERE message.claim_ref = %s ORDER BY message.due_time DESC, message.message_id
    LIMIT %s
"""

_ENDS = frozenset({MessageState.DELIVERED, MessageState.LETTER, MessageState.DROPPED})
_AT_NOTIFY = frozenset({MessageState.SENT, MessageState.DELIVERED})


@dataclass(frozen=True, kw_only=True)
class WrittenRow:
    """A written message as it is saved. `content` is sealed. A letter has none: it is in the print queue, as `letter_id`."""

    state: MessageState
    medium: Medium
    language: str
    discreet: bool
    reason: Reason | None
    content: bytes | None
    letter_id: UUID | None


def add(conn: Connection, new: NewMessage, *, now: datetime) -> None:
    """Adds a message, unless there is one about the same thing."""
    conn.execute(
        ADD_MESSAGE,
        {
            "claim_ref": new.claim_ref,
            "kind": new.kind,
            "subject": new.subject,
            "created": now,
            "due_time": new.due_time,
            "expires": new.expires,
        },
    )


def take_to_write(conn: Connection, *, now: datetime, seconds: float) -> Message | None:
    """The next message to write, leased for so many seconds."""
    row = conn.execute(TAKE_TO_WRITE, {"now": now, "seconds": seconds}).fetchone()
    return _message_of(row) if row else None


def take_to_send(conn: Connection, *, seconds: float, unknown_seconds: float) -> tuple[Message, Row] | None:
    """The next message to send, leased for so many seconds, and its row with `content`, `written`, `key_id` and
    `wrapped`."""
    row = conn.execute(TAKE_TO_SEND, {"seconds": seconds, "unknown_seconds": unknown_seconds}).fetchone()
    return (_message_of(row), row) if row else None


def take_to_ask(conn: Connection, *, seconds: float) -> Message | None:
    """The next message to ask Notify about, leased for so many seconds."""
    row = conn.execute(TAKE_TO_ASK, {"seconds": seconds}).fetchone()
    return _message_of(row) if row else None


def hold(conn: Connection, message: Message) -> bool:
    """Whether the message is still this worker's; if so, it is nobody else's until the transaction ends."""
    return conn.execute(HOLD, [message.message_id, message.lease]).fetchone() is not None


def save_written(conn: Connection, message: Message, written: WrittenRow, *, now: datetime) -> None:
    """Saves a written message, which must be held."""
    conn.execute(
        SAVE_WRITTEN,
        {
            "message_id": message.message_id,
            "state": written.state,
            "medium": written.medium,
            "language": written.language,
            "discreet": written.discreet,
            "reason": written.reason,
            "content": written.content,
            "letter_id": written.letter_id,
            "is_end": written.state in _ENDS,
            "now": now,
        },
    )


def settle(conn: Connection, message: Message, step: Step, *, now: datetime) -> None:
    """Saves a step of a message, which must be held."""
    conn.execute(SETTLE, _values(message, step, now))


def write_anew(conn: Connection, claim_ref: str) -> None:
    """Makes the messages of a claim that the claimant has not had yet due to be written again, and cancels their letters."""
    conn.execute(LOCK_OF_CLAIM, [claim_ref])
    conn.execute(WRITE_ANEW, {"claim_ref": claim_ref})


def postpone(conn: Connection, message: Message, *, until: datetime) -> None:
    """Makes a message, which must be held, due again at a later time of the platform's clock."""
    conn.execute(POSTPONE, [until, message.message_id])


def _values(message: Message, step: Step, now: datetime) -> Mapping[str, Any]:
    return {
        "message_id": message.message_id,
        "state": step.state,
        "notify_id": step.notify_id,
        "reason": step.reason,
        "letter_only": step.becomes_letter,
        "wait_seconds": step.wait_seconds,
        "is_sent": step.state in _AT_NOTIFY,
        "is_due_again": step.becomes_letter,
        "is_end": step.state in _ENDS,
        "now": now,
    }


def summaries_of(conn: Connection, claim_ref: str, *, most: int) -> Sequence[MessageSummary]:
    """The messages of a claim, the newest first."""
    return [_summary_of(row) for row in conn.execute(MESSAGES_OF_CLAIM, [claim_ref, most])]


def _summary_of(row: Row) -> MessageSummary:
    return MessageSummary(
        **row
        | {
            "kind": MessageKind(row["kind"]),
            "state": MessageState(row["state"]),
            "medium": _medium(row),
            "reason": Reason(row["reason"]) if row["reason"] else None,
        }
    )


def _message_of(row: Row) -> Message:
    names = ("message_id", "claim_ref", "subject", "lease", "attempts", "polls", "due_time", "expires", "notify_id")
    return Message(
        **{name: row[name] for name in names},
        kind=MessageKind(row["kind"]),
        state=MessageState(row["state"]),
        medium=_medium(row),
        letter_only=row["letter_only"],
    )


def _medium(row: Row) -> Medium | None:
    return Medium(row["medium"]) if row["medium"] else None
