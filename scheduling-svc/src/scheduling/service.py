"""The use cases of scheduling: each on the connection it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from chassis import clock, outbox
from chassis.database import Connection
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from chassis.postcodes import Country, Postcodes
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import events_pb2
from scheduling import metrics, store
from scheduling.clients import Intake
from scheduling.domain.appointments import Appointment, AppointmentBooked
from scheduling.domain.claims import Claim, ClaimNotOpen
from scheduling.domain.directory import Directory, NotServed, PostcodeUnknown
from scheduling.domain.offices import Channel, NearOffice, Need
from scheduling.domain.slots import Candidate, Slot, choose_slot
from scheduling.domain.working_time import target_due, within_target
from scheduling.store import Search


class SlotUnknown(NotFound):
    """There is no such slot."""

    def __init__(self) -> None:
        super().__init__("SLOT_UNKNOWN", "there is no slot with this slot_id")


class AppointmentUnknown(NotFound):
    """There is no such appointment."""

    def __init__(self) -> None:
        super().__init__("APPOINTMENT_UNKNOWN", "there is no such appointment")


class NoSlotFree(FailedPrecondition):
    """Nothing is free within reach for that channel and those needs."""

    def __init__(self) -> None:
        super().__init__("NO_SLOT_FREE", "no office within reach has a free slot for this channel and these needs")


class PageUnknown(InvalidArgument):
    """The page to go on from is of no slot, or of one that this search does not find."""

    def __init__(self) -> None:
        super().__init__(
            "INVALID_FIELDS",
            "invalid: page_token",
            violations=[Violation(field="page_token", description="is not of this search")],
        )


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the claimant needs of the interview, and offices to choose from: nearest first, one at least."""

    offices: Sequence[NearOffice]
    channel: Channel
    needs: frozenset[Need]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Which part of the free slots is asked for: from `since`, before `until`, after the slot that was seen last."""

    since: datetime | None
    until: datetime | None
    size: int
    after: UUID | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A free slot, and whether it starts within the target counted from now."""

    slot: Slot
    office: NearOffice
    within_target: bool


@dataclass(frozen=True, kw_only=True)
class Offers:
    """A page of free slots, soonest first. `more`: there is a page after it. The earliest is of all, not of the page."""

    offers: Sequence[Offer]
    more: bool
    earliest_within_target: Offer | None


def offices_near(directory: Directory, postcodes: Postcodes, postcode: str) -> list[NearOffice]:
    """Offices that somebody who lives there can be sent to, nearest first.

    Raises MalformedPostcode, PostcodeUnknown, NotServed.
    """
    place = postcodes.find(postcode)
    if place is None:
        raise PostcodeUnknown
    if place.country is Country.NORTHERN_IRELAND:
        raise NotServed
    return directory.near(easting=place.easting, northing=place.northing)


def find_slots(conn: Connection, wish: Wish, *, directory: Directory, page: Page, target: timedelta) -> Offers:
    """Free slots that are still to begin, with the earliest of them that is within the target counted from now.

    Raises PageUnknown.
    """
    now = clock.now()
    search = _search(directory, wish, since=max(page.since or now, _soonest(now)), until=page.until)
    slots = store.free_slots(conn, search, number=page.size + 1, after=_last_seen(conn, search, page))
    near = {found.office.code: found for found in wish.offices}

    def offer(slot: Slot) -> Offer:
        office = near[slot.office_code]
        in_time = within_target(now, slot.start_time, nation=office.office.nation, target=target)
        return Offer(slot=slot, office=office, within_target=in_time)

    earliest = [offer(slot) for slot in store.earliest_of_each_office(conn, search, passed_over=())]
    return Offers(
        offers=[offer(slot) for slot in slots[: page.size]],
        more=len(slots) > page.size,
        earliest_within_target=min(
            (found for found in earliest if found.within_target),
            key=lambda found: (found.slot.start_time, found.office.distance_km),
            default=None,
        ),
    )


