"""Bank holidays of each nation, by the table beside this module.

The table is what the package `holidays` says of these years, and a test holds it to that. The package itself stays out
of the service: to know three nations it loads every country's calendar, twelve megabytes in each process.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib import resources

from scheduling.domain.offices import Nation

COLUMNS = ["day", "nations"]

Table = Mapping[date, frozenset[Nation]]


def is_bank_holiday(day: date, nation: Nation) -> bool:
    """Whether the nation keeps this day. Raises ValueError for a year that the table does not hold."""
    years = _years()
    if day.year not in years:
        raise ValueError(f"bank_holidays.csv holds {years.start} to {years.stop - 1}, not {day.year}")
    return nation in table().get(day, ())


@cache
def table() -> Table:
    """Every bank holiday with the nations that keep it."""
    text = resources.files(__package__).joinpath("bank_holidays.csv").read_text(encoding="utf-8")
    return parse(text.splitlines())


def parse(lines: Iterable[str]) -> Table:
    """The table from CSV with the columns COLUMNS, in the order of its days. Raises ValueError where it is not that."""
    found = csv.DictReader(lines, strict=True)
    if found.fieldnames != COLUMNS:
        raise ValueError(f"bank_holidays: the columns must be {', '.join(COLUMNS)}")
    rows = [(date.fromisoformat(line["day"]), frozenset(map(Nation, line["nations"].split()))) for line in found]
    days = [day for day, _ in rows]
    if days != sorted(set(days)) or not all(nations for _, nations in rows):
        raise ValueError("bank_holidays: each day stands once, in order, with a nation")
    return dict(rows)


@cache
def _years() -> range:
    """The years of the table: every one from its first to its last."""
    return range(min(table()).year, max(table()).year + 1)
