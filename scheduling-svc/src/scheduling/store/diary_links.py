"""The links to assessors' diaries. Their times are real time: the database's own."""

from datetime import timedelta
from uuid import UUID

from chassis.database import Connection, Row
from scheduling.domain.diary_links import DiaryLink

# Links that have expired make room for others.
REMOVE_EXPIRED_LINKS = "DELETE FROM diary_links WHERE assessor_id = %s AND expire_time <= now()"

# Writes a link in the first free place of the assessor's; none where all are taken, or another transaction takes it now.
INSERT_LINK = """
    INSERT INTO diary_links (link_id, assessor_id, place, token_hash, expire_time)
    SELECT %(link_id)s, %(assessor_id)s, min(free), %(token_hash)s, now() + %(lasts)s
    FROM generate_series(1, %(most)s) AS free
    WHERE NOT EXISTS (SELECT 1 FROM diary_links WHERE assessor_id = %(assessor_id)s AND place = free)
    HAVING count(*) > 0
    ON CONFLICT (assessor_id, place) DO NOTHING
    RETURNING link_id, assessor_id, create_time, expire_time, read_time
"""

# The links that open an assessor's diary, the oldest first.
LINKS_OF_ASSESSOR = """
    SELECT link_id, assessor_id, create_time, expire_time, read_time FROM diary_links
    WHERE assessor_id = %s AND expire_time > now() ORDER BY create_time, place
"""

# Removes a link, of this assessor where one is given.
REMOVE_LINK = """
    DELETE FROM diary_links
    WHERE link_id = %(link_id)s AND expire_time > now()
        AND (%(assessor_id)s::text IS NULL OR assessor_id = %(assessor_id)s)
    RETURNING link_id, assessor_id, create_time, expire_time, read_time
"""

# Counts a reading of the link, and gives how many there were since the count began.
COUNT_READING = """
    UPDATE diary_links
    SET read_time = now(),
        reads = CASE WHEN reads_since > now() - %(counted)s THEN reads + 1 ELSE 1 END,
        reads_since = CASE WHEN reads_since > now() - %(counted)s THEN reads_since ELSE now() END
    WHERE token_hash = %(token_hash)s AND expire_time > now()
    RETURNING assessor_id, reads
"""

# Links that have expired.
PRUNE = """
    DELETE FROM diary_links WHERE link_id IN (
        SELECT link_id FROM diary_links WHERE expire_time <= now() ORDER BY expire_time LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def _link(row: Row) -> DiaryLink:
    return DiaryLink(**row)


def insert_link(
    conn: Connection, *, link_id: UUID, assessor_id: str, token_hash: bytes, lasts: timedelta, most: int
) -> DiaryLink | None:
    """Writes a link; None if the assessor has as many as `most`."""
    conn.execute(REMOVE_EXPIRED_LINKS, [assessor_id])
    new = {
        "link_id": link_id,
        "assessor_id": assessor_id,
        "token_hash": token_hash,
        "lasts": lasts,
        "most": most,
    }
    for _ in range(most):  # each place may be taken by a twin meanwhile
        row = conn.execute(INSERT_LINK, new).fetchone()
        if row is not None:
            return _link(row)
    return None


def links_of(conn: Connection, assessor_id: str) -> list[DiaryLink]:
    """The links that open the assessor's diary, the oldest first."""
    return [_link(row) for row in conn.execute(LINKS_OF_ASSESSOR, [assessor_id])]


def remove_link(conn: Connection, link_id: UUID, *, assessor_id: str | None) -> DiaryLink | None:
    """Removes the link, of this assessor where one is given; None if there is no such link."""
    row = conn.execute(REMOVE_LINK, {"link_id": link_id, "assessor_id": assessor_id}).fetchone()
    return _link(row) if row else None


def count_reading(conn: Connection, token_hash: bytes, *, counted: timedelta) -> tuple[str, int] | None:
    """The assessor whose diary the token opens, and how often it was read within `counted`; None for an unknown token."""
    row = conn.execute(COUNT_READING, {"token_hash": token_hash, "counted": counted}).fetchone()
    return (row["assessor_id"], row["reads"]) if row else None


def prune(conn: Connection, *, number: int) -> int:
    """Deletes at most `number` links that have expired; gives how many."""
    return conn.execute(PRUNE, [number]).rowcount
