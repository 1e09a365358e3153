from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain.offices import Channel
from scheduling.domain.search import in_order_of_preference
from scheduling.domain.slots import SLOT_LENGTH, Slot

DUE = datetime(2026, 11, 25, 10, tzinfo=UTC)
SINCE = DUE - timedelta(days=2)
NEAR, FARTHER, FARTHEST = "600021", "600031", "600041"
"""Nearest first."""


def slot(office: str, hours: float) -> Slot:
    """A slot so many hours after the target."""
    start = DUE + timedelta(hours=hours)
    return Slot(
        assessor_id="A1", office_code=office, start_time=start, end_time=start + SLOT_LENGTH, channel=Channel.OFFICE
    )


def in_order(*slots: Slot) -> list[Slot]:
    def free(*, since: datetime, until: datetime | None = None) -> Iterator[Slot]:
        found = [one for one in slots if one.start_time >= since and (until is None or one.start_time <= until)]
        yield from sorted(found, key=lambda one: (one.office_code, one.start_time))

    return list(in_order_of_preference(free, since=SINCE, due=DUE))


def test_another_channel_that_keeps_the_target_comes_before_what_does_not() -> None:
    late, by_telephone, later = slot(NEAR, 1), slot(FARTHER, -1), slot(FARTHER, 2)

    def offices(*, since: datetime, until: datetime | None = None) -> Iterator[Slot]:
        yield from [late] if until is None else []

    def telephone(*, since: datetime, until: datetime | None = None) -> Iterator[Slot]:
        yield from [by_telephone] if until else [later]

    found = in_order_of_preference(offices, since=SINCE, due=DUE, spill_over=telephone)

    assert list(found) == [by_telephone, late]


def test_the_nearest_offices_slots_within_the_target_come_first() -> None:
    near, sooner_but_farther, later = slot(NEAR, -1), slot(FARTHER, -20), slot(NEAR, 0)

    assert in_order(later, sooner_but_farther, near) == [near, later, sooner_but_farther]


def test_the_next_office_comes_before_a_late_slot_of_the_nearest() -> None:
    nearest_late, next_nearest, third = slot(NEAR, 0.1), slot(FARTHER, 0), slot(FARTHEST, -5)

    assert in_order(third, nearest_late, next_nearest) == [next_nearest, third, nearest_late]


def test_late_slots_come_from_the_nearest_office_first() -> None:
    nearest_late, sooner = slot(NEAR, 9), slot(FARTHER, 1)

    assert in_order(sooner, nearest_late) == [nearest_late, sooner]


def test_nothing_comes_where_nothing_is_free() -> None:
    assert in_order() == []


free_slots = st.lists(st.builds(slot, st.sampled_from([NEAR, FARTHER, FARTHEST]), st.integers(-40, 60)), unique=True)


@given(free_slots)
def test_every_slot_comes_once_and_no_late_one_before_one_in_time(free: list[Slot]) -> None:
    found = in_order(*free)

    assert sorted(found, key=repr) == sorted(free, key=repr)
    late = [one.start_time > DUE for one in found]
    assert late == sorted(late)
