"""Home visits: their ways are in the diary, whoever books, holds, moves or replans them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from threading import Barrier
from uuid import uuid4

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Connection, Database
from chassis.errors import CmsError, StaleVersion
from scheduling.domain.absences import Away
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.diary import Stretch
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, Slot, SlotId, SlotTaken
from scheduling.domain.travel import OutOfReach, PostcodeNeeded
from scheduling.domain.working_time import TARGET, working_days
from scheduling.service import bookings, changes, offers, search
from scheduling.service.replanning import move_displaced
from scheduling.store import appointments, shifts

LEEDS, MANCHESTER = "600021", "600031"
TWENTY = timedelta(minutes=20)
DAY = working_days(clock.today() + timedelta(days=1), Nation.ENGLAND, number=1)[0]
TEN = datetime(DAY.year, DAY.month, DAY.day, 10, tzinfo=UTC)


def work(who: str, *, channel: Channel = Channel.HOME_VISIT, office: str = LEEDS, slots: int = 8) -> Shift:
    return Shift(
        assessor_id=who,
        office_code=office,
        start_time=TEN,
        end_time=TEN + slots * SLOT_LENGTH,
        channel=channel,
        skills=frozenset({"JOBSEEKERS_ALLOWANCE"}),
    )


@pytest.fixture
def wish(database: Database, directory: Directory) -> Wish:
    """A home visit five kilometres from Leeds, twenty minutes' way; T1 visits there."""
    with database.transaction() as conn:
        shifts.insert(conn, [work("T1")])
    return wish_at(directory, 5.0)


def wish_at(directory: Directory, kilometres: float) -> Wish:
    near = NearOffice(office=directory.office(LEEDS), distance_km=kilometres)
    return Wish(offices=[near], channel=Channel.HOME_VISIT, needs=frozenset())


def claim(number: int = 1) -> Claim:
    schemes = ("JOBSEEKERS_ALLOWANCE",)
    return Claim(claim_ref=f"C{number}", schemes=schemes, is_open=True, first_contact_time=clock.now())


def earliest(database: Database, directory: Directory, wish: Wish, number: int = 1) -> Appointment:
    with database.transaction() as conn:
        return bookings.book_earliest(conn, claim(number), directory=directory, wish=wish, target=TARGET)


def diary(database: Database) -> list[Stretch]:
    with database.transaction() as conn:
        rows = conn.execute("SELECT start_time, end_time FROM diary ORDER BY start_time").fetchall()
    return [Stretch(**row) for row in rows]


def starts(database: Database, wish: Wish) -> list[datetime]:
    with database.transaction() as conn:
        return [slot.start_time for slot in search.free(conn, wish, since=TEN)]


def test_a_visit_has_its_ways_in_the_diary_within_the_shift(
    database: Database, directory: Directory, wish: Wish
) -> None:
    booked = earliest(database, directory, wish)

    assert (booked.start_time, booked.travel) == (TEN + SLOT_LENGTH, TWENTY)
    assert diary(database) == [Stretch(start_time=booked.start_time - TWENTY, end_time=booked.end_time + TWENTY)]


def test_the_next_visit_begins_after_the_way_back_and_its_own_way(
    database: Database, directory: Directory, wish: Wish
) -> None:
    earliest(database, directory, wish)

    assert starts(database, wish)[0] == TEN + 3 * SLOT_LENGTH


@pytest.mark.parametrize("kilometres", [18.1, 400.0])
def test_nobody_is_visited_beyond_the_reach_of_an_office(
    database: Database, directory: Directory, wish: Wish, kilometres: float
) -> None:
    far = wish_at(directory, kilometres)

    with pytest.raises(OutOfReach):
        earliest(database, directory, far)
    with pytest.raises(OutOfReach), database.transaction() as conn:
        book_named(conn, directory, far, 1)


def book_named(conn: Connection, directory: Directory, wish: Wish, slot: int, number: int = 1) -> Appointment:
    return bookings.book_slot(
        conn,
        claim(number),
        directory=directory,
        slot_id=list(work("T1").slots())[slot].slot_id,
        target=TARGET,
        near=wish.offices,
    )


def test_an_interview_is_booked_for_whom_no_office_visits_and_counts_to_the_nearest(
    database: Database, directory: Directory, wish: Wish
) -> None:
    far = wish_at(directory, 400.0)
    with database.transaction() as conn:
        shifts.insert(conn, [work("T2", channel=Channel.TELEPHONE)])
        by_telephone = next(work("T2").slots()).slot_id
        named = partial(bookings.book_slot, conn, claim(), directory=directory, slot_id=by_telephone, target=TARGET)
        named(near=far.offices, wanted=Channel.HOME_VISIT)
        rows = list(conn.execute("SELECT channel, wanted_channel, home_office_code FROM appointments"))

    assert rows == [{"channel": "TELEPHONE", "wanted_channel": "HOME_VISIT", "home_office_code": LEEDS}]


def test_a_visit_is_not_booked_without_the_place(database: Database, directory: Directory, wish: Wish) -> None:
    with pytest.raises(PostcodeNeeded), database.transaction() as conn:
        book_named(conn, directory, replace(wish, offices=[]), 1)


def test_the_first_slot_of_a_shift_leaves_no_time_for_the_way(
    database: Database, directory: Directory, wish: Wish
) -> None:
    with pytest.raises(SlotTaken), database.transaction() as conn:
        book_named(conn, directory, wish, 0)


