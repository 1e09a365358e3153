"""All SQL of scheduling. Constraints prevent double bookings."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice
from uuid import UUID

import psycopg

from chassis.database import Connection, Row
from scheduling.domain.appointments import AlreadyBooked, Appointment, AppointmentState
from scheduling.domain.claims import ClaimNotOpen, FirstContact, Waiting
from scheduling.domain.offices import Channel, Need
from scheduling.domain.search import Search
from scheduling.domain.slots import Slot, SlotTaken

_ROTA_LOCK = 0x726F7461  # "rota"
_OPENED_AT_ONCE = 500
_AFTER_EVERY_ASSESSOR = "Z" * 9
"""References have eight characters at most."""


_BY_CONSTRAINT: dict[str | None, type[SlotTaken | AlreadyBooked]] = {
    "appointments_one_for_a_slot": SlotTaken,
    "appointments_one_for_a_claim": AlreadyBooked,
}


# The first free slots of each office after a place: soonest first, and of equal ones the nearest office's. It reads no
# past slots, and no more than it returns. OFFSET 0 makes the server look up each slot's appointment in turn; it would
# plan a join by the history, in which nearly every slot is taken.
FREE = """
    SELECT free.*
    FROM unnest(%(offices)s::text[], %(after_assessors)s::text[]) WITH ORDINALITY AS near (code, after_assessor, rank)
    CROSS JOIN LATERAL (
        SELECT assessor_id, office_code, start_time, end_time, channel
        FROM slots
        WHERE office_code = near.code
            AND channel = %(channel)s
            AND (start_time, assessor_id) > (%(since)s, near.after_assessor)
            AND (%(until)s::timestamptz IS NULL OR start_time <= %(until)s)
            AND assessor_id = ANY(%(assessors)s)
            AND slot_id <> ALL(%(passed_over)s::uuid[])
            AND NOT EXISTS (
                SELECT 1 FROM appointments
                WHERE appointments.slot_id = slots.slot_id AND state IN ('BOOKED', 'MOVED') OFFSET 0
            )
        ORDER BY start_time, assessor_id
        LIMIT %(at_each)s
    ) AS free
    ORDER BY start_time, rank, assessor_id
    LIMIT %(in_all)s::bigint
"""

# A slot.
SLOT = "SELECT assessor_id, office_code, start_time, end_time, channel FROM slots WHERE slot_id = %s"

# Locks a slot, so that its bookings run one after the other.
LOCK = f"{SLOT} FOR UPDATE"

# Whether a live appointment holds the slot.
IS_HELD = """
    SELECT EXISTS (SELECT 1 FROM appointments WHERE slot_id = %s AND state IN ('BOOKED', 'MOVED')) AS held
"""

# Opens slots for booking. Slots that are open already, or overlap one, are left out.
OPEN_SLOTS = """
    INSERT INTO slots (slot_id, assessor_id, office_code, start_time, end_time, channel)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
    ON CONFLICT DO NOTHING
"""

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
        appointment_id, claim_ref, slot_id, state, first_contact_time, target_time, working_lead_time, version,
        booked_time, within_target, needs
    )
    SELECT %(appointment_id)s, %(claim_ref)s, %(slot_id)s, %(state)s, %(first_contact_time)s, %(target_time)s,
        %(working_lead_time)s, %(version)s, %(booked_time)s, %(within_target)s, %(needs)s
    FROM seen_to WHERE withdrawn_time IS NULL
"""

APPOINTMENTS = """
    SELECT appointment_id, claim_ref, state, first_contact_time, target_time, working_lead_time, version,
        office_code, assessor_id, start_time, end_time, channel, needs
    FROM appointments JOIN slots USING (slot_id)
"""

# An appointment by its id.
APPOINTMENT = f"{APPOINTMENTS} WHERE appointment_id = %s"

# The claim's latest appointment.
APPOINTMENT_OF_CLAIM = f"{APPOINTMENTS} WHERE claim_ref = %s ORDER BY booked_time DESC LIMIT 1"

