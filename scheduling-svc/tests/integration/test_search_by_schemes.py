"""Interviews are held by assessors who know the schemes that are claimed."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling.domain.claims import Claim, FirstContact
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Page, Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, NoSlotFree, SchemeNotKnown, Slot
from scheduling.domain.working_time import TARGET, working_days
from scheduling.service import bookings, changes, replanning, search
from scheduling.store import absences, shifts

LEEDS = "600021"
JSA, INCOME_SUPPORT = "JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT"
ONE_SCHEME, BOTH = "T1", "T2"
EVERYTHING = Page(since=None, until=None, size=100, after=None)


@pytest.fixture
def wish(database: Database, directory: Directory) -> Wish:
    """At Leeds: somebody who knows one scheme has time from ten on, somebody who knows both later in the day."""
    day = working_days(clock.today() + timedelta(days=1), Nation.ENGLAND, number=1)[0]
    work = [
        Shift(
            assessor_id=who,
            office_code=LEEDS,
            start_time=datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
            end_time=datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + 2 * SLOT_LENGTH,
            channel=Channel.OFFICE,
            skills=frozenset(schemes),
        )
        for who, hour, schemes in ((ONE_SCHEME, 10, [JSA]), (BOTH, 14, [JSA, INCOME_SUPPORT]))
    ]
    with database.transaction() as conn:
        shifts.insert(conn, work)
    near = NearOffice(office=directory.office(LEEDS), distance_km=1.0)
    return Wish(offices=[near], channel=Channel.OFFICE, needs=frozenset())


def claim(*schemes: str) -> Claim:
    return Claim(claim_ref="C1", schemes=schemes, is_open=True, first_contact_time=clock.now())


def found(database: Database, directory: Directory, wish: Wish, asking: Claim | None) -> list[Slot]:
    with database.transaction() as conn:
        page = search.find_slots(conn, wish, page=EVERYTHING, target=TARGET, directory=directory, claim=asking)
    return [one.free.slot for one in page.slots]


def test_a_search_for_a_claim_gives_assessors_who_know_its_schemes(
    database: Database, directory: Directory, wish: Wish
) -> None:
    for_anybody = found(database, directory, wish, None)
    for_both = found(database, directory, wish, claim(JSA, INCOME_SUPPORT, "CHILD_MAINTENANCE"))

    assert [slot.assessor_id for slot in for_anybody] == [ONE_SCHEME, ONE_SCHEME, BOTH, BOTH]
    assert [slot.assessor_id for slot in for_both] == [BOTH, BOTH]


def test_the_earliest_slot_is_of_an_assessor_who_knows_the_schemes(
    database: Database, directory: Directory, wish: Wish
) -> None:
    with database.transaction() as conn:
        booked = bookings.book_earliest(conn, claim(JSA, INCOME_SUPPORT), directory=directory, wish=wish, target=TARGET)

    assert (booked.assessor_id, sorted(booked.schemes)) == (BOTH, [INCOME_SUPPORT, JSA])


def test_a_scheme_that_nobody_knows_has_no_slot(database: Database, directory: Directory, wish: Wish) -> None:
    with pytest.raises(NoSlotFree), database.transaction() as conn:
        bookings.book_earliest(conn, claim("INCAPACITY_BENEFIT"), directory=directory, wish=wish, target=TARGET)


def test_a_named_slot_of_an_assessor_who_does_not_know_a_scheme_is_refused(
    database: Database, directory: Directory, wish: Wish
) -> None:
    slot, *_ = found(database, directory, wish, None)

    with pytest.raises(SchemeNotKnown), database.transaction() as conn:
        bookings.book_slot(conn, claim(JSA, INCOME_SUPPORT), directory=directory, slot_id=slot.slot_id, target=TARGET)


def test_an_interview_is_moved_by_the_schemes_that_are_claimed_now(
    database: Database, directory: Directory, wish: Wish
) -> None:
    first, other, *_ = found(database, directory, wish, None)
    with database.transaction() as conn:
        booked = bookings.book_slot(conn, claim(JSA), directory=directory, slot_id=first.slot_id, target=TARGET)
    change = changes.Change(appointment_id=booked.appointment_id, version=1, permit=lambda _: None)

    with database.transaction() as conn:
        bookings.keep_first_contact(conn, told(3, JSA, INCOME_SUPPORT))
        bookings.keep_first_contact(conn, told(2, JSA))

    with pytest.raises(SchemeNotKnown), database.transaction() as conn:
        changes.move(conn, change=change, slot_id=other.slot_id, directory=directory)


def test_an_interview_whose_assessor_does_not_know_an_added_scheme_is_moved_to_one_who_does(
    database: Database, directory: Directory, wish: Wish
) -> None:
    first, *_ = found(database, directory, wish, None)
    with database.transaction() as conn:
        bookings.book_slot(conn, claim(JSA), directory=directory, slot_id=first.slot_id, target=TARGET)

    with database.transaction() as conn:
        bookings.keep_first_contact(conn, told(2, JSA, INCOME_SUPPORT))
    with database.transaction() as conn:
        stepped = replanning.replan_next(conn, directory)
        moved = bookings.appointment_of_claim(conn, "C1")
        told_of = conn.execute("SELECT type FROM outbox").fetchall()

    assert stepped
    assert moved.assessor_id == BOTH
    assert "AppointmentMoved" in str(told_of)


def test_an_interview_is_listed_where_nobody_knows_an_added_scheme_and_no_more_once_it_is_dropped(
    database: Database, directory: Directory, wish: Wish
) -> None:
    first, *_ = found(database, directory, wish, None)
    with database.transaction() as conn:
        booked = bookings.book_slot(conn, claim(JSA), directory=directory, slot_id=first.slot_id, target=TARGET)

    with database.transaction() as conn:
        bookings.keep_first_contact(conn, told(2, JSA, "INCAPACITY_BENEFIT"))
    with database.transaction() as conn:
        replanning.replan_next(conn, directory)
        listed = absences.is_displaced(conn, booked.appointment_id)
        still = absences.lock_still_to_move(conn, now=clock.now(), number=1)
    with database.transaction() as conn:
        # A rota that is published anew does not end it: the assessor knows no more than before.
        absences.forget_held(conn, absences.ABSENCE, booked.assessor_id)
        kept = absences.is_displaced(conn, booked.appointment_id)
        bookings.keep_first_contact(conn, told(3, JSA))
        left = absences.is_displaced(conn, booked.appointment_id)

    assert (listed, still, kept, left) == (True, [], True, False)


def told(version: int, *schemes: str) -> FirstContact:
    return FirstContact(claim_ref="C1", claim_version=version, first_contact_time=clock.now(), schemes=schemes)
