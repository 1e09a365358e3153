"""The demand to expect of an office: interviews booked on a day, from those booked in the weeks before.

The mean is the office's own level times the weekday's factor, which all offices share: a small office has too few
interviews a day to show a pattern of its own (docs/forecast.md has the backtest).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from chassis.bank_holidays import Nation
from scheduling.domain.working_time import ONE_DAY, SATURDAY, is_working_day, working_days

WEEKS = 8
"""So many weeks of history count: long enough to even chance out, short enough to follow a rise."""
HALF_LIFE_DAYS = 15
"""A day counts half as much as one that is this many working days younger."""
_RARE = 1e-6
"""Numbers of interviews so much rarer than the likeliest one are left out."""
_EVEN = dict.fromkeys(range(SATURDAY), 1.0)

Pattern = Mapping[int, float]
"""The factor of each weekday, 0 is Monday: the mean of its demand over the mean of all working days."""


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

    def days(self, *, weeks: int = WEEKS) -> Iterator[tuple[date, int]]:
        """The working days of the latest weeks, the latest first, each with its count."""
        since = max(self.first, self.last - timedelta(weeks=weeks) + ONE_DAY)
        back = (self.last - timedelta(days=number) for number in range(7 * weeks))
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


def weekday_pattern(histories: Iterable[History]) -> Pattern:
    """The factors of the weekdays of all these offices together; 1 for each where there is no history."""
    sums, days = dict.fromkeys(range(SATURDAY), 0.0), dict.fromkeys(range(SATURDAY), 0)
    for history in histories:
        for day, count in history.days():
            sums[day.weekday()] += count
            days[day.weekday()] += 1
    total = sum(sums.values())
    if not total or not all(days.values()):
        return _EVEN
    usual = total / sum(days.values())
    return {weekday: sums[weekday] / days[weekday] / usual for weekday in sums}


def level(history: History, pattern: Pattern) -> float:
    """The office's demand on a working day of factor 1: a mean in which younger days count more; 0 without history."""
    weight, weighted, bases = 1.0, 0.0, 0.0
    for day, count in history.days():
        weighted += weight * count
        bases += weight * pattern[day.weekday()]
        weight *= 0.5 ** (1 / HALF_LIFE_DAYS)
    return weighted / bases if bases else 0.0


def dispersion(histories: Iterable[History], pattern: Pattern) -> float:
    """The variance of a day's demand as a multiple of its mean, over all these offices; 1 at least."""
    squares, number = 0.0, 0
    for history in histories:
        usual = level(history, pattern)
        for day, count in history.days():
            if (mean := usual * pattern[day.weekday()]) > 0:
                squares += (count - mean) ** 2 / mean
                number += 1
    return max(1.0, squares / number) if number else 1.0


def expected(day: date, *, nation: Nation, usual: float, pattern: Pattern, spread: float) -> Expected:
    """The demand of a day at an office of this level; none where it does not work."""
    mean = usual * pattern[day.weekday()] if is_working_day(day, nation) else 0.0
    return Expected(mean=mean, dispersion=spread)
