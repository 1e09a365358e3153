"""The files of the channel SFTP, and the authorities to which they go.

The name of a file tells its authority, so an authority's files are seen to under one lease. Leases and waits are real time by
the database's clock, other moments are the platform's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.database import Connection, Row
from chassis.vault import ClaimCipher, Vault
from la_notifier.domain.files import File, FileState
from la_notifier.domain.notices import NoticeVersion, Saying
from la_notifier.store.versions import version_of

ENROL = """
    -- Every authority for which a version waits has a turn in each cycle from now on.
    INSERT INTO file_authorities (authority_code)
    SELECT DISTINCT notice.authority_code FROM notice_versions AS version JOIN notices AS notice USING (notice_id)
    WHERE version.channel = 'SFTP' AND version.state = 'WAITING'
    ON CONFLICT DO NOTHING
"""

TAKE_TURN = """
    -- Leases the authority whose turn is due for longest.
    UPDATE file_authorities
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        leased_until = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE authority_code = (
        SELECT authority_code FROM file_authorities
        WHERE due <= statement_timestamp() AND (leased_until IS NULL OR leased_until <= statement_timestamp())
        ORDER BY due LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING authority_code, lease, attempts
"""

HOLD_TURN = """
    -- Locks an authority that is still leased by this worker.
    SELECT last_sequence FROM file_authorities WHERE authority_code = %s AND lease = %s FOR UPDATE
"""

END_TURN = """
    -- Ends the lease; the next turn is so many seconds from now.
    UPDATE file_authorities
    SET lease = NULL, leased_until = NULL, due = statement_timestamp() + make_interval(secs => %(seconds)s),
        attempts = CASE WHEN %(failed)s THEN attempts ELSE 0 END
    WHERE authority_code = %(authority_code)s AND lease = %(lease)s
"""

HAS_BUILT = """
    -- Whether an authority has a file that was not uploaded yet.
    SELECT 1 FROM files WHERE authority_code = %s AND state = 'BUILT' LIMIT 1
"""

TAKE_TO_FILE = """
    -- The versions for an authority's next file, the oldest first, each with its body and its claim's key. A version that has
    -- gone in a file goes in no other, unless it was refused or left out there. `might_be_held` is from before the file.
    SELECT version.notice_id, version.version, version.state, version.lease, version.attempts, version.polls,
        version.disputed, version.first_contact_time, version.sent, version.may_be_held AS might_be_held, version.body,
        notice.claim_ref, notice.authority_code, notice.wanted AND NOT version.followed AS is_wanted,
        key.key_id, key.wrapped
    FROM notice_versions AS version JOIN notices AS notice USING (notice_id) LEFT JOIN data_keys AS key USING (claim_ref)
    WHERE version.channel = 'SFTP' AND version.state = 'WAITING' AND notice.authority_code = %(authority_code)s
        AND version.next_attempt_time <= statement_timestamp()
        AND NOT EXISTS (
            SELECT 1 FROM file_rows AS filed
            WHERE filed.notice_id = version.notice_id AND filed.version = version.version
                AND (filed.saying IS NULL OR filed.saying NOT IN ('REFUSED', 'LEFT_OUT'))
        )
    ORDER BY version.created, version.notice_id LIMIT %(most)s
    FOR UPDATE OF version, notice SKIP LOCKED
"""

ADD_FILE = """
    -- A file with the next sequence of its authority.
    INSERT INTO files (authority_code, sequence, content, row_count, created)
    VALUES (%(authority_code)s, %(sequence)s, %(content)s, %(row_count)s, %(now)s)
"""

COUNT_SEQUENCE = """
    -- The sequence is used.
    UPDATE file_authorities SET last_sequence = %s WHERE authority_code = %s
"""

ADD_ROW = """
    -- A version in its file.
    INSERT INTO file_rows (authority_code, sequence, line, notice_id, version) VALUES (%s, %s, %s, %s, %s)
"""

NOTE_FILED = """
    -- A version that is in a file may be held from now on: the process may end between the upload and the next commit.
    UPDATE notice_versions SET attempts = attempts + 1, may_be_held = true, next_attempt_time = NULL
    WHERE notice_id = %s AND version = %s
"""

OPEN_FILES = """
    -- An authority's files that are not acknowledged: what is to be uploaded, then those that were looked for longest ago.
    SELECT authority_code, sequence, state, row_count, uploads,
        ask_again_time <= statement_timestamp() IS TRUE AS is_ask_due
    FROM files WHERE authority_code = %s AND state <> 'ACKNOWLEDGED'
    ORDER BY state <> 'BUILT', looked_time NULLS FIRST, sequence LIMIT %s
"""

CONTENT = """
    -- The sealed bytes of a file.
    SELECT content FROM files WHERE authority_code = %s AND sequence = %s
"""

UNSENT_ROWS = """
    -- Versions of an uploaded file that still count as waiting. One that was answered for waits for a later file, not for this.
    SELECT filed.notice_id, filed.version FROM file_rows AS filed JOIN notice_versions AS version USING (notice_id, version)
    WHERE filed.authority_code = %s AND filed.sequence = %s AND filed.saying IS NULL AND version.state = 'WAITING'
    ORDER BY filed.line LIMIT %s
"""

NOTE_UPLOADED = """
    -- A file lies in in/: for the first time, or once more because no answer came.
    UPDATE files
    SET state = 'SENT', sent = coalesce(sent, %(now)s), uploads = uploads + 1,
        ask_again_time = statement_timestamp() + make_interval(secs => %(seconds)s)
    WHERE authority_code = %(authority_code)s AND sequence = %(sequence)s AND state <> 'ACKNOWLEDGED'
"""

UNANSWERED_ROWS = """
    -- The versions of a file for which the authority has not answered.
    SELECT notice_id, version FROM file_rows WHERE authority_code = %s AND sequence = %s AND saying IS NULL
"""

NOTE_SAYING = """
    -- What the authority said of a row, or that it left the row out; a second answer finds nothing to note.
    UPDATE file_rows SET saying = %s WHERE notice_id = %s AND version = %s AND saying IS NULL
"""

NOTE_LOOK = """
    -- A file was looked after. It is at its end once every row was answered for, or nobody needs the answer, because a later
    -- version was loaded or the authority is no more.
    UPDATE files AS file
    SET looked_time = statement_timestamp(), state = 'ACKNOWLEDGED', content = NULL, acknowledged = %(now)s
    WHERE authority_code = %(authority_code)s AND sequence = %(sequence)s AND NOT EXISTS (
        SELECT 1 FROM file_rows AS filed JOIN notice_versions AS version USING (notice_id, version)
        WHERE filed.authority_code = file.authority_code AND filed.sequence = file.sequence AND filed.saying IS NULL
            AND version.state IN ('WAITING', 'SENT', 'RECEIVED')
    )
"""

NOTE_LOOKED = """
    -- A file was looked after, and rows of it are not answered for.
    UPDATE files SET looked_time = statement_timestamp() WHERE authority_code = %s AND sequence = %s
"""

IS_UNANSWERED = """
    -- Whether a version is in a file whose authority has not answered for it.
    SELECT 1 FROM file_rows AS filed JOIN files USING (authority_code, sequence)
    WHERE filed.notice_id = %s AND filed.version = %s AND filed.saying IS NULL AND files.state <> 'ACKNOWLEDGED'
"""

ASK_AGAIN = """
    -- A person wants an answer: the file of a version is sent again in its authority's next turn, which is due at once.
    WITH file AS (
        UPDATE files SET ask_again_time = statement_timestamp()
        FROM file_rows AS filed
        WHERE filed.authority_code = files.authority_code AND filed.sequence = files.sequence
            AND filed.notice_id = %s AND filed.version = %s AND filed.saying IS NULL AND files.state <> 'ACKNOWLEDGED'
        RETURNING files.authority_code
    )
    UPDATE file_authorities SET due = statement_timestamp() FROM file
    WHERE file_authorities.authority_code = file.authority_code
"""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The turn at an authority's files. `attempts` counts it and those before it that failed."""

    authority_code: str
    lease: UUID
    attempts: int


def enrol(conn: Connection) -> None:
    """Gives every authority a turn for which a version waits."""
    conn.execute(ENROL)


def take_turn(conn: Connection, *, seconds: float) -> Turn | None:
    """The turn that is due for longest, leased for so many seconds; None where none is due."""
    row = conn.execute(TAKE_TURN, {"seconds": seconds}).fetchone()
    return None if row is None else Turn(**row)


def hold_turn(conn: Connection, turn: Turn) -> int | None:
    """The last sequence of the authority, locked for this transaction; None where the lease was lost."""
    row = conn.execute(HOLD_TURN, [turn.authority_code, turn.lease]).fetchone()
    return None if row is None else int(row["last_sequence"])


def end_turn(conn: Connection, turn: Turn, *, seconds: float, failed: bool) -> None:
    """Ends the turn; the next one is due in so many seconds."""
    values = {"seconds": seconds, "failed": failed, "authority_code": turn.authority_code, "lease": turn.lease}
    conn.execute(END_TURN, values)


def has_built(conn: Connection, authority_code: str) -> bool:
    """Whether the authority has a file that was not uploaded yet."""
    return conn.execute(HAS_BUILT, [authority_code]).fetchone() is not None


def take_to_file(conn: Connection, authority_code: str, *, most: int) -> Sequence[tuple[NoticeVersion, Row]]:
    """The versions that wait for the authority's next file, locked, each with `body` (sealed), `key_id` and `wrapped`."""
    rows = conn.execute(TAKE_TO_FILE, {"authority_code": authority_code, "most": most}).fetchall()
    return [(version_of(row), row) for row in rows]


def add_file(
    conn: Connection, vault: Vault, file: File, *, content: bytes, versions: Sequence[NoticeVersion], now: datetime
) -> None:
    """Adds a file with its rows. Raises psycopg.errors.UniqueViolation for a version that is in a file already."""
    sealed = _cipher(conn, vault, file.authority_code).seal_bytes(content, field=_CONTENT, version=file.sequence)
    values = {"authority_code": file.authority_code, "sequence": file.sequence, "row_count": file.row_count}
    conn.execute(ADD_FILE, values | {"content": sealed, "now": now})
    conn.execute(COUNT_SEQUENCE, [file.sequence, file.authority_code])
    with conn.cursor() as cursor:
        place = (file.authority_code, file.sequence)
        cursor.executemany(
            ADD_ROW, [(*place, line, one.notice_id, one.version) for line, one in enumerate(versions, start=1)]
        )
        cursor.executemany(NOTE_FILED, [(one.notice_id, one.version) for one in versions])


def open_files(conn: Connection, authority_code: str, *, most: int) -> Sequence[File]:
    """The authority's files that are not acknowledged, by sequence; of many, those that were looked for longest ago."""
    rows = conn.execute(OPEN_FILES, [authority_code, most])
    found = [File(**row | {"state": FileState(row["state"])}) for row in rows]
    return sorted(found, key=lambda file: file.sequence)


def content_of(conn: Connection, vault: Vault, file: File) -> bytes:
    """The bytes of a file. Raises LookupError where it is acknowledged, cryptography.exceptions.InvalidTag."""
    row = conn.execute(CONTENT, [file.authority_code, file.sequence]).fetchone()
    if row is None or row["content"] is None:
        raise LookupError("the file is acknowledged")
    return _cipher(conn, vault, file.authority_code).open_bytes(row["content"], field=_CONTENT, version=file.sequence)


def unsent_rows(conn: Connection, file: File, *, most: int) -> Sequence[tuple[UUID, int]]:
    """Versions of an uploaded file that still count as waiting."""
    rows = conn.execute(UNSENT_ROWS, [file.authority_code, file.sequence, most])
    return [(row["notice_id"], row["version"]) for row in rows]


def note_uploaded(conn: Connection, file: File, *, seconds: float, now: datetime) -> None:
    """Notes that the file was uploaded; it is asked about in so many seconds if it is not answered."""
    values = {"authority_code": file.authority_code, "sequence": file.sequence, "seconds": seconds, "now": now}
    conn.execute(NOTE_UPLOADED, values)


def unanswered(conn: Connection, file: File) -> set[tuple[UUID, int]]:
    """The versions of the file for which the authority has not answered."""
    rows = conn.execute(UNANSWERED_ROWS, [file.authority_code, file.sequence])
    return {(row["notice_id"], row["version"]) for row in rows}


def note_saying(conn: Connection, notice_id: UUID, version: int, saying: Saying | Literal["LEFT_OUT"]) -> None:
    """Notes once what the authority said of a row, or that it left the row out of its answer."""
    conn.execute(NOTE_SAYING, [saying, notice_id, version])


def note_look(conn: Connection, file: File, *, now: datetime) -> bool:
    """Notes that the file was looked after; returns whether that was its end, since no row needs an answer any more."""
    values = {"authority_code": file.authority_code, "sequence": file.sequence, "now": now}
    if conn.execute(NOTE_LOOK, values).rowcount:
        return True
    conn.execute(NOTE_LOOKED, [file.authority_code, file.sequence])
    return False


def is_unanswered(conn: Connection, notice_id: UUID, version: int) -> bool:
    """Whether a version is in a file whose authority has not answered for it."""
    return conn.execute(IS_UNANSWERED, [notice_id, version]).fetchone() is not None


def ask_again(conn: Connection, notice_id: UUID, version: int) -> bool:
    """Makes the file of a version due to be sent again; returns whether it is in a file that is not acknowledged."""
    return conn.execute(ASK_AGAIN, [notice_id, version]).rowcount > 0


_CONTENT = "file"


def _cipher(conn: Connection, vault: Vault, authority_code: str) -> ClaimCipher:
    """The cipher of an authority's files: one file holds many claims."""
    return vault.cipher(conn, f"HB.{authority_code}")
