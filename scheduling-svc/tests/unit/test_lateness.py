from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected
from scheduling.domain.lateness import LATEST, Span, later, next_callers
from scheduling.domain.offices import Channel
from scheduling.domain.search import in_order_of_preference
from scheduling.domain.slots import SLOT_LENGTH, Slot
from scheduling.domain.working_time import TARGET, target_due

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
"""A Thursday."""
DUE = datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_who_is_not_deferred_is_seen_at_any_time_after_the_target() -> None:
    assert later(DUE, Nation.ENGLAND, target=TARGET, is_deferred=False) == (Span(after=DUE),)


def test_who_is_deferred_is_seen_four_working_days_later_or_before_that_where_nothing_is_free_then() -> None:
    four_days, eight_days = datetime(2026, 12, 4, 10, tzinfo=UTC), datetime(2026, 12, 10, 10, tzinfo=UTC)

    assert later(DUE, Nation.ENGLAND, target=TARGET, is_deferred=True) == (
        Span(after=four_days, until=eight_days, is_deferred=True),
        Span(after=DUE, until=four_days),
        Span(after=eight_days),
    )


def slot_at(start: datetime) -> Slot:
    return Slot(
        assessor_id="A1",
        office_code="600021",
        start_time=start,
        end_time=start + SLOT_LENGTH,
        channel=Channel.OFFICE,
    )


@given(
    first_contact=st.integers(min_value=0, max_value=2 * 365 * 24 * 60).map(lambda one: NOW + timedelta(minutes=one)),
    hours=st.lists(st.integers(min_value=0, max_value=24 * 40), min_size=1),
    called_again=st.integers(min_value=0, max_value=24 * 40),
    nation=st.sampled_from(Nation),
)
def test_nobody_is_put_behind_others_without_end(
    first_contact: datetime, hours: list[int], called_again: int, nation: Nation
) -> None:
    due = target_due(first_contact, nation)
    latest = target_due(due, nation, target=LATEST * TARGET)
    now = first_contact + timedelta(hours=called_again)
    free = sorted({slot_at(first_contact + timedelta(hours=one)) for one in hours}, key=lambda one: one.start_time)

    def between(*, since: datetime, until: datetime | None = None) -> Iterator[Slot]:
        return (one for one in free if since <= one.start_time and (until is None or one.start_time <= until))

    tried = list(
        in_order_of_preference(
            between, since=now, due=due, later=lambda: later(due, nation, target=TARGET, is_deferred=True)
        )
    )

    to_come = [one for one in free if one.start_time >= now]
    assert sorted(tried, key=lambda one: one.start_time) == to_come
    if to_come:
        in_limits = any(one.start_time <= latest for one in to_come)
        assert tried[0].start_time <= latest if in_limits else tried[0] == to_come[0]


def test_the_next_callers_call_on_the_working_days_after_this_one() -> None:
    callers = next_callers(DUE, Nation.ENGLAND, now=NOW, target=TARGET)

    assert callers.days == (date(2026, 11, 27), date(2026, 11, 30))
    assert callers.span == Span(after=DUE, until=datetime(2026, 12, 2, 10, tzinfo=UTC))


def test_the_next_callers_of_one_whose_target_has_passed_are_counted_from_now() -> None:
    callers = next_callers(NOW - timedelta(days=1), Nation.ENGLAND, now=NOW, target=TARGET)

    assert callers.span == Span(after=NOW, until=DUE)


@pytest.mark.parametrize(("free", "needed"), [(0, True), (8, True), (9, False)])
def test_the_slots_are_needed_where_there_are_no_more_than_callers_are_expected(*, free: int, needed: bool) -> None:
    callers = next_callers(DUE, Nation.ENGLAND, now=NOW, target=TARGET)

    assert callers.need(free, [Expected(mean=5.0), Expected(mean=3.0)]) is needed
