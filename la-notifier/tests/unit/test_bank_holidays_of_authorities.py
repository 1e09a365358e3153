"""The notifier's table of bank holidays, held to the package and to the authorities."""

from datetime import date, timedelta

import holidays
import pytest

from la_notifier.authorities import AuthorityTable
from la_notifier.bank_holidays import BankHolidays

EVERY_DAY = [date(2000, 1, 1) + timedelta(days=number) for number in range((date(2061, 1, 1) - date(2000, 1, 1)).days)]


@pytest.mark.parametrize(
    ("nation", "bank_holidays"),
    [
        ("ENG", BankHolidays.ENGLAND_AND_WALES),
        ("WLS", BankHolidays.ENGLAND_AND_WALES),
        ("SCT", BankHolidays.SCOTLAND),
    ],
)
def test_the_table_holds_what_the_package_says_of_each_nation(nation: str, bank_holidays: BankHolidays) -> None:
    kept = {day for day in EVERY_DAY if bank_holidays.hold(day)}

    assert kept == set(holidays.country_holidays("GB", subdiv=nation, years=range(2000, 2061)))


@pytest.mark.parametrize("year", [1999, 2061])
def test_a_year_outside_the_table_is_refused_rather_than_without_holidays(year: int) -> None:
    with pytest.raises(ValueError, match=str(year)):
        BankHolidays.SCOTLAND.hold(date(year, 6, 1))


def test_every_authority_has_the_bank_holidays_of_one_nation_and_scotlands_its_own() -> None:
    by_code = {code: BankHolidays.of(code) for code in AuthorityTable.load().codes(date(2026, 11, 22))}

    assert {code[:1] for code, found in by_code.items() if found is BankHolidays.SCOTLAND} == {"S"}
    assert {code[:1] for code, found in by_code.items() if found is BankHolidays.ENGLAND_AND_WALES} == {"E", "W"}
