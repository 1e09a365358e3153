"""The way to a home visit, and the time that it takes of the assessor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.data import load_offices, parse_travel
from scheduling.domain.diary import Stretch, WorkingTime
from scheduling.domain.offers import Choice
from scheduling.domain.offices import Channel, NearOffice, Office
from scheduling.domain.reasons import FreeSlot
from scheduling.domain.shifts import Shift
from scheduling.domain.travel import USUAL_TRAVEL

NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DISTANCES = st.floats(min_value=0, max_value=60)
VISITS = Shift(
    assessor_id="A1",
    office_code="600021",
    start_time=NINE,
    end_time=NINE + 6 * 45 * MINUTE,
    channel=Channel.HOME_VISIT,
)


def office() -> Office:
    return next(office for office in load_offices() if office.code == "600021")


def test_a_way_is_reckoned_by_distance_and_rounded_up_to_five_minutes() -> None:
    assert [USUAL_TRAVEL.time(kilometres) // MINUTE for kilometres in (0, 1, 5, 10)] == [5, 10, 20, 30]


@given(DISTANCES, DISTANCES)
def test_the_way_by_the_office_is_never_shorter_than_the_straight_one(one: float, other: float) -> None:
    assert USUAL_TRAVEL.time(one + other) <= USUAL_TRAVEL.time(one) + USUAL_TRAVEL.time(other)


@pytest.mark.parametrize(("kilometres", "visits"), [(17.9, True), (18.1, False)])
def test_an_office_visits_as_far_as_its_longest_way(kilometres: float, *, visits: bool) -> None:
    assert NearOffice(office=office(), distance_km=kilometres).visits is visits


def test_the_file_gives_an_office_a_line_of_its_own_or_the_usual_one() -> None:
    columns = "office_code,kilometres_per_hour,detour,arrival_minutes,longest_minutes"

    found = parse_travel(f"{columns}\n,35,1.3,5,45\n600021,50,1.4,5,90\n")

    assert found[""] == USUAL_TRAVEL
    assert found["600021"].longest_minutes == 90
    with pytest.raises(ValueError, match="every other office"):
        parse_travel(f"{columns}\n600021,50,1.4,5,90\n")
    with pytest.raises(ValueError, match="240 minutes"):
        parse_travel(f"{columns}\n,35,1.3,5,241\n")


def test_two_visits_have_the_ways_of_both_between_them() -> None:
    first = next(WorkingTime(shift=VISITS).free(travel=25 * MINUTE))

    second = next(WorkingTime(shift=VISITS, taken=(Stretch.around(first),)).free(travel=10 * MINUTE))

    assert first.leave_time >= NINE
    assert second.start_time - first.end_time >= 35 * MINUTE


def test_the_gap_around_a_slot_reaches_to_what_is_taken() -> None:
    taken = Stretch(start_time=NINE, end_time=NINE + 60 * MINUTE)
    working_time = WorkingTime(shift=VISITS, taken=(taken,))

    gap = working_time.gap(next(working_time.free()))

    assert gap == Stretch(start_time=taken.end_time, end_time=VISITS.end_time)


def test_visits_that_are_offered_together_can_all_be_held() -> None:
    near = NearOffice(office=office(), distance_km=1.0)
    slots = [replace(slot, travel=30 * MINUTE) for slot in VISITS.slots()]
    free = [FreeSlot(slot=slot, office=near, due=NINE + timedelta(days=1)) for slot in slots]

    offers = Choice(free=free, channel=Channel.HOME_VISIT, nearest="600021", home="600021").offers()

    around = [Stretch.around(offer.free.slot) for offer in offers]
    assert len(around) == 2
    assert not around[0].overlaps(around[1])
