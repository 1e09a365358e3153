"""The processes that send: their locks, and which of them are known to be gone. See ADR 22."""

import socket
from dataclasses import asdict
from typing import Any
from uuid import UUID

import psycopg

from chassis.database import Connection, Row
from legacy_gateway.domain import MissingSender, ProcessName

SESSIONS_ENDED = """
    -- How many sessions of this database somebody has ended: a lock may have gone with one of them. A session that ends
    -- because its client is gone does not count.
    SELECT pg_stat_get_db_sessions_killed(oid) AS count
    FROM pg_database WHERE datname = current_database()
"""

LOCK = """
    -- Until this session ends.
    SELECT pg_advisory_lock(%(sender_id)s)
"""

REGISTER = """
    -- A process that holds its lock by now, and the server that it holds it at.
    WITH lock AS (
        INSERT INTO sender_locks (sender_id, server_started, sessions_ended)
        VALUES (%(sender_id)s, pg_postmaster_start_time(), %(ended)s)
    )
    INSERT INTO senders (sender_id, host, machine, pid, process_started, started)
    VALUES (%(sender_id)s, %(host)s, %(machine)s, %(pid)s, %(started)s, statement_timestamp())
"""

FORGET = """
    -- Processes that are gone for a day and that no transfer names.
    WITH forgotten AS (
        DELETE FROM senders
        WHERE gone_time < statement_timestamp() - interval '1 day' AND NOT EXISTS (
            SELECT FROM transfers
            WHERE transfers.sender_id = senders.sender_id AND state IN ('SENDING', 'UNKNOWN')
        )
        RETURNING sender_id
    )
    DELETE FROM sender_locks WHERE sender_id IN (SELECT sender_id FROM forgotten)
"""

HELD = """
    -- The advisory locks that are held in this database, by their keys.
    SELECT (classid::bigint << 32) | objid::bigint AS sender_id FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

NOTE_HELD = """
    -- A process that holds its lock now has lost nothing with the sessions that were ended before.
    UPDATE sender_locks SET sessions_ended = %(ended)s
    WHERE sessions_ended <> %(ended)s AND sender_id = ANY(%(held)s)
"""

MISSING = """
    -- Processes whose lock nobody holds, and whether that can come of their end alone.
    SELECT sender_id, machine, pid, process_started AS started,
        (server_started = pg_postmaster_start_time() AND sessions_ended = %(ended)s) IS TRUE AS lock_counts
    FROM senders LEFT JOIN sender_locks USING (sender_id)
    WHERE gone_time IS NULL AND sender_id <> ALL(%(held)s)
"""

TELL_GONE = """
    -- Their connections are closed by now.
    UPDATE senders SET gone_time = statement_timestamp() WHERE sender_id = ANY(%(sender_ids)s) AND gone_time IS NULL
"""

TELL_CLOSED = """
    -- The process says that its connection, which may have carried the record, is closed or was answered on.
    UPDATE transfers
    SET sender_id = NULL, sender_token = NULL,
        connection_closed_time = CASE WHEN state = 'UNKNOWN' THEN statement_timestamp() END
    WHERE transfer_id = %(transfer_id)s AND sender_token = %(token)s
"""


def lock_and_register(conn: psycopg.Connection[Row], sender_id: int, process: ProcessName) -> None:
    """Takes a process's lock for as long as this session lasts, and registers it. Not to be called in a transaction."""
    # Counted before the lock is taken: otherwise its own loss could be in the count already.
    ended = sessions_ended(conn)
    conn.execute(LOCK, {"sender_id": sender_id})
    with conn.transaction():
        conn.execute(FORGET)
        conn.execute(
            REGISTER, {"sender_id": sender_id, "host": socket.gethostname(), "ended": ended, **asdict(process)}
        )


def sessions_ended(conn: psycopg.Connection[Row]) -> int:
    """How many sessions of this database somebody has ended; less than before once this was reset."""
    row = conn.execute(SESSIONS_ENDED).fetchone()
    return int(row["count"]) if row else 0


def held(conn: Connection) -> list[int]:
    """The keys of all advisory locks that are held, those of the sending processes among them."""
    return [row["sender_id"] for row in conn.execute(HELD).fetchall()]


def note_held(conn: Connection, held: list[int], *, ended: int) -> None:
    """Renews under what these locks were seen. `ended` was read before they were."""
    conn.execute(NOTE_HELD, {"held": held, "ended": ended})


def missing(conn: Connection, held: list[int], *, ended: int) -> list[MissingSender]:
    """Processes that do not hold their locks, and of which it is not known yet that they are gone."""
    return [_missing(row) for row in conn.execute(MISSING, {"held": held, "ended": ended}).fetchall()]


def tell_gone(conn: psycopg.Connection[Row], sender_ids: list[int]) -> None:
    """Notes that these processes are gone, or have closed all their connections to systems."""
    conn.execute(TELL_GONE, {"sender_ids": sender_ids})


def tell_closed(conn: Connection, transfer_id: str, *, token: UUID) -> None:
    """Notes that the connection is closed which carried the record under this lease; nothing where that is known."""
    conn.execute(TELL_CLOSED, {"transfer_id": transfer_id, "token": token})


def _missing(row: dict[str, Any]) -> MissingSender:
    return MissingSender(
        sender_id=row["sender_id"],
        process=ProcessName(machine=row["machine"], pid=row["pid"], started=row["started"]),
        lock_counts=row["lock_counts"],
    )
