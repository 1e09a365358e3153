"""The modulus check of a sort code and an account number.

The tables below are made up for these tests, in the form of the banks' own: Pay.UK's may not be copied.
"""

import pytest

from intake.domain.accounts import AccountCheck, AccountRules

WEIGHTS = """\
200000 200099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1
300000 300000 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1
"""
SUBSTITUTIONS = "938173 938017\n"
RULES = AccountRules.of(WEIGHTS, SUBSTITUTIONS)


@pytest.mark.parametrize(
    ("sort_code", "account_number", "result"),
    [
        ("200050", "00000019", AccountCheck.FITS),
        ("200050", "00000018", AccountCheck.DOES_NOT_FIT),
        ("200050", "00000091", AccountCheck.DOES_NOT_FIT),
        ("300000", "00000000", AccountCheck.DOES_NOT_FIT),
        ("300000", "00000004", AccountCheck.FITS),
        ("999999", "12345678", AccountCheck.NOT_CHECKABLE),
    ],
)
def test_an_account_fits_its_sort_code_or_not(sort_code: str, account_number: str, result: AccountCheck) -> None:
    assert RULES.check(sort_code, account_number) is result


def test_without_tables_no_account_can_be_checked() -> None:
    assert AccountRules().check("200050", "00000019") is AccountCheck.NOT_CHECKABLE


def test_a_line_that_is_no_rule_is_named() -> None:
    with pytest.raises(ValueError, match="Invalid record: 200000"):
        AccountRules.of("200000 200099 MOD12 1", SUBSTITUTIONS)
