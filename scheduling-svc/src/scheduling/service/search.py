"""Free slots near a claimant or at an office."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Connection
from chassis.elsewhere import elsewhere
from chassis.postcodes import Postcodes
from scheduling.domain.claims import Claim
from scheduling.domain.diary import free_slots
from scheduling.domain.directory import Directory, NotServed, PostcodeUnknown
from scheduling.domain.limits import Limits
from scheduling.domain.offices import Channel, NearOffice, within_reach
from scheduling.domain.reasons import At, FreeSlot, Grounds
from scheduling.domain.search import Found, OfficeSearched, Page, PageUnknown, Search, Wish
from scheduling.domain.slots import REACH_KM, Slot
from scheduling.domain.travel import OutOfReach
from scheduling.domain.working_time import target_due
from scheduling.store import first_contacts, free_time


def offices_near(directory: Directory, postcodes: Postcodes, postcode: str) -> list[NearOffice]:
    """The offices, the nearest to where the claimant lives first.

    A postcode that the directory does not have counts as the middle of those around it: new ones come every month.
    Raises MalformedPostcode, PostcodeUnknown, NotServed.
    """
    outside = elsewhere(postcode)
    if outside is not None:
        raise NotServed(outside)
    place = postcodes.locate(postcode)
    if place is None:
        raise PostcodeUnknown
    easting, northing = place
    return directory.near(easting=easting, northing=northing)


def offices_asked(directory: Directory, postcodes: Postcodes, *, postcode: str, office_code: str) -> list[NearOffice]:
    """The offices near the postcode, if one is given, or else the office with this code.

    Raises OfficeUnknown, and as offices_near.
    """
    if postcode:
        return offices_near(directory, postcodes, postcode)
    return [NearOffice(office=directory.office(office_code), distance_km=0.0)]


@dataclass(frozen=True, kw_only=True)
class Asker:
    """For whom slots are searched: a claim where one is named, or nobody in particular; since when the target counts."""

    claim: Claim | None = None
    waits_since: datetime | None = None
    now: datetime
    target: timedelta

    @property
    def claim_ref(self) -> str:
        """The claim to which its own held slots are free."""
        return self.claim.claim_ref if self.claim else ""

    @property
    def limits(self) -> Limits:
        """The limits of the assessors' days for it."""
        return Limits(now=self.now, is_emergency=self.claim is not None and self.claim.is_emergency)

    def due(self, nation: Nation) -> datetime:
        """By when the interview should start at an office of this nation."""
        if self.claim is None:
            return target_due(self.now, nation, target=self.target)
        return self.claim.due_again(nation, self.waits_since, target=self.target)


def find_slots(
    conn: Connection, wish: Wish, *, page: Page, target: timedelta, directory: Directory, claim: Claim | None = None
) -> Found:
    """A page of free slots in the future, and the earliest one within the target (see Found).

    The target counts for the claim, or from now where none is given. Raises PageUnknown.
    """
    now = clock.now()
    waits_since = first_contacts.waits_since(conn, claim.claim_ref) if claim else None
    asker = Asker(claim=claim, waits_since=waits_since, now=now, target=target)
    since = max(page.since or now, soonest(now))
    wish = with_rotas(conn, wish.for_claim(claim) if claim else wish, since=since)
    directory.check_spoken([wish])
    due_in = {nation: asker.due(nation) for nation in {near.office.nation for near in wish.offices}}
    near_by_code = {near.office.code: near for near in wish.offices}

    def free_slot(slot: Slot) -> FreeSlot:
        near = near_by_code[slot.office_code]
        return FreeSlot(slot=slot, office=near, due=due_in[near.office.nation])

    slots = map(free_slot, islice(_after(conn, wish, page, since=since, asker=asker), page.size + 1))
    found = list(slots)
    latest = min(max(due_in.values()), page.until) if page.until else max(due_in.values())
    unread = replace(wish, offices=_not_read(wish, found, page))
    of_others = map(free_slot, _free(conn, unread, since=since, until=latest, asker=asker))
    # Both are in the same order; a page that goes on behind another one has not the earliest ones.
    in_order = of_others if page.after else chain(found, of_others)
    earliest = next((one for one in in_order if one.within_target), None)
    grounds = _grounds(wish, directory.home(wish), found, earliest, page=page)
    return Found(
        slots=[grounds.reasoned(one) for one in found[: page.size]],
        more=len(found) > page.size,
        earliest_within_target=grounds.reasoned(earliest) if earliest else None,
    )


