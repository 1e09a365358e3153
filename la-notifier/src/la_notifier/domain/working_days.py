"""Deadlines in working days, which are those of the authority's nation."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chassis.bank_holidays import Nation, is_bank_holiday

_LONDON = ZoneInfo("Europe/London")
_SATURDAY = 5


def within_working_days(number: int, nation: Nation) -> Callable[[datetime], datetime]:
    """A function of now: the moment since which so many working days of 24 hours have passed.

    Weekends and the nation's bank holidays do not count. Days are London's.
    """

    def cut_off(now: datetime) -> datetime:
        remaining, end = timedelta(days=number), now
        while (length := _working_time(end, nation)) < remaining:
            remaining -= length
            end = _begin_of_day(end)
        return end - remaining

    return cut_off


def _working_time(end: datetime, nation: Nation) -> timedelta:
    """The working time of the day that ends at this moment, or within which it lies."""
    begin = _begin_of_day(end)
    day = begin.astimezone(_LONDON).date()
    works = day.weekday() < _SATURDAY and not is_bank_holiday(day, nation)
    return end - begin if works else timedelta()


def _begin_of_day(end: datetime) -> datetime:
    """The midnight before this moment; at midnight the one before."""
    day = (end - timedelta(microseconds=1)).astimezone(_LONDON).date()
    return datetime.combine(day, time(), tzinfo=_LONDON).astimezone(UTC)
