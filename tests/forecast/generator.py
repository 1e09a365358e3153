"""Interviews booked by office and day, made up: no such history is public. The same for the same seed.

Sizes are spread about 55,000 claims a week over 750 offices. Mondays are the busiest, by the shares of the telephone switch's
stand-in; the first working day after a bank holiday is busier, the year has its season, and the country's level and each
office's own wander from week to week. A day's count varies one and a half times as much as chance alone.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chassis.bank_holidays import Nation
from scheduling.domain.working_time import ONE_DAY, is_working_day

NATION = Nation.ENGLAND
USUAL = 55_000 / 750 / 5
"""Interviews booked on a day at an office of middling size."""
WEEKDAYS = (1.25, 1.05, 1.0, 0.9, 0.8)
AFTER_A_HOLIDAY = 1.25
SPREAD = 1.5
_SIZES, _COUNTRY, _OFFICE = 0.6, 0.03, 0.06
"""Standard deviations, of logarithms: of the offices' sizes, and of a week's step of the country's level and an office's."""
_KEPT = 0.9
"""The part of a level that is still there a week later."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """A way for demand to go: from a day on it is this many times as high, at every office or at each so many-th."""

    name: str
    since: date = date.max
    times: float = 1.0
    each: int = 1

    def factor(self, day: date, office: int) -> float:
        """The factor by which the demand of an office, by its place in the list, is raised on a day."""
        return self.times if day >= self.since and office % self.each == 0 else 1.0


def histories(*, offices: int, first: date, last: date, seed: int, course: Course) -> list[dict[date, int]]:
    """The counts of each office on each working day from `first` to `last`."""
    source = random.Random(seed)
    days = [day for day in _days(first, last) if is_working_day(day, NATION)]
    country = _level(days, source, step=_COUNTRY)
    return [_of_office(office, days, country, source, course) for office in range(offices)]


def _of_office(
    office: int, days: Sequence[date], country: dict[date, float], source: random.Random, course: Course
) -> dict[date, int]:
    size = USUAL * math.exp(source.gauss(0, _SIZES) - _SIZES**2 / 2)
    own = _level(days, source, step=_OFFICE)
    return {
        day: _count(size * country[day] * own[day] * _of_day(day) * course.factor(day, office), source) for day in days
    }


def _level(days: Sequence[date], source: random.Random, *, step: float) -> dict[date, float]:
    """The level of each day's week: it wanders, and comes back."""
    levels: dict[date, float] = {}
    height = 0.0
    for monday in sorted({_monday(day) for day in days}):
        height = _KEPT * height + source.gauss(0, step)
        levels[monday] = math.exp(height)
    return {day: levels[_monday(day)] for day in days}


def _of_day(day: date) -> float:
    season = 1 + 0.1 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365)
    before = day - ONE_DAY
    while before.weekday() >= 5:
        before -= ONE_DAY
    return WEEKDAYS[day.weekday()] * season * (1 if is_working_day(before, NATION) else AFTER_A_HOLIDAY)


def _count(mean: float, source: random.Random) -> int:
    """A count of this mean, whose variance is SPREAD times as large: Poisson's, about a mean that varies."""
    rate = source.gammavariate(mean / (SPREAD - 1), SPREAD - 1)
    number, product, least = 0, source.random(), math.exp(-rate)
    while product > least:
        number += 1
        product *= source.random()
    return number


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
