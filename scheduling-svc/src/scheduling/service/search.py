"""Free slots near a claimant or at an office."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from chassis import clock
from chassis.database import Connection
from chassis.elsewhere import elsewhere
from chassis.postcodes import Postcodes
from scheduling import store
from scheduling.domain.directory import Directory, NotServed, PostcodeUnknown
from scheduling.domain.offices import NearOffice
from scheduling.domain.search import Offer, Offers, Page, PageUnknown, Search, Wish
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import within_target


def offices_near(directory: Directory, postcodes: Postcodes, postcode: str) -> list[NearOffice]:
    """Offices that a claimant who lives there can be sent to, nearest first.

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


def find_slots(conn: Connection, wish: Wish, *, directory: Directory, page: Page, target: timedelta) -> Offers:
    """Free slots in the future, and the earliest of them within the target counted from now.

    Raises PageUnknown.
    """
    now = clock.now()
    search = search_for(directory, wish, since=max(page.since or now, soonest(now)), until=page.until)
    near = {found.office.code: found for found in wish.offices}
    found = store.free_slots(conn, search, number=page.size + 1, after=_last_seen(conn, search, page))
    earliest = store.earliest_of_each_office(conn, search, passed_over=())
    return Offers.of(
        [_offer(slot, near, now=now, target=target) for slot in found],
        size=page.size,
        earliest=[_offer(slot, near, now=now, target=target) for slot in earliest],
    )


def soonest(now: datetime) -> datetime:
    """The earliest start that can be booked: a slot that begins now cannot."""
    return now + timedelta.resolution


def search_for(directory: Directory, wish: Wish, *, since: datetime, until: datetime | None = None) -> Search:
    """The search that finds slots for this wish."""
    return Search(
        offices=[found.office.code for found in wish.offices],
        assessors=directory.assessors_for(wish.needs, wish.channel, offices=[found.office for found in wish.offices]),
        channel=wish.channel,
        since=since,
        until=until,
    )


def _offer(slot: Slot, near: Mapping[str, NearOffice], *, now: datetime, target: timedelta) -> Offer:
    office = near[slot.office_code]
    in_time = within_target(now, slot.start_time, nation=office.office.nation, target=target)
    return Offer(slot=slot, office=office, within_target=in_time)


def _last_seen(conn: Connection, search: Search, page: Page) -> Slot | None:
    if page.after is None:
        return None
    last = store.slot(conn, page.after)
    if last is None or last.office_code not in search.offices:
        raise PageUnknown
    return last
