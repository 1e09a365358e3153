"""Changes of an appointment: moved, cancelled, attended or missed.

Locks are taken in the order of all bookings (service/bookings.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chassis import clock
from chassis.database import Connection
from chassis.vault import Vault
from scheduling import metrics
from scheduling.domain.appointments import Appointment, AppointmentState
from scheduling.domain.directory import Directory
from scheduling.domain.limits import Limits
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.slots import Slot, SlotId
from scheduling.domain.travel import NO_TRAVEL, OutOfReach
from scheduling.service.bookings import appointment_by_id, check_free, check_limits, known, lock_slot, way_to
from scheduling.service.events import tell
from scheduling.store import absences, appointments, first_contacts, waiting

CANCEL_REASON = "cancel_reason"
"""The field as which the reason is sealed."""

TOLD_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Change:
    """Which appointment is changed, as its caller read it; `permit` refuses a caller who may not."""

    appointment_id: UUID
    version: int
    permit: Callable[[Appointment], None]


def move(
    conn: Connection, *, change: Change, slot_id: SlotId, directory: Directory, near: Sequence[NearOffice] = ()
) -> Appointment:
    """Gives the appointment this slot. `near` are the offices nearest to the claimant, if that is known.

    Raises SlotUnknown, PostcodeNeeded, OutOfReach, and as Appointment.moved, check_free and check_limits.
    """
    read = appointment_by_id(conn, change.appointment_id)
    claim_ref = read.claim_ref

    def way(slot: Slot) -> timedelta:
        if slot.channel is not Channel.HOME_VISIT:
            return NO_TRAVEL
        # Who read another version may not know how far the visit is, or that it is none any more: that is said first.
        change.permit(read)
        read.check(change.version)
        # What is known of a visit that is booked already will do for the next one.
        if near or read.channel is not Channel.HOME_VISIT:
            return way_to(slot, near=near)
        known_way = directory.way(read.office_code, read.travel, other=slot.office_code)
        if known_way is None:
            raise OutOfReach
        return known_way

    found = lock_slot(conn, slot_id, claim_ref=claim_ref, way=way)
    slot = found.slot
    before = locked(conn, change)
    now = clock.now()
    nation = directory.office(slot.office_code).nation
    appointment, event = before.moved(slot, nation=nation, version=change.version, now=now)
    check_free(conn, found, schemes=before.schemes)
    # Whom nobody is there to see is an emergency: replanning and ListNotMoved name kept slots for them too.
    limits = Limits(now=now, is_emergency=absences.is_displaced(conn, before.appointment_id))
    released = appointments.save_appointment(conn, appointment, slot=slot)
    check_limits(conn, found, claim_ref=claim_ref, limits=limits)
    tell(conn, event)
    late = appointment.breach(now)
    if late is not None:
        tell(conn, late)
    waiting.note_freed(conn, [before, *(one for one in released if one != slot.slot_id)])
    return appointment


def cancel(conn: Connection, *, change: Change, reason: str, vault: Vault) -> Appointment:
    """Frees the slot; the claim waits for another interview. Raises as Appointment.cancelled."""
    before = locked_with_claim(conn, change)
    now = clock.now()
    appointment, event = before.cancelled(version=change.version, now=now)
    cipher = vault.cipher(conn, appointment.claim_ref)
    sealed = cipher.seal(reason, field=CANCEL_REASON, version=appointment.version)
    appointments.end_appointment(conn, appointment, cancel_reason=sealed)
    first_contacts.wait_again(conn, appointment.claim_ref, since=now)
    tell(conn, event)
    waiting.note_freed(conn, [before])
    return appointment


def record_attendance(conn: Connection, *, change: Change, attended: bool) -> Appointment:
    """Ends the appointment. A claim whose interview was missed waits for another. Raises as Appointment.missed."""
    before = locked_with_claim(conn, change)
    now = clock.now()
    if attended:
        appointment, came = before.attended(version=change.version, now=now)
        appointments.end_appointment(conn, appointment)
        tell(conn, came)
        _count_ended(conn, appointment)
        return appointment
    missed_before = appointments.count_missed(conn, before.claim_ref)
    appointment, stayed_away = before.missed(version=change.version, now=now, missed_before=missed_before)
    appointments.end_appointment(conn, appointment)
    first_contacts.wait_again(conn, appointment.claim_ref, since=now)
    tell(conn, stayed_away)
    _count_ended(conn, appointment)
    return appointment


def cancel_reason(conn: Connection, appointment: Appointment, vault: Vault) -> str:
    """The reason for cancelling the appointment; empty where it was not cancelled, or where a withdrawal ended it."""
    if appointment.state is not AppointmentState.CANCELLED:
        return ""
    sealed = appointments.cancel_reason(conn, appointment.appointment_id)
    if sealed is None:
        return ""
    cipher = vault.cipher(conn, appointment.claim_ref)
    return str(cipher.open(sealed, field=CANCEL_REASON, version=appointment.version))


def tell_of_breaches(conn: Connection, directory: Directory, *, target: timedelta) -> bool:
    """Tells of claims whose target passed without a booking, once each; gives whether there may be more.

    No office is known yet, so the target is that of the nation whose working days bring it last. The oldest first
    contacts come first, and theirs are the earliest targets: the first one still in time ends the step.
    """
    now = clock.now()
    waiting = first_contacts.untold(conn, until=now - target, number=TOLD_AT_ONCE)
    late = [event for one in waiting if (event := one.breach(now, nations=directory.nations, target=target))]
    ours = first_contacts.mark_told(conn, [event.claim_ref for event in late], at=now)
    for event in late:
        if event.claim_ref in ours:
            tell(conn, event)
    return len(late) == TOLD_AT_ONCE


def _count_ended(conn: Connection, appointment: Appointment) -> None:
    conn.after_commit(metrics.INTERVIEWS_ENDED.labels(appointment.channel, appointment.state).inc)


def locked(conn: Connection, change: Change) -> Appointment:
    """Locks the appointment. Raises AppointmentUnknown, and what `permit` raises."""
    appointment = known(appointments.lock_appointment(conn, change.appointment_id))
    change.permit(appointment)
    return appointment


def locked_with_claim(conn: Connection, change: Change) -> Appointment:
    """Locks the row of the claim's first contact, and the appointment. Raises as `locked`."""
    first_contacts.lock_first_contact(conn, appointment_by_id(conn, change.appointment_id).claim_ref)
    return locked(conn, change)