def test_visits_of_one_assessor_that_are_booked_at_once_leave_time_for_their_ways(
    database: Database, directory: Directory, wish: Wish
) -> None:
    for pair in range(1, 6):
        results = at_once(
            partial(by_name, database, directory, wish, pair, number=10 + pair),
            partial(by_name, database, directory, wish, pair + 1, number=20 + pair),
        )
        assert results.count("BOOKED") <= 1
        assert set(results) <= {"BOOKED", "SLOT_TAKEN", "BREAK_NEEDED"}

    taken = diary(database)
    assert taken
    assert not any(one.overlaps(other) for one, other in pairwise(taken))


def test_the_earliest_visits_of_many_callers_do_not_overlap(
    database: Database, directory: Directory, wish: Wish
) -> None:
    results = at_once(*[partial(by_search, database, directory, wish, number) for number in range(6)])

    taken = diary(database)
    assert sorted(results) == ["BOOKED"] * len(taken) + ["NO_SLOT_FREE"] * (6 - len(taken))
    assert not any(one.overlaps(other) for one, other in pairwise(taken))
    assert len(taken) == 3


def by_name(database: Database, directory: Directory, wish: Wish, slot: int, number: int) -> str:
    return outcome(database, lambda conn: book_named(conn, directory, wish, slot, number))


def by_search(database: Database, directory: Directory, wish: Wish, number: int) -> str:
    def book(conn: Connection) -> Appointment:
        return bookings.book_earliest(
            conn,
            claim(number),
            directory=directory,
            wish=wish,
            target=TARGET,
        )

    return outcome(database, book)


def outcome(database: Database, book: Callable[[Connection], Appointment]) -> str:
    try:
        with database.transaction() as conn:
            book(conn)
    except CmsError as refused:
        return refused.reason
    return "BOOKED"


def at_once(*calls: Callable[[], str]) -> list[str]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], str]) -> str:
        barrier.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def test_offered_visits_are_held_with_their_ways(database: Database, directory: Directory, wish: Wish) -> None:
    asked = offers.Asked(wish=wish, channels=[Channel.HOME_VISIT])
    with database.transaction() as conn:
        held = offers.offer(conn, claim(), asked, directory=directory, target=TARGET)

    slots = [one.offer.free.slot for one in held]
    assert len(slots) > 1
    assert diary(database) == sorted(map(Stretch.around, slots), key=lambda one: one.start_time)
    other, near = beside(slots), wish.offices
    with pytest.raises(SlotTaken), database.transaction() as conn:
        bookings.book_slot(conn, claim(2), directory=directory, slot_id=other, target=TARGET, near=near)


def beside(slots: list[Slot]) -> SlotId:
    """A slot that is free but for the way to one of these."""
    starts = {slot.start_time for slot in slots}
    return next(
        one.slot_id
        for one in work("T1").slots()
        if one.start_time not in starts and any(Stretch.around(slot).overlaps(Stretch.around(one)) for slot in slots)
    )


def test_a_visit_is_moved_without_the_place_and_an_office_interview_is_not_made_one(
    database: Database, directory: Directory, wish: Wish
) -> None:
    booked = earliest(database, directory, wish)
    with database.transaction() as conn:
        shifts.insert(conn, [work("T2", channel=Channel.OFFICE)])
        office = bookings.book_slot(
            conn, claim(2), directory=directory, slot_id=next(work("T2").slots()).slot_id, target=TARGET
        )
    later = list(work("T1").slots())[4].slot_id

    with pytest.raises(PostcodeNeeded), database.transaction() as conn:
        changes.move(conn, change=change_of(office), slot_id=later, directory=directory)
    # Who last saw the visit before it became an interview at the office is told that.
    with pytest.raises(StaleVersion), database.transaction() as conn:
        changes.move(conn, change=replace(change_of(office), version=2), slot_id=later, directory=directory)
    with database.transaction() as conn:
        moved = changes.move(conn, change=change_of(booked), slot_id=later, directory=directory)

    assert (moved.start_time, moved.travel) == (TEN + 4 * SLOT_LENGTH, TWENTY)
    assert Stretch.around(moved.slot) in diary(database)


def change_of(appointment: Appointment) -> changes.Change:
    return changes.Change(appointment_id=appointment.appointment_id, version=1, permit=lambda _: None)


def test_an_absence_in_the_way_to_a_visit_moves_it_to_a_colleague_with_the_way(
    database: Database, directory: Directory, wish: Wish
) -> None:
    booked = earliest(database, directory, wish)
    with database.transaction() as conn:
        shifts.insert(conn, [work("T2", slots=2), work("T3")])
    away = Away(
        identity=uuid4(),
        of="T1",
        start_time=booked.start_time - TWENTY,
        end_time=booked.start_time - TWENTY / 2,
        recorded_by="SM000001",
        recorded_time=clock.now(),
    )

    with database.transaction() as conn:
        coming = appointments.lock_coming_of_assessor(conn, "T1", within=away, now=clock.now())
        replanned = move_displaced(conn, coming, directory)

    [moved] = replanned.moved
    # The shift of T2 ends with the visit, without time for the way back.
    assert (moved.after.assessor_id, moved.after.start_time) == ("T3", booked.start_time)
    assert diary(database) == [Stretch.around(booked.slot)]


def test_a_visit_by_a_farther_office_is_reckoned_by_its_longest_way(directory: Directory) -> None:
    neighbours = directory.near_office(LEEDS)
    nearest = next(near for near in neighbours if 0 < near.distance_km < 8)

    way = directory.way(LEEDS, timedelta(minutes=10), other=nearest.office.code)

    assert way is not None
    assert way == timedelta(minutes=10) + nearest.office.travel.time(nearest.distance_km)
    assert directory.way(LEEDS, TWENTY, other=MANCHESTER) is None
