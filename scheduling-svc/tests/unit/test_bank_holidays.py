"""The table of bank holidays: what the package says of every year, and nothing read from it that is not so."""

from datetime import date

import holidays
import pytest

from scheduling.domain.bank_holidays import is_bank_holiday, parse, table
from scheduling.domain.offices import Nation


@pytest.mark.parametrize("nation", Nation)
def test_the_table_holds_what_the_package_says_of_each_nation(nation: Nation) -> None:
    years = range(2000, 2061)

    kept = {day for day, nations in table().items() if nation in nations}

    assert kept == set(holidays.country_holidays("GB", subdiv=nation.value, years=years))


def test_the_nations_differ() -> None:
    assert is_bank_holiday(date(2026, 6, 15), Nation.SCOTLAND)
    assert not is_bank_holiday(date(2026, 6, 15), Nation.WALES)
    assert is_bank_holiday(date(2026, 4, 6), Nation.ENGLAND)
    assert not is_bank_holiday(date(2026, 4, 6), Nation.SCOTLAND)


@pytest.mark.parametrize("year", [1999, 2061])
def test_a_year_outside_the_table_is_refused_rather_than_without_holidays(year: int) -> None:
    with pytest.raises(ValueError, match=str(year)):
        is_bank_holiday(date(year, 6, 1), Nation.ENGLAND)


@pytest.mark.parametrize(
    "lines",
    [
        ["date,nations", "2026-01-01,ENG"],
        ["day,nations", "2026-13-01,ENG"],
        ["day,nations", "2026-01-01,FRA"],
        ["day,nations", "2026-01-01,"],
        ["day,nations", "2026-01-01,ENG", "2026-01-01,SCT"],
        ["day,nations", "2026-01-02,ENG", "2026-01-01,ENG"],
    ],
)
def test_a_table_that_does_not_hold_together_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(lines)
