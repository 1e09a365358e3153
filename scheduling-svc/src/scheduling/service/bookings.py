"""Bookings of appointments, and the first contacts that wait for one.

Locks are taken in one order everywhere: the shift, the slot, the assessor's day, the row of the claim's first contact, the
appointments by their ids, their places in the list of the displaced and in the waiting list. The constraints decide; the locks
keep those who want the same from running into them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from chassis import clock
from chassis.database import Connection
from scheduling import metrics
from scheduling.clients import Intake
from scheduling.domain.appointments import Appointment, AppointmentUnknown
from scheduling.domain.claims import Claim, FirstContact
from scheduling.domain.demand import Demand
from scheduling.domain.diary import Stretch
from scheduling.domain.directory import Directory
from scheduling.domain.events import AppointmentBooked
from scheduling.domain.limits import Limits
from scheduling.domain.offices import Channel, NearOffice, Need
from scheduling.domain.search import FreeTime, Wish, in_order_of_preference
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import NoSlotFree, OfficeClosed, SchemeNotKnown, Slot, SlotId, SlotTaken, SlotUnknown
from scheduling.domain.travel import NO_TRAVEL, OutOfReach, PostcodeNeeded
from scheduling.service.events import tell
from scheduling.service.lateness import times_after
from scheduling.service.search import free, soonest, with_rotas
from scheduling.store import absences, appointments, diary, first_contacts, free_time, holds, shifts, waiting


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A slot that is locked, the shift in which it lies, and whether it is free to the claim."""

    slot: Slot
    shift: Shift
    is_free: bool


def claim_to_book(intake: Intake, claim_ref: str) -> Claim:
    """Reads the claim from intake, outside of any transaction.

    Raises NotFound, ClaimNotOpen, NoInterviewNeeded, Unavailable.
    """
    claim = intake.claim(claim_ref)
    claim.check_bookable()
    return claim


def book_slot(
    conn: Connection,
    claim: Claim,
    *,
    directory: Directory,
    slot_id: SlotId,
    target: timedelta,
    needs: frozenset[Need] = frozenset(),
    language: str = "",
    near: Sequence[NearOffice] = (),
    wanted: Channel | None = None,
) -> Appointment:
    """Books this slot for the claim. The claim's needs, and these, are kept with it: whoever moves it later heeds them.

    `near` are the offices nearest to the claimant and `wanted` is the channel that was asked for, if they are known: the demand
    is that of the first office where somebody works in the channel. What was asked for when the slot was offered is known.
    Raises SlotUnknown, SlotPassed, AlreadyBooked, and as way_to, check_free and check_limits.
    """
    now = clock.now()
    locked = lock_slot(conn, slot_id, claim_ref=claim.claim_ref, way=partial(way_to, near=near))
    slot = locked.slot
    wished = replace(claim, needs=needs | claim.needs)
    appointment, event = _booked(
        conn, wished, directory=directory, slot=slot, target=target, now=now, language=language
    )
    demand = _demand(conn, slot, claim_ref=claim.claim_ref, near=near, wanted=wanted, now=now)
    # Of a claim that has an interview, that is said first.
    saved = _save(conn, appointment, event, slot=slot, demand=demand)
    check_free(conn, locked, schemes=claim.interviewed)
    check_limits(conn, locked, claim_ref=claim.claim_ref, limits=limits_for(claim, now))
    return saved


def book_earliest(
    conn: Connection, claim: Claim, *, directory: Directory, wish: Wish, target: timedelta
) -> Appointment:
    """Books the first slot in the order of `in_order_of_preference` that nobody has taken or is booking now.

    The target counts from first contact (Claim.due), or for a further attempt from when the last interview fell through.
    Raises NoSlotFree, LanguageNotSpoken, OutOfReach, AlreadyBooked.
    """
    now = clock.now()
    everywhere = wish.for_claim(claim)
    wish = with_rotas(conn, everywhere, since=soonest(now))
    directory.check_spoken([wish])
    wished = replace(claim, needs=wish.needs)
    waits_since = first_contacts.waits_since(conn, claim.claim_ref)
    due = claim.due_again(wish.offices[0].office.nation, waits_since, target=target)
    limits = limits_for(claim, now)

    def free_by(asked: Wish) -> FreeTime:
        return partial(free, conn, asked, claim_ref=claim.claim_ref, limits=limits)

    def spilled(*, since: datetime, until: datetime | None = None) -> Iterator[Slot]:
        # An office within reach at which nobody works in the wanted channel may well do so in the other.
        other = replace(everywhere, channel=everywhere.spill_over or everywhere.channel)
        return free_by(with_rotas(conn, other, since=since))(since=since, until=until)

    in_order = in_order_of_preference(
        free_by(wish),
        since=soonest(now),
        due=due,
        spill_over=spilled if wish.spill_over else None,
        later=partial(times_after, conn, claim, wish, due=due, target=target, limits=limits),
    )
    for slot in in_order:
        if try_slot(conn, slot, claim_ref=claim.claim_ref, limits=limits):
            appointment, event = _booked(
                conn, wished, directory=directory, slot=slot, target=target, now=now, language=wish.language
            )
            demand = Demand(channel=wish.channel, home_office=wish.offices[0].office.code)
            return _save(conn, appointment, event, slot=slot, demand=demand)
    raise NoSlotFree