def with_rotas(conn: Connection, wish: Wish, *, since: datetime) -> Wish:
    """The wish at the offices where somebody works in its channel from then on: those within reach, or the nearest alone.

    Where nobody works anywhere, it is the nearest office. For a home visit those within reach are the ones whose assessors
    would go so far. Raises OutOfReach.
    """
    if wish.channel is Channel.HOME_VISIT:
        wish = replace(wish, offices=_visiting(wish))
        within = wish.offices
    else:
        within = within_reach(wish.offices, reach_km=REACH_KM)
    codes = [found.office.code for found in wish.offices]
    staffed = set(free_time.offices_with_rotas(conn, codes[: len(within)], channel=wish.channel, since=since))
    if not staffed:
        staffed = set(
            free_time.offices_with_rotas(conn, codes[len(within) :], channel=wish.channel, since=since, number=1)
        )
    offices = [found for found in wish.offices if found.office.code in staffed]
    return replace(wish, offices=offices or wish.offices[:1])


def free(
    conn: Connection,
    wish: Wish,
    *,
    since: datetime,
    until: datetime | None = None,
    claim_ref: str = "",
    limits: Limits | None = None,
) -> Iterator[Slot]:
    """Free slots for this wish, those of the nearest office first, soonest first within an office.

    They are read as they are asked for. Slots that are held for the claim are free to it. The limits are those of now, and
    of no emergency, where none are given.
    """
    allow = (limits or Limits(now=clock.now())).allow
    search = Search(
        offices=[
            OfficeSearched(code=found.office.code, needs=wish.left_to_assessor(found.office)) for found in wish.offices
        ],
        channel=wish.channel,
        since=since,
        until=until,
        claim_ref=claim_ref,
    )
    return free_slots(free_time.working_times(conn, search), since=since, until=until, travel=wish.ways, allow=allow)


def soonest(now: datetime) -> datetime:
    """The earliest start that can be booked: a slot that begins now cannot."""
    return now + timedelta.resolution


def _visiting(wish: Wish) -> Sequence[NearOffice]:
    visiting = [near for near in wish.offices if near.visits]
    if not visiting:
        raise OutOfReach
    return visiting


def _free(conn: Connection, wish: Wish, *, since: datetime, until: datetime | None, asker: Asker) -> Iterator[Slot]:
    return free(conn, wish, since=since, until=until, claim_ref=asker.claim_ref, limits=asker.limits)


def _after(conn: Connection, wish: Wish, page: Page, *, since: datetime, asker: Asker) -> Iterator[Slot]:
    place, until = page.after, page.until
    if place is None:
        return _free(conn, wish, since=since, until=until, asker=asker)
    codes = [found.office.code for found in wish.offices]
    if place.office_code not in codes:
        raise PageUnknown
    seen = codes.index(place.office_code)
    here = replace(wish, offices=wish.offices[seen : seen + 1])
    rest = replace(wish, offices=wish.offices[seen + 1 :])
    left = _free(conn, here, since=max(since, place.start_time), until=until, asker=asker)
    return chain(filter(place.is_before, left), _free(conn, rest, since=since, until=until, asker=asker))


def _not_read(wish: Wish, found: Sequence[FreeSlot], page: Page) -> Sequence[NearOffice]:
    """The offices whose earliest slot is not in this page, as far as they have one."""
    if page.after:
        return wish.offices
    if len(found) <= page.size:
        return []
    codes = [near.office.code for near in wish.offices]
    return wish.offices[codes.index(found[-1].slot.office_code) + 1 :]


def _grounds(
    wish: Wish, home: NearOffice, found: Sequence[FreeSlot], earliest: FreeSlot | None, *, page: Page
) -> Grounds:
    first_at: dict[At, datetime] = {}
    for one in found:
        # A page that goes on with an office has not its earliest slot.
        if page.after is None or page.after.office_code != one.slot.office_code:
            first_at.setdefault(one.place, one.slot.start_time)
    return Grounds(
        channel=wish.channel,
        nearest=wish.offices[0].office.code,
        home=home.office.code,
        home_keeps_target=earliest is not None and earliest.office.distance_km <= home.distance_km,
        target_can_be_kept=earliest is not None,
        earliest=first_at,
    )
