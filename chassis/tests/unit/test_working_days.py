"""Working days: a file of Friday is not late on Sunday, and each nation has its own bank holidays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from chassis.deadlines import within_working_days

FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def utc(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00+00:00")


@pytest.mark.parametrize(
    ("sent", "days", "late_from"),
    [
        (FRIDAY, 1, datetime(2026, 11, 23, 10, 0, tzinfo=UTC)),
        (FRIDAY, 5, datetime(2026, 11, 27, 10, 0, tzinfo=UTC)),
        (datetime(2026, 11, 18, 10, 0, tzinfo=UTC), 1, datetime(2026, 11, 19, 10, 0, tzinfo=UTC)),
        (datetime(2026, 12, 24, 10, 0, tzinfo=UTC), 1, datetime(2026, 12, 29, 10, 0, tzinfo=UTC)),  # over Christmas
        (datetime(2026, 3, 27, 10, 0, tzinfo=UTC), 1, datetime(2026, 3, 30, 9, 0, tzinfo=UTC)),  # summer time begins
    ],
)
def test_a_deadline_passes_after_the_number_of_working_days(sent: datetime, days: int, late_from: datetime) -> None:
    cut_off = within_working_days(days, Nation.ENGLAND)

    assert cut_off(late_from + timedelta(seconds=1)) > sent
    assert cut_off(late_from - timedelta(seconds=1)) < sent
    assert cut_off.deadline(sent) == late_from


@pytest.mark.parametrize(
    ("sent", "in_england_and_wales", "in_scotland"),
    [
        ("2026-01-01T12", "2026-01-03T00", "2026-01-06T00"),  # 2 January
        ("2026-04-02T12", "2026-04-07T12", "2026-04-06T12"),  # Easter Monday
        ("2026-07-31T12", "2026-08-03T12", "2026-08-04T12"),  # the summer bank holiday of Scotland
        ("2026-08-28T12", "2026-09-01T12", "2026-08-31T12"),  # and that of England and Wales
        ("2026-11-27T12", "2026-11-30T12", "2026-12-01T12"),  # Saint Andrew's Day
    ],
)
def test_the_bank_holidays_of_the_authoritys_nation_do_not_count(
    sent: str, in_england_and_wales: str, in_scotland: str
) -> None:
    late_from = {Nation.ENGLAND: in_england_and_wales, Nation.SCOTLAND: in_scotland}

    for nation, moment in late_from.items():
        cut_off = within_working_days(1, nation)
        assert cut_off(utc(moment) + timedelta(seconds=1)) > utc(sent)
        assert cut_off(utc(moment) - timedelta(seconds=1)) < utc(sent)


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(1, 5),
    later=st.timedeltas(timedelta(), timedelta(days=9)),
    nation=st.sampled_from(Nation),
)
def test_the_cut_off_is_at_least_that_many_days_ago_and_never_moves_back(
    *, now: datetime, days: int, later: timedelta, nation: Nation
) -> None:
    cut_off = within_working_days(days, nation)

    assert cut_off(now) <= now - timedelta(days=days)
    assert cut_off(now) <= cut_off(now + later)


@given(
    since=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(1, 5),
    nation=st.sampled_from(Nation),
)
def test_the_cut_off_passes_at_the_deadline(since: datetime, days: int, nation: Nation) -> None:
    cut_off = within_working_days(days, nation)

    deadline = cut_off.deadline(since)

    assert cut_off(deadline - timedelta(seconds=1)) < since <= cut_off(deadline + timedelta(seconds=1))
