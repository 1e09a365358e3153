from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.working_time import (
    LONDON,
    TARGET,
    is_working_day,
    london_day,
    target_due,
    within_target,
    working_lead_time,
)

HOUR = timedelta(hours=1)
nations = st.sampled_from(Nation)
moments = st.datetimes(datetime(2004, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.timedeltas(timedelta(0), timedelta(days=21))


def local(text: str) -> datetime:
    """A moment by the clock in London."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("first_contact", "due"),
    [
        ("2026-11-23 09:15", "2026-11-25 09:15"),  # Monday to Wednesday
        ("2026-11-26 16:40", "2026-11-30 16:40"),  # Thursday to Monday
        ("2026-11-27 10:00", "2026-12-01 10:00"),  # a Friday's call is seen by Tuesday
        ("2026-11-28 10:00", "2026-12-02 00:00"),  # Saturday: Monday and Tuesday
        ("2026-11-29 23:59", "2026-12-02 00:00"),  # Sunday: the same
        ("2026-11-30 00:00", "2026-12-02 00:00"),  # the midnight that begins Monday: the same
    ],
)
def test_the_target_counts_two_working_days(first_contact: str, due: str) -> None:
    assert target_due(local(first_contact), Nation.ENGLAND) == local(due)


@pytest.mark.parametrize(
    ("first_contact", "nation", "due"),
    [
        ("2026-04-02 11:00", Nation.ENGLAND, "2026-04-08 11:00"),  # Good Friday and Easter Monday out
        ("2026-04-02 11:00", Nation.WALES, "2026-04-08 11:00"),
        ("2026-04-02 11:00", Nation.SCOTLAND, "2026-04-07 11:00"),  # no Easter Monday in Scotland
        ("2025-12-31 11:00", Nation.ENGLAND, "2026-01-05 11:00"),
        ("2025-12-31 11:00", Nation.SCOTLAND, "2026-01-06 11:00"),  # 2 January out
        ("2026-01-02 11:00", Nation.SCOTLAND, "2026-01-07 00:00"),  # a call on 2 January starts on Monday
        ("2026-06-12 11:00", Nation.ENGLAND, "2026-06-16 11:00"),
        ("2026-06-12 11:00", Nation.SCOTLAND, "2026-06-17 11:00"),  # 15 June 2026 out
        ("2026-08-28 11:00", Nation.ENGLAND, "2026-09-02 11:00"),  # the summer bank holidays differ
        ("2026-08-28 11:00", Nation.SCOTLAND, "2026-09-01 11:00"),
        ("2026-12-24 11:00", Nation.ENGLAND, "2026-12-30 11:00"),  # Boxing Day on a Saturday is kept on Monday
    ],
)
def test_bank_holidays_of_the_offices_nation_do_not_count(first_contact: str, nation: Nation, due: str) -> None:
    assert target_due(local(first_contact), nation) == local(due)


@pytest.mark.parametrize(
    ("first_contact", "due", "elapsed"),
    [
        ("2026-03-27 10:00", "2026-03-31 10:00", timedelta(hours=95)),  # summer time begins on Sunday 29 March
        ("2026-10-23 10:00", "2026-10-27 10:00", timedelta(hours=97)),  # and ends on Sunday 25 October
    ],
)
def test_the_change_of_the_clocks_moves_no_due_time(first_contact: str, due: str, elapsed: timedelta) -> None:
    found = target_due(local(first_contact), Nation.ENGLAND)

    assert found == local(due)
    assert found - local(first_contact).astimezone(UTC) == elapsed


def test_the_29th_of_february_is_a_working_day() -> None:
    assert target_due(local("2028-02-28 15:00"), Nation.ENGLAND) == local("2028-03-01 15:00")


def test_a_day_begins_at_midnight_in_london_not_in_utc() -> None:
    sunday_by_utc = datetime(2026, 7, 5, 23, 30, tzinfo=UTC)  # 00:30 on Monday in London
    saturday_by_london = datetime(2026, 7, 3, 23, 30, tzinfo=UTC)  # 00:30 on Saturday, Friday by UTC

    assert london_day(sunday_by_utc) == date(2026, 7, 6)
    assert target_due(sunday_by_utc, Nation.ENGLAND) == local("2026-07-08 00:30")
    assert target_due(saturday_by_london, Nation.ENGLAND) == local("2026-07-08 00:00")


def test_another_target_is_counted_in_the_same_way() -> None:
    assert target_due(local("2026-11-27 10:00"), Nation.ENGLAND, target=24 * HOUR) == local("2026-11-30 10:00")


def test_an_interview_at_the_due_time_is_within_the_target_and_a_second_later_is_not() -> None:
    first_contact, due = local("2026-11-27 10:00"), local("2026-12-01 10:00")

    assert within_target(first_contact, due, nation=Nation.ENGLAND)
    assert not within_target(first_contact, due + timedelta(seconds=1), nation=Nation.ENGLAND)


def test_a_weekend_adds_nothing_to_the_lead_time() -> None:
    first_contact = local("2026-11-27 10:00")

    assert working_lead_time(first_contact, local("2026-11-27 15:00"), nation=Nation.ENGLAND) == 5 * HOUR
    assert working_lead_time(first_contact, local("2026-11-28 12:00"), nation=Nation.ENGLAND) == 14 * HOUR
    assert working_lead_time(first_contact, local("2026-11-30 00:00"), nation=Nation.ENGLAND) == 14 * HOUR
    assert working_lead_time(first_contact, local("2026-11-30 09:00"), nation=Nation.ENGLAND) == 23 * HOUR


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        target_due(datetime(2026, 11, 27, 10), Nation.ENGLAND)  # noqa: DTZ001


@given(first_contact=moments, nation=nations, target=spans)
def test_working_time_up_to_the_due_time_equals_the_target(
    first_contact: datetime, nation: Nation, target: timedelta
) -> None:
    due = target_due(first_contact, nation, target=target)

    assert working_lead_time(first_contact, due, nation=nation) == target


@given(first_contact=moments, nation=nations)
def test_working_time_before_the_due_time_is_less_than_the_target(first_contact: datetime, nation: Nation) -> None:
    due = target_due(first_contact, nation)

    assert working_lead_time(first_contact, due - timedelta(seconds=1), nation=nation) < TARGET


@given(first_contact=moments, nation=nations, early=spans, later=spans)
def test_the_lead_time_never_falls_as_the_start_moves_on(
    first_contact: datetime, nation: Nation, early: timedelta, later: timedelta
) -> None:
    start = first_contact + early
    lead = working_lead_time(first_contact, start, nation=nation)

    assert timedelta() <= lead <= early
    assert lead <= working_lead_time(first_contact, start + later, nation=nation) <= lead + later


@given(first_contact=moments, nation=nations, wait=spans)
def test_a_later_first_contact_is_never_due_earlier(first_contact: datetime, nation: Nation, wait: timedelta) -> None:
    assert target_due(first_contact, nation) <= target_due(first_contact + wait, nation)


@given(first_contact=moments, nation=nations, wait=spans)
def test_within_target_agrees_with_the_lead_time(first_contact: datetime, nation: Nation, wait: timedelta) -> None:
    start = first_contact + wait

    if within_target(first_contact, start, nation=nation):
        assert working_lead_time(first_contact, start, nation=nation) <= TARGET
    else:
        assert working_lead_time(first_contact, start, nation=nation) >= TARGET


@given(day=st.dates(date(2004, 1, 1), date(2030, 12, 31)))
def test_england_and_wales_always_work_on_the_same_days(day: date) -> None:
    assert is_working_day(day, Nation.ENGLAND) == is_working_day(day, Nation.WALES)
