"""Two hundred callers want the same fifty slots at once, on a real PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from threading import Barrier, Semaphore
from typing import Any

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Connection, Database
from chassis.errors import CmsError
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, NoSlotFree, SlotId, SlotTaken
from scheduling.domain.working_time import TARGET, working_days
from scheduling.service import bookings, offers
from scheduling.service.search import free, soonest
from scheduling.store import shifts

CALLERS, SLOTS, OF_A_SHIFT = 200, 50, 2
LEEDS = "600021"
AT_A_TIME = 8
"""So many have a connection at once: the service's bound on concurrent calls makes the others wait at the door."""


@pytest.fixture
def wish(database: Database, directory: Directory) -> Wish:
    """An interview at Leeds, where fifty slots are published, on one day."""
    day = working_days(clock.today() + timedelta(days=1), Nation.ENGLAND, number=1)[0]
    begins = datetime.combine(day, time(10), tzinfo=UTC)
    work = [
        Shift(
            assessor_id=f"T{number:03}",
            office_code=LEEDS,
            start_time=begins,
            end_time=begins + OF_A_SHIFT * SLOT_LENGTH,
            channel=Channel.OFFICE,
            skills=frozenset({"JOBSEEKERS_ALLOWANCE"}),
        )
        for number in range(SLOTS // OF_A_SHIFT)
    ]
    with database.transaction() as conn:
        shifts.insert(conn, work)
    near = NearOffice(office=directory.office(LEEDS), distance_km=1.0)
    return Wish(offices=[near], channel=Channel.OFFICE, needs=frozenset())


def claim(number: int) -> Claim:
    return Claim(
        claim_ref=f"C{number:011d}", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now()
    )


def at_once(call: Callable[[int], Appointment]) -> list[Appointment | str]:
    """The outcomes of two hundred calls that begin together: the appointment, or the reason of the refusal."""
    together, doors = Barrier(CALLERS), Semaphore(AT_A_TIME)

    def one(number: int) -> Appointment | str:
        together.wait(timeout=30)
        with doors:
            try:
                return call(number)
            except CmsError as refused:
                return refused.reason

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(one, range(CALLERS)))


def expect_fifty_booked_once_each(database: Database, results: list[Appointment | str]) -> None:
    booked = [one for one in results if isinstance(one, Appointment)]
    refused = Counter(one for one in results if isinstance(one, str))
    with database.transaction() as conn:
        row: Any = conn.execute("SELECT count(DISTINCT (assessor_id, start_time)) AS count FROM diary").fetchone()
    assert len({(one.assessor_id, one.start_time) for one in booked}) == len(booked) == row["count"] == SLOTS
    assert refused == {"NO_SLOT_FREE": CALLERS - SLOTS}


def test_fifty_of_two_hundred_who_name_a_slot_or_take_the_earliest_are_booked_and_the_others_told(
    database: Database, directory: Directory, wish: Wish
) -> None:
    with database.transaction() as conn:
        slots = [slot.slot_id for slot in free(conn, wish, since=soonest(clock.now()))]

    def earliest(conn: Connection, number: int) -> Appointment:
        return bookings.book_earliest(conn, claim(number), directory=directory, wish=wish, target=TARGET)

    def named(conn: Connection, number: int, slot_id: SlotId) -> Appointment:
        return bookings.book_slot(conn, claim(number), directory=directory, slot_id=slot_id, target=TARGET)

    def call(number: int) -> Appointment:
        """Every second caller names one of the fifty, and takes the next best where another was faster."""
        if number % 2:
            with suppress(SlotTaken), database.transaction() as conn:
                return named(conn, number, slots[number % SLOTS])
        with database.transaction() as conn:
            return earliest(conn, number)

    expect_fifty_booked_once_each(database, at_once(call))


def test_fifty_of_two_hundred_who_are_offered_slots_are_booked_and_no_hold_is_booked_over(
    database: Database, directory: Directory, wish: Wish
) -> None:
    asked = offers.Asked(wish=wish, channels=(Channel.OFFICE,))

    def call(number: int) -> Appointment:
        """Whoever is offered a slot books it: it is held. Whoever is offered none takes what nobody holds."""
        this = claim(number)
        try:
            with database.transaction() as conn:
                held = offers.offer(conn, this, asked, directory=directory, target=TARGET)
        except NoSlotFree:
            with database.transaction() as conn:
                return bookings.book_earliest(conn, this, directory=directory, wish=wish, target=TARGET)
        chosen = held[number % len(held)].offer.free.slot.slot_id
        with database.transaction() as conn:
            return bookings.book_slot(conn, this, directory=directory, slot_id=chosen, target=TARGET)

    expect_fifty_booked_once_each(database, at_once(call))
