"""The demand that is expected of an office: its level, weekdays, rises that all offices share, spread."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Common, Expected, History
from scheduling.domain.working_time import is_working_day

MONDAY = date(2026, 6, 1)
BY_WEEKDAY = (10, 8, 6, 4, 2)


def _history(*, weeks: int = 8, times: Mapping[date, int] | None = None, size: int = 1) -> History:
    """So many weeks before MONDAY with the counts of BY_WEEKDAY, from some days on so many times as high."""
    first = MONDAY - timedelta(weeks=weeks)
    days = [first + timedelta(days=number) for number in range(7 * weeks)]
    counts = {day: size * BY_WEEKDAY[day.weekday()] for day in days if is_working_day(day, Nation.ENGLAND)}
    for since, factor in (times or {}).items():
        counts = {day: count * factor if day >= since else count for day, count in counts.items()}
    return History(nation=Nation.ENGLAND, first=first, last=days[-1], counts=counts)


def _next_week(common: Common, history: History) -> list[float]:
    level = common.level(history)
    days = [MONDAY + timedelta(days=number) for number in range(7)]
    return [common.learnt(weeks=8).expected(day, nation=history.nation, level=level).mean for day in days]


def test_offices_are_expected_to_go_on_as_they_did_each_weekday_and_none_at_a_weekend() -> None:
    small, large = _history(), _history(size=3)
    common = Common.of([small, large])

    assert _next_week(common, small) == pytest.approx([*BY_WEEKDAY, 0, 0], rel=0.02)
    assert _next_week(common, large) == pytest.approx([30, 24, 18, 12, 6, 0, 0], rel=0.02)


def test_a_rise_that_all_offices_share_is_followed_within_days() -> None:
    offices = [_history(size=size, times={MONDAY - timedelta(days=5): 2}) for size in range(1, 60)]

    found = _next_week(Common.of(offices), offices[0])

    assert sum(found) == pytest.approx(2 * sum(BY_WEEKDAY), rel=0.15)


def test_a_rise_of_one_office_is_followed_as_its_younger_days_count_more() -> None:
    risen = _history(times={MONDAY - timedelta(weeks=2): 2})
    others = [_history(size=4) for _ in range(20)]

    found = sum(_next_week(Common.of([risen, *others]), risen))

    assert 1.3 * sum(BY_WEEKDAY) < found < 2 * sum(BY_WEEKDAY)


def test_days_without_bookings_count_as_none_and_bank_holidays_not_at_all() -> None:
    history = _history()
    halved = {day: count for day, count in history.counts.items() if day.isocalendar().week % 2}

    days = dict(History(nation=Nation.ENGLAND, first=history.first, last=history.last, counts=halved).days())

    assert date(2026, 5, 25) not in days
    assert sum(count == 0 for count in days.values()) >= 15


def test_bookings_of_a_day_on_which_the_office_is_closed_count_to_the_next_working_day() -> None:
    saturday, monday = date(2026, 5, 23), date(2026, 5, 25)

    history = History.of({saturday: 2, monday: 3}, nation=Nation.ENGLAND, first=saturday, last=date(2026, 5, 29))

    assert dict(history.days())[date(2026, 5, 26)] == 5


def test_without_history_nobody_is_expected() -> None:
    empty = History.of({}, nation=Nation.SCOTLAND, first=MONDAY, last=MONDAY - timedelta(days=1))

    assert _next_week(Common.of([empty]), empty) == [0] * 7
    assert Common.of([]).dispersion == 1.0
    assert Expected(mean=0.0).probabilities() == [1.0]


def test_what_varies_more_than_chance_is_spread_wider() -> None:
    steady = _history()
    swinging = {day: 3 * count if day.day % 2 else 0 for day, count in steady.counts.items()}
    office = History(nation=steady.nation, first=steady.first, last=steady.last, counts=swinging)

    assert Common.of([steady]).dispersion == 1.0
    assert Common.of([office, steady, steady]).dispersion > 1.2


@settings(max_examples=40)
@given(mean=st.floats(0.01, 900), spread=st.floats(1.0, 5.0))
def test_probabilities_have_the_mean_and_the_variance_of_the_demand(mean: float, spread: float) -> None:
    found = Expected(mean=mean, dispersion=spread).probabilities()

    average = sum(number * one for number, one in enumerate(found))
    variance = sum((number - average) ** 2 * one for number, one in enumerate(found))
    assert sum(found) == pytest.approx(1)
    assert average == pytest.approx(mean, rel=0.001, abs=0.001)
    assert variance == pytest.approx(mean * spread, rel=0.01, abs=0.01)
