"""The demand to expect of an office: interviews booked on a day, from those booked in the weeks before.

The mean is the office's own level, times the weekday's factor, times the level of all offices together. A small office has
too few interviews a day to show a pattern of its own; and a rise that comes to all offices shows in their sum within days
(docs/forecast.md has the backtest).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from math import sqrt

from chassis.bank_holidays import Nation
from scheduling.domain.offices import Channel
from scheduling.domain.working_time import ONE_DAY, SATURDAY, is_working_day, working_days

WEEKS = 8
"""So many weeks of history count: long enough to even chance out, short enough to follow a rise."""
STEP_OF_ALL = 0.02
"""The step of the level of all offices together from one working day to the next, as a part of itself."""
STEP_OF_ONE = 0.03
"""The same of one office, beside all others."""
_RARE = 1e-6
"""Numbers of interviews so much rarer than the likeliest one are left out."""
_EVEN = dict.fromkeys(range(SATURDAY), 1.0)

Pattern = Mapping[int, float]
"""The factor of each weekday, 0 is Monday: the mean of its demand over the mean of all working days."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """The desk to which an interview counts: the channel in which the claimant wanted to be seen, and the office nearest to the
    claimant where somebody works in it.

    Neither depends on the slot that was found: an office that is full would otherwise look like one that nobody wants.
    `home_office` is None where nobody said where the claimant lives; then it is the office that holds the interview.
    """

    channel: Channel
    home_office: str | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """Interviews booked by day at one office and channel, from `first` to `last`; a day that is not there had none.

    Those of a day on which the office did not work count to the next working day (`of`).
    """

    nation: Nation
    first: date
    last: date
    counts: Mapping[date, int]

    @classmethod
    def of(cls, counts: Mapping[date, int], *, nation: Nation, first: date, last: date) -> "History":
        """The history with every day's interviews on a working day."""
        folded: dict[date, int] = {}
        for day, count in counts.items():
            worked = working_days(day, nation, number=1)[0]
            folded[worked] = folded.get(worked, 0) + count
        return cls(nation=nation, first=first, last=last, counts=folded)

    def days(self) -> Iterator[tuple[date, int]]:
        """The working days of the latest weeks, the latest first, each with its count."""
        since = max(self.first, self.last - timedelta(weeks=WEEKS) + ONE_DAY)
        back = (self.last - timedelta(days=number) for number in range(7 * WEEKS))
        for day in takewhile(lambda one: one >= since, back):
            if is_working_day(day, self.nation):
                yield day, self.counts.get(day, 0)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The demand of a day: its mean, and its variance as a multiple of the mean (1 is chance alone)."""

    mean: float
    dispersion: float = 1.0

    def half(self) -> "Expected":
        """The demand of one of two halves of the day."""
        return Expected(mean=self.mean / 2, dispersion=self.dispersion)

    def probabilities(self) -> list[float]:
        """The probability of each number of interviews, from none on, until all that is left is rare.

        They are negative binomial, of this mean and variance; with a dispersion of 1 they are Poisson's.
        """
        if self.mean <= 0:
            return [1.0]
        middle = int(self.mean)
        above, below = [1.0], [1.0]
        while above[-1] > _RARE:
            above.append(above[-1] * self._ratio(middle + len(above)))
        while below[-1] > _RARE and len(below) <= middle:
            below.append(below[-1] / self._ratio(middle + 1 - len(below)))
        found = [0.0] * (middle + 1 - len(below)) + below[:0:-1] + above
        whole = sum(found)
        return [one / whole for one in found]

    def _ratio(self, number: int) -> float:
        """The probability of this number over that of one less."""
        return (self.mean + (number - 1) * (self.dispersion - 1)) / (number * self.dispersion)


@dataclass(frozen=True, kw_only=True)
class Common:
    """The common part of all offices' demand: the weekdays' factors, the level of each day beside the mean of all, the level
    of today, and the variance of a count as a multiple of its mean.
    """

    pattern: Pattern
    levels: Mapping[date, float]
    now: float
    dispersion: float

    @classmethod
    def of(cls, histories: Iterable[History]) -> "Common":
        """The common part of these histories; an even pattern where there are none."""
        known = [(list(history.days()), history.nation) for history in histories]
        counted = [days for days, _ in known]
        pattern = _weekday_pattern(counted)
        usual = [_usual(days, pattern) for days in counted]
        levels = _levels(counted, usual, pattern)
        dispersion = _dispersion(counted, usual, pattern, levels)
        gain = _gain(sum(usual), STEP_OF_ALL, dispersion)
        return cls(pattern=pattern, levels=levels, now=_smoothed(levels, gain), dispersion=dispersion)

    def level(self, history: History) -> float:
        """The office's demand on a day of factor 1, in which younger days count more; 0 without history."""
        days = list(history.days())
        usual = _usual(days, self.pattern)
        kept = 1 - _gain(usual, STEP_OF_ONE, self.dispersion)
        weight, counted, bases = 1.0, 0.0, 0.0
        for day, count in days:
            counted += weight * count
            bases += weight * self.pattern[day.weekday()] * self.levels.get(day, 1.0)
            weight *= kept
        return counted / bases * self.now if bases else 0.0

    def learnt(self, *, weeks: int) -> "Learnt":
        """The part that a forecast needs, from so many whole weeks of history."""
        return Learnt(
            factors=tuple(self.pattern[weekday] for weekday in sorted(self.pattern)),
            dispersion=self.dispersion,
            weeks=weeks,
        )


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """The weekdays' factors from Monday on, the variance of a count as a multiple of its mean, and the weeks of history."""

    factors: tuple[float, ...] = tuple(_EVEN.values())
    dispersion: float = 1.0
    weeks: int = 0

    def expected(self, day: date, *, nation: Nation, level: float) -> Expected:
        """The demand of a day at an office of this level; none where it does not work."""
        mean = level * self.factors[day.weekday()] if is_working_day(day, nation) else 0.0
        return Expected(mean=mean, dispersion=self.dispersion)


