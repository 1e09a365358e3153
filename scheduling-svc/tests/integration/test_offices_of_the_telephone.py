"""An office at which nobody works in its rooms can keep the target by telephone, on a real PostgreSQL."""

from datetime import UTC, datetime, time, timedelta

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.reasons import OfferReason
from scheduling.domain.search import Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH
from scheduling.domain.working_time import TARGET, working_days
from scheduling.service import bookings, offers
from scheduling.store import shifts

NEWCASTLE, LEEDS = "600011", "600021"


def work(office: str, channel: Channel, *, days: int) -> Shift:
    """Two slots on a working day, so many days ahead or a little later."""
    day = working_days(clock.today() + timedelta(days=days), Nation.ENGLAND, number=1)[0]
    begins = datetime.combine(day, time(10), tzinfo=UTC)
    return Shift(
        assessor_id=f"T{office}",
        office_code=office,
        start_time=begins,
        end_time=begins + 2 * SLOT_LENGTH,
        channel=channel,
        skills=frozenset({"JOBSEEKERS_ALLOWANCE"}),
    )


@pytest.fixture
def wish(database: Database, directory: Directory) -> Wish:
    """Near Newcastle, where assessors only telephone; the rooms of Leeds have time in three weeks."""
    with database.transaction() as conn:
        shifts.insert(conn, [work(NEWCASTLE, Channel.TELEPHONE, days=1), work(LEEDS, Channel.OFFICE, days=21)])
    near = [
        NearOffice(office=directory.office(code), distance_km=float(number))
        for number, code in enumerate((NEWCASTLE, LEEDS))
    ]
    return Wish(offices=near, channel=Channel.OFFICE, needs=frozenset(), spill_over=Channel.TELEPHONE)


def claim() -> Claim:
    return Claim(
        claim_ref="C0000000000A",
        schemes=("JOBSEEKERS_ALLOWANCE",),
        is_open=True,
        first_contact_time=clock.now(),
    )


def test_the_earliest_is_by_telephone_from_an_office_whose_rooms_nobody_works_in(
    database: Database, directory: Directory, wish: Wish
) -> None:
    with database.transaction() as conn:
        booked = bookings.book_earliest(conn, claim(), directory=directory, wish=wish, target=TARGET)

    assert (booked.office_code, booked.channel, booked.within_target) == (NEWCASTLE, Channel.TELEPHONE, True)


def test_its_telephone_is_offered_beside_the_rooms_of_others(
    database: Database, directory: Directory, wish: Wish
) -> None:
    asked = offers.Asked(wish=wish, channels=(Channel.OFFICE, Channel.TELEPHONE))

    with database.transaction() as conn:
        first, *others = offers.offer(conn, claim(), asked, directory=directory, target=TARGET)

    assert (first.offer.free.place, first.offer.reason) == (
        (NEWCASTLE, Channel.TELEPHONE),
        OfferReason.TELEPHONE_KEEPS_TARGET,
    )
    assert (LEEDS, Channel.OFFICE) in {one.offer.free.place for one in others}
