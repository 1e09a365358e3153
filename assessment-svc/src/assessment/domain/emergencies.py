"""Crisis loans beside the delays that make them: an office's week against its usual week. Pure.

In 2005 applications for crisis loans doubled in one region because claims waited, and nobody saw it for months. A rise shows
when a week's loans are more than chance explains: they come one by one, so that a week of usually `n` varies by the root of
`n`, and three times that is passed about once in a thousand weeks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

DAYS_OF_WEEK = 7
USUAL_WEEKS = 4
_DEVIATIONS = 3.0
_LATER = 1.25
_FEWEST_MORE = 5


@dataclass(frozen=True, kw_only=True)
class OfficeDay:
    """The figures of an office for a day. `lead_seconds` is summed over the interviews that were booked."""

    office_code: str
    day: date
    crisis_loans: int = 0
    refused: int = 0
    stalled_transfers: int = 0
    interviews: int = 0
    lead_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Week:
    """Seven days, or a mean week. `lead_seconds` is the mean of the interviews; zero without any."""

    crisis_loans: float
    refused: float
    stalled_transfers: float
    interviews: float
    lead_seconds: float

    @classmethod
    def of(cls, days: Sequence[OfficeDay], *, weeks: int = 1) -> "Week":
        """The mean week of these days, which are of so many weeks."""
        interviews = sum(day.interviews for day in days)
        return cls(
            crisis_loans=sum(day.crisis_loans for day in days) / weeks,
            refused=sum(day.refused for day in days) / weeks,
            stalled_transfers=sum(day.stalled_transfers for day in days) / weeks,
            interviews=interviews / weeks,
            lead_seconds=sum(day.lead_seconds for day in days) / interviews if interviews else 0.0,
        )


@dataclass(frozen=True, kw_only=True)
class Emergencies:
    """An office's week beside its usual one; `usual` is None where there is not a whole week before it."""

    office_code: str
    week: Week
    usual: Week | None

    @property
    def risen(self) -> bool:
        """Whether crisis loans are more than chance explains."""
        if self.usual is None:
            return False
        expected = max(self.usual.crisis_loans, 1.0)
        return self.week.crisis_loans >= expected + _DEVIATIONS * sqrt(expected)

    @property
    def later_interviews(self) -> bool:
        """Whether interviews are booked later than usual."""
        usual = self.usual
        return usual is not None and 0 < usual.lead_seconds * _LATER <= self.week.lead_seconds

    @property
    def more_stalled(self) -> bool:
        """Whether more transfers stall than usual."""
        if self.usual is None:
            return False
        usual = self.usual.stalled_transfers
        return self.week.stalled_transfers >= max(2 * usual, usual + _FEWEST_MORE)

    @property
    def rise(self) -> float:
        """Crisis loans over what is usual, in deviations."""
        expected = max(self.usual.crisis_loans, 1.0) if self.usual else 1.0
        return (self.week.crisis_loans - expected) / sqrt(expected)


def week_begins(until: date) -> date:
    """The first of the seven days that end with this one."""
    return until - timedelta(days=DAYS_OF_WEEK - 1)


def weeks_before(until: date, begun: date | None) -> int:
    """How many whole weeks there are to compare with. `begun`: the first day on which anything was counted, or None."""
    return 0 if begun is None else max(0, min(USUAL_WEEKS, (week_begins(until) - begun).days // DAYS_OF_WEEK))


def first_day(until: date, begun: date | None) -> date:
    """The first day that a measure until this one reads."""
    return week_begins(until) - timedelta(days=DAYS_OF_WEEK * weeks_before(until, begun))


def measure(office_code: str, days: Iterable[OfficeDay], *, until: date, begun: date | None) -> Emergencies:
    """The week that ends with this day. Days may be summed, those of the week and those before it for themselves."""
    begin, earliest = week_begins(until), first_day(until, begun)
    weeks = weeks_before(until, begun)
    found = list(days)
    before = [one for one in found if earliest <= one.day < begin]
    return Emergencies(
        office_code=office_code,
        week=Week.of([one for one in found if begin <= one.day <= until]),
        usual=Week.of(before, weeks=weeks) if weeks > 0 else None,
    )
