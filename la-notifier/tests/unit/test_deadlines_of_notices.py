"""Working days are counted as local-authority.md means them: a Friday's file is not late on Sunday."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from la_notifier.deadlines import within_working_days

FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


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
    cut_off = within_working_days(days)

    assert cut_off(late_from + timedelta(seconds=1)) > sent
    assert cut_off(late_from - timedelta(seconds=1)) < sent


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(1, 5),
    later=st.timedeltas(timedelta(), timedelta(days=9)),
)
def test_the_cut_off_lies_at_least_so_many_days_back_and_never_goes_back(
    now: datetime, days: int, later: timedelta
) -> None:
    cut_off = within_working_days(days)

    assert cut_off(now) <= now - timedelta(days=days)
    assert cut_off(now) <= cut_off(now + later)
