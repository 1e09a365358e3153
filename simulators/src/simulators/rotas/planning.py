"""The plan of every assessor's weeks: which pattern is worked, and the shifts that follow from it.

`rotas.csv` names the pattern of each assessor, `patterns.csv` the shifts of each pattern in the time of Europe/London. Both
are synthetic (`python -m tests.offices`). On a bank holiday of the office's nation nobody works.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources

import holidays

from simulators.clock import LONDON

ONE_DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass(frozen=True, kw_only=True)
class WeeklyShift:
    """A stretch of work that recurs every week. `weekday` 0 is Monday. Its last `emergency_slots` are kept for emergencies."""

    weekday: int
    start: time
    end: time
    channel: str
    emergency_slots: int


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A stretch of work. Its times are UTC."""

    start: datetime
    end: datetime
    channel: str
    emergency_slots: int = 0


@dataclass(frozen=True, kw_only=True)
class Rota:
    """An assessor, the office and its nation (ISO 3166-2), and the pattern that the assessor works."""

    assessor_id: str
    office_code: str
    nation: str
    pattern: tuple[WeeklyShift, ...]

    def shifts(self, monday: date) -> Iterator[Shift]:
        """The shifts of the week that begins on this Monday, in order."""
        for number in range(len(WEEKDAYS)):
            day = monday + number * ONE_DAY
            if day not in _bank_holidays(self.nation, day.year):
                for shift in self.pattern:
                    if shift.weekday == number:
                        yield Shift(
                            start=_moment(day, shift.start),
                            end=_moment(day, shift.end),
                            channel=shift.channel,
                            emergency_slots=shift.emergency_slots,
                        )


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - day.weekday() * ONE_DAY


def weeks_from(day: date, *, ahead: int) -> list[date]:
    """The Mondays of the day's week and of so many weeks after it."""
    return [monday_of(day) + number * WEEK for number in range(ahead + 1)]


@cache
def rotas_of_offices() -> Mapping[str, Sequence[Rota]]:
    """The rotas of all assessors by the code of their office."""
    patterns = _patterns()
    found: dict[str, list[Rota]] = {}
    for line in _lines("rotas.csv"):
        rota = Rota(
            assessor_id=line["assessor_id"],
            office_code=line["office_code"],
            nation=line["nation"],
            pattern=patterns[line["pattern"]],
        )
        found.setdefault(rota.office_code, []).append(rota)
    return found


def _patterns() -> Mapping[str, tuple[WeeklyShift, ...]]:
    found: dict[str, list[WeeklyShift]] = {}
    for line in _lines("patterns.csv"):
        shift = WeeklyShift(
            weekday=WEEKDAYS.index(line["weekday"]),
            start=time.fromisoformat(line["start"]),
            end=time.fromisoformat(line["end"]),
            channel=line["channel"],
            emergency_slots=int(line["emergency_slots"]),
        )
        found.setdefault(line["pattern"], []).append(shift)
    return {name: tuple(sorted(shifts, key=lambda one: (one.weekday, one.start))) for name, shifts in found.items()}


@cache
def _bank_holidays(nation: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=nation, years=year))


def _lines(name: str) -> Iterator[dict[str, str]]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines(), strict=True)


def _moment(day: date, local: time) -> datetime:
    return datetime.combine(day, local, tzinfo=LONDON).astimezone(UTC)