_Days = Sequence[tuple[date, int]]


def _weekday_pattern(counted: Sequence[_Days]) -> Pattern:
    sums, days = dict.fromkeys(range(SATURDAY), 0), dict.fromkeys(range(SATURDAY), 0)
    for office in counted:
        for day, count in office:
            sums[day.weekday()] += count
            days[day.weekday()] += 1
    total = sum(sums.values())
    if not total or not all(days.values()):
        return _EVEN
    usual = total / sum(days.values())
    return {weekday: sums[weekday] / days[weekday] / usual for weekday in sums}


def _usual(days: _Days, pattern: Pattern) -> float:
    """The plain mean of a day of factor 1."""
    bases = sum(pattern[day.weekday()] for day, _ in days)
    return sum(count for _, count in days) / bases if bases else 0.0


def _levels(counted: Sequence[_Days], usual: Sequence[float], pattern: Pattern) -> dict[date, float]:
    """The level of each day: the interviews of all offices over those that are usual for the offices that worked, in order."""
    found: dict[date, int] = {}
    bases: dict[date, float] = {}
    for office, mean in zip(counted, usual, strict=True):
        for day, count in office:
            found[day] = found.get(day, 0) + count
            bases[day] = bases.get(day, 0.0) + mean * pattern[day.weekday()]
    return {day: found[day] / bases[day] for day in sorted(found) if bases[day]}


def _dispersion(
    counted: Sequence[_Days], usual: Sequence[float], pattern: Pattern, levels: Mapping[date, float]
) -> float:
    """The variance of a count as a multiple of its mean; 1 at least."""
    squares, number = 0.0, 0
    for office, mean in zip(counted, usual, strict=True):
        for day, count in office:
            if (guess := mean * pattern[day.weekday()] * levels.get(day, 1.0)) > 0:
                squares += (count - guess) ** 2 / guess
                number += 1
    return max(1.0, squares / number) if number else 1.0


def _gain(usual: float, step: float, dispersion: float) -> float:
    """The weight of the latest day in a level that moves by `step` a day and is seen in counts of this size.

    It is the steady gain of a local level model. A sum of many interviews shows its level at once, a few show it slowly.
    """
    if not usual:
        return 0.0
    ratio = step**2 * usual / dispersion
    return (sqrt(ratio**2 + 4 * ratio) - ratio) / 2


def _smoothed(levels: Mapping[date, float], gain: float) -> float:
    now = 1.0
    for level in levels.values():
        now += gain * (level - now)
    return now
