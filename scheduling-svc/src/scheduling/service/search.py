"""Free slots near a claimant or at an office."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice

from chassis import clock
from chassis.database import Connection
from chassis.elsewhere import elsewhere
from chassis.postcodes import Postcodes
from scheduling.domain.diary import free_slots
from scheduling.domain.directory import Directory, NotServed, PostcodeUnknown
from scheduling.domain.limits import Limits
from scheduling.domain.offices import NearOffice, left_to_assessor, within_reach
from scheduling.domain.search import (
    Offer,
    Offers,
    OfficeSearched,
    Page,
    PageUnknown,
    Place,
    Search,
    Wish,
    reason_of,
)
from scheduling.domain.slots import REACH_KM, Slot
from scheduling.domain.working_time import target_due, within_target
from scheduling.store import free_time


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


def find_slots(conn: Connection, wish: Wish, *, page: Page, target: timedelta) -> Offers:
    """A page of free slots in the future, and the earliest one within the target counted from now (see Offers).

    Raises PageUnknown.
    """
    now = clock.now()
    since = max(page.since or now, soonest(now))
    wish = with_rotas(conn, wish, since=since)
    found = list(islice(_after(conn, wish, page.after, since=since, until=page.until), page.size + 1))
    earliest = _earliest_within_target(conn, wish, since=since, until=page.until, now=now, target=target)
    nearest = wish.offices[0]
    offer = partial(
        _offer,
        wish=wish,
        now=now,
        target=target,
        nearest_keeps_target=earliest is not None and earliest.office_code == nearest.office.code,
    )
    return Offers(
        offers=[offer(slot) for slot in found[: page.size]],
        more=len(found) > page.size,
        earliest_within_target=offer(earliest) if earliest else None,
    )


def with_rotas(conn: Connection, wish: Wish, *, since: datetime) -> Wish:
    """The wish at the offices where somebody works in its channel from then on: those within reach, or the nearest alone.

    Where nobody works anywhere, it is the nearest office.
    """
    within = list(within_reach(wish.offices, reach_km=REACH_KM))
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
            OfficeSearched(
                code=found.office.code, needs=left_to_assessor(wish.needs, office=found.office, channel=wish.channel)
            )
            for found in wish.offices
        ],
        channel=wish.channel,
        since=since,
        until=until,
        claim_ref=claim_ref,
    )
    return free_slots(free_time.working_times(conn, search), since=since, until=until, allow=allow)


def soonest(now: datetime) -> datetime:
    """The earliest start that can be booked: a slot that begins now cannot."""
    return now + timedelta.resolution


def _after(
    conn: Connection, wish: Wish, place: Place | None, *, since: datetime, until: datetime | None
) -> Iterator[Slot]:
    if place is None:
        return free(conn, wish, since=since, until=until)
    codes = [found.office.code for found in wish.offices]
    if place.office_code not in codes:
        raise PageUnknown
    seen = codes.index(place.office_code)
    here = replace(wish, offices=wish.offices[seen : seen + 1])
    rest = replace(wish, offices=wish.offices[seen + 1 :])
    left = free(conn, here, since=max(since, place.start_time), until=until)
    return chain(filter(place.is_before, left), free(conn, rest, since=since, until=until))


def _earliest_within_target(
    conn: Connection, wish: Wish, *, since: datetime, until: datetime | None, now: datetime, target: timedelta
) -> Slot | None:
    due_at = {found.office.code: target_due(now, found.office.nation, target=target) for found in wish.offices}
    latest = min(max(due_at.values()), until) if until else max(due_at.values())
    in_time = free(conn, wish, since=since, until=latest)
    return next((slot for slot in in_time if slot.start_time <= due_at[slot.office_code]), None)


def _offer(slot: Slot, *, wish: Wish, now: datetime, target: timedelta, nearest_keeps_target: bool) -> Offer:
    office = next(found for found in wish.offices if found.office.code == slot.office_code)
    in_time = within_target(now, slot.start_time, nation=office.office.nation, target=target)
    reason = reason_of(
        office, nearest=wish.offices[0], within_target=in_time, nearest_keeps_target=nearest_keeps_target
    )
    return Offer(slot=slot, office=office, within_target=in_time, reason=reason)
