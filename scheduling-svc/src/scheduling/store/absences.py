"""Absences of assessors, closures of offices, and the interviews that nobody is there to hold."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from scheduling.domain.absences import Away
from scheduling.domain.appointments import Appointment
from scheduling.domain.slots import Slot
from scheduling.store.appointments import APPOINTMENTS, appointment_of


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of time in which no interview is held: its table, and the columns of its identity and of what is away."""

    table: str
    identity: str
    of: str


ABSENCE = Kind(table="absences", identity="absence_id", of="assessor_id")
CLOSURE = Kind(table="closures", identity="closure_id", of="office_code")

INSERT = """
    INSERT INTO {table} ({identity}, {of}, start_time, end_time, reason, recorded_by, recorded_time)
    VALUES (%(identity)s, %(of)s, %(start_time)s, %(end_time)s, %(reason)s, %(recorded_by)s, %(recorded_time)s)
"""

# Those that end after a moment, in the order of their starts.
ENDING_AFTER = """
    SELECT {identity} AS identity, {of} AS of, start_time, end_time, recorded_by, recorded_time
    FROM {table} WHERE {of} = %s AND end_time > %s
    ORDER BY start_time, {identity} FOR UPDATE
"""

END = "UPDATE {table} SET end_time = %s WHERE {identity} = %s"

DELETE = "DELETE FROM {table} WHERE {identity} = %s"

# Those that were over before a moment.
PRUNE = """
    DELETE FROM {table} WHERE {identity} IN (
        SELECT {identity} FROM {table} WHERE end_time < %s ORDER BY end_time LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""

# Whether a slot's office is closed in a part of it.
IS_CLOSED = """
    SELECT EXISTS (
        SELECT 1 FROM closures WHERE office_code = %s AND end_time > %s AND start_time < %s
    ) AS closed
"""

MARK_DISPLACED = """
    INSERT INTO displaced (appointment_id, since, still_to_move)
    SELECT appointment_id, %s, %s FROM diary WHERE appointment_id = ANY(%s)
    ON CONFLICT (appointment_id) DO UPDATE SET still_to_move = excluded.still_to_move
"""

# The soonest interviews of one office that are left for a step of a replanning. What others are changing is passed over.
LOCK_STILL_TO_MOVE = f"""
    {APPOINTMENTS}
    WHERE appointment_id IN (SELECT appointment_id FROM displaced WHERE still_to_move)
        AND state IN ('BOOKED', 'MOVED') AND start_time > %(now)s
        AND office_code = (
            SELECT office_code FROM displaced JOIN appointments USING (appointment_id)
            WHERE still_to_move AND start_time > %(now)s ORDER BY start_time, appointment_id LIMIT 1
        )
    ORDER BY start_time, appointment_id LIMIT %(number)s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - of literals alone

# Those of them for which this is still so, now that they are locked.
CONFIRM_STILL_TO_MOVE = """
    SELECT appointment_id FROM displaced WHERE appointment_id = ANY(%s) AND still_to_move FOR UPDATE
"""

# The displaced interviews of an assessor or an office, locked in one order: whoever moves or cancels one takes it before
# its place in the list, and an absence and a closure that end together see each other's end.
LOCK_DISPLACED = """
    SELECT 1 FROM displaced JOIN appointments USING (appointment_id) WHERE appointments.{of} = %s
    ORDER BY appointment_id FOR UPDATE OF appointments
"""

# An interview whose assessor does not know a scheme that is claimed now. A step of the replanning sees to it.
MARK_UNFIT = """
    INSERT INTO displaced (appointment_id, since, still_to_move)
    SELECT appointment_id, %(since)s, true FROM appointments
    WHERE appointment_id = %(appointment_id)s AND EXISTS (
        SELECT 1 FROM shifts
        WHERE shifts.assessor_id = appointments.assessor_id
            AND shifts.start_time <= appointments.start_time AND shifts.end_time >= appointments.end_time
            AND NOT shifts.skills @> appointments.schemes
    )
    ON CONFLICT (appointment_id) DO NOTHING
"""

# Interviews that somebody is there to hold after all: in a shift of an assessor who knows the schemes, and in no absence or
# closure.
FORGET_HELD = """
    DELETE FROM displaced USING appointments
    WHERE displaced.appointment_id = appointments.appointment_id AND appointments.{of} = %s
        AND EXISTS (
            SELECT 1 FROM shifts
            WHERE shifts.assessor_id = appointments.assessor_id AND shifts.office_code = appointments.office_code
                AND shifts.channel = appointments.channel
                AND shifts.start_time <= appointments.start_time - appointments.travel
                AND shifts.end_time >= appointments.end_time + appointments.travel
                AND shifts.skills @> appointments.schemes
        )
        AND NOT EXISTS (
            SELECT 1 FROM absences
            WHERE absences.assessor_id = appointments.assessor_id
                AND absences.end_time > appointments.start_time - appointments.travel
                AND absences.start_time < appointments.end_time + appointments.travel
        )
        AND NOT EXISTS (
            SELECT 1 FROM closures
            WHERE closures.office_code = appointments.office_code
                AND closures.end_time > appointments.start_time - appointments.travel
                AND closures.start_time < appointments.end_time + appointments.travel
        )
"""

