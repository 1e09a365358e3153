"""Working days are counted as local-authority.md means them: a Friday's file is not late on Sunday."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from la_notifier.bank_holidays import BankHolidays
from la_notifier.deadlines import within_working_days

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
def test_what_was_sent_is_late_so_many_working_days_afterwards(sent: datetime, days: int, late_from: datetime) -> None:
    cut_off = within_working_days(days, BankHolidays.ENGLAND_AND_WALES)

    assert cut_off(late_from + timedelta(seconds=1)) > sent
    assert cut_off(late_from - timedelta(seconds=1)) < sent


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
def test_bank_holidays_are_those_of_the_authoritys_nation(
    sent: str, in_england_and_wales: str, in_scotland: str
) -> None:
    late_from = {BankHolidays.ENGLAND_AND_WALES: in_england_and_wales, BankHolidays.SCOTLAND: in_scotland}

    for holidays, moment in late_from.items():
        cut_off = within_working_days(1, holidays)
        assert cut_off(utc(moment) + timedelta(seconds=1)) > utc(sent)
        assert cut_off(utc(moment) - timedelta(seconds=1)) < utc(sent)


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(1, 5),
    later=st.timedeltas(timedelta(), timedelta(days=9)),
    holidays=st.sampled_from(BankHolidays),
)
def test_the_cut_off_lies_at_least_so_many_days_back_and_never_goes_back(
    *, now: datetime, days: int, later: timedelta, holidays: BankHolidays
) -> None:
    cut_off = within_working_days(days, holidays)

    assert cut_off(now) <= now - timedelta(days=days)
    assert cut_off(now) <= cut_off(now + later)
