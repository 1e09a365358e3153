"""The bank holidays of the authorities' nations, by the table `data/bank_holidays.csv` (docs/adr/0012).

They are those of the Banking and Financial Dealings Act 1971, section 1 and schedule 1, and of proclamations under it. A
test holds the table to the package `holidays`.
"""

import csv
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources


class BankHolidays(StrEnum):
    """Whose bank holidays count. The values are ISO 3166-2 subdivisions of GB; Wales has England's."""

    ENGLAND_AND_WALES = "ENG"
    SCOTLAND = "SCT"

    @classmethod
    def of(cls, authority_code: str) -> "BankHolidays":
        """Those of an authority's nation, which the first letter of its GSS code tells; England's where there is none."""
        return cls.SCOTLAND if authority_code.startswith("S") else cls.ENGLAND_AND_WALES

    def hold(self, day: date) -> bool:
        """Whether it is one of them. Raises ValueError for a year that the table does not hold."""
        years = _years()
        if day.year not in years:
            raise ValueError(f"bank_holidays.csv holds {years.start} to {years.stop - 1}, not {day.year}")
        return self in _table().get(day, ())


@cache
def _table() -> dict[date, list[str]]:
    text = resources.files("la_notifier").joinpath("data", "bank_holidays.csv").read_text(encoding="utf-8")
    lines = csv.DictReader(text.splitlines(), strict=True)
    return {date.fromisoformat(line["day"]): line["nations"].split() for line in lines}


@cache
def _years() -> range:
    return range(min(_table()).year, max(_table()).year + 1)
