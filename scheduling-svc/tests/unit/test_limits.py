"""Breaks of assessors, and slots kept for emergencies."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.diary import Stretch, WorkingTime
from scheduling.domain.limits import BREAKS, BreakNeeded, Breaks, KeptForEmergencies, Limits
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, Slot

ONE = datetime(2026, 11, 23, 13, tzinfo=UTC)
DAY_BEFORE = ONE - timedelta(days=1)
AFTERNOON = Shift(
    assessor_id="A1",
    office_code="600021",
    start_time=ONE,
    end_time=ONE + 6 * SLOT_LENGTH,
    channel=Channel.OFFICE,
    emergency_slots=2,
)
SLOTS = list(AFTERNOON.slots())


def slot(number: float) -> Slot:
    start = ONE + number * SLOT_LENGTH
    return Slot(
        assessor_id="A1", office_code="600021", start_time=start, end_time=start + SLOT_LENGTH, channel=Channel.OFFICE
    )


def interviews(*numbers: float) -> list[Stretch]:
    return [Stretch(start_time=slot(number).start_time, end_time=slot(number).end_time) for number in numbers]


def test_four_interviews_are_held_back_to_back_and_a_fifth_is_not() -> None:
    assert BREAKS.allow(slot(3), interviews(0, 1, 2))
    assert not BREAKS.allow(slot(4), interviews(0, 1, 2, 3))
    assert BREAKS.allow(slot(5), interviews(0, 1, 2, 3))


def test_an_interview_that_would_join_two_runs_is_refused() -> None:
    assert not BREAKS.allow(slot(2), interviews(0, 1, 3, 4))


def test_a_pause_that_is_shorter_than_a_break_is_none() -> None:
    ten_minutes = timedelta(minutes=10) / SLOT_LENGTH

    assert not BREAKS.allow(slot(4 + ten_minutes), interviews(0, 1, 2, 3))
    assert BREAKS.allow(slot(4 + 2 * ten_minutes), interviews(0, 1, 2, 3))


def test_one_interview_that_is_longer_than_a_run_is_allowed_by_itself() -> None:
    assert Breaks(longest_run=timedelta(minutes=30)).allow(slot(0), interviews(3))


@given(st.lists(st.integers(0, 11), unique=True))
def test_no_order_of_booking_makes_a_run_longer_than_the_limit(order: list[int]) -> None:
    held: list[int] = []
    for number in order:
        if BREAKS.allow(slot(number), interviews(*held)):
            held.append(number)

    run = longest = 0
    for number in range(12):
        run = run + 1 if number in held else 0
        longest = max(longest, run)
    assert longest <= 4


def test_the_last_slots_of_a_shift_are_kept_for_emergencies() -> None:
    open_to = {
        is_emergency: [
            number
            for number, one in enumerate(SLOTS)
            if Limits(now=DAY_BEFORE, is_emergency=is_emergency).allow(one, WorkingTime(shift=AFTERNOON))
        ]
        for is_emergency in (False, True)
    }

    assert open_to == {False: [0, 1, 2, 3], True: [0, 1, 2, 3, 4, 5]}


def test_a_kept_slot_is_open_to_everybody_from_two_hours_before_it_starts() -> None:
    released = SLOTS[-1].start_time - timedelta(hours=2)
    working_time = WorkingTime(shift=AFTERNOON)

    assert not Limits(now=released - timedelta(seconds=1)).allow(SLOTS[-1], working_time)
    assert Limits(now=released).allow(SLOTS[-1], working_time)


def test_who_names_a_slot_that_is_kept_or_leaves_no_break_is_told_why() -> None:
    four = tuple(interviews(0, 1, 2, 3))

    with pytest.raises(KeptForEmergencies):
        Limits(now=DAY_BEFORE).check(SLOTS[-1], WorkingTime(shift=AFTERNOON))
    with pytest.raises(BreakNeeded):
        Limits(now=DAY_BEFORE, is_emergency=True).check(SLOTS[4], WorkingTime(shift=AFTERNOON, taken=four))
    Limits(now=DAY_BEFORE).check(SLOTS[0], WorkingTime(shift=AFTERNOON))
