"""Appointments. Constraints allow one live one for a claim; the diary keeps its time."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import psycopg

from chassis.database import Connection, Row
from scheduling.domain.appointments import AlreadyBooked, Appointment, AppointmentState
from scheduling.domain.claims import ClaimNotOpen
from scheduling.domain.demand import Demand
from scheduling.domain.diary import DiaryEntry, Stretch
from scheduling.domain.offices import Channel, Need
from scheduling.domain.slots import Slot, SlotId
from scheduling.store import diary

_ONE_FOR_A_CLAIM = "appointments_one_for_a_claim"

# Writes a new appointment, and marks the claim's first contact as booked, whether or not it has been recorded yet; none for
# a claim that was withdrawn. Bookings and the withdrawal of a claim wait for each other at the first contact's row.
INSERT_APPOINTMENT = """
    WITH seen_to AS (
        INSERT INTO first_contacts (claim_ref, first_contact_time, booked)
        VALUES (%(claim_ref)s, %(first_contact_time)s, true)
        ON CONFLICT (claim_ref) DO UPDATE SET booked = true
        RETURNING withdrawn_time
    )
    INSERT INTO appointments (
        appointment_id, claim_ref, office_code, assessor_id, start_time, end_time, channel, state, first_contact_time,
        target_time, working_lead_time, version, arranged_version, booked_time, within_target, needs, attempt,
        home_office_code, schemes, wanted_channel, language, travel
    )
    SELECT %(appointment_id)s, %(claim_ref)s, %(office_code)s, %(assessor_id)s, %(start_time)s, %(end_time)s, %(channel)s,
        %(state)s, %(first_contact_time)s, %(target_time)s, %(working_lead_time)s, %(version)s,
        %(arranged_version)s, %(booked_time)s, %(within_target)s, %(needs)s, %(attempt)s, %(home_office_code)s,
        %(schemes)s, %(wanted_channel)s, %(language)s, %(travel)s
    FROM seen_to WHERE withdrawn_time IS NULL
"""

APPOINTMENTS = """
    SELECT appointment_id, claim_ref, state, first_contact_time, target_time, working_lead_time, version,
        arranged_version, office_code, assessor_id, start_time, end_time, channel, needs, attempt, schemes,
        language, travel
    FROM appointments
"""

# An appointment by its id.
APPOINTMENT = f"{APPOINTMENTS} WHERE appointment_id = %s"

# The claim's latest appointment.
APPOINTMENT_OF_CLAIM = f"{APPOINTMENTS} WHERE claim_ref = %s ORDER BY booked_time DESC LIMIT 1"

# Locks a claim's interview that is still to come.
LOCK_COMING = f"""
    {APPOINTMENTS} WHERE claim_ref = %s AND state IN ('BOOKED', 'MOVED') AND start_time > %s FOR UPDATE
"""

# The interviews of an assessor or an office that are still to come and have a part in a stretch of time, with the ways of home
# visits, which are no longer than four hours; locked in one order.
_LOCK_COMING_OF = f"""
    {APPOINTMENTS}
    WHERE {{of}} = %(of)s AND state IN ('BOOKED', 'MOVED') AND start_time > %(now)s
        AND start_time < %(until)s::timestamptz + interval '4 hours'
        AND start_time - travel < %(until)s AND end_time + travel > %(since)s
    ORDER BY appointment_id FOR UPDATE
"""
LOCK_COMING_OF_ASSESSOR = _LOCK_COMING_OF.format(of="assessor_id")
LOCK_COMING_OF_OFFICE = _LOCK_COMING_OF.format(of="office_code")

# The interviews of an assessor that a rota is about: those to come in a stretch of time, and those that are displaced. Both
# are looked up first: so what is over is not read.
LOCK_OF_ROTA = f"""
    {APPOINTMENTS}
    WHERE assessor_id = %(assessor_id)s AND state IN ('BOOKED', 'MOVED') AND appointment_id = ANY(ARRAY(
        SELECT appointment_id FROM appointments
        WHERE assessor_id = %(assessor_id)s AND start_time > %(now)s AND start_time < %(end)s AND end_time > %(start)s
        UNION ALL
        SELECT appointment_id FROM displaced
    ))
    ORDER BY appointment_id FOR UPDATE
