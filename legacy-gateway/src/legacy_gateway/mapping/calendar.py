"""Reckoning with the dates of a record."""

from calendar import monthrange
from datetime import date


def real_date(number: int) -> date | None:
    """The date of a CCYYMMDD number; None where there is no such day."""
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def years_between(born: date, day: date) -> int:
    """Whole years; somebody born on 29 February is a year older on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
