"""The rooms of an office: one for each shift that is held there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.offices import Channel
from scheduling.domain.rooms import NoRoomFree, RoomTaken, with_rooms
from scheduling.domain.shifts import Shift

MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC)


def shift(start: float, end: float, *, channel: Channel = Channel.OFFICE, who: str = "A1") -> Shift:
    """From one hour to another."""
    times = (MIDNIGHT + timedelta(hours=hour) for hour in (start, end))
    begins, ends = times
    return Shift(assessor_id=who, office_code="600021", start_time=begins, end_time=ends, channel=channel)


def taken(room: int, start: float, end: float) -> RoomTaken:
    one = shift(start, end)
    return RoomTaken(room=room, start_time=one.start_time, end_time=one.end_time)


def rooms(shifts: list[Shift], others: list[RoomTaken], number: int) -> list[int | None]:
    return [one.room for one in with_rooms(shifts, others, rooms=number)]


def test_an_assessor_has_one_room_for_a_day() -> None:
    others = [taken(1, 9, 12), taken(2, 13, 17)]

    assert rooms([shift(9, 12), shift(13, 17), shift(33, 36)], others, 3) == [3, 3, 1]


def test_an_assessor_changes_rooms_where_none_is_free_for_the_day() -> None:
    others = [taken(1, 9, 12), taken(2, 13, 17)]

    assert rooms([shift(9, 12), shift(13, 17)], others, 2) == [2, 1]


def test_telephone_calls_and_visits_need_no_room() -> None:
    others = [taken(1, 9, 17)]
    outside = [shift(9, 10, channel=Channel.TELEPHONE), shift(10, 12, channel=Channel.HOME_VISIT)]

    assert rooms([*outside, shift(17, 18)], others, 1) == [None, None, 1]


def test_a_shift_without_a_room_is_refused() -> None:
    with pytest.raises(NoRoomFree):
        rooms([shift(9, 12)], [taken(1, 8, 10), taken(2, 11, 13)], 2)


@given(
    wanted=st.lists(st.tuples(st.integers(8, 16), st.integers(1, 5)), max_size=12),
    number=st.integers(1, 4),
)
def test_no_room_is_taken_twice_and_no_more_than_there_are(wanted: list[tuple[int, int]], number: int) -> None:
    others: list[RoomTaken] = []
    for start, length in wanted:
        try:
            [placed] = with_rooms([shift(start, start + length)], others, rooms=number)
        except NoRoomFree:
            wish = taken(1, start, start + length)
            assert {one.room for one in others if one.overlaps(wish)} == set(range(1, number + 1))
            continue
        assert placed.room is not None
        assert 1 <= placed.room <= number
        new = taken(placed.room, start, start + length)
        assert not any(one.room == new.room and one.overlaps(new) for one in others)
        others.append(new)
