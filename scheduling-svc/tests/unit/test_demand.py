"""The demand that is expected of an office: level, weekdays, spread."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected, History, dispersion, expected, level, weekday_pattern
from scheduling.domain.working_time import is_working_day

MONDAY = date(2026, 6, 1)
BY_WEEKDAY = (10, 8, 6, 4, 2)


def _history(*, weeks: int = 8, times: int = 1, nation: Nation = Nation.ENGLAND) -> History:
    """So many weeks before MONDAY with the counts of BY_WEEKDAY."""
    first = MONDAY - timedelta(weeks=weeks)
    days = [first + timedelta(days=number) for number in range(7 * weeks)]
    counts = {day: times * BY_WEEKDAY[day.weekday()] for day in days if is_working_day(day, nation)}
    return History.of(counts, nation=nation, first=first, last=days[-1])


def test_the_weekdays_of_all_offices_make_one_pattern() -> None:
    pattern = weekday_pattern([_history(), _history(times=3)])

    assert [pattern[day] / pattern[4] for day in range(5)] == pytest.approx([5, 4, 3, 2, 1])


def test_an_office_is_expected_to_go_on_as_it_did() -> None:
    history = _history()
    pattern = weekday_pattern([history])

    found = [
        expected(
            MONDAY + timedelta(days=number),
            nation=Nation.ENGLAND,
            usual=level(history, pattern),
            pattern=pattern,
            spread=1.0,
        ).mean
        for number in range(7)
    ]

    assert found == pytest.approx([*BY_WEEKDAY, 0, 0])


def test_younger_days_count_more() -> None:
    steady = _history()
    newest = {day: count * 2 for day, count in steady.counts.items() if day >= MONDAY - timedelta(weeks=2)}
    risen = History(nation=steady.nation, first=steady.first, last=steady.last, counts={**steady.counts, **newest})
    pattern = weekday_pattern([steady])

    assert level(steady, pattern) * 1.25 < level(risen, pattern) < level(steady, pattern) * 2


def test_days_without_bookings_count_as_none_and_bank_holidays_not_at_all() -> None:
    history = _history()
    halved = History(
        nation=history.nation,
        first=history.first,
        last=history.last,
        counts={day: count for day, count in history.counts.items() if day.isocalendar().week % 2},
    )

    assert date(2026, 5, 25) not in dict(history.days())
    assert sum(count == 0 for _, count in halved.days()) >= 15


def test_bookings_of_a_day_on_which_the_office_is_closed_count_to_the_next_working_day() -> None:
    saturday, monday = date(2026, 5, 23), date(2026, 5, 25)

    history = History.of({saturday: 2, monday: 3}, nation=Nation.ENGLAND, first=saturday, last=date(2026, 5, 29))

    assert dict(history.days())[date(2026, 5, 26)] == 5


def test_without_history_nobody_is_expected() -> None:
    empty = History.of({}, nation=Nation.SCOTLAND, first=MONDAY, last=MONDAY - timedelta(days=1))
    pattern = weekday_pattern([empty])

    assert level(empty, pattern) == 0.0
    assert dispersion([empty], pattern) == 1.0
    assert Expected(mean=0.0).probabilities() == [1.0]


def test_what_varies_more_than_chance_is_spread_wider() -> None:
    steady = _history()
    swinging = History(
        nation=steady.nation,
        first=steady.first,
        last=steady.last,
        counts={day: 3 * count if day.isocalendar().week % 2 else 0 for day, count in steady.counts.items()},
    )
    pattern = weekday_pattern([steady])

    assert dispersion([steady], pattern) == 1.0
    assert dispersion([swinging], pattern) > 3


@given(mean=st.floats(0.01, 900), spread=st.floats(1.0, 5.0))
def test_probabilities_have_the_mean_and_the_variance_of_the_demand(mean: float, spread: float) -> None:
    found = Expected(mean=mean, dispersion=spread).probabilities()

    average = sum(number * one for number, one in enumerate(found))
    variance = sum((number - average) ** 2 * one for number, one in enumerate(found))
    assert sum(found) == pytest.approx(1)
    assert average == pytest.approx(mean, rel=0.001, abs=0.001)
    assert variance == pytest.approx(mean * spread, rel=0.01, abs=0.01)
