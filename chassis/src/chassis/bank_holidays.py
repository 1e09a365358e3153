"""The bank holidays of Great Britain's nations, by the table `data/bank_holidays.csv` (docs/adr/0012).

    is_bank_holiday(day, Nation.SCOTLAND)
    Nation.of_code(authority_code)  # by the first letter of a GSS code

They are those of the Banking and Financial Dealings Act 1971, section 1 and schedule 1, and of proclamations under it. A
test holds the table to the package `holidays`, which is too large to be loaded by a service: it knows every country.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

COLUMNS = ["day", "nations"]


class Nation(StrEnum):
    """A nation of Great Britain. The values are ISO 3166-2 subdivisions of GB."""

    ENGLAND = "ENG"
    WALES = "WLS"
    SCOTLAND = "SCT"

    @classmethod
    def of_code(cls, code: str) -> "Nation":
        """The nation of a GSS code (`S12000033` is Scotland); England where the letter names none of the three."""
        return {"W": cls.WALES, "S": cls.SCOTLAND}.get(code[:1], cls.ENGLAND)


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
    text = resources.files("chassis").joinpath("data", "bank_holidays.csv").read_text(encoding="utf-8")
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