def way_to(slot: Slot, *, near: Sequence[NearOffice]) -> timedelta:
    """The way to the claimant, where the slot is one for home visits. Raises PostcodeNeeded, OutOfReach."""
    if slot.channel is not Channel.HOME_VISIT:
        return NO_TRAVEL
    found = next((one for one in near if one.office.code == slot.office_code), None)
    if found is None:
        raise PostcodeNeeded
    if not found.visits:
        raise OutOfReach
    return found.travel


def lock_slot(conn: Connection, slot_id: SlotId, *, claim_ref: str, way: Callable[[Slot], timedelta]) -> Locked:
    """Locks a slot, waiting for what else is happening to it. `way` gives that of a home visit.

    Raises SlotUnknown, and what `way` raises.
    """
    # A shift for which the first one waited may have been published anew meanwhile: only another statement sees that.
    shift = shifts.lock_of_slot(conn, slot_id, wait=True) or shifts.lock_of_slot(conn, slot_id, wait=True)
    slot = shift.slot_at(slot_id.start_time) if shift else None
    if shift is None or slot is None:
        raise SlotUnknown
    slot = replace(slot, travel=way(slot))
    diary.lock_slot(conn, slot_id)
    diary.lock_day(conn, slot_id)
    return Locked(slot=slot, shift=shift, is_free=_has_room(conn, shift, slot, claim_ref))


def check_free(conn: Connection, locked: Locked, *, schemes: frozenset[str]) -> None:
    """Refuses a locked slot that is not free, or whose assessor does not know the schemes that are claimed.

    Raises SchemeNotKnown, OfficeClosed, SlotTaken.
    """
    if not locked.shift.meets(schemes):
        raise SchemeNotKnown
    if not locked.is_free:
        # A closure is told of, since another slot of the day is closed too.
        raise OfficeClosed if absences.is_closed(conn, locked.slot) else SlotTaken


def check_limits(conn: Connection, locked: Locked, *, claim_ref: str, limits: Limits) -> None:
    """Raises KeptForEmergencies or BreakNeeded for a locked slot that cannot be given to the claim."""
    limits.check(locked.slot, free_time.taken_of(conn, locked.shift, claim_ref=claim_ref))


def try_slot(conn: Connection, slot: Slot, *, claim_ref: str, limits: Limits, wait_for_day: bool = True) -> bool:
    """Locks a slot that was free to this claim; False where it is so no longer, or another transaction is at it.

    It waits for others who put something else into the assessor's day. A caller that locks several slots must not wait
    (`wait_for_day`).

    What is passed over is locked no more: whoever kept the lock of one day and waited for that of another could meet
    somebody who does the same the other way round.
    """
    try:
        with conn.savepoint():
            return _lock_if_free(conn, slot, claim_ref=claim_ref, limits=limits, wait_for_day=wait_for_day)
    except SlotTaken:
        return False


def is_free_to(conn: Connection, shift: Shift, slot: Slot, *, claim_ref: str, limits: Limits) -> bool:
    """Whether the slot, whose shift and day are locked, is free to the claim within the limits."""
    working_time = free_time.taken_of(conn, shift, claim_ref=claim_ref)
    return working_time.has_room(Stretch.around(slot)) and limits.allow(slot, working_time)


def limits_for(claim: Claim, now: datetime) -> Limits:
    """The limits of the assessors' days for this claim now."""
    return Limits(now=now, is_emergency=claim.is_emergency)


def appointment_by_id(conn: Connection, appointment_id: UUID) -> Appointment:
    """The appointment. Raises AppointmentUnknown."""
    return known(appointments.appointment(conn, appointment_id))


def appointment_of_claim(conn: Connection, claim_ref: str) -> Appointment:
    """The claim's latest appointment. Raises AppointmentUnknown."""
    return known(appointments.appointment_of_claim(conn, claim_ref))


def keep_first_contact(conn: Connection, first_contact: FirstContact) -> None:
    """Keeps the first contact of a claim, so that a claim that nobody books an interview for shows.

    An interview that is booked already is about the schemes of the claim's latest version. Where its assessor does not know
    one of them, the replanning moves it, which the claimant is told; or it is listed for a person.
    """
    if first_contacts.keep_first_contact(conn, first_contact) and first_contact.schemes:
        now, claim_ref = clock.now(), first_contact.claim_ref
        appointments.change_schemes(conn, claim_ref, first_contact.interviewed)
        coming = appointments.lock_coming(conn, claim_ref, now=now)
        if coming is not None:
            absences.mark_by_schemes(conn, coming.appointment_id, since=now)