# Keeps the earliest first contact of a claim, and whether its schemes need an interview by the claim's latest version; the
# events may come in any order.
KEEP_FIRST_CONTACT = """
    INSERT INTO first_contacts (claim_ref, first_contact_time, needs_interview, claim_version)
    VALUES (%(claim_ref)s, %(first_contact_time)s, %(needs_interview)s, %(claim_version)s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET first_contact_time = least(first_contacts.first_contact_time, excluded.first_contact_time),
        needs_interview = CASE
            WHEN excluded.claim_version > first_contacts.claim_version THEN excluded.needs_interview
            ELSE first_contacts.needs_interview
        END,
        claim_version = greatest(first_contacts.claim_version, excluded.claim_version)
"""

# Keeps that a claim was withdrawn, whether or not its first contact was heard of.
KEEP_WITHDRAWAL = """
    INSERT INTO first_contacts (claim_ref, withdrawn_time) VALUES (%(claim_ref)s, %(withdrawn_time)s)
    ON CONFLICT (claim_ref) DO UPDATE SET withdrawn_time = excluded.withdrawn_time
    WHERE first_contacts.withdrawn_time IS NULL
"""

# Locks an appointment, or the claim's live one. It is read by a statement of its own afterwards: one that joins the slot would
# find nothing where the appointment was moved while it waited for the lock.
LOCK_APPOINTMENT = "SELECT 1 FROM appointments WHERE appointment_id = %s FOR UPDATE"
LOCK_LIVE = "SELECT 1 FROM appointments WHERE claim_ref = %s AND state IN ('BOOKED', 'MOVED') FOR UPDATE"

# A claim's interview that is still to come.
COMING = f"{APPOINTMENTS} WHERE claim_ref = %s AND state IN ('BOOKED', 'MOVED') AND start_time > %s"

# Gives an appointment the slot that it was moved to.
SAVE_APPOINTMENT = """
    UPDATE appointments
    SET slot_id = %(slot_id)s, state = %(state)s, target_time = %(target_time)s, version = %(version)s,
        working_lead_time = %(working_lead_time)s, within_target = %(within_target)s
    WHERE appointment_id = %(appointment_id)s
"""

# Ends an appointment: it holds its slot no longer.
END_APPOINTMENT = """
    UPDATE appointments SET state = %(state)s, version = %(version)s, cancel_reason = %(cancel_reason)s
    WHERE appointment_id = %(appointment_id)s
"""

# A claim whose interview fell through waits for another one.
WAIT_AGAIN = "UPDATE first_contacts SET booked = false, waits_since = %s WHERE claim_ref = %s"

# Claims that wait for an interview, and of which nobody was told that it will be late: the oldest first contacts.
UNTOLD = """
    SELECT claim_ref, claim_version, first_contact_time FROM first_contacts
    WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL AND breach_told_time IS NULL
        AND first_contact_time <= %s
    ORDER BY first_contact_time LIMIT %s
"""

# Notes what is told now: what another replica told, or what was booked meanwhile, is left out.
MARK_TOLD = """
    UPDATE first_contacts SET breach_told_time = %s
    WHERE claim_ref = ANY(%s) AND breach_told_time IS NULL AND NOT booked AND withdrawn_time IS NULL
    RETURNING claim_ref
"""

# Claims that wait for an interview: they never had one, or it was cancelled or missed.
COUNT_UNBOOKED = """
    SELECT count(*) AS count FROM first_contacts WHERE NOT booked AND needs_interview AND withdrawn_time IS NULL
"""

# The share of appointments booked since a time that start by their target; null if there are none.
WITHIN_TARGET = """
    SELECT avg(within_target::integer)::float AS ratio FROM appointments WHERE booked_time >= %s
"""


