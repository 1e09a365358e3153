"""The waiting list, and the days on which an office has time again."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from chassis.database import Connection, Row
from scheduling.domain.appointments import Appointment
from scheduling.domain.diary import Stretch
from scheduling.domain.shifts import LONGEST_SHIFT
from scheduling.domain.slots import SlotId
from scheduling.domain.waiting import Place
from scheduling.store.absences import Kind
from scheduling.store.appointments import appointment_of

# Puts an appointment on the list. Who joins again keeps the turn.
JOIN = """
    INSERT INTO waiting_list (appointment_id, office_codes, by_telephone, notice, joined_time)
    VALUES (%(appointment_id)s, %(office_codes)s, %(by_telephone)s, %(notice)s, %(joined_time)s)
    ON CONFLICT (appointment_id) DO UPDATE
    SET office_codes = excluded.office_codes, by_telephone = excluded.by_telephone, notice = excluded.notice
    RETURNING joined_time
"""

LEAVE = "DELETE FROM waiting_list WHERE appointment_id = %s"

# Those who would come to an office, and whose interview is after a moment: first those whom a slot after it can bring back
# within the target; among them, and among the others, in the order of Place.order.
WAITING = """
    SELECT office_codes, by_telephone, notice, joined_time,
        appointment_id, claim_ref, state, first_contact_time, target_time, working_lead_time, version, arranged_version,
        office_code, assessor_id, start_time, end_time, channel, needs, attempt, schemes, language,
        travel
    FROM waiting_list JOIN appointments USING (appointment_id)
    WHERE office_codes @> ARRAY[%(office_code)s] AND state IN ('BOOKED', 'MOVED') AND start_time > %(since)s
    ORDER BY start_time <= target_time OR target_time < %(since)s, start_time <= target_time,
        CASE WHEN start_time > target_time THEN target_time ELSE joined_time END,
        joined_time, claim_ref
    LIMIT %(number)s
"""

# Notes the days of slots that are free again, if somebody waits for their office.
NOTE_FREED = """
    INSERT INTO freed_days (office_code, day)
    SELECT DISTINCT shifts.office_code, (freed.start AT TIME ZONE 'Europe/London')::date
    FROM unnest(%s::text[], %s::timestamptz[]) AS freed (assessor_id, start)
    JOIN shifts ON shifts.assessor_id = freed.assessor_id
        AND shifts.start_time <= freed.start AND shifts.end_time > freed.start
    WHERE EXISTS (SELECT 1 FROM waiting_list WHERE office_codes @> ARRAY[shifts.office_code])
"""

# Notes the days on which an assessor, or an office, works in a stretch of time, if somebody waits for the office.
NOTE_WORKED = """
    INSERT INTO freed_days (office_code, day)
    SELECT DISTINCT office_code, (start_time AT TIME ZONE 'Europe/London')::date FROM shifts
    WHERE {of} = %(of)s AND start_time < %(end)s AND start_time > %(start)s - %(longest)s AND end_time > %(start)s
        AND EXISTS (SELECT 1 FROM waiting_list WHERE office_codes @> ARRAY[shifts.office_code])
"""

# Notes every day between two: the days that one who joins the list looks at first.
NOTE_DAYS = """
    INSERT INTO freed_days (office_code, day)
    SELECT office_code, day::date
    FROM unnest(%(office_codes)s::text[]) AS office_code,
        generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') AS day
"""

# The day that was noted first, with everything that was noted of it by now.
NEXT_FREED = """
    SELECT office_code, day, array_agg(entry_id) AS entries FROM freed_days
    WHERE (office_code, day) = (SELECT office_code, day FROM freed_days ORDER BY noted_time, entry_id LIMIT 1)
    GROUP BY office_code, day
"""

# What was freed meanwhile stays.
DONE = "DELETE FROM freed_days WHERE entry_id = ANY(%s)"

POSTPONE = "UPDATE freed_days SET noted_time = now() WHERE entry_id = ANY(%s)"

# Places of appointments that are over or have begun.
PRUNE = """
    DELETE FROM waiting_list WHERE appointment_id IN (
        SELECT appointment_id FROM waiting_list JOIN appointments USING (appointment_id)
        WHERE state NOT IN ('BOOKED', 'MOVED') OR start_time <= %s LIMIT %s
        FOR UPDATE OF waiting_list SKIP LOCKED
    )
"""


@dataclass(frozen=True, kw_only=True)
class FreedDay:
    """A day of London on which an office has time again. `entries` are the notes of it that were read."""

    office_code: str
    day: date
    entries: Sequence[int]


def join(conn: Connection, place: Place) -> datetime:
    """Puts the appointment on the list, or changes its place; gives when it joined."""
    parameters = {
        "appointment_id": place.appointment.appointment_id,
        "office_codes": sorted(place.offices),
        "by_telephone": place.by_telephone,
        "notice": place.notice,
        "joined_time": place.joined_time,
    }
    row = conn.execute(JOIN, parameters).fetchone()
    joined: datetime = row["joined_time"]  # type: ignore[index]
    return joined


def leave(conn: Connection, appointment_id: UUID) -> bool:
    """Takes the appointment off the list; False if it was not on it."""
    return conn.execute(LEAVE, [appointment_id]).rowcount > 0


def waiting(conn: Connection, office_code: str, *, since: datetime, number: int) -> list[Place]:
    """At most `number` of those who would come to the office, and whose interview is after that."""
    rows = conn.execute(WAITING, {"office_code": office_code, "since": since, "number": number})
    return [_place(row) for row in rows]


def note_freed(conn: Connection, freed: Iterable[Appointment | SlotId]) -> None:
    """Notes that the time of these interviews or slots is free again."""
    starts = [(one.assessor_id, one.start_time) for one in freed]
    if starts:
        conn.execute(NOTE_FREED, [list(column) for column in zip(*starts, strict=True)])


def note_worked(conn: Connection, kind: Kind, of: str, *, within: Stretch) -> None:
    """Notes the days on which the assessor, or the office, that was away works in this stretch."""
    parameters = {"of": of, "start": within.start_time, "end": within.end_time, "longest": LONGEST_SHIFT}
    conn.execute(NOTE_WORKED.format(of=kind.of), parameters)


def note_days(conn: Connection, office_codes: Collection[str], *, first: date, last: date) -> None:
    """Notes every day from the first to the last of these offices."""
    conn.execute(NOTE_DAYS, {"office_codes": sorted(office_codes), "first": first, "last": last})


def next_freed(conn: Connection) -> FreedDay | None:
    """The day that was noted first; None if there is none."""
    row = conn.execute(NEXT_FREED).fetchone()
    return FreedDay(**row) if row else None


def seen_to(conn: Connection, freed: FreedDay, *, is_done: bool) -> None:
    """The day is done, unless more was freed meanwhile; or it has its turn again after the others."""
    if is_done:
        conn.execute(DONE, [freed.entries])
    else:
        conn.execute(POSTPONE, [freed.entries])


def prune(conn: Connection, *, now: datetime, number: int) -> int:
    """Takes off the list what waits for nothing any more; gives how many."""
    return conn.execute(PRUNE, [now, number]).rowcount


def _place(row: Row) -> Place:
    ours = ("office_codes", "by_telephone", "notice", "joined_time")
    return Place(
        appointment=appointment_of({name: value for name, value in row.items() if name not in ours}),
        offices=frozenset(row["office_codes"]),
        by_telephone=row["by_telephone"],
        notice=row["notice"],
        joined_time=row["joined_time"],
    )
