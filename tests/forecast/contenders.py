"""The ways to forecast that are compared.

Each takes the counts of all offices to a day, and gives those of days after it for the first few of these offices.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from statistics import fmean
from typing import Any

from scheduling.domain.demand import WEEKS, Common, History
from scheduling.domain.working_time import ONE_DAY
from tests.forecast.generator import NATION

Counts = Mapping[date, int]
Forecast = Callable[[Sequence[Counts], int, date, Sequence[date]], list[list[float]]]


def last_week(offices: Sequence[Counts], number: int, until: date, days: Sequence[date]) -> list[list[float]]:
    """The count of the same weekday, as it was last."""
    return [[fmean(_same_weekdays(counts, until, day, number=1)) for day in days] for counts in offices[:number]]


def seasonal_mean(offices: Sequence[Counts], number: int, until: date, days: Sequence[date]) -> list[list[float]]:
    """The mean of the same weekday over eight weeks: the plain one."""
    return [[fmean(_same_weekdays(counts, until, day, number=WEEKS)) for day in days] for counts in offices[:number]]


def ours(offices: Sequence[Counts], number: int, until: date, days: Sequence[date]) -> list[list[float]]:
    """The service's: the office's level, times the weekday's factor and the level of all offices."""
    known = [History.of(counts, nation=NATION, first=min(counts), last=until) for counts in offices]
    common = Common.of(known)
    levels = [common.level(history) for history in known[:number]]
    learnt = common.learnt(weeks=WEEKS)
    return [[learnt.expected(day, nation=NATION, level=level).mean for day in days] for level in levels]


def statsforecast(model: Callable[[], Any]) -> Forecast:
    """A model of statsforecast, for each office alone, with a season of five working days."""

    def forecast(offices: Sequence[Counts], number: int, until: date, days: Sequence[date]) -> list[list[float]]:
        import numpy

        return [
            [
                float(one)
                for one in model().forecast(y=numpy.array(_series(counts, until), dtype=float), h=len(days))["mean"]
            ]
            for counts in offices[:number]
        ]

    return forecast


def holt_winters(offices: Sequence[Counts], number: int, until: date, days: Sequence[date]) -> list[list[float]]:
    """statsmodels' exponential smoothing with an additive season of five working days, for each office alone."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    found = []
    for counts in offices[:number]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a fit that does not converge, which then counts as it is
            fitted = ExponentialSmoothing(_series(counts, until), seasonal="add", seasonal_periods=5).fit()
        found.append([float(one) for one in fitted.forecast(len(days))])
    return found


def contenders(*, heavy: bool = True) -> dict[str, Forecast]:
    """Every contender by name; those of the libraries only with `heavy`."""
    plain: dict[str, Forecast] = {
        "last week's day": last_week,
        "plain seasonal mean, 8 weeks": seasonal_mean,
        "the service's: own level, common weekdays and rises": ours,
    }
    return plain | _of_libraries() if heavy else plain


def _of_libraries() -> dict[str, Forecast]:
    from statsforecast.models import AutoETS, AutoTheta, SeasonalExponentialSmoothingOptimized

    return {
        "statsforecast SeasonalExponentialSmoothing": statsforecast(
            lambda: SeasonalExponentialSmoothingOptimized(season_length=5)
        ),
        "statsforecast AutoETS": statsforecast(lambda: AutoETS(season_length=5)),
        "statsforecast AutoTheta": statsforecast(lambda: AutoTheta(season_length=5)),
        "statsmodels Holt-Winters": holt_winters,
    }


def _same_weekdays(counts: Counts, until: date, day: date, *, number: int) -> list[int]:
    """The counts of the latest days with this weekday, of those on which the offices worked."""
    back = (day - timedelta(weeks=week) for week in range(1, 2 * number + 10))
    return [counts[one] for one in back if one <= until and one in counts][:number]


def _series(counts: Counts, until: date) -> list[int]:
    """The counts of every Monday to Friday; a bank holiday has that of the week before, so that weekdays keep their places."""
    day, found = min(counts), list[int]()
    while day <= until:
        if day.weekday() < 5:
            found.append(counts[day] if day in counts else found[-5])
        day += ONE_DAY
    return found
