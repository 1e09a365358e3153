"""Tries at security questions, and the failures that they count as."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from chassis.database import Connection, Row
from chassis.errors import NotFound
from intake.domain.security import Failures, Kind

NOTE_TRY = "INSERT INTO security_tries (call_id, claim_ref, operator, passed) VALUES (%s, %s, %s, %s)"

# Locks the failures of one claim or operator, from the first try on.
LOCK_FAILURES = """
    INSERT INTO security_failures (kind, name) VALUES (%s, %s)
    ON CONFLICT (kind, name) DO UPDATE SET name = excluded.name
    RETURNING *
"""

LOCK_KNOWN = "SELECT * FROM security_failures WHERE kind = %s AND name = %s FOR UPDATE"

SAVE_FAILURES = """
    UPDATE security_failures
    SET failures = %(failures)s, first_time = %(first_time)s, last_time = %(last_time)s, locked_time = %(locked_time)s,
        version = %(version)s
    WHERE kind = %(kind)s AND name = %(name)s
"""

NOTE_LIFTED = (
    "UPDATE security_failures SET lifted_by = %s, lifted_time = clock_timestamp() WHERE kind = %s AND name = %s"
)

# Reads a page of the locks, the oldest first.
LOCKS = """
    SELECT * FROM security_failures
    WHERE locked_time IS NOT NULL
        AND (%(time)s::timestamptz IS NULL OR (locked_time, kind, name) > (%(time)s, %(kind)s, %(name)s))
    ORDER BY locked_time, kind, name LIMIT %(limit)s
"""

COUNT_LOCKS = "SELECT kind, count(*) AS count FROM security_failures WHERE locked_time IS NOT NULL GROUP BY kind"

PRUNE_TRIES = """
    DELETE FROM security_tries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM security_tries WHERE tried_time < clock_timestamp() - %s::interval
        ORDER BY tried_time LIMIT %s
    ))
"""


def note_try(conn: Connection, *, call_id: UUID, claim_ref: str, operator: str, passed: bool) -> None:
    """Notes a try at the security questions of a claim."""
    conn.execute(NOTE_TRY, [call_id, claim_ref, operator, passed])


def lock_failures(conn: Connection, kind: Kind, name: str) -> Failures:
    """The failures about a claim or of an operator: another try at the same waits until the transaction ends."""
    row = conn.execute(LOCK_FAILURES, [kind, name]).fetchone()
    if row is None:
        raise RuntimeError("the row that was just written is not there")
    return _failures(row)


def lock_known_failures(conn: Connection, kind: Kind, name: str) -> Failures:
    """Does what `lock_failures` does, where there was a try. Raises NotFound."""
    row = conn.execute(LOCK_KNOWN, [kind, name]).fetchone()
    if row is None:
        raise NotFound("NO_LOCK", "there is no such lock")
    return _failures(row)


def save_failures(conn: Connection, failures: Failures) -> None:
    """Saves failures that changed."""
    conn.execute(SAVE_FAILURES, asdict(failures))


def note_lifted(conn: Connection, failures: Failures, *, by: str) -> None:
    """Notes who lifted a lock, now."""
    conn.execute(NOTE_LIFTED, [by, failures.kind, failures.name])


def load_locks(conn: Connection, *, after: tuple[datetime, str, str] | None, limit: int) -> list[Failures]:
    """A page of the locks, the oldest first, behind the time, kind and name of one."""
    time, kind, name = after or (None, None, None)
    return [_failures(row) for row in conn.execute(LOCKS, {"time": time, "kind": kind, "name": name, "limit": limit})]


def count_locks(conn: Connection) -> dict[str, int]:
    """How many locks there are, by kind."""
    return {row["kind"]: int(row["count"]) for row in conn.execute(COUNT_LOCKS)}


def prune_tries(conn: Connection, *, keep: timedelta, number: int) -> int:
    """Deletes tries that are older than `keep`, at most so many; gives how many."""
    return conn.execute(PRUNE_TRIES, [keep, number]).rowcount


def _failures(row: Row) -> Failures:
    return Failures(
        kind=Kind(row["kind"]),
        name=row["name"],
        failures=row["failures"],
        first_time=row["first_time"],
        last_time=row["last_time"],
        locked_time=row["locked_time"],
        version=row["version"],
    )
