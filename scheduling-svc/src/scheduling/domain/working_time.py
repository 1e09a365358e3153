"""Working days and the target for the interview.

The target is 48 hours from first contact to interview, counted on working days only: each working day of the office
counts 24 hours, weekends and bank holidays none, so that a Friday's call is seen by Tuesday. Days are days of
Europe/London. Summer time begins and ends on Sundays, so a working day always has 24 hours.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from zoneinfo import ZoneInfo

from chassis.bank_holidays import Nation, is_bank_holiday

LONDON = ZoneInfo("Europe/London")
TARGET = timedelta(hours=48)
ONE_DAY = timedelta(days=1)
SATURDAY = 5


def london_day(moment: datetime) -> date:
    """The day in London. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no day in London")
    return moment.astimezone(LONDON).date()


def end_of_day(moment: datetime) -> datetime:
    """The end of a moment's day in London, in UTC."""
    return _midnight(london_day(moment) + ONE_DAY)


def is_working_day(day: date, nation: Nation) -> bool:
    """Whether offices of this nation work on the day: not at weekends, not on its bank holidays."""
    return day.weekday() < SATURDAY and not is_bank_holiday(day, nation)


def working_days(first: date, nation: Nation, *, number: int) -> list[date]:
    """The first `number` working days of the nation's offices, from `first` on."""
    days = (first + timedelta(days=offset) for offset in count())
    return list(islice((day for day in days if is_working_day(day, nation)), number))


def target_due(first_contact: datetime, nation: Nation, *, target: timedelta = TARGET) -> datetime:
    """The moment, in UTC, by which the interview must start: the earliest moment with `target` of working time before it.

    A first contact on another day counts from the midnight that begins the next working day.
    """
    remaining = target
    spans = _working_spans(first_contact, nation)
    start, end = next(spans)
    while end - start < remaining:
        remaining -= end - start
        start, end = next(spans)
    return start + remaining


def same_day_due(first_contact: datetime, nation: Nation) -> datetime:
    """The end of the day of first contact, in UTC, or of the next working day where it is none."""
    _, end = next(_working_spans(first_contact, nation))
    return end


def working_lead_time(first_contact: datetime, start: datetime, *, nation: Nation) -> timedelta:
    """The working time between first contact and the start of the interview; none if it starts before."""
    total = timedelta()
    for begin, end in _working_spans(first_contact, nation):
        if start <= begin:
            break
        total += min(end, start) - begin
    return total


def within_target(first_contact: datetime, start: datetime, *, nation: Nation, target: timedelta = TARGET) -> bool:
    """Whether an interview with this start meets the target."""
    return start <= target_due(first_contact, nation, target=target)


def _working_spans(since: datetime, nation: Nation) -> Iterator[tuple[datetime, datetime]]:
    """Each working day from a moment on, without end, as its first and last moment in UTC; the first may be a part."""
    first = london_day(since)
    days = (first + timedelta(days=number) for number in count())
    for day in days:
        if is_working_day(day, nation):
            yield max(since.astimezone(UTC), _midnight(day)), _midnight(day + ONE_DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)