"""  # noqa: S608 - of literals alone

# Gives an appointment the slot that it was moved to: somebody is there to hold it again. Whoever moved it, it waits for an
# earlier slot no more once it is within its target.
SAVE_APPOINTMENT = """
    WITH held_again AS (DELETE FROM displaced WHERE appointment_id = %(appointment_id)s),
        in_time AS (DELETE FROM waiting_list WHERE appointment_id = %(appointment_id)s AND %(within_target)s)
    UPDATE appointments
    SET office_code = %(office_code)s, assessor_id = %(assessor_id)s, start_time = %(start_time)s,
        end_time = %(end_time)s, channel = %(channel)s, travel = %(travel)s, state = %(state)s, target_time = %(target_time)s,
        version = %(version)s, arranged_version = %(arranged_version)s, working_lead_time = %(working_lead_time)s,
        within_target = %(within_target)s
    WHERE appointment_id = %(appointment_id)s
"""

# Ends an appointment.
END_APPOINTMENT = """
    UPDATE appointments SET state = %(state)s, version = %(version)s, cancel_reason = %(cancel_reason)s
    WHERE appointment_id = %(appointment_id)s
"""

# A claim's interview that is still to be held is about the schemes that are claimed now.
CHANGE_SCHEMES = """
    UPDATE appointments SET schemes = %s WHERE claim_ref = %s AND state IN ('BOOKED', 'MOVED')
"""

# The share of appointments booked since a time that start by their target; null if there are none.
WITHIN_TARGET = """
    SELECT avg(within_target::integer)::float AS ratio FROM appointments WHERE booked_time >= %s
"""

# Appointments that were over before a moment.
PRUNE = """
    DELETE FROM appointments WHERE appointment_id IN (
        SELECT appointment_id FROM appointments WHERE end_time < %s ORDER BY end_time LIMIT %s FOR UPDATE SKIP LOCKED
    )
"""


def appointment_of(row: Row) -> Appointment:
    """The appointment of a row with the columns of APPOINTMENTS."""
    needs = frozenset(Need(need) for need in row["needs"])
    read = {
        "channel": Channel(row["channel"]),
        "state": AppointmentState(row["state"]),
        "needs": needs,
        "schemes": frozenset(row["schemes"]),
    }
    return Appointment(**row | read)


def insert_appointment(
    conn: Connection,
    appointment: Appointment,
    *,
    slot: Slot,
    booked_time: datetime,
    demand: Demand,
) -> list[SlotId]:
    """Writes a new appointment in its slot, with its time in the diary, and whose demand it is.

    Gives the starts that were held for the claim, which gives them up. Raises SlotTaken, AlreadyBooked, and ClaimNotOpen for
    a withdrawn claim.
    """
    more = {
        "booked_time": booked_time,
        "within_target": appointment.within_target,
        "needs": sorted(appointment.needs),
        "schemes": sorted(appointment.schemes),
        "home_office_code": demand.home_office,
        "wanted_channel": demand.channel,
    }
    try:
        written = conn.execute(INSERT_APPOINTMENT, vars(appointment) | more).rowcount
    except psycopg.errors.UniqueViolation as cause:
        if cause.diag.constraint_name != _ONE_FOR_A_CLAIM:
            raise
        raise AlreadyBooked from cause
    if not written:
        raise ClaimNotOpen(appointment.claim_ref)
    return diary.insert(conn, _entry(appointment, slot))


def appointment(conn: Connection, appointment_id: UUID) -> Appointment | None:
    """The appointment, or None."""
    return _one(conn, APPOINTMENT, appointment_id)


def appointment_of_claim(conn: Connection, claim_ref: str) -> Appointment | None:
    """The claim's latest appointment, or None."""
    return _one(conn, APPOINTMENT_OF_CLAIM, claim_ref)


def lock_appointment(conn: Connection, appointment_id: UUID) -> Appointment | None:
    """Locks the appointment; None if there is no such appointment."""
    return _one(conn, f"{APPOINTMENT} FOR UPDATE", appointment_id)