def end_claim(conn: Connection, claim_ref: str, *, withdrawn_time: datetime) -> None:
    """Cancels the interview of a claim that was withdrawn, or of which nothing is left; none is booked for it any more.

    The second statement sees a booking for which the first one waited.
    """
    now = clock.now()
    first_contacts.keep_withdrawal(conn, claim_ref, withdrawn_time=withdrawn_time)
    released = holds.release(conn, claim_ref)
    coming = appointments.lock_coming(conn, claim_ref, now=now)
    if coming is not None:
        cancelled, event = coming.cancelled(version=coming.version, now=now, claim_withdrawn=True)
        appointments.end_appointment(conn, cancelled)
        tell(conn, event)
        released.append(SlotId(assessor_id=coming.assessor_id, start_time=coming.start_time))
    waiting.note_freed(conn, released)


def known(appointment: Appointment | None) -> Appointment:
    """The appointment that was found. Raises AppointmentUnknown where there is none."""
    if appointment is None:
        raise AppointmentUnknown
    return appointment


def _has_room(conn: Connection, shift: Shift, slot: Slot, claim_ref: str) -> bool:
    # A statement of its own: it sees what was committed up to the moment at which the locks were had.
    working_time = free_time.taken_of(conn, shift, claim_ref=claim_ref)
    return working_time.has_room(Stretch.around(slot))


def _lock_if_free(conn: Connection, slot: Slot, *, claim_ref: str, limits: Limits, wait_for_day: bool) -> bool:
    shift = shifts.lock_of_slot(conn, slot.slot_id, wait=False)
    if shift is None or not shift.fits(slot) or not diary.try_lock_slot(conn, slot.slot_id):
        raise SlotTaken
    if wait_for_day:
        diary.lock_day(conn, slot.slot_id)
    elif not diary.try_lock_day(conn, slot.slot_id):
        raise SlotTaken
    if not is_free_to(conn, shift, slot, claim_ref=claim_ref, limits=limits):
        raise SlotTaken
    return True


def _booked(
    conn: Connection,
    claim: Claim,
    *,
    directory: Directory,
    slot: Slot,
    target: timedelta,
    now: datetime,
    language: str,
) -> tuple[Appointment, AppointmentBooked]:
    nation = directory.office(slot.office_code).nation
    return Appointment.book(
        appointment_id=uuid4(),
        claim_ref=claim.claim_ref,
        slot=slot,
        nation=nation,
        first_contact_time=claim.first_contact_time,
        target_time=claim.due(nation, target=target),
        needs=claim.needs,
        schemes=claim.interviewed,
        language=language,
        attempt=appointments.count_missed(conn, claim.claim_ref) + 1,
        now=now,
    )


def _demand(
    conn: Connection, slot: Slot, *, claim_ref: str, near: Sequence[NearOffice], wanted: Channel | None, now: datetime
) -> Demand:
    """The demand that the booking of a named slot is: as it says, or else as was asked for when the slot was offered."""
    offered = holds.demand_of(conn, slot, claim_ref=claim_ref) or Demand(channel=slot.channel)
    channel = wanted or offered.channel
    if near:
        return Demand(channel=channel, home_office=_home_office(conn, near, channel, now=now))
    return Demand(channel=channel, home_office=offered.home_office)


def _home_office(conn: Connection, near: Sequence[NearOffice], channel: Channel, *, now: datetime) -> str:
    wish = Wish(offices=near, channel=channel, needs=frozenset())
    try:
        return with_rotas(conn, wish, since=soonest(now)).offices[0].office.code
    except OutOfReach:
        # A visit was wanted where no office goes, and another slot was taken: the nearest office shows what it cannot meet.
        return near[0].office.code


def _save(
    conn: Connection, appointment: Appointment, event: AppointmentBooked, *, slot: Slot, demand: Demand
) -> Appointment:
    released = appointments.insert_appointment(
        conn, appointment, slot=slot, booked_time=event.occurred_time, demand=demand
    )
    tell(conn, event)
    late = appointment.breach(event.occurred_time)
    if late is not None:
        tell(conn, late)
    waiting.note_freed(conn, [one for one in released if one != slot.slot_id])
    conn.after_commit(lambda: _observe(appointment))
    return appointment


def _observe(appointment: Appointment) -> None:
    metrics.LEAD_TIME.labels(appointment.channel).observe(appointment.lead_time.total_seconds())
    metrics.WORKING_LEAD_TIME.labels(appointment.channel).observe(appointment.working_lead_time.total_seconds())
