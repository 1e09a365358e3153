"""The published shifts: read and locked by those who book, replaced by those who publish."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from chassis.database import Connection, Row
from scheduling.domain.diary import Stretch
from scheduling.domain.offices import Channel
from scheduling.domain.rooms import NoRoomFree, RoomTaken
from scheduling.domain.rotas import ShiftElsewhere
from scheduling.domain.shifts import LONGEST_SHIFT, Shift
from scheduling.domain.slots import SlotId

COLUMNS = "assessor_id, office_code, start_time, end_time, channel, skills, emergency_slots, room"

_ONE_FOR_A_ROOM = "shifts_of_a_room_do_not_overlap"

# One publication at a time for an assessor: without it two that publish the first rota would only meet at the constraint.
LOCK_ROTA = "SELECT pg_advisory_xact_lock(hashtextextended('rota ' || %s, 0))"

# A closure locks the shifts that it finds; those that are being published at its office then are waited for here.
LOCK_OFFICE = "SELECT pg_advisory_xact_lock(hashtextextended('office ' || %s, 0))"
LOCK_OFFICE_WITH_OTHERS = "SELECT pg_advisory_xact_lock_shared(hashtextextended('office ' || %s, 0))"

# Who chooses rooms of an office does so alone: the next one sees what was taken.
LOCK_ROOMS = "SELECT pg_advisory_xact_lock(hashtextextended('rooms ' || %s, 0))"

# The rooms of an office that are taken in a stretch of time.
ROOMS_TAKEN = """
    SELECT room, start_time, end_time FROM shifts
    WHERE office_code = %(office_code)s AND channel = 'OFFICE' AND room IS NOT NULL
        AND start_time < %(until)s AND start_time > %(since)s - %(longest)s AND end_time > %(since)s
"""

# The shift in which a slot starts, locked against a change of the rota; bookings do not keep each other from it.
LOCK_OF_SLOT = f"""
    SELECT {COLUMNS} FROM shifts WHERE assessor_id = %s AND start_time <= %s AND end_time > %s
    ORDER BY start_time DESC LIMIT 1 FOR SHARE
"""  # noqa: S608 - of literals alone

# An assessor's shifts at an office in some weeks that are not over, locked in the order of their starts.
LOCK_OF_WEEKS = f"""
    SELECT {COLUMNS} FROM shifts
    WHERE assessor_id = %(assessor_id)s AND office_code = %(office_code)s AND end_time > %(since)s AND EXISTS (
        SELECT 1 FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS week (start, until)
        WHERE start_time >= week.start AND start_time < week.until
    )
    ORDER BY start_time FOR UPDATE
"""  # noqa: S608 - of literals alone

# An assessor's shifts at every office in a stretch of time.
OF_ASSESSOR = f"""
    SELECT {COLUMNS} FROM shifts WHERE assessor_id = %s AND start_time < %s AND end_time > %s ORDER BY start_time
"""  # noqa: S608 - of literals alone

# The shifts of an assessor, or at an office, that have a part in a stretch of time, locked in the order of their keys.
_LOCK_OF = """
    SELECT 1 FROM shifts WHERE {of} = %s AND start_time < %s AND start_time > %s AND end_time > %s
    ORDER BY assessor_id, start_time FOR UPDATE
"""
LOCK_OF_ASSESSOR = _LOCK_OF.format(of="assessor_id")
LOCK_OF_OFFICE = _LOCK_OF.format(of="office_code")

INSERT = f"""
    INSERT INTO shifts ({COLUMNS})
    SELECT assessor_id, office_code, start_time, end_time, channel, skills::text[], emergency_slots, room
    FROM unnest(
        %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::integer[], %s::integer[]
    )
        AS shift ({COLUMNS})
