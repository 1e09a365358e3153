"""Displaced interviews get other slots, and each keeps its own until it has another.

The first of them do so in the transaction of their cause. Where there are many, the rest are noted there, and follow in
steps: each a transaction of its own, which a worker repeats until none is left.

Locks are taken in the order of all bookings. Shifts that others are changing and slots that others are booking are passed
over and never waited for, so that replannings do not wait for each other.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis import clock
from chassis.database import Connection
from scheduling.domain.appointments import Appointment
from scheduling.domain.directory import Directory
from scheduling.domain.limits import Limits
from scheduling.domain.offices import Channel, Office
from scheduling.domain.replanning import (
    LATER_AT_MOST,
    STEP,
    Disturbance,
    Move,
    NotMoved,
    Opening,
    Replan,
    Rules,
    first_step,
    listed,
    replan,
)
from scheduling.domain.search import OfficeSearched, Search
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import end_of_day
from scheduling.service.bookings import try_slot
from scheduling.service.events import tell
from scheduling.service.search import soonest
from scheduling.store import absences, appointments, free_time

OFFICES = 8
"""So many offices are looked at, nearest first: in a city many are within reach."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An interview before and after its move."""

    before: Appointment
    after: Appointment
    disturbance: Disturbance


@dataclass(frozen=True, kw_only=True)
class Replanned:
    """The outcome for displaced interviews; `still_to_move` is the number of those that follow in later steps."""

    moved: Sequence[Moved]
    not_moved: Sequence[NotMoved]
    still_to_move: int


def move_displaced(conn: Connection, displaced: Sequence[Appointment], directory: Directory) -> Replanned:
    """Moves the first of these interviews, which are locked and to come; what cannot be moved is noted as displaced.

    So are those that are left for later steps. Whatever displaced them must be saved already, so that their own time does not
    count as free.
    """
    now = clock.now()
    first, rest = first_step(displaced)
    plan = _plan(conn, first, directory, now=now)
    moved = [_move(conn, move, directory, now=now) for move in plan.moves]
    absences.mark_displaced(conn, [left.appointment.appointment_id for left in plan.not_moved], since=now)
    absences.mark_displaced(conn, [one.appointment_id for one in rest], since=now, still_to_move=True)
    return Replanned(moved=moved, not_moved=plan.not_moved, still_to_move=len(rest))


def replan_next(conn: Connection, directory: Directory) -> bool:
    """Takes a step with the soonest interviews that are still to be moved; gives whether there were any."""
    left = absences.lock_still_to_move(conn, now=clock.now(), number=STEP)
    move_displaced(conn, left, directory)
    return bool(left)


def displaced(
    conn: Connection, directory: Directory, *, office_code: str, number: int, after: tuple[datetime, UUID]
) -> Sequence[NotMoved]:
    """Interviews that nobody is there to hold, soonest first, with what would solve each as slots are free now.

    At most `number`, of all offices where `office_code` is empty, after this start and id.
    """
    now = clock.now()
    found = absences.displaced(conn, office_code=office_code, now=now, number=number, after=after)
    for_a_person = [appointment for appointment, still_to_move in found if not still_to_move]
    openings = list(_openings(conn, for_a_person, directory, now=now))
    rules = _rules(directory, now=now)
    left = [
        NotMoved(appointment=appointment, urgency=rules.urgency(appointment), solutions=(), still_to_move=True)
        for appointment, still_to_move in found
        if still_to_move
    ]
    return sorted(
        [*left, *listed(for_a_person, openings, rules)],
        key=lambda one: (one.appointment.start_time, one.appointment.appointment_id),
    )


def _plan(conn: Connection, displaced: Sequence[Appointment], directory: Directory, *, now: datetime) -> Replan:
    """A plan whose slots are all locked and free. One that another transaction is at is planned without."""
    rules = _rules(directory, now=now)
    openings = {opening.slot.slot_id: opening for opening in _openings(conn, displaced, directory, now=now)}
    ours: set[Slot] = set()
    while True:
        plan = replan(displaced, list(openings.values()), rules)
        lost = [move.slot for move in plan.moves if move.slot not in ours and not _lock(conn, move)]
        if not lost:
            return plan
        ours |= {move.slot for move in plan.moves} - set(lost)
        for slot in lost:
            del openings[slot.slot_id]


def _rules(directory: Directory, *, now: datetime) -> Rules:
    def way(appointment: Appointment, code: str) -> timedelta | None:
        return directory.way(appointment.office_code, appointment.travel, other=code)

    return Rules(now=now, distance_km=directory.distance_km, way=way)


def _lock(conn: Connection, move: Move) -> bool:
    claim_ref = move.appointment.claim_ref
    return try_slot(conn, move.slot, claim_ref=claim_ref, limits=_limits(clock.now()), wait_for_day=False)


def _limits(now: datetime) -> Limits:
    # Who was to be seen and is not is an emergency too: slots that are kept for those may take them.
    return Limits(now=now, is_emergency=True)


def _move(conn: Connection, move: Move, directory: Directory, *, now: datetime) -> Moved:
    before = move.appointment
    nation = directory.office(move.slot.office_code).nation
    after, event = before.moved(move.slot, nation=nation, version=before.version, now=now)
    appointments.save_appointment(conn, after, slot=move.slot)
    tell(conn, event)
    late = after.breach(now)
    if late is not None:
        tell(conn, late)
    return Moved(before=before, after=after, disturbance=move.disturbance)


def _openings(
    conn: Connection, displaced: Collection[Appointment], directory: Directory, *, now: datetime
) -> Iterator[Opening]:
    """Free slots that could take one of these interviews, or that a person could give it."""
    channels = {appointment.channel for appointment in displaced} | {Channel.TELEPHONE}
    for code in sorted({appointment.office_code for appointment in displaced}):
        own = [appointment for appointment in displaced if appointment.office_code == code]
        first, *others = directory.near_office(code)[:OFFICES]
        since = max(soonest(now), min(appointment.start_time for appointment in own) - 2 * LATER_AT_MOST)
        latest = max(appointment.start_time for appointment in own) + 2 * LATER_AT_MOST
        # Another office is worth it for the target or the day alone (Rules).
        in_time = max(max(one.target_time, end_of_day(one.start_time)) for one in own)
        for channel in channels:
            yield from _free_at(conn, [first.office], channel, since=since, until=latest)
            yield from _free_at(conn, [near.office for near in others], channel, since=since, until=in_time)


def _free_at(
    conn: Connection, offices: Sequence[Office], channel: Channel, *, since: datetime, until: datetime
) -> Iterator[Opening]:
    features = {office.code: office.features for office in offices}
    search = Search(
        offices=[OfficeSearched(code=code, needs=frozenset()) for code in features],
        channel=channel,
        since=since,
        until=until,
    )
    limits = _limits(clock.now())
    for working_time in free_time.working_times(conn, search):
        meets = features[working_time.shift.office_code] | working_time.shift.skills
        for slot in working_time.free():
            if since <= slot.start_time <= until and limits.allow(slot, working_time):
                gap = working_time.gap(slot) if channel is Channel.HOME_VISIT else None
                yield Opening(slot=slot, meets=meets, taken=working_time.taken, gap=gap)