def _last_seen(conn: Connection, search: Search, page: Page) -> Slot | None:
    if page.after is None:
        return None
    last = store.slot(conn, page.after)
    if last is None or last.office_code not in search.offices:
        raise PageUnknown
    return last


def claim_to_book(intake: Intake, claim_ref: str) -> Claim:
    """The claim, asked of intake: outside of any transaction. Raises NotFound, ClaimNotOpen, Unavailable."""
    claim = intake.claim(claim_ref)
    if not claim.is_open:
        raise ClaimNotOpen(claim_ref)
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
    """Books the slot that `choose_slot` names among those that nobody holds or is booking now.

    The target counts from first contact. Raises NoSlotFree, AlreadyBooked.
    """
    now = clock.now()
    search = _search(directory, wish, since=_soonest(now))
    due = target_due(claim.first_contact_time, wish.offices[0].office.nation, target=target)
    distances = {found.office.code: found.distance_km for found in wish.offices}
    passed_over: set[UUID] = set()
    while True:
        free = store.earliest_of_each_office(conn, search, passed_over=passed_over)
        candidates = (Candidate(slot=slot, distance_km=distances[slot.office_code]) for slot in free)
        chosen = choose_slot(candidates, due)
        if chosen is None:
            raise NoSlotFree
        if store.take_slot(conn, chosen.slot.slot_id):
            return _book(conn, claim, directory=directory, slot=chosen.slot, target=target, now=now)
        passed_over.add(chosen.slot.slot_id)


def appointment_by_id(conn: Connection, appointment_id: UUID) -> Appointment:
    """The appointment. Raises AppointmentUnknown."""
    return _known(store.appointment(conn, appointment_id))


def appointment_of_claim(conn: Connection, claim_ref: str) -> Appointment:
    """The claim's last appointment. Raises AppointmentUnknown."""
    return _known(store.appointment_of_claim(conn, claim_ref))


def open_rotas(conn: Connection, directory: Directory, today: date, *, week: int) -> bool:
    """Opens the slots of every rota for a week from today on; False where another replica opens slots now."""
    if not store.try_rota_lock(conn):
        return False
    store.open_slots(conn, directory.slots_of_week(today, week))
    return True


def _known(appointment: Appointment | None) -> Appointment:
    if appointment is None:
        raise AppointmentUnknown
    return appointment


def _soonest(now: datetime) -> datetime:
    """The first moment that is still to come: a slot that begins now cannot be booked."""
    return now + timedelta.resolution


def _search(directory: Directory, wish: Wish, *, since: datetime, until: datetime | None = None) -> Search:
    return Search(
        offices=[found.office.code for found in wish.offices],
        assessors=directory.who_meets(wish.needs, wish.channel, offices=[found.office for found in wish.offices]),
        channel=wish.channel,
        since=since,
        until=until,
    )


def _book(
    conn: Connection, claim: Claim, *, directory: Directory, slot: Slot, target: timedelta, now: datetime
) -> Appointment:
    appointment, event = Appointment.book(
        appointment_id=uuid4(),
        claim_ref=claim.claim_ref,
        slot=slot,
        nation=directory.office(slot.office_code).nation,
        first_contact_time=claim.first_contact_time,
        now=now,
        target=target,
    )
    store.insert_appointment(conn, appointment, slot=slot, booked_time=now)
    outbox.append(
        conn,
        claim_ref=event.claim_ref,
        version=event.version,
        event=_message(event),
        occurred_time=event.occurred_time,
    )
    conn.after_commit(lambda: metrics.LEAD_TIME.observe(appointment.lead_time.total_seconds()))
    return appointment


def _message(event: AppointmentBooked) -> events_pb2.AppointmentBooked:
    message = events_pb2.AppointmentBooked(
        appointment_id=str(event.appointment_id),
        office_code=event.office_code,
        assessor_id=event.assessor_id,
        channel=common_pb2.Channel.Value(f"CHANNEL_{event.channel}"),
    )
    message.start_time.FromDatetime(event.start_time.astimezone(UTC))
    return message
