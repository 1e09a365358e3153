"""Bookings of appointments, and the first contacts that wait for one."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from chassis import clock
from chassis.database import Connection
from scheduling import metrics, store
from scheduling.clients import Intake
from scheduling.domain.appointments import Appointment, AppointmentUnknown
from scheduling.domain.claims import Claim, FirstContact
from scheduling.domain.directory import Directory
from scheduling.domain.search import Wish
from scheduling.domain.slots import Candidate, NoSlotFree, Slot, SlotUnknown, choose_slot
from scheduling.service.events import tell
from scheduling.service.search import search_for, soonest


def claim_to_book(intake: Intake, claim_ref: str) -> Claim:
    """Reads the claim from intake, outside of any transaction.

    Raises NotFound, ClaimNotOpen, NoInterviewNeeded, Unavailable.
    """
    claim = intake.claim(claim_ref)
    claim.check_bookable()
    return claim


def book_slot(conn: Connection, claim: Claim, *, directory: Directory, slot_id: UUID, target: timedelta) -> Appointment:
    """Books this slot for the claim. Raises SlotUnknown, SlotPassed, SlotTaken, AlreadyBooked."""
    slot = store.lock_slot(conn, slot_id)
    if slot is None:
        raise SlotUnknown
    return _book(conn, claim, directory=directory, slot=slot, target=target, now=clock.now())


def book_earliest(
    conn: Connection, claim: Claim, *, directory: Directory, wish: Wish, target: timedelta
) -> Appointment:
    """Books the slot that `choose_slot` chooses among those that nobody holds or is booking now.

    The target counts from first contact (Claim.due). Raises NoSlotFree, AlreadyBooked.
    """
    now = clock.now()
    wish = replace(wish, needs=wish.needs | claim.needs)
    search = search_for(directory, wish, since=soonest(now))
    due = claim.due(wish.offices[0].office.nation, target=target)
    distances = {found.office.code: found.distance_km for found in wish.offices}
    passed_over: set[UUID] = set()
    while True:
        free = store.earliest_of_each_office(conn, search, passed_over=passed_over)
        candidates = (Candidate(slot=slot, distance_km=distances[slot.office_code]) for slot in free)
        chosen = choose_slot(candidates, due)
        if chosen is None:
            raise NoSlotFree
        if store.take_slot(conn, chosen.slot.slot_id):
            wished = replace(claim, needs=wish.needs)
            return _book(conn, wished, directory=directory, slot=chosen.slot, target=target, now=now)
        passed_over.add(chosen.slot.slot_id)


def appointment_by_id(conn: Connection, appointment_id: UUID) -> Appointment:
    """The appointment. Raises AppointmentUnknown."""
    return known(store.appointment(conn, appointment_id))


def appointment_of_claim(conn: Connection, claim_ref: str) -> Appointment:
    """The claim's latest appointment. Raises AppointmentUnknown."""
    return known(store.appointment_of_claim(conn, claim_ref))


def keep_first_contact(conn: Connection, first_contact: FirstContact) -> None:
    """Keeps the first contact of a claim, so that a claim that nobody books an interview for shows."""
    store.keep_first_contact(conn, first_contact)


def end_claim(conn: Connection, claim_ref: str, *, withdrawn_time: datetime) -> None:
    """Cancels the interview of a claim that was withdrawn, or of which nothing is left; none is booked for it any more.

    The second statement sees a booking for which the first one waited.
    """
    now = clock.now()
    store.keep_withdrawal(conn, claim_ref, withdrawn_time=withdrawn_time)
    coming = store.lock_coming(conn, claim_ref, now=now)
    if coming is not None:
        cancelled, event = coming.cancelled(version=coming.version, now=now, claim_withdrawn=True)
        store.end_appointment(conn, cancelled)
        tell(conn, event)


def known(appointment: Appointment | None) -> Appointment:
    """The appointment that was found. Raises AppointmentUnknown where there is none."""
    if appointment is None:
        raise AppointmentUnknown
    return appointment


def _book(
    conn: Connection, claim: Claim, *, directory: Directory, slot: Slot, target: timedelta, now: datetime
) -> Appointment:
    nation = directory.office(slot.office_code).nation
    appointment, event = Appointment.book(
        appointment_id=uuid4(),
        claim_ref=claim.claim_ref,
        slot=slot,
        nation=nation,
        first_contact_time=claim.first_contact_time,
        target_time=claim.due(nation, target=target),
        needs=claim.needs,
        now=now,
    )
    store.insert_appointment(conn, appointment, slot=slot, booked_time=now)
    tell(conn, event)
    late = appointment.breach(now)
    if late is not None:
        tell(conn, late)
    conn.after_commit(lambda: metrics.LEAD_TIME.observe(appointment.lead_time.total_seconds()))
    return appointment
