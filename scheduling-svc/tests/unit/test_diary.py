from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.diary import Stretch, WorkingTime, free_slots
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, Slot

NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def shift(assessor: str = "A1", *, start: datetime = NINE, minutes: int = 190, office: str = "600021") -> Shift:
    return Shift(
        assessor_id=assessor,
        office_code=office,
        start_time=start,
        end_time=start + minutes * MINUTE,
        channel=Channel.OFFICE,
    )


def stretch(start: int, end: int) -> Stretch:
    """In minutes after nine."""
    return Stretch(start_time=NINE + start * MINUTE, end_time=NINE + end * MINUTE)


def starts(slots: Iterator[Slot]) -> list[int]:
    """In minutes after nine."""
    return [(slot.start_time - NINE) // MINUTE for slot in slots]


def test_a_shift_is_cut_into_whole_slots() -> None:
    assert starts(shift().slots()) == [0, 45, 90, 135]
    assert [slot.end_time - slot.start_time for slot in shift().slots()] == [SLOT_LENGTH] * 4


def test_a_slot_that_is_taken_in_part_is_not_free() -> None:
    working_time = WorkingTime(shift=shift(), taken=(stretch(50, 60), stretch(134, 135)))

    assert starts(working_time.free()) == [0, 135]


def test_a_slot_between_two_that_are_taken_is_free() -> None:
    assert starts(WorkingTime(shift=shift(), taken=(stretch(0, 45), stretch(90, 135))).free()) == [45, 135]


def test_a_visit_needs_time_to_travel_within_the_shift_before_and_after_it() -> None:
    working_time = WorkingTime(shift=shift(minutes=45 * 6), taken=(stretch(45 * 5, 45 * 6),))

    assert starts(working_time.free(travel=20 * MINUTE)) == [45, 90, 135]


def test_slots_of_an_office_come_soonest_first_and_those_of_the_next_office_after_them() -> None:
    early, late = shift("A2", start=NINE), shift("A1", start=NINE + 30 * MINUTE, minutes=45)
    elsewhere = shift("A3", start=NINE - 60 * MINUTE, minutes=45, office="600011")

    found = list(free_slots([WorkingTime(shift=one) for one in (early, late, elsewhere)], since=NINE - 60 * MINUTE))

    assert [(slot.assessor_id, (slot.start_time - NINE) // MINUTE) for slot in found] == [
        ("A2", 0),
        ("A1", 30),
        ("A2", 45),
        ("A2", 90),
        ("A2", 135),
        ("A3", -60),
    ]


def test_of_slots_that_start_together_that_of_the_first_assessor_comes_first() -> None:
    found = free_slots([WorkingTime(shift=shift(name, minutes=45)) for name in ("A1", "A2", "A3")], since=NINE)

    assert [slot.assessor_id for slot in found] == ["A1", "A2", "A3"]


def test_no_more_working_times_are_asked_for_than_are_needed() -> None:
    def one_after_the_other() -> Iterator[WorkingTime]:
        yield WorkingTime(shift=shift("A1"))
        yield WorkingTime(shift=shift("A1", start=NINE + timedelta(days=1)))
        raise AssertionError("nobody needs a third one")

    found = free_slots(one_after_the_other(), since=NINE)

    assert [next(found).start_time for _ in range(4)][-1] == NINE + 3 * SLOT_LENGTH


shifts = st.lists(
    st.builds(
        lambda name, start, minutes: shift(name, start=NINE + start * MINUTE, minutes=minutes),
        st.sampled_from(["A1", "A2", "A3"]),
        st.integers(0, 600),
        st.integers(1, 400),
    ),
    max_size=6,
)
taken = st.lists(
    st.builds(lambda start, length: stretch(start, start + length), st.integers(0, 900), st.integers(1, 90))
)


@given(shifts=shifts, taken=taken, since=st.integers(0, 900), length=st.integers(0, 900))
def test_what_is_free_is_every_slot_that_nothing_takes_and_no_other(
    shifts: list[Shift], taken: list[Stretch], since: int, length: int
) -> None:
    in_order = sorted(shifts, key=lambda one: (one.start_time, one.assessor_id))
    begin, end = NINE + since * MINUTE, NINE + (since + length) * MINUTE

    found = list(free_slots([WorkingTime(shift=one, taken=tuple(taken)) for one in in_order], since=begin, until=end))

    wanted = [
        slot
        for one in in_order
        for slot in one.slots()
        if begin <= slot.start_time <= end
        and not any(slot.start_time < other.end_time and other.start_time < slot.end_time for other in taken)
    ]
    assert found == sorted(found, key=lambda slot: (slot.start_time, slot.assessor_id))
    assert sorted(found, key=repr) == sorted(wanted, key=repr)