"""  # noqa: S608 - of literals alone

DELETE = "DELETE FROM shifts WHERE assessor_id = %s AND start_time = ANY(%s)"

# Shifts that were over before a moment.
PRUNE = """
    DELETE FROM shifts WHERE (assessor_id, start_time) IN (
        SELECT assessor_id, start_time FROM shifts WHERE end_time < %s ORDER BY end_time LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def shift_of(row: Row) -> Shift:
    """The shift of a row with COLUMNS."""
    return Shift(
        assessor_id=row["assessor_id"],
        office_code=row["office_code"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        channel=Channel(row["channel"]),
        skills=frozenset(row["skills"]),
        emergency_slots=row["emergency_slots"],
        room=row["room"],
    )


def codes(skills: Iterable[str]) -> str:
    """Skills or needs as PostgreSQL writes an array: their codes hold nothing that would have to be quoted."""
    return f"{{{','.join(sorted(skills))}}}"


def lock_rota(conn: Connection, assessor_id: str) -> None:
    """Waits for another publication of this assessor's rota."""
    conn.execute(LOCK_ROTA, [assessor_id])


def keep_open(conn: Connection, office_code: str) -> None:
    """Waits for a closure of the office that is being recorded; the next one waits for this transaction."""
    conn.execute(LOCK_OFFICE_WITH_OTHERS, [office_code])


def lock_of_slot(conn: Connection, slot_id: SlotId, *, wait: bool) -> Shift | None:
    """Locks the shift in which the slot starts against changes of the rota; None if there is none.

    Without `wait` a shift that is being changed is passed over.
    """
    query = LOCK_OF_SLOT if wait else f"{LOCK_OF_SLOT} SKIP LOCKED"
    row = conn.execute(query, [slot_id.assessor_id, slot_id.start_time, slot_id.start_time]).fetchone()
    return shift_of(row) if row else None


def lock_of_weeks(
    conn: Connection, assessor_id: str, office_code: str, *, weeks: Sequence[Stretch], since: datetime
) -> list[Shift]:
    """Locks the assessor's shifts at this office in these weeks that end after `since`; gives them in order."""
    parameters: dict[str, Any] = {
        "assessor_id": assessor_id,
        "office_code": office_code,
        "since": since,
        "starts": [week.start_time for week in weeks],
        "ends": [week.end_time for week in weeks],
    }
    return [shift_of(row) for row in conn.execute(LOCK_OF_WEEKS, parameters)]


def of_assessor(conn: Connection, assessor_id: str, *, within: Stretch) -> list[Shift]:
    """The assessor's shifts at every office that have a part in this stretch, in order."""
    rows = conn.execute(OF_ASSESSOR, [assessor_id, within.end_time, within.start_time])
    return [shift_of(row) for row in rows]


def lock_of_assessor(conn: Connection, assessor_id: str, *, within: Stretch) -> None:
    """Locks the assessor's shifts in this stretch: waits for bookings under way, and lets none begin."""
    _lock(conn, LOCK_OF_ASSESSOR, assessor_id, within)


def lock_of_office(conn: Connection, office_code: str, *, within: Stretch) -> None:
    """Locks the shifts at this office in this stretch, whoever works them, and keeps new ones from being published."""
    conn.execute(LOCK_OFFICE, [office_code])
    _lock(conn, LOCK_OF_OFFICE, office_code, within)


def _lock(conn: Connection, query: str, of: str, within: Stretch) -> None:
    conn.execute(query, [of, within.end_time, within.start_time - LONGEST_SHIFT, within.start_time])


def insert(conn: Connection, shifts: Sequence[Shift]) -> None:
    """Publishes shifts. Raises ShiftElsewhere, NoRoomFree if one overlaps another of its assessor or room."""
    if not shifts:
        return
    rows = [
        (
            one.assessor_id,
            one.office_code,
            one.start_time,
            one.end_time,
            one.channel.value,
            codes(one.skills),
            one.emergency_slots,
            one.room,
        )
        for one in shifts
    ]
    try:
        conn.execute(INSERT, [list(column) for column in zip(*rows, strict=True)])
    except psycopg.errors.ExclusionViolation as cause:
        raise NoRoomFree if cause.diag.constraint_name == _ONE_FOR_A_ROOM else ShiftElsewhere from cause


def lock_rooms_taken(conn: Connection, office_code: str, *, within: Stretch) -> list[RoomTaken]:
    """The rooms of the office that are taken in this stretch; until the end of the transaction nobody else takes one."""
    conn.execute(LOCK_ROOMS, [office_code])
    parameters = {
        "office_code": office_code,
        "since": within.start_time,
        "until": within.end_time,
        "longest": LONGEST_SHIFT,
    }
    return [RoomTaken(**row) for row in conn.execute(ROOMS_TAKEN, parameters)]


def delete(conn: Connection, assessor_id: str, shifts: Sequence[Shift]) -> None:
    """Takes back these shifts of an assessor."""
    if shifts:
        conn.execute(DELETE, [assessor_id, [shift.start_time for shift in shifts]])


def prune(conn: Connection, *, before: datetime, number: int) -> int:
    """Deletes at most `number` shifts that were over by then; gives how many."""
    return conn.execute(PRUNE, [before, number]).rowcount
