"""The diary: what takes assessors' time. Its constraint keeps an assessor from being in two places."""

from datetime import datetime

import psycopg

from chassis.database import Connection
from scheduling.domain.diary import DiaryEntry
from scheduling.domain.slots import SlotId, SlotTaken

# Bookings of one slot run one after the other.
LOCK_SLOT = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
TRY_LOCK_SLOT = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS locked"

# Takes away what a booking need not heed: this claim's own holds, and holds in the way that are nobody's any more.
# What another transaction clears is left to it.
CLEAR_HOLDS = """
    DELETE FROM diary WHERE entry_id IN (
        SELECT entry_id FROM diary
        WHERE appointment_id IS NULL AND (
            claim_ref = %(claim_ref)s
            OR (
                assessor_id = %(assessor_id)s AND held_until <= now()
                AND tstzrange(start_time, end_time) && tstzrange(%(start_time)s, %(end_time)s)
            )
        )
        FOR UPDATE SKIP LOCKED
    )
    RETURNING assessor_id, start_time
"""

# Breaks are a matter of the assessor's whole day: two bookings that each leave one could together leave none.
_DAY = "hashtextextended(%s || ' ' || (%s::timestamptz AT TIME ZONE 'Europe/London')::date, 1)"
LOCK_DAY = f"SELECT pg_advisory_xact_lock({_DAY})"
TRY_LOCK_DAY = f"SELECT pg_try_advisory_xact_lock({_DAY}) AS locked"

INSERT = """
    INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, appointment_id, held_until)
    VALUES (%(assessor_id)s, %(claim_ref)s, %(start_time)s, %(end_time)s, %(appointment_id)s, %(held_until)s)
"""

# The appointment's entry goes with it to another time or assessor; it has none if it was over.
MOVE = """
    UPDATE diary SET assessor_id = %(assessor_id)s, start_time = %(start_time)s, end_time = %(end_time)s
    WHERE appointment_id = %(appointment_id)s
"""

DELETE = "DELETE FROM diary WHERE appointment_id = %s"

# Entries that were over before a moment.
PRUNE = """
    DELETE FROM diary WHERE entry_id IN (
        SELECT entry_id FROM diary WHERE end_time < %s ORDER BY end_time LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def lock_slot(conn: Connection, slot_id: SlotId) -> None:
    """Waits for a booking of this slot that is under way, and keeps others waiting until the end of the transaction."""
    conn.execute(LOCK_SLOT, [str(slot_id)])


def try_lock_slot(conn: Connection, slot_id: SlotId) -> bool:
    """Locks the slot; False if another transaction is booking it."""
    row = conn.execute(TRY_LOCK_SLOT, [str(slot_id)]).fetchone()
    return row is not None and bool(row["locked"])


def lock_day(conn: Connection, slot_id: SlotId) -> None:
    """Waits for what else is put into the assessor's day now, and keeps others waiting until the end of the transaction."""
    conn.execute(LOCK_DAY, [slot_id.assessor_id, slot_id.start_time])


def try_lock_day(conn: Connection, slot_id: SlotId) -> bool:
    """Locks the assessor's day; False if another transaction is putting something into it."""
    row = conn.execute(TRY_LOCK_DAY, [slot_id.assessor_id, slot_id.start_time]).fetchone()
    return row is not None and bool(row["locked"])


def insert(conn: Connection, entry: DiaryEntry) -> list[SlotId]:
    """Writes an entry; gives the starts that were held for its claim. Raises SlotTaken if something else is in the way."""
    return _write(conn, INSERT, entry)


def move(conn: Connection, entry: DiaryEntry) -> list[SlotId]:
    """Moves the entry of an appointment; gives the starts that were held for its claim. Raises as `insert` does."""
    return _write(conn, MOVE, entry)


def delete(conn: Connection, appointment_id: object) -> None:
    """Takes an appointment that is no longer live out of the diary."""
    conn.execute(DELETE, [appointment_id])


def prune(conn: Connection, *, before: datetime, number: int) -> int:
    """Deletes at most `number` entries that were over by then; gives how many."""
    return conn.execute(PRUNE, [before, number]).rowcount


def _write(conn: Connection, statement: str, entry: DiaryEntry) -> list[SlotId]:
    released = [SlotId(**row) for row in conn.execute(CLEAR_HOLDS, vars(entry))]
    try:
        conn.execute(statement, vars(entry))
    except psycopg.errors.ExclusionViolation as cause:
        raise SlotTaken from cause
    return released
