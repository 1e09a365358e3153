from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.data import load_assessors
from scheduling.domain.offices import Assessor, Channel, WeeklyShift
from scheduling.domain.slots import REACH_KM, SLOT_LENGTH, Candidate, Slot, choose_slot, slots_of
from scheduling.domain.working_time import LONDON, is_working_day

MONDAY = date(2026, 11, 23)
DUE = datetime(2026, 11, 25, 10, tzinfo=UTC)


def assessor(*shifts: tuple[int, str, str]) -> Assessor:
    rota = tuple(
        WeeklyShift(
            weekday=weekday, start=time.fromisoformat(start), end=time.fromisoformat(end), channel=Channel.OFFICE
        )
        for weekday, start, end in shifts
    )
    return Assessor(assessor_id="ALE02001", office_code="600021", skills=frozenset(), rota=rota)


def candidate(office: str, distance_km: float, start: datetime, *, who: str = "A1") -> Candidate:
    slot = Slot(
        assessor_id=who, office_code=office, start_time=start, end_time=start + SLOT_LENGTH, channel=Channel.OFFICE
    )
    return Candidate(slot=slot, distance_km=distance_km)


def starts(slots: tuple[Slot, ...]) -> list[str]:
    return [slot.start_time.astimezone(LONDON).strftime("%H:%M") for slot in slots]


def test_a_shift_is_cut_into_whole_slots() -> None:
    slots = slots_of(assessor((0, "09:00", "12:10")), MONDAY, nation=Nation.ENGLAND)

    assert starts(slots) == ["09:00", "09:45", "10:30", "11:15"]
    assert slots[-1].end_time == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert slots[0].office_code == "600021"


def test_only_the_shifts_of_that_weekday_give_slots() -> None:
    worker = assessor((0, "09:00", "09:45"), (1, "14:00", "14:45"))

    assert starts(slots_of(worker, MONDAY, nation=Nation.ENGLAND)) == ["09:00"]
    assert starts(slots_of(worker, MONDAY + timedelta(days=1), nation=Nation.ENGLAND)) == ["14:00"]


@pytest.mark.parametrize(
    ("day", "utc_hour"),
    [(date(2026, 3, 27), 9), (date(2026, 3, 30), 8), (date(2026, 10, 23), 8), (date(2026, 10, 26), 9)],
)
def test_nine_in_the_morning_is_nine_in_london_before_and_after_the_clocks_change(day: date, utc_hour: int) -> None:
    worker = assessor((day.weekday(), "09:00", "10:00"))

    slots = slots_of(worker, day, nation=Nation.ENGLAND)

    assert [slot.start_time for slot in slots] == [datetime(day.year, day.month, day.day, utc_hour, tzinfo=UTC)]


def test_there_are_no_slots_on_a_bank_holiday_of_the_offices_nation() -> None:
    second_of_january = date(2026, 1, 2)
    worker = assessor((second_of_january.weekday(), "09:00", "10:00"))

    assert slots_of(worker, second_of_january, nation=Nation.SCOTLAND) == ()
    assert len(slots_of(worker, second_of_january, nation=Nation.ENGLAND)) == 1


def test_a_weekend_shift_gives_no_slots() -> None:
    assert slots_of(assessor((5, "09:00", "12:00")), date(2026, 11, 28), nation=Nation.ENGLAND) == ()


@given(
    worker=st.sampled_from(load_assessors()),
    day=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    nation=st.sampled_from(Nation),
    minutes=st.integers(10, 120),
)
def test_slots_lie_within_shifts_without_overlap(worker: Assessor, day: date, nation: Nation, minutes: int) -> None:
    length = timedelta(minutes=minutes)

    slots = slots_of(worker, day, nation=nation, slot_length=length)

    shifts = [shift for shift in worker.rota if shift.weekday == day.weekday()]
    assert bool(slots) == (bool(shifts) and is_working_day(day, nation))
    assert all(slot.end_time - slot.start_time == length for slot in slots)
    assert all(before.end_time <= after.start_time for before, after in pairwise(slots))
    assert all(
        any(shift.start <= start.time() and (start + length).time() <= shift.end for shift in shifts)
        for start in (slot.start_time.astimezone(LONDON) for slot in slots)
    )


def test_the_nearest_office_with_a_slot_within_the_target_is_chosen() -> None:
    near = candidate("600021", 2.0, DUE - timedelta(hours=1))
    sooner_but_farther = candidate("600031", 9.0, DUE - timedelta(hours=20))
    later = candidate("600021", 2.0, DUE)

    assert choose_slot([later, sooner_but_farther, near], DUE) == near


def test_the_next_nearest_office_is_chosen_when_the_nearest_is_late() -> None:
    nearest_late = candidate("600021", 2.0, DUE + timedelta(seconds=1))
    next_nearest = candidate("600031", 9.0, DUE)
    third = candidate("600041", 10.0, DUE - timedelta(hours=5))

    assert choose_slot([third, nearest_late, next_nearest], DUE) == next_nearest


def test_an_office_out_of_reach_is_not_chosen_for_the_target() -> None:
    nearest_late = candidate("600021", 2.0, DUE + timedelta(days=1))
    out_of_reach = candidate("600031", REACH_KM + 0.1, DUE)

    assert choose_slot([out_of_reach, nearest_late], DUE) == nearest_late


def test_the_nearest_office_is_chosen_when_all_are_out_of_reach() -> None:
    nearest = candidate("600021", 80.0, DUE)

    assert choose_slot([candidate("600031", 90.0, DUE - timedelta(hours=3)), nearest], DUE) == nearest


def test_the_order_of_the_candidates_does_not_change_the_choice() -> None:
    first, second = candidate("600021", 2.0, DUE, who="A1"), candidate("600021", 2.0, DUE, who="A2")

    assert choose_slot([first, second], DUE) == choose_slot([second, first], DUE) == first


def test_no_slot_is_chosen_when_none_is_free() -> None:
    assert choose_slot([], DUE) is None


distances = {"600021": 2.0, "600031": 9.0, "600041": 29.0, "600051": 31.0, "600061": 400.0}
candidates = st.lists(
    st.builds(
        lambda office, hours: candidate(office, distances[office], DUE + timedelta(hours=hours)),
        st.sampled_from(sorted(distances)),
        st.integers(-40, 60),
    ),
    min_size=1,
    max_size=12,
)


@given(candidates)
def test_a_late_slot_is_never_chosen_before_one_in_time_within_reach(free: list[Candidate]) -> None:
    chosen = choose_slot(free, DUE)

    assert chosen in free
    in_time = [one for one in free if one.slot.start_time <= DUE and one.distance_km <= REACH_KM]
    if chosen is not None and in_time:
        assert chosen.slot.start_time <= DUE
        assert chosen.distance_km == min(one.distance_km for one in in_time)