def lock_coming(conn: Connection, claim_ref: str, *, now: datetime) -> Appointment | None:
    """Locks the claim's interview that has not begun; None if there is none."""
    return _one(conn, LOCK_COMING, claim_ref, now)


def lock_coming_of_assessor(conn: Connection, assessor_id: str, *, within: Stretch, now: datetime) -> list[Appointment]:
    """Locks the assessor's interviews that have not begun and have a part in this stretch."""
    rows = conn.execute(LOCK_COMING_OF_ASSESSOR, _coming(assessor_id, within, now))
    return [appointment_of(row) for row in rows]


def lock_of_rota(conn: Connection, assessor_id: str, *, within: Stretch, now: datetime) -> list[Appointment]:
    """Locks the assessor's interviews that have a part in this stretch, and those that nobody is there to hold.

    Gives those that have not begun and have a part in the stretch.
    """
    parameters = {"assessor_id": assessor_id, "now": now, "start": within.start_time, "end": within.end_time}
    locked = [appointment_of(row) for row in conn.execute(LOCK_OF_ROTA, parameters)]
    return [
        one
        for one in locked
        if one.start_time > now and one.start_time < within.end_time and one.end_time > within.start_time
    ]


def lock_coming_of_office(conn: Connection, office_code: str, *, within: Stretch, now: datetime) -> list[Appointment]:
    """Locks the office's interviews that have not begun and have a part in this stretch."""
    rows = conn.execute(LOCK_COMING_OF_OFFICE, _coming(office_code, within, now))
    return [appointment_of(row) for row in rows]


def _coming(of: str, within: Stretch, now: datetime) -> Row:
    return {"of": of, "now": now, "since": within.start_time, "until": within.end_time}


def save_appointment(conn: Connection, appointment: Appointment, *, slot: Slot) -> list[SlotId]:
    """Saves a move to this slot; its entry in the diary goes with it. Gives as insert_appointment. Raises SlotTaken."""
    conn.execute(SAVE_APPOINTMENT, vars(appointment) | {"within_target": appointment.within_target})
    return diary.move(conn, _entry(appointment, slot))


def end_appointment(conn: Connection, appointment: Appointment, *, cancel_reason: bytes | None = None) -> None:
    """Saves the end of an appointment: it leaves the diary. The reason is sealed."""
    conn.execute(END_APPOINTMENT, vars(appointment) | {"cancel_reason": cancel_reason})
    diary.delete(conn, appointment.appointment_id)


def change_schemes(conn: Connection, claim_ref: str, schemes: Collection[str]) -> None:
    """Notes with the claim's live interview that other schemes are claimed: whoever moves it heeds them."""
    conn.execute(CHANGE_SCHEMES, [sorted(schemes), claim_ref])


def cancel_reason(conn: Connection, appointment_id: UUID) -> bytes | None:
    """The sealed reason of a cancellation, or None."""
    row = conn.execute("SELECT cancel_reason FROM appointments WHERE appointment_id = %s", [appointment_id]).fetchone()
    return row["cancel_reason"] if row else None


def count_missed(conn: Connection, claim_ref: str) -> int:
    """The number of interviews of the claim that were missed."""
    query = "SELECT count(*) AS count FROM appointments WHERE claim_ref = %s AND state = 'MISSED'"
    row = conn.execute(query, [claim_ref]).fetchone()
    return int(row["count"]) if row else 0


def within_target_ratio(conn: Connection, *, since: datetime) -> float | None:
    """The share of the appointments booked since then that start by their target; None if there are none."""
    row = conn.execute(WITHIN_TARGET, [since]).fetchone()
    return row["ratio"] if row else None


def prune(conn: Connection, *, before: datetime, number: int) -> int:
    """Deletes at most `number` appointments that were over by then; gives how many."""
    return conn.execute(PRUNE, [before, number]).rowcount


def _one(conn: Connection, query: str, *parameters: object) -> Appointment | None:
    row = conn.execute(query, list(parameters)).fetchone()
    return appointment_of(row) if row else None


def _entry(appointment: Appointment, slot: Slot) -> DiaryEntry:
    return DiaryEntry.of(slot, claim_ref=appointment.claim_ref, appointment_id=appointment.appointment_id)
