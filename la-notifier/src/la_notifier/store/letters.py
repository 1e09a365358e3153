"""The print queue. A letter's content is sealed with its claim's key and bound to the letter."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from chassis.database import Connection, Row
from chassis.vault import Vault
from la_notifier.domain.letters import LetterState, QueuedLetter, Recipient

ADD = """
    -- A claimant's letter that waits to be printed. A second one of the same id is none.
    INSERT INTO letters (letter_id, recipient, claim_ref, about, language, content, created, due_on)
    VALUES (%(letter_id)s, %(recipient)s, %(claim_ref)s, %(about)s, %(language)s, %(content)s, %(created)s, %(due_on)s)
    ON CONFLICT (letter_id) DO NOTHING
"""

ADD_OF_NOTICE = """
    -- The letter of a version, which waits to be printed. One that waits already stays. One that was printed is made anew: the
    -- version is sent again.
    INSERT INTO letters
        (letter_id, recipient, claim_ref, about, language, authority_code, notice_id, version, content, created, due_on)
    VALUES (%(letter_id)s, %(recipient)s, %(claim_ref)s, %(about)s, %(language)s, %(authority_code)s, %(notice_id)s,
        %(version)s, %(content)s, %(created)s, %(due_on)s)
    ON CONFLICT ON CONSTRAINT one_letter_for_a_version DO UPDATE
    SET letter_id = excluded.letter_id, content = excluded.content, created = excluded.created, due_on = excluded.due_on,
        language = excluded.language, state = 'WAITING', printed = NULL, printed_by = NULL
    WHERE letters.state <> 'WAITING'
"""

# What is about a notice waits only as long as its version does.
TO_PRINT = """
    -- The letters that are to be printed next for a kind of recipient.
    SELECT letter.* FROM letters AS letter
    WHERE letter.recipient = %(recipient)s AND letter.state = 'WAITING'
        AND (letter.due_on, letter.created, letter.letter_id) > (%(due_on)s, %(created)s, %(letter_id)s)
        AND (letter.notice_id IS NULL OR EXISTS (
            SELECT 1 FROM notice_versions AS version
            WHERE version.notice_id = letter.notice_id AND version.version = letter.version
                AND version.state = 'WAITING' AND NOT version.followed
        ))
    ORDER BY letter.due_on, letter.created, letter.letter_id LIMIT %(limit)s
"""

LETTERS = """
    -- Letters by their ids.
    SELECT * FROM letters WHERE letter_id = ANY(%s) ORDER BY due_on, created, letter_id
"""

LOCK = """
    -- Locks a letter.
    SELECT * FROM letters WHERE letter_id = %s FOR UPDATE
"""

MARK_PRINTED = """
    -- Somebody printed a letter.
    UPDATE letters SET state = 'PRINTED', printed = %s, printed_by = %s WHERE letter_id = %s
"""

CANCEL = """
    -- A letter that nobody is to print.
    UPDATE letters SET state = 'CANCELLED', content = NULL WHERE letter_id = %s
"""

CANCEL_ENDED = """
    -- Cancels letters whose version was superseded before they were printed.
    UPDATE letters SET state = 'CANCELLED', content = NULL
    WHERE letter_id IN (
        SELECT letter.letter_id FROM letters AS letter
            JOIN notice_versions AS version ON version.notice_id = letter.notice_id AND version.version = letter.version
        WHERE letter.state = 'WAITING' AND letter.recipient = 'COUNCIL' AND version.state <> 'WAITING'
        LIMIT %s FOR UPDATE OF letter SKIP LOCKED
    )
"""

FORGET_PRINTED = """
    -- Drops what was printed so long ago that nobody prints it once more.
    UPDATE letters SET content = NULL
    WHERE letter_id IN (
        SELECT letter_id FROM letters WHERE state = 'PRINTED' AND content IS NOT NULL AND printed < %s LIMIT %s
    )
"""


def add(conn: Connection, vault: Vault, letter: QueuedLetter, pdf: bytes) -> None:
    """Puts a letter in the queue; where it waits there already, nothing."""
    sealed = vault.cipher(conn, letter.claim_ref).seal_bytes(pdf, field=_field(letter.letter_id), version=1)
    values = {name: getattr(letter, name) for name in _ADDED}
    conn.execute(ADD if letter.notice_id is None else ADD_OF_NOTICE, values | {"content": sealed})


def to_print(
    conn: Connection, recipient: Recipient, *, after: tuple[date, datetime, UUID], limit: int
) -> Sequence[Row]:
    """The rows of the letters that are to be printed next, behind a place."""
    place = dict(zip(("due_on", "created", "letter_id"), after, strict=True))
    return conn.execute(TO_PRINT, {"recipient": recipient, "limit": limit, **place}).fetchall()


def letters(conn: Connection, letter_ids: Sequence[UUID]) -> Sequence[Row]:
    """The rows of these letters, as far as there are such."""
    return conn.execute(LETTERS, [list(letter_ids)]).fetchall()


def letter_of(row: Row) -> QueuedLetter:
    """The letter of a row."""
    values = {name: row[name] for name in QueuedLetter.__dataclass_fields__}
    return QueuedLetter(
        **values | {"recipient": Recipient(row["recipient"]), "state": LetterState(row["state"])},
    )


def pdf_of(conn: Connection, vault: Vault, row: Row) -> bytes:
    """The letter of a row as it is printed; nothing where it is gone. Raises cryptography.exceptions.InvalidTag."""
    if row["content"] is None:
        return b""
    return vault.cipher(conn, row["claim_ref"]).open_bytes(row["content"], field=_field(row["letter_id"]), version=1)


def lock(conn: Connection, letter_id: UUID) -> QueuedLetter | None:
    """A letter, locked for this transaction; None where there is none."""
    row = conn.execute(LOCK, [letter_id]).fetchone()
    return None if row is None else letter_of(row)


def mark_printed(conn: Connection, letter_id: UUID, *, now: datetime, by: str) -> None:
    """Marks a letter as printed by a person."""
    conn.execute(MARK_PRINTED, [now, by, letter_id])


def cancel(conn: Connection, letter_id: UUID) -> None:
    """Takes a letter out of the queue."""
    conn.execute(CANCEL, [letter_id])


def cancel_ended(conn: Connection, *, most: int) -> int:
    """Takes letters out of the queue whose version was superseded; returns how many."""
    return conn.execute(CANCEL_ENDED, [most]).rowcount


def forget_printed(conn: Connection, *, before: datetime, most: int) -> int:
    """Drops the content of letters that were printed before a time; returns how many."""
    return conn.execute(FORGET_PRINTED, [before, most]).rowcount


_ADDED = (
    *("letter_id", "recipient", "claim_ref", "about", "language", "authority_code", "notice_id", "version"),
    *("created", "due_on"),
)


def _field(letter_id: UUID) -> str:
    return f"letter {letter_id}"
