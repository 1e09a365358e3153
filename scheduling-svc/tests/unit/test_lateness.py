from datetime import UTC, date, datetime, timedelta

import pytest

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected
from scheduling.domain.lateness import Span, later, next_callers
from scheduling.domain.working_time import TARGET

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
"""A Thursday."""
DUE = datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_who_is_not_deferred_is_seen_at_any_time_after_the_target() -> None:
    assert later(DUE, Nation.ENGLAND, target=TARGET, is_deferred=False) == (Span(after=DUE),)


def test_who_is_deferred_is_seen_four_working_days_later_or_before_that_where_nothing_is_free_then() -> None:
    four_days = datetime(2026, 12, 4, 10, tzinfo=UTC)

    assert later(DUE, Nation.ENGLAND, target=TARGET, is_deferred=True) == (
        Span(after=four_days, is_deferred=True),
        Span(after=DUE, until=four_days),
    )


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
