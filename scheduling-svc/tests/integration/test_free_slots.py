"""The search for free slots. tests/growth measures what it reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Connection, Database
from scheduling import store
from scheduling.domain.appointments import Appointment
from scheduling.domain.offices import Channel
from scheduling.domain.search import Search
from scheduling.domain.slots import SLOT_LENGTH, Slot

NINE = datetime(2036, 11, 24, 9, tzinfo=UTC)
OFFICES = ["600031", "600021", "600041"]
ASSESSORS = ["A1", "A2", "A3"]


def slot(office: str, assessor: str, hour: int) -> Slot:
    start = NINE + timedelta(hours=hour)
    reference = f"{assessor}{office}"[:8]
    return Slot(
        assessor_id=reference,
        office_code=office,
        start_time=start,
        end_time=start + SLOT_LENGTH,
        channel=Channel.OFFICE,
    )


SLOTS = [slot(office, assessor, hour) for hour, office, assessor in product(range(4), OFFICES, ASSESSORS)]
TAKEN = SLOTS[::4]


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.transaction() as conn:
        store.open_slots(conn, SLOTS)
        for number, taken in enumerate(TAKEN):
            booked, _ = Appointment.book(
                appointment_id=taken.slot_id,
                claim_ref=f"C{number}",
                slot=taken,
                nation=Nation.ENGLAND,
                first_contact_time=clock.now(),
                target_time=clock.now(),
                now=clock.now(),
            )
            store.insert_appointment(conn, booked, slot=taken, booked_time=clock.now())
        yield conn


def search(*, since: datetime = NINE, until: datetime | None = None) -> Search:
    assessors = sorted({slot.assessor_id for slot in SLOTS})
    return Search(offices=OFFICES, assessors=assessors, channel=Channel.OFFICE, since=since, until=until)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_pages_give_each_free_slot_once_and_the_nearest_office_first(conn: Connection, size: int) -> None:
    found, page = list[Slot](), store.free_slots(conn, search(), number=size)
    while page:
        found += page
        page = store.free_slots(conn, search(), number=size, after=page[-1])

    assert found == [slot for slot in SLOTS if slot not in TAKEN]


def test_a_search_keeps_to_its_times(conn: Connection) -> None:
    second, third = NINE + timedelta(hours=1), NINE + timedelta(hours=2)

    found = store.free_slots(conn, search(since=second, until=third), number=100)

    assert {slot.start_time for slot in found} == {second, third}


def test_the_earliest_free_slot_of_each_office_leaves_out_those_passed_over(conn: Connection) -> None:
    first = store.earliest_of_each_office(conn, search(), passed_over=())
    second = store.earliest_of_each_office(conn, search(), passed_over=[slot.slot_id for slot in first])

    assert sorted(slot.office_code for slot in first) == sorted(OFFICES)
    assert not {slot.slot_id for slot in first} & {slot.slot_id for slot in second}
