"""The waiting list: who joins and leaves it, and the worker that gives freed slots to those who wait."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial

from chassis import clock, logs
from chassis.database import Connection, Database
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, StaleVersion
from scheduling.domain.appointments import HOLDS_A_SLOT, Appointment, AppointmentBegun, AppointmentEnded
from scheduling.domain.directory import Directory
from scheduling.domain.limits import Limits
from scheduling.domain.offices import Channel, NearOffice, Need
from scheduling.domain.search import Wish
from scheduling.domain.slots import Slot
from scheduling.domain.travel import NO_TRAVEL
from scheduling.domain.waiting import NotWaiting, Place, TooSoonToWait, assign
from scheduling.domain.working_time import LONDON, ONE_DAY, london_day
from scheduling.service import changes
from scheduling.service.search import free, soonest
from scheduling.store import waiting
from scheduling.store.waiting import FreedDay

AT_ONCE = 200
"""So many of those who wait for an office are looked at for a freed day: the first in turn."""
LOOKED_AHEAD = timedelta(days=28)
"""A claimant who joins the list may get time that is free already, within so many days."""

_Asked = tuple[Channel, frozenset[Need], frozenset[str], str, timedelta]
"""A channel, the needs, the schemes and the language that the assessor must know, and the way of a home visit."""


@dataclass(frozen=True, kw_only=True)
class Joining:
    """The slots that the claimant would take in the place of the appointment: see Place."""

    offices: Sequence[str]
    by_telephone: bool
    notice: timedelta


def join(conn: Connection, *, change: changes.Change, joining: Joining, directory: Directory) -> Place:
    """Puts the appointment on the list, or changes its place there.

    Raises AppointmentUnknown, AppointmentEnded, AppointmentBegun, OfficeUnknown, TooSoonToWait.
    """
    now = clock.now()
    appointment = changes.locked_with_claim(conn, change)
    if appointment.state not in HOLDS_A_SLOT:
        raise AppointmentEnded(appointment.state)
    if appointment.start_time <= now:
        raise AppointmentBegun
    if appointment.start_time <= now + joining.notice:
        raise TooSoonToWait
    others = {directory.office(code, field=f"office_codes[{index}]").code for index, code in enumerate(joining.offices)}
    offices = others | {appointment.office_code}
    place = Place(
        appointment=appointment,
        offices=frozenset(offices),
        by_telephone=joining.by_telephone,
        notice=joining.notice,
        joined_time=now,
    )
    joined = replace(place, joined_time=waiting.join(conn, place))
    last = min(appointment.start_time, now + joining.notice + LOOKED_AHEAD)
    waiting.note_days(conn, offices, first=london_day(now + joining.notice), last=london_day(last))
    return joined


def leave(conn: Connection, *, change: changes.Change) -> None:
    """Takes the appointment off the list; it stays as it is. Raises AppointmentUnknown, NotWaiting."""
    appointment = changes.locked_with_claim(conn, change)
    if not waiting.leave(conn, appointment.appointment_id):
        raise NotWaiting


def give_out(database: Database, directory: Directory) -> bool:
    """Gives the time that an office has again on a day to those who wait for it; gives whether more may be freed.

    Each move is a transaction of its own: nobody is without an appointment in between. Where another took a slot
    meanwhile, the day is looked at again.
    """
    with database.transaction() as conn:
        freed = waiting.next_freed(conn)
        moves = _moves(conn, freed, directory) if freed else []
    if freed is None:
        return False
    made = [_move(database, place, slot, directory) for place, slot in moves]
    with database.transaction() as conn:
        waiting.seen_to(conn, freed, is_done=all(made))
    return all(made)


def _moves(conn: Connection, freed: FreedDay, directory: Directory) -> list[tuple[Place, Slot]]:
    now = clock.now()
    start, end = (
        datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC) for day in (freed.day, freed.day + ONE_DAY)
    )
    since = max(start, soonest(now))
    places = waiting.waiting(conn, freed.office_code, since=since, number=AT_ONCE)
    office = NearOffice(office=directory.office(freed.office_code), distance_km=0.0)
    found: dict[_Asked, list[Slot]] = {}
    for asked in {asked for place in places for asked in _asked(place, freed.office_code, directory)}:
        channel, needs, schemes, language, travel = asked
        wish = Wish(offices=[office], channel=channel, needs=needs, schemes=schemes, language=language, travel=travel)
        until = end - timedelta.resolution
        found[asked] = list(free(conn, wish, since=since, until=until, limits=Limits(now=now))) if since < end else []
    slots = {slot for of_wish in found.values() for slot in of_wish}

    def can_hold(place: Place, slot: Slot) -> bool:
        return any(slot in found[asked] for asked in _asked(place, freed.office_code, directory))

    return list(assign(slots, places, can_hold=can_hold, now=now))


def _asked(place: Place, office_code: str, directory: Directory) -> Iterator[_Asked]:
    one = place.appointment
    if one.channel is not Channel.HOME_VISIT:
        yield one.channel, one.needs, one.schemes, one.language, NO_TRAVEL
    elif (way := directory.way(one.office_code, one.travel, other=office_code)) is not None:
        yield one.channel, one.needs, one.schemes, one.language, way
    if place.by_telephone:
        yield Channel.TELEPHONE, one.needs, one.schemes, one.language, NO_TRAVEL


def _move(database: Database, place: Place, slot: Slot, directory: Directory) -> bool:
    """Moves the appointment; False where the slot, the appointment or its place is not any more as it was read."""
    before = place.appointment
    try:
        with database.transaction() as conn:
            permit = partial(_check_place, conn, slot)
            change = changes.Change(appointment_id=before.appointment_id, version=before.version, permit=permit)
            changes.move(conn, change=change, slot_id=slot.slot_id, directory=directory)
    except (AlreadyExists, FailedPrecondition, NotFound, StaleVersion) as overtaken:
        logs.get().info("a freed slot was taken meanwhile", claim_ref=before.claim_ref, reason=overtaken.reason)
        return False
    return True


def _check_place(conn: Connection, slot: Slot, appointment: Appointment) -> None:
    """Raises NotWaiting where the claimant of the locked appointment has left the list, or wants no such slot any more."""
    now = clock.now()
    places = waiting.waiting(conn, slot.office_code, since=slot.start_time, number=AT_ONCE)
    theirs = (place for place in places if place.appointment.appointment_id == appointment.appointment_id)
    if not any(place.takes(slot, now=now) for place in theirs):
        raise NotWaiting
