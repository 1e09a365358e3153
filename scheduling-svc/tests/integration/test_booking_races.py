"""Simultaneous bookings on a real PostgreSQL, whose constraints prevent double bookings."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.errors import CmsError
from scheduling.domain.appointments import AlreadyBooked, Appointment, AppointmentState
from scheduling.domain.claims import Claim
from scheduling.domain.demand import Demand
from scheduling.domain.diary import DiaryEntry, Stretch
from scheduling.domain.directory import Directory
from scheduling.domain.limits import BREAKS
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Wish
from scheduling.domain.slots import SLOT_LENGTH, Slot, SlotTaken
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings, search
from scheduling.store import appointments, diary, holds
from tests.support import rotas

FIFTY = 50
LEEDS, NEWCASTLE = "600021", "600011"


def claim(number: int) -> Claim:
    return Claim(
        claim_ref=f"C{number:011d}", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now()
    )


@pytest.fixture
def wish(opened: Directory) -> Wish:
    """An interview at Leeds, whose rotas are published."""
    leeds = NearOffice(office=opened.office(LEEDS), distance_km=1.0)
    return Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())


def free(database: Database, wish: Wish, *, number: int) -> list[Slot]:
    with database.transaction() as conn:
        return list(islice(search.free(conn, wish, since=search.soonest(clock.now())), number))


def at_once(database: Database, book: Callable[[Connection, int], Appointment]) -> list[Appointment | str]:
    """The results of fifty bookings that begin together: the appointment, or the reason of the refusal."""
    together = Barrier(FIFTY)

    def one(number: int) -> Appointment | str:
        together.wait(timeout=10)
        try:
            with database.transaction() as conn:
                return book(conn, number)
        except CmsError as refused:
            return refused.reason

    with ThreadPoolExecutor(FIFTY) as pool:
        return list(pool.map(one, range(FIFTY)))


def count(database: Database, table: str) -> int:
    with database.transaction() as conn:
        row: Any = conn.execute(f"SELECT count(*) AS count FROM {table}").fetchone()  # noqa: S608 - a name of ours
    return int(row["count"])


def test_only_one_of_fifty_simultaneous_bookings_gets_the_slot(
    database: Database, directory: Directory, wish: Wish
) -> None:
    wanted = free(database, wish, number=1)[0].slot_id

    results = at_once(
        database,
        lambda conn, number: bookings.book_slot(
            conn, claim(number), directory=directory, slot_id=wanted, target=TARGET
        ),
    )

    assert Counter(result for result in results if isinstance(result, str)) == {"SLOT_TAKEN": FIFTY - 1}
    assert count(database, "appointments") == 1
    assert count(database, "outbox") == 1


def test_fifty_simultaneous_bookings_of_the_earliest_leave_no_earlier_slot_and_every_assessor_a_break(
    database: Database, directory: Directory, wish: Wish
) -> None:
    results = at_once(
        database,
        lambda conn, number: bookings.book_earliest(conn, claim(number), directory=directory, wish=wish, target=TARGET),
    )

    booked = [result for result in results if isinstance(result, Appointment)]
    assert len({(one.assessor_id, one.start_time) for one in booked}) == FIFTY
    assert free(database, wish, number=1)[0].start_time >= max(one.start_time for one in booked)
    for one in booked:
        others = [
            Stretch(start_time=other.start_time, end_time=other.end_time)
            for other in booked
            if other.assessor_id == one.assessor_id and other != one
        ]
        assert BREAKS.allow(Stretch(start_time=one.start_time, end_time=one.end_time), others)
    assert count(database, "outbox") == FIFTY


def test_a_claim_booked_fifty_times_at_once_has_one_appointment(
    database: Database, directory: Directory, wish: Wish
) -> None:
    the_claim = claim(1)

    results = at_once(
        database,
        lambda conn, _: bookings.book_earliest(conn, the_claim, directory=directory, wish=wish, target=TARGET),
    )

    assert Counter(result for result in results if isinstance(result, str)) == {"ALREADY_BOOKED": FIFTY - 1}
    assert count(database, "appointments") == 1


def test_bookings_by_slot_and_by_earliest_never_share_a_slot(
    database: Database, directory: Directory, wish: Wish
) -> None:
    slots = [slot.slot_id for slot in free(database, wish, number=FIFTY)]

    def either(conn: Connection, number: int) -> Appointment:
        if number % 2:
            return bookings.book_slot(conn, claim(number), directory=directory, slot_id=slots[number], target=TARGET)
        return bookings.book_earliest(conn, claim(number), directory=directory, wish=wish, target=TARGET)

    results = at_once(database, either)

    refused = Counter(result for result in results if isinstance(result, str))
    booked = [(one.assessor_id, one.start_time) for one in results if isinstance(one, Appointment)]
    assert set(refused) <= {"SLOT_TAKEN", "BREAK_NEEDED"}
    assert all(isinstance(results[number], Appointment) for number in range(0, FIFTY, 2))
    assert len(set(booked)) == len(booked) == count(database, "appointments")


def insert(conn: Connection, directory: Directory, claim_ref: str, slot: Slot) -> None:
    booked, _ = Appointment.book(
        appointment_id=uuid4(),
        claim_ref=claim_ref,
        slot=slot,
        nation=directory.office(LEEDS).nation,
        first_contact_time=clock.now(),
        target_time=clock.now(),
        now=clock.now(),
    )
    appointments.insert_appointment(
        conn, booked, slot=slot, booked_time=clock.now(), demand=Demand(channel=slot.channel)
    )


@pytest.mark.parametrize("same", ["slot", "claim"])
def test_constraints_prevent_double_booking_without_the_lock(
    database: Database, directory: Directory, wish: Wish, same: str
) -> None:
    first_slot, second_slot = free(database, wish, number=2)

    with database.transaction() as conn:
        insert(conn, directory, "C1", first_slot)

    with pytest.raises(SlotTaken if same == "slot" else AlreadyBooked), database.transaction() as conn:
        insert(conn, directory, *(("C2", first_slot) if same == "slot" else ("C1", second_slot)))


def test_an_assessor_is_never_in_two_places(database: Database, directory: Directory, wish: Wish) -> None:
    slot = free(database, wish, number=1)[0]
    later = replace(slot, start_time=slot.start_time + timedelta(minutes=44), end_time=slot.end_time + SLOT_LENGTH)

    with database.transaction() as conn:
        insert(conn, directory, "C1", slot)

    with pytest.raises(SlotTaken), database.transaction() as conn:
        insert(conn, directory, "C2", later)


def test_a_slot_that_is_held_is_free_to_its_own_claim_alone(
    database: Database, directory: Directory, wish: Wish
) -> None:
    slot = free(database, wish, number=1)[0]
    hold(database, slot, claim(1), seconds=600)

    with pytest.raises(SlotTaken):
        book(database, claim(2), slot, directory)
    booked = book(database, claim(1), slot, directory)

    assert booked.slot == slot
    assert count(database, "diary") == 1


def test_a_hold_that_has_run_out_is_nobodys(database: Database, directory: Directory, wish: Wish) -> None:
    slot = free(database, wish, number=1)[0]
    hold(database, slot, claim(1), seconds=-1)

    assert free(database, wish, number=1) == [slot]
    assert book(database, claim(2), slot, directory).slot == slot
    assert count(database, "diary") == 1


def hold(database: Database, slot: Slot, the_claim: Claim, *, seconds: int) -> None:
    entry = DiaryEntry(
        assessor_id=slot.assessor_id,
        claim_ref=the_claim.claim_ref,
        start_time=slot.start_time,
        end_time=slot.end_time,
        held_until=datetime.now(UTC) + timedelta(seconds=seconds),
    )
    with database.transaction() as conn:
        diary.insert(conn, entry)


def book(database: Database, the_claim: Claim, slot: Slot, directory: Directory) -> Appointment:
    with database.transaction() as conn:
        return bookings.book_slot(conn, the_claim, directory=directory, slot_id=slot.slot_id, target=TARGET)


def test_an_interview_elsewhere_is_the_demand_of_the_office_nearest_to_the_claimant(
    database: Database, opened: Directory, wish: Wish
) -> None:
    slot = free(database, wish, number=1)[0]
    unstaffed = next(office for office in opened.offices if office.code not in rotas.STAFFED)
    near = [
        NearOffice(office=office, distance_km=float(number))
        for number, office in enumerate([unstaffed, opened.office(NEWCASTLE), opened.office(LEEDS)])
    ]

    with database.transaction() as conn:
        booked = bookings.book_slot(conn, claim(1), directory=opened, slot_id=slot.slot_id, target=TARGET, near=near)
        row: Any = conn.execute("SELECT home_office_code FROM appointments").fetchone()

    assert (booked.office_code, row["home_office_code"]) == (LEEDS, NEWCASTLE)


def test_an_interview_is_the_demand_of_the_channel_that_was_wanted(
    database: Database, opened: Directory, wish: Wish
) -> None:
    slot, offered = free(database, wish, number=2)
    demand = Demand(channel=Channel.TELEPHONE, home_office=NEWCASTLE)

    with database.transaction() as conn:
        at = clock.now()
        holds.hold(conn, offered, claim_ref=claim(2).claim_ref, demand=demand, held_for=timedelta(minutes=10), at=at)
    with database.transaction() as conn:
        named = partial(bookings.book_slot, conn, directory=opened, target=TARGET)
        named(claim(1), slot_id=slot.slot_id, wanted=Channel.HOME_VISIT)
        named(claim(2), slot_id=offered.slot_id)
        rows = list(conn.execute("SELECT wanted_channel, home_office_code FROM appointments ORDER BY claim_ref"))

    assert rows == [
        {"wanted_channel": "HOME_VISIT", "home_office_code": None},
        {"wanted_channel": "TELEPHONE", "home_office_code": NEWCASTLE},
    ]


def test_a_stored_appointment_equals_the_booked_one(database: Database, directory: Directory, wish: Wish) -> None:
    the_claim = claim(7)

    with database.transaction() as conn:
        booked = bookings.book_earliest(conn, the_claim, directory=directory, wish=wish, target=TARGET)

    with database.transaction() as conn:
        assert bookings.appointment_by_id(conn, booked.appointment_id) == booked
        assert bookings.appointment_of_claim(conn, the_claim.claim_ref) == booked
    assert booked.state is AppointmentState.BOOKED
