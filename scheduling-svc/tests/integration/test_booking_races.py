"""Simultaneous bookings on a real PostgreSQL, whose constraints prevent double bookings."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.errors import CmsError
from scheduling import store
from scheduling.domain.appointments import AlreadyBooked, Appointment, AppointmentState
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Search, Wish
from scheduling.domain.slots import SLOT_LENGTH, Slot, SlotTaken
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings, rotas

FIFTY = 50
LEEDS = "600021"


def claim(number: int) -> Claim:
    return Claim(
        claim_ref=f"C{number:011d}", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now()
    )


@pytest.fixture
def wish(database: Database, directory: Directory) -> Wish:
    """An interview at Leeds, whose rotas are open."""
    with database.transaction() as conn:
        rotas.open_rotas(conn, directory, clock.today(), week=0)
        rotas.open_rotas(conn, directory, clock.today(), week=1)
    leeds = NearOffice(office=directory.office(LEEDS), distance_km=1.0)
    return Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())


def free(database: Database, directory: Directory, *, number: int) -> list[Slot]:
    assessors = directory.assessors_for((), Channel.OFFICE, offices=[directory.office(LEEDS)])
    search = Search(offices=[LEEDS], assessors=assessors, channel=Channel.OFFICE, since=clock.now())
    with database.transaction() as conn:
        return store.free_slots(conn, search, number=number)


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
    wanted = free(database, directory, number=1)[0].slot_id

    results = at_once(
        database,
        lambda conn, number: bookings.book_slot(
            conn, claim(number), directory=directory, slot_id=wanted, target=TARGET
        ),
    )

    assert Counter(result for result in results if isinstance(result, str)) == {"SLOT_TAKEN": FIFTY - 1}
    assert count(database, "appointments") == 1
    assert count(database, "outbox") == 1


def test_fifty_simultaneous_bookings_of_the_earliest_get_the_fifty_earliest_slots(
    database: Database, directory: Directory, wish: Wish
) -> None:
    earliest = free(database, directory, number=FIFTY)

    results = at_once(
        database,
        lambda conn, number: bookings.book_earliest(conn, claim(number), directory=directory, wish=wish, target=TARGET),
    )

    booked = {(result.assessor_id, result.start_time) for result in results if isinstance(result, Appointment)}
    assert booked == {(slot.assessor_id, slot.start_time) for slot in earliest}
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
    slots = [slot.slot_id for slot in free(database, directory, number=FIFTY)]

    def book(conn: Connection, number: int) -> Appointment:
        if number % 2:
            return bookings.book_slot(conn, claim(number), directory=directory, slot_id=slots[number], target=TARGET)
        return bookings.book_earliest(conn, claim(number), directory=directory, wish=wish, target=TARGET)

    results = at_once(database, book)

    refused = Counter(result for result in results if isinstance(result, str))
    booked = [(one.assessor_id, one.start_time) for one in results if isinstance(one, Appointment)]
    assert set(refused) <= {"SLOT_TAKEN"}
    assert all(isinstance(results[number], Appointment) for number in range(0, FIFTY, 2))
    assert len(set(booked)) == len(booked) == count(database, "appointments")


@pytest.mark.parametrize("same", ["slot", "claim"])
def test_constraints_prevent_double_booking_without_the_lock(
    database: Database, directory: Directory, wish: Wish, same: str
) -> None:
    first_slot, second_slot = free(database, directory, number=2)

    def insert(conn: Connection, claim_ref: str, slot: Slot) -> None:
        booked, _ = Appointment.book(
            appointment_id=uuid4(),
            claim_ref=claim_ref,
            slot=slot,
            nation=directory.office(LEEDS).nation,
            first_contact_time=clock.now(),
            target_time=clock.now(),
            now=clock.now(),
        )
        store.insert_appointment(conn, booked, slot=slot, booked_time=clock.now())

    with database.transaction() as conn:
        insert(conn, "C1", first_slot)

    with pytest.raises(SlotTaken if same == "slot" else AlreadyBooked), database.transaction() as conn:
        insert(conn, *(("C2", first_slot) if same == "slot" else ("C1", second_slot)))


def test_overlapping_slots_of_an_assessor_are_not_opened(database: Database) -> None:
    start = datetime(2026, 11, 30, 9, tzinfo=UTC)

    def slot(assessor: str, minutes: int) -> Slot:
        begin = start + timedelta(minutes=minutes)
        return Slot(
            assessor_id=assessor,
            office_code=LEEDS,
            start_time=begin,
            end_time=begin + SLOT_LENGTH,
            channel=Channel.OFFICE,
        )

    with database.transaction() as conn:
        opened = store.open_slots(conn, [slot("A1", 0), slot("A1", 30), slot("A1", 45), slot("A2", 30), slot("A1", 0)])

    assert opened == 3


def test_a_stored_appointment_equals_the_booked_one(database: Database, directory: Directory, wish: Wish) -> None:
    the_claim = claim(7)

    with database.transaction() as conn:
        booked = bookings.book_earliest(conn, the_claim, directory=directory, wish=wish, target=TARGET)

    with database.transaction() as conn:
        assert bookings.appointment_by_id(conn, booked.appointment_id) == booked
        assert bookings.appointment_of_claim(conn, the_claim.claim_ref) == booked
    assert booked.state is AppointmentState.BOOKED