# Interviews to come that nobody is there to hold, after a place in the list: soonest first.
DISPLACED = f"""
    SELECT found.*, displaced.still_to_move FROM ({APPOINTMENTS}) AS found JOIN displaced USING (appointment_id)
    WHERE start_time > %(now)s AND (%(office_code)s = '' OR office_code = %(office_code)s)
        AND (start_time, appointment_id) > (%(after_start)s, %(after_id)s)
    ORDER BY start_time, appointment_id LIMIT %(number)s
"""  # noqa: S608 - of literals alone


def is_closed(conn: Connection, slot: Slot) -> bool:
    """Whether the slot's office is closed in a part of the slot."""
    row = conn.execute(IS_CLOSED, [slot.office_code, slot.start_time, slot.end_time]).fetchone()
    return row is not None and bool(row["closed"])


def insert(conn: Connection, kind: Kind, away: Away, *, reason: bytes) -> None:
    """Writes an absence or a closure. The reason is sealed."""
    conn.execute(_of(INSERT, kind), vars(away) | {"reason": reason})


def lock_ending_after(conn: Connection, kind: Kind, of: str, moment: datetime) -> list[Away]:
    """Locks the absences of this assessor, or the closures of this office, that end after the moment; in order."""
    return [Away(**row) for row in conn.execute(_of(ENDING_AFTER, kind), [of, moment])]


def end(conn: Connection, kind: Kind, identity: UUID, *, at: datetime) -> None:
    """Saves that it ends earlier."""
    conn.execute(_of(END, kind), [at, identity])


def delete(conn: Connection, kind: Kind, identity: UUID) -> None:
    """Deletes one that does not take place."""
    conn.execute(_of(DELETE, kind), [identity])


def prune(conn: Connection, kind: Kind, *, before: datetime, number: int) -> int:
    """Deletes at most `number` absences or closures that were over by then; gives how many."""
    return conn.execute(_of(PRUNE, kind), [before, number]).rowcount


def mark_displaced(
    conn: Connection, appointment_ids: Collection[UUID], *, since: datetime, still_to_move: bool = False
) -> None:
    """Notes that nobody is there to hold these interviews, and whether they are left for a step of the replanning."""
    if appointment_ids:
        conn.execute(MARK_DISPLACED, [since, still_to_move, list(appointment_ids)])


def mark_by_schemes(conn: Connection, appointment_id: UUID, *, since: datetime) -> None:
    """Notes an interview, which is locked, for the replanning where its assessor does not know what is claimed now.

    One that was noted and is held after all is forgotten.
    """
    conn.execute(MARK_UNFIT, {"appointment_id": appointment_id, "since": since})
    conn.execute(FORGET_HELD.format(of="appointment_id"), [appointment_id])


def lock_still_to_move(conn: Connection, *, now: datetime, number: int) -> list[Appointment]:
    """Locks at most `number` interviews to come of one office that are left for a step of the replanning, soonest first."""
    rows = conn.execute(LOCK_STILL_TO_MOVE, {"now": now, "number": number})
    found = [appointment_of(row) for row in rows]
    confirmed = conn.execute(CONFIRM_STILL_TO_MOVE, [[one.appointment_id for one in found]])
    left = {row["appointment_id"] for row in confirmed}
    return [one for one in found if one.appointment_id in left]


def is_displaced(conn: Connection, appointment_id: UUID) -> bool:
    """Whether nobody is there to hold the interview."""
    return conn.execute("SELECT 1 FROM displaced WHERE appointment_id = %s", [appointment_id]).fetchone() is not None


def forget_held(conn: Connection, kind: Kind, of: str) -> int:
    """Forgets the displaced interviews of this assessor or office that are held after all; gives how many.

    It locks them all, so that whoever locks other interviews too locks these with them, in one statement.
    """
    conn.execute(_of(LOCK_DISPLACED, kind), [of])
    return conn.execute(_of(FORGET_HELD, kind), [of]).rowcount


def displaced(
    conn: Connection, *, office_code: str, now: datetime, number: int, after: tuple[datetime, UUID]
) -> Sequence[tuple[Appointment, bool]]:
    """At most `number` interviews to come that nobody is there to hold, soonest first, after this start and id.

    At all offices where `office_code` is empty. With each, whether it is left for a step of the replanning.
    """
    parameters = {
        "office_code": office_code,
        "now": now,
        "number": number,
        "after_start": after[0],
        "after_id": after[1],
    }
    rows = conn.execute(DISPLACED, parameters).fetchall()
    left = [row.pop("still_to_move") for row in rows]
    return [(appointment_of(row), still_to_move) for row, still_to_move in zip(rows, left, strict=True)]


def _of(query: str, kind: Kind) -> str:
    return query.format(table=kind.table, identity=kind.identity, of=kind.of)
