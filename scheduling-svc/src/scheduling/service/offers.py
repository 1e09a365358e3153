"""Offers: the first good slot and its alternatives, held for the claim of a call until they are booked or given up."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice

from chassis import clock
from chassis.database import Connection
from scheduling.domain.claims import Claim
from scheduling.domain.demand import Demand
from scheduling.domain.directory import Directory
from scheduling.domain.lateness import Span
from scheduling.domain.limits import Limits
from scheduling.domain.offers import HELD_FOR, Choice, first_of_half_days
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.reasons import FreeSlot, Reasoned
from scheduling.domain.search import Wish
from scheduling.domain.slots import NoSlotFree, SlotId, SlotTaken
from scheduling.service.bookings import is_free_to, limits_for
from scheduling.service.lateness import times_after
from scheduling.service.search import free, soonest, with_rotas
from scheduling.store import diary, first_contacts, holds, shifts, waiting

SEARCHED = 30
"""The nearest offices that are searched for an offer."""
ENOUGH_PLACES = 3
"""The search ends at so many offices that have a slot."""
HALF_DAYS = 4
"""The half-days of an office that are looked at."""
ROUNDS = 3
"""The number of times that slots are chosen, where others take one of them meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The offers that are asked for: the wish, its channels, the times, and slots that the claimant does not want."""

    wish: Wish
    channels: Sequence[Channel]
    since: datetime | None = None
    until: datetime | None = None
    declined: frozenset[SlotId] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Held:
    """An offer, and until when it is held, by real time."""

    offer: Reasoned
    held_until: datetime


class _Overtaken(Exception):
    """Another took one of the chosen slots meanwhile."""


def offer(conn: Connection, claim: Claim, asked: Asked, *, directory: Directory, target: timedelta) -> list[Held]:
    """Chooses slots and holds them for the claim in the place of what was held for it before; the first is the best.

    Raises NoSlotFree, LanguageNotSpoken, OutOfReach.
    """
    limits = limits_for(claim, clock.now())
    since = max(asked.since or limits.now, soonest(limits.now))
    everywhere = asked.wish.for_claim(claim)
    # An office within reach at which nobody works in the wanted channel may well do so in another.
    staffed = {
        channel: with_rotas(conn, replace(everywhere, channel=channel), since=since)
        for channel in dict.fromkeys((everywhere.channel, *asked.channels))
    }
    directory.check_spoken(staffed.values())
    demand = Demand(channel=everywhere.channel, home_office=staffed[everywhere.channel].offices[0].office.code)
    for number in range(1, ROUNDS + 1):
        chosen = _choice(conn, claim, asked, staffed, directory=directory, target=target, limits=limits).offers()
        try:
            with conn.savepoint():
                held = _hold(conn, claim.claim_ref, chosen, demand=demand, limits=limits, all_of_them=number < ROUNDS)
        except (_Overtaken, SlotTaken):
            # No slot was named: the caller is not told of one that another took.
            continue
        if held:
            return held
    raise NoSlotFree


def release(conn: Connection, claim_ref: str, *, slots: Collection[SlotId] | None = None) -> int:
    """Gives up what is held for the claim: of these slots, or all of it. Gives how many."""
    released = holds.release(conn, claim_ref, slots=slots)
    waiting.note_freed(conn, released)
    return len(released)


def end_call(conn: Connection, claim_ref: str, *, ended: datetime) -> None:
    """Gives up what was offered for the claim until a call ended; a later call keeps what was offered in it."""
    waiting.note_freed(conn, holds.release(conn, claim_ref, offered_by=ended))


def prune(conn: Connection, *, number: int) -> bool:
    """Deletes holds that are nobody's any more; gives whether there may be more."""
    over = holds.prune(conn, number=number)
    waiting.note_freed(conn, over)
    return len(over) == number


def _choice(
    conn: Connection,
    claim: Claim,
    asked: Asked,
    staffed: Mapping[Channel, Wish],
    *,
    directory: Directory,
    target: timedelta,
    limits: Limits,
) -> Choice:
    waits_since = first_contacts.waits_since(conn, claim.claim_ref)
    wish = staffed[asked.wish.channel]
    found = list[FreeSlot]()
    for channel in asked.channels:
        here = replace(asked, wish=staffed[channel])
        found += _free(conn, here, claim, waits_since, target=target, limits=limits)
    return Choice(
        free=found,
        channel=wish.channel,
        nearest=wish.offices[0].office.code,
        home=directory.home(wish).office.code,
    )