def _slot(row: Row) -> Slot:
    return Slot(
        assessor_id=row["assessor_id"],
        office_code=row["office_code"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        channel=Channel(row["channel"]),
    )


def _appointment(row: Row) -> Appointment:
    needs = frozenset(Need(need) for need in row["needs"])
    return Appointment(
        **row | {"channel": Channel(row["channel"]), "state": AppointmentState(row["state"]), "needs": needs}
    )


def free_slots(conn: Connection, search: Search, *, number: int, after: Slot | None = None) -> list[Slot]:
    """At most `number` free slots, soonest first and of equal ones the nearest; `after` is the last one seen.

    `after` must be at one of the offices.
    """
    return _free(conn, search_parameters(search, number=number, after=after))


def search_parameters(search: Search, *, number: int, after: Slot | None = None) -> Row:
    """The parameters of FREE for a page of this search."""
    whole = vars(search) | {"passed_over": [], "at_each": number, "in_all": number}
    if after is None or after.start_time < search.since:
        return whole | {"after_assessors": [""] * len(search.offices)}
    # Of the slots that start with the last one seen, those of nearer offices were seen before it.
    rank = search.offices.index(after.office_code)
    farther = [""] * (len(search.offices) - rank - 1)
    return whole | {
        "since": after.start_time,
        "after_assessors": [_AFTER_EVERY_ASSESSOR] * rank + [after.assessor_id, *farther],
    }


def earliest_of_each_office(conn: Connection, search: Search, *, passed_over: Collection[UUID]) -> list[Slot]:
    """The earliest free slot of each office that has one, leaving out those passed over."""
    parameters = search_parameters(search, number=1)
    return _free(conn, parameters | {"passed_over": list(passed_over), "in_all": None})


def _free(conn: Connection, parameters: Row) -> list[Slot]:
    return [_slot(row) for row in conn.execute(FREE, parameters)]


def slot(conn: Connection, slot_id: UUID) -> Slot | None:
    """The slot, or None."""
    row = conn.execute(SLOT, [slot_id]).fetchone()
    return _slot(row) if row else None


def lock_slot(conn: Connection, slot_id: UUID) -> Slot | None:
    """Locks the slot, waiting for a booking under way; None if there is no such slot."""
    row = conn.execute(LOCK, [slot_id]).fetchone()
    return _slot(row) if row else None


def take_slot(conn: Connection, slot_id: UUID) -> bool:
    """Locks the slot if it is free; False if an appointment holds it or another transaction is booking it."""
    # Two statements: the second sees what was committed up to the moment at which the lock was had.
    with conn.pipeline():
        locked = conn.execute(f"{LOCK} SKIP LOCKED", [slot_id])
        asked = conn.execute(IS_HELD, [slot_id])
    held = asked.fetchone()
    return locked.fetchone() is not None and held is not None and not held["held"]


def try_rota_lock(conn: Connection) -> bool:
    """Locks the opening of rotas; False if another replica holds the lock."""
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS locked", [_ROTA_LOCK]).fetchone()
    return row is not None and bool(row["locked"])


def open_slots(conn: Connection, slots: Iterable[Slot]) -> int:
    """Opens slots for booking; gives how many were not open before."""
    left, opened = iter(slots), 0
    # In parts: each within the limit of a statement and little in memory, however many offices there are.
    while part := list(islice(left, _OPENED_AT_ONCE)):
        rows = (
            (slot.slot_id, slot.assessor_id, slot.office_code, slot.start_time, slot.end_time, slot.channel.value)
            for slot in part
        )
        opened += conn.execute(OPEN_SLOTS, [list(column) for column in zip(*rows, strict=True)]).rowcount
    return opened


def insert_appointment(conn: Connection, appointment: Appointment, *, slot: Slot, booked_time: datetime) -> None:
    """Writes a new appointment in its slot. Raises SlotTaken, AlreadyBooked, and ClaimNotOpen for a withdrawn claim."""
    more = {
        "slot_id": slot.slot_id,
        "booked_time": booked_time,
        "within_target": appointment.within_target,
        "needs": sorted(appointment.needs),
    }
    try:
        written = conn.execute(INSERT_APPOINTMENT, vars(appointment) | more).rowcount
    except psycopg.errors.UniqueViolation as cause:
        known = _BY_CONSTRAINT.get(cause.diag.constraint_name)
        if known is None:
            raise
        raise known from cause
    if not written:
        raise ClaimNotOpen(appointment.claim_ref)


def appointment(conn: Connection, appointment_id: UUID) -> Appointment | None:
    """The appointment, or None."""
    row = conn.execute(APPOINTMENT, [appointment_id]).fetchone()
    return _appointment(row) if row else None


def appointment_of_claim(conn: Connection, claim_ref: str) -> Appointment | None:
    """The claim's latest appointment, or None."""
    row = conn.execute(APPOINTMENT_OF_CLAIM, [claim_ref]).fetchone()
    return _appointment(row) if row else None


def keep_first_contact(conn: Connection, first_contact: FirstContact) -> None:
    """Keeps the claim's first contact: the earliest time that was reported, and the schemes of the latest version."""
    conn.execute(KEEP_FIRST_CONTACT, vars(first_contact) | {"needs_interview": first_contact.needs_interview})


def keep_withdrawal(conn: Connection, claim_ref: str, *, withdrawn_time: datetime) -> None:
    """Keeps that the claim was withdrawn: no interview is booked for it from now on."""
    conn.execute(KEEP_WITHDRAWAL, {"claim_ref": claim_ref, "withdrawn_time": withdrawn_time})


def is_held(conn: Connection, slot_id: UUID) -> bool:
    """Whether a live appointment holds the slot."""
    row = conn.execute(IS_HELD, [slot_id]).fetchone()
    return row is not None and bool(row["held"])


def lock_appointment(conn: Connection, appointment_id: UUID) -> Appointment | None:
    """Locks the appointment; None if there is no such appointment."""
    with conn.pipeline():
        conn.execute(LOCK_APPOINTMENT, [appointment_id])
        found = conn.execute(APPOINTMENT, [appointment_id])
    row = found.fetchone()
    return _appointment(row) if row else None


def lock_coming(conn: Connection, claim_ref: str, *, now: datetime) -> Appointment | None:
    """Locks the claim's interview that has not begun; None if there is none."""
    with conn.pipeline():
        conn.execute(LOCK_LIVE, [claim_ref])
        found = conn.execute(COMING, [claim_ref, now])
    row = found.fetchone()
    return _appointment(row) if row else None


def save_appointment(conn: Connection, appointment: Appointment, *, slot: Slot) -> None:
    """Saves a move. The slot must be locked and free."""
    more = {"slot_id": slot.slot_id, "within_target": appointment.within_target}
    conn.execute(SAVE_APPOINTMENT, vars(appointment) | more)


def end_appointment(conn: Connection, appointment: Appointment, *, cancel_reason: bytes | None = None) -> None:
    """Saves the end of an appointment. The reason is sealed."""
    conn.execute(END_APPOINTMENT, vars(appointment) | {"cancel_reason": cancel_reason})


def cancel_reason(conn: Connection, appointment_id: UUID) -> bytes | None:
    """The sealed reason of a cancellation, or None."""
    row = conn.execute("SELECT cancel_reason FROM appointments WHERE appointment_id = %s", [appointment_id]).fetchone()
    return row["cancel_reason"] if row else None


def count_missed(conn: Connection, claim_ref: str) -> int:
    """How many interviews of the claim were missed."""
    query = "SELECT count(*) AS count FROM appointments WHERE claim_ref = %s AND state = 'MISSED'"
    row = conn.execute(query, [claim_ref]).fetchone()
    return int(row["count"]) if row else 0


def lock_first_contact(conn: Connection, claim_ref: str) -> None:
    """Locks the row of the claim's first contact, where bookings and changes of a claim wait for each other."""
    conn.execute("SELECT 1 FROM first_contacts WHERE claim_ref = %s FOR UPDATE", [claim_ref])


def wait_again(conn: Connection, claim_ref: str, *, since: datetime) -> None:
    """The claim waits for another interview from now on."""
    conn.execute(WAIT_AGAIN, [since, claim_ref])


def untold(conn: Connection, *, until: datetime, number: int) -> list[Waiting]:
    """Claims without an interview that nobody was told of, the oldest first contacts, until then."""
    return [Waiting(**row) for row in conn.execute(UNTOLD, [until, number])]


def mark_told(conn: Connection, claim_refs: Collection[str], *, at: datetime) -> set[str]:
    """Notes that we tell of these claims' breach; gives those that still wait and that nobody has told of."""
    return {row["claim_ref"] for row in conn.execute(MARK_TOLD, [at, list(claim_refs)])}


def count_unbooked(conn: Connection) -> int:
    """The number of claims that wait for an interview: they never had one, or it was cancelled or missed."""
    row = conn.execute(COUNT_UNBOOKED).fetchone()
    return int(row["count"]) if row else 0


def within_target_ratio(conn: Connection, *, since: datetime) -> float | None:
    """The share of the appointments booked since then that start by their target; None if there are none."""
    row = conn.execute(WITHIN_TARGET, [since]).fetchone()
    return row["ratio"] if row else None
