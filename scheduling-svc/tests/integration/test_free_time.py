"""The search for free time in the database. tests/growth and `make bench-schedule` measure what it reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from uuid import uuid4

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Connection, Database
from scheduling.domain.appointments import Appointment
from scheduling.domain.demand import Demand
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice, Need, Office
from scheduling.domain.search import Page, Place, Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, Slot
from scheduling.domain.working_time import TARGET
from scheduling.service import search
from scheduling.store import appointments, free_time, shifts

NINE = datetime(2036, 11, 24, 9, tzinfo=UTC)
CODES = [f"6000{number}1" for number in range(10, 22)]
ASSESSORS = ["A1", "A2", "A3"]
HALVES = (0, 4)
"""Hours after nine at which a shift of three slots begins."""


def shift(office: str, assessor: str, hours: int) -> Shift:
    start = NINE + timedelta(hours=hours)
    skills = frozenset({Need.WELSH}) if assessor == "A3" else frozenset[str]()
    return Shift(
        assessor_id=f"{assessor}{office}"[:8],
        office_code=office,
        start_time=start,
        end_time=start + 3 * SLOT_LENGTH,
        channel=Channel.OFFICE,
        skills=skills,
    )


SHIFTS = [shift(office, assessor, hours) for office, hours, assessor in product(CODES, HALVES, ASSESSORS)]
SLOTS = sorted(
    (slot for shift in SHIFTS for slot in shift.slots()),
    key=lambda slot: (slot.office_code, slot.start_time, slot.assessor_id),
)
TAKEN = SLOTS[::4]
FREE = [slot for slot in SLOTS if slot not in TAKEN]


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.transaction() as conn:
        shifts.insert(conn, SHIFTS)
        for number, taken in enumerate(TAKEN):
            book(conn, taken, f"C{number}")
        yield conn


def book(conn: Connection, slot: Slot, claim_ref: str) -> None:
    booked, _ = Appointment.book(
        appointment_id=uuid4(),
        claim_ref=claim_ref,
        slot=slot,
        nation=Nation.ENGLAND,
        first_contact_time=clock.now(),
        target_time=clock.now(),
        now=clock.now(),
    )
    appointments.insert_appointment(
        conn, booked, slot=slot, booked_time=clock.now(), demand=Demand(channel=slot.channel)
    )


def wish(*needs: Need, codes: list[str] = CODES) -> Wish:
    return Wish(
        offices=[NearOffice(office=office(code), distance_km=float(number)) for number, code in enumerate(codes)],
        channel=Channel.OFFICE,
        needs=frozenset(needs),
    )


def office(code: str) -> Office:
    return Office(
        code=code,
        name="Town",
        postcode="AA1 1AA",
        easting=300000,
        northing=200000,
        nation=Nation.ENGLAND,
        features=frozenset({Need.STEP_FREE}),
    )


def test_the_nearest_offices_free_slots_come_first_and_soonest_first_within_an_office(conn: Connection) -> None:
    nearest_last = CODES[::-1]

    found = list(search.free(conn, wish(codes=nearest_last), since=NINE))

    assert found == sorted(FREE, key=lambda slot: nearest_last.index(slot.office_code))


@pytest.mark.parametrize("size", [1, 5, 100])
def test_pages_give_each_free_slot_once(conn: Connection, directory: Directory, size: int) -> None:
    found, place = list[Slot](), None
    while True:
        page = Page(since=NINE, until=None, size=size, after=place)
        here = search.find_slots(conn, wish(codes=CODES[:3]), page=page, target=TARGET, directory=directory)
        found += [one.free.slot for one in here.slots]
        if not here.more:
            break
        last = found[-1]
        place = Place(office_code=last.office_code, start_time=last.start_time, assessor_id=last.assessor_id)

    assert found == [slot for slot in FREE if slot.office_code in CODES[:3]]


def test_a_search_keeps_to_its_times_though_a_shift_begins_before_them(conn: Connection) -> None:
    second = NINE + SLOT_LENGTH

    found = list(search.free(conn, wish(codes=CODES[:1]), since=second, until=second + SLOT_LENGTH))

    assert found
    assert {slot.start_time for slot in found} == {second, second + SLOT_LENGTH}


def test_what_the_office_does_not_meet_the_assessor_must(conn: Connection) -> None:
    found = list(search.free(conn, wish(Need.WELSH, Need.STEP_FREE), since=NINE))

    assert {slot.assessor_id[:2] for slot in found} == {"A3"}
    assert list(search.free(conn, wish(Need.HEARING_LOOP), since=NINE)) == []


def test_shifts_are_read_in_parts_without_a_gap(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_time, "SHIFTS_AT_ONCE", 2)

    assert list(search.free(conn, wish(), since=NINE)) == FREE


def test_a_search_reads_no_more_offices_than_it_needs(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[str]()
    whole = free_time.search_parameters

    def noting(*given: object, **more: object) -> object:
        parameters = whole(*given, **more)  # type: ignore[arg-type]
        read.extend(parameters["offices"])
        return parameters

    monkeypatch.setattr(free_time, "search_parameters", noting)

    list(islice(search.free(conn, wish(), since=NINE), 5))

    assert read == CODES[:1]


def test_full_shifts_are_passed_over_and_the_search_goes_on_behind_them(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_time, "SHIFTS_AT_ONCE", 3)
    morning = [slot for slot in FREE if slot.office_code == CODES[0] and slot.start_time < NINE + timedelta(hours=3)]
    for number, slot in enumerate(morning):
        book(conn, slot, f"D{number}")

    found = search.free(conn, wish(), since=NINE)

    assert list(found) == [slot for slot in FREE if slot not in morning]