def _free(
    conn: Connection, asked: Asked, claim: Claim, waits_since: datetime | None, *, target: timedelta, limits: Limits
) -> Iterator[FreeSlot]:
    """Slots of the nearest offices within the target; where fewer than ENOUGH_PLACES have some, later ones too."""
    since = max(asked.since or limits.now, soonest(limits.now))
    due_at = {
        near.office.code: claim.due_again(near.office.nation, waits_since, target=target)
        for near in asked.wish.offices[:SEARCHED]
    }

    def at(near: NearOffice, *, late: Span | None = None) -> list[FreeSlot]:
        due = due_at[near.office.code]
        begin, end = (max(since, soonest(due), late.first), late.until) if late else (since, due)
        ends = [one for one in (end, asked.until) if one is not None]
        here = replace(asked.wish, offices=[near])
        slots = free(conn, here, since=begin, until=min(ends, default=None), claim_ref=claim.claim_ref, limits=limits)
        deferred = late is not None and late.is_deferred
        wanted = (
            FreeSlot(slot=slot, office=near, due=due, is_deferred=deferred)
            for slot in slots
            if slot.slot_id not in asked.declined
        )
        return list(islice(first_of_half_days(wanted), HALF_DAYS))

    in_time = list(_places(asked, at))
    yield from in_time
    if len({one.place for one in in_time}) < ENOUGH_PLACES:
        yield from _late(asked, _times(conn, claim, asked, due_at, target=target, limits=limits), at)


def _times(
    conn: Connection,
    claim: Claim,
    asked: Asked,
    due_at: Mapping[str, datetime],
    *,
    target: timedelta,
    limits: Limits,
) -> Sequence[Span]:
    """The times after the target. Who names a time, or wants another slot than was offered, is not put behind others."""
    due = due_at[asked.wish.offices[0].office.code]
    if asked.since or asked.until or asked.declined:
        return [Span(after=due)]
    return times_after(conn, claim, asked.wish, due=due, target=target, limits=limits)


def _late(asked: Asked, times: Sequence[Span], at: Callable[..., list[FreeSlot]]) -> list[FreeSlot]:
    """The slots of the first of these times in which there are some."""
    found = (list(_places(asked, partial(at, late=span))) for span in times)
    return next((of_span for of_span in found if of_span), [])


def _places(asked: Asked, slots_at: Callable[[NearOffice], list[FreeSlot]]) -> Iterator[FreeSlot]:
    """The slots of the nearest offices that have some, of ENOUGH_PLACES offices."""
    with_slots = (found for near in asked.wish.offices[:SEARCHED] if (found := slots_at(near)))
    return chain.from_iterable(islice(with_slots, ENOUGH_PLACES))


def _hold(
    conn: Connection, claim_ref: str, chosen: Sequence[Reasoned], *, demand: Demand, limits: Limits, all_of_them: bool
) -> list[Held]:
    """Holds the chosen slots that are still free. Raises _Overtaken where one is not and `all_of_them` are wanted.

    Whoever holds several locks takes them in one order: that of the shifts, by assessor and start.
    """
    in_order = sorted((one.free.slot.slot_id for one in chosen), key=lambda one: (one.assessor_id, one.start_time))
    locked = {slot_id: shifts.lock_of_slot(conn, slot_id, wait=True) for slot_id in in_order}
    for slot_id in in_order:
        diary.lock_day(conn, slot_id)
    released = holds.release(conn, claim_ref)
    held = list[Held]()
    for one in chosen:
        slot, shift = one.free.slot, locked[one.free.slot.slot_id]
        if shift is not None and shift.fits(slot) and is_free_to(conn, shift, slot, claim_ref=claim_ref, limits=limits):
            until = holds.hold(conn, slot, claim_ref=claim_ref, demand=demand, held_for=HELD_FOR, at=limits.now)
            held.append(Held(offer=one, held_until=until))
        elif all_of_them:
            raise _Overtaken
    again = {one.offer.free.slot.slot_id for one in held}
    waiting.note_freed(conn, [slot_id for slot_id in released if slot_id not in again])
    return held
