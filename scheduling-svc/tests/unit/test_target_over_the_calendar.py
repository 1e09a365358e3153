"""The target over the days on which calendars go wrong, in every year of the platform.

They are the changes to and from summer time, Easter, Christmas and the New Year with Scotland's 2 January, weekends, and the
hours in which London's day is not the day of UTC. Bank holidays come from the package `holidays`, so that a fault of our own
table shows here too.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import holidays
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.working_time import LONDON, TARGET, target_due, within_target, working_lead_time

YEARS = range(2004, 2036)
BANK_HOLIDAYS = {nation: holidays.country_holidays("GB", subdiv=nation.value, years=YEARS) for nation in Nation}
SATURDAY, SUNDAY = 5, 6
DAY, STEP, SECOND = timedelta(days=1), timedelta(minutes=15), timedelta(seconds=1)


def is_worked(day: date, nation: Nation) -> bool:
    return day.weekday() < SATURDAY and day not in BANK_HOLIDAYS[nation]


def next_worked(day: date, nation: Nation) -> date:
    return day if is_worked(day, nation) else next_worked(day + DAY, nation)


def last_worked(day: date, nation: Nation) -> date:
    return day if is_worked(day, nation) else last_worked(day - DAY, nation)


def last_sunday(year: int, month: int) -> date:
    end = date(year, month, monthrange(year, month)[1])
    return end - timedelta(days=(end.weekday() - SUNDAY) % 7)


def good_friday(year: int) -> date:
    [found] = [day for day, name in BANK_HOLIDAYS[Nation.ENGLAND].items() if day.year == year and name == "Good Friday"]
    return found


SPECIAL_DAYS: dict[str, Callable[[int], date]] = {
    "summer time begins": lambda year: last_sunday(year, 3),
    "summer time ends": lambda year: last_sunday(year, 10),
    "Easter": lambda year: good_friday(year) + 2 * DAY,
    "Christmas": lambda year: date(year, 12, 25),
    "the second of January": lambda year: date(year, 1, 2),
    "a weekend without a holiday": lambda year: last_sunday(year, 9),
}
nations = st.sampled_from(Nation)
years = st.sampled_from(YEARS[:-1])
times = st.times().map(lambda clock: clock.replace(microsecond=0))
quarters = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
near_special_days = st.builds(
    lambda name, year, before: SPECIAL_DAYS[name](year) - before * DAY,
    st.sampled_from(sorted(SPECIAL_DAYS)),
    years,
    st.integers(-3, 6),
)


def in_london(day: date, clock: time) -> datetime:
    """The moment at which clocks in London show this; the first of two, and that of a skipped hour an hour later."""
    return datetime.combine(day, clock, tzinfo=LONDON).astimezone(UTC)


def counted(first_contact: datetime, due: datetime, nation: Nation) -> timedelta:
    """The working time between two quarter hours, a quarter at a time."""
    quarter_hours = (first_contact + number * STEP for number in range((due - first_contact) // STEP))
    return sum((STEP for moment in quarter_hours if is_worked(moment.astimezone(LONDON).date(), nation)), timedelta())


@settings(max_examples=60, deadline=None)
@given(day=near_special_days, clock=quarters, nation=nations)
def test_the_due_time_is_the_one_that_a_count_by_quarter_hours_finds(day: date, clock: time, nation: Nation) -> None:
    first_contact = in_london(day, clock)

    due = target_due(first_contact, nation)

    assert counted(first_contact, due, nation) == TARGET
    assert counted(first_contact, due - STEP, nation) < TARGET


@settings(max_examples=60, deadline=None)
@given(day=near_special_days, start=near_special_days, clock=quarters, end=quarters, nation=nations)
def test_the_working_lead_time_is_the_one_that_a_count_by_quarter_hours_finds(
    *, day: date, start: date, clock: time, end: time, nation: Nation
) -> None:
    first_contact = in_london(day, clock)
    begins = in_london(day + (start - day) % (21 * DAY), end)
    assume(begins >= first_contact)

    assert working_lead_time(first_contact, begins, nation=nation) == counted(first_contact, begins, nation)


@given(day=near_special_days, clock=times, nation=nations)
@example(day=date(2026, 3, 27), clock=time(1, 30), nation=Nation.ENGLAND)  # clocks skip 01:30 on Sunday
@example(day=date(2026, 10, 23), clock=time(1, 30), nation=Nation.SCOTLAND)  # and show it twice
def test_a_contact_on_a_working_day_is_due_two_working_days_later_at_the_same_time_by_the_clock(
    day: date, clock: time, nation: Nation
) -> None:
    assume(is_worked(day, nation))

    due = target_due(in_london(day, clock), nation).astimezone(LONDON)

    second = next_worked(next_worked(day + DAY, nation) + DAY, nation)
    if clock == time():  # the midnight that begins the second day after is the one that ends the day before
        second = next_worked(day + DAY, nation) + DAY
    assert (due.date(), due.time()) == (second, clock)


@given(day=near_special_days, clock=times, nation=nations)
def test_a_contact_on_a_day_without_work_is_due_when_the_second_working_day_ends(
    day: date, clock: time, nation: Nation
) -> None:
    assume(not is_worked(day, nation))

    due = target_due(in_london(day, clock), nation)

    second = next_worked(next_worked(day, nation) + DAY, nation)
    assert due == in_london(second + DAY, time())


@pytest.mark.parametrize(
    ("change", "elapsed"),
    [("summer time begins", timedelta(hours=95)), ("summer time ends", timedelta(hours=97))],
)
@given(year=years, clock=times, before=st.integers(2, 3))
def test_the_change_of_the_clocks_makes_the_elapsed_time_an_hour_shorter_or_longer(
    *, change: str, elapsed: timedelta, year: int, clock: time, before: int
) -> None:
    day = SPECIAL_DAYS[change](year) - before * DAY  # a Friday or a Thursday
    first_contact = in_london(day, clock)

    due = target_due(first_contact, Nation.ENGLAND)

    assume(due.astimezone(LONDON).date() == day + 4 * DAY)  # no holiday is near
    assert due - first_contact == elapsed


@given(year=years, clock=times)
def test_a_call_of_maundy_thursday_is_seen_by_wednesday_and_in_scotland_by_tuesday(year: int, clock: time) -> None:
    assume(clock != time())
    thursday = good_friday(year) - DAY

    for nation, days in ((Nation.ENGLAND, 6), (Nation.WALES, 6), (Nation.SCOTLAND, 5)):
        assert target_due(in_london(thursday, clock), nation) == in_london(thursday + days * DAY, clock)


@given(year=years, clock=times)
def test_at_christmas_two_days_are_lost_whatever_their_weekday(year: int, clock: time) -> None:
    eve = last_worked(date(year, 12, 24), Nation.ENGLAND)
    assume(clock != time())

    due = target_due(in_london(eve, clock), Nation.ENGLAND).astimezone(LONDON).date()

    weekdays = [day for number in range(1, (due - eve).days) if (day := eve + number * DAY).weekday() < SATURDAY]
    assert len(weekdays) == 3  # the two of Christmas, in lieu where they fall on a weekend, and one of work
    assert is_worked(due, Nation.ENGLAND)


@given(year=years, clock=times)
def test_the_second_of_january_costs_scotland_one_working_day_more(year: int, clock: time) -> None:
    eve = last_worked(date(year, 12, 31), Nation.SCOTLAND)
    first_contact = in_london(eve, clock)

    due = target_due(first_contact, Nation.SCOTLAND)

    assert working_lead_time(first_contact, due, nation=Nation.ENGLAND) == TARGET + DAY
    assert not within_target(first_contact, due, nation=Nation.ENGLAND)


@given(day=near_special_days, nation=nations)
def test_a_second_at_midnight_in_london_is_worth_a_second_at_most(day: date, nation: Nation) -> None:
    midnight = in_london(day, time())

    before, after = target_due(midnight - SECOND, nation), target_due(midnight, nation)

    assert after - before == (SECOND if is_worked(day - DAY, nation) else timedelta())


@given(year=years, minutes=st.integers(0, 59), nation=nations)
def test_a_call_of_the_last_hour_of_a_summer_sunday_by_utc_counts_as_mondays(
    year: int, minutes: int, nation: Nation
) -> None:
    sunday = SPECIAL_DAYS["a weekend without a holiday"](year)
    by_utc = datetime.combine(sunday, time(23, minutes), tzinfo=UTC)

    due = target_due(by_utc, nation)

    assert due == datetime.combine(sunday + 2 * DAY, time(23, minutes), tzinfo=UTC)
    assert due.astimezone(LONDON).date() == sunday + 3 * DAY
