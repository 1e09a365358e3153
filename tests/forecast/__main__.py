"""`make bench-forecast`: the backtest of the forecast of demand, beside statsmodels, statsforecast and plain means.

The demand is made up (`generator.py`). Every Friday of the last twelve weeks the next five working days are forecast for every
office from what was there by then. `--write` puts the table into docs/forecast.md. The last line is JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean

from scheduling.domain.working_time import ONE_DAY, is_working_day
from tests.forecast.contenders import Counts, Forecast, contenders
from tests.forecast.generator import NATION, Course, histories

PAGE = Path(__file__).parents[2] / "docs" / "forecast.md"
FIRST, LAST = date(2025, 5, 5), date(2026, 11, 27)
TESTED_WEEKS = 12
COURSES = (
    Course(name="as usual"),
    Course(name="doubled everywhere from 5 October on", since=date(2026, 10, 5), times=2.0),
    Course(name="doubled at every tenth office from 5 October on", since=date(2026, 10, 5), times=2.0, each=10),
)


@dataclass(frozen=True, kw_only=True)
class Score:
    """The errors of a contender over all offices and days, in interviews a day, and the processor's time for a forecast."""

    name: str
    absolute: float
    squared: float
    bias: float
    milliseconds: float

    def row(self, best: float) -> str:
        """A row of the table; the smallest root of the mean square is bold."""
        root = self.squared**0.5
        shown = f"**{root:.2f}**" if abs(root - best) < 0.005 else f"{root:.2f}"
        return f"| {self.name} | {self.absolute:.2f} | {shown} | {self.bias:+.2f} | {self.milliseconds:.2f} |"


def score(name: str, forecast: Forecast, offices: Sequence[Counts], number: int) -> Score:
    """Forecasts the days after each Friday for the first offices, and compares."""
    errors: list[float] = []
    begun = time.process_time()
    for friday in fridays():
        days = [
            day for day in (friday + timedelta(days=number) for number in range(3, 8)) if is_working_day(day, NATION)
        ]
        known = [{day: count for day, count in counts.items() if day <= friday} for counts in offices]
        for counts, found in zip(offices[:number], forecast(known, number, friday, days), strict=True):
            errors += [guess - counts[day] for day, guess in zip(days, found, strict=True)]
    taken = time.process_time() - begun
    return Score(
        name=name,
        absolute=fmean(map(abs, errors)),
        squared=fmean(error**2 for error in errors),
        bias=fmean(errors),
        milliseconds=1000 * taken / len(errors),
    )


def fridays() -> list[date]:
    """The days on which forecasts are made."""
    last = LAST - timedelta(weeks=1)
    return [last - timedelta(weeks=number) for number in range(TESTED_WEEKS)][::-1]


def table(offices: int, number: int, seed: int, *, heavy: bool) -> tuple[str, dict[str, dict[str, float]]]:
    """The tables of all courses, and the roots of the mean squares."""
    parts, figures = [], {}
    for course in COURSES:
        made = histories(offices=offices, first=FIRST, last=LAST, seed=seed, course=course)
        scores = [score(name, forecast, made, number) for name, forecast in contenders(heavy=heavy).items()]
        best = min(one.squared for one in scores) ** 0.5
        mean = fmean(count for counts in made[:number] for day, count in counts.items() if day > fridays()[0] + ONE_DAY)
        parts.append(
            f"Demand {course.name}; {mean:.1f} interviews a day at {number} of {offices} offices:\n\n"
            "| | mean absolute error | root of the mean square | bias | ms a forecast |\n| --- | ---: | ---: | ---: | ---: |\n"
            + "\n".join(one.row(best) for one in scores)
        )
        figures[course.name] = {one.name: round(one.squared**0.5, 3) for one in scores}
    return "\n\n".join(parts), figures


def main() -> int:
    """Prints the tables, and writes them where that is asked for."""
    parser = argparse.ArgumentParser(prog="make bench-forecast")
    parser.add_argument("--offices", type=int, default=200)
    parser.add_argument("--compared", type=int, default=20, help="offices whose forecasts are compared")
    parser.add_argument("--plain", action="store_true", help="without statsmodels and statsforecast")
    parser.add_argument("--seed", type=int, default=2005)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/forecast.md")
    given = parser.parse_args()
    text, figures = table(given.offices, given.compared, given.seed, heavy=not given.plain)
    print(text)
    if given.write:
        before, begin, rest = PAGE.read_text(encoding="utf-8").partition("<!-- backtest: begin -->\n")
        _, end, after = rest.partition("<!-- backtest: end -->")
        PAGE.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
