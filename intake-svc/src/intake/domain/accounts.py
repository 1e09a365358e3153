"""Whether a bank account's number fits its sort code, by the modulus check that the banks publish.

The tables of rules (`valacdos.txt`, `scsubtab.txt`) belong to Pay.UK. The operator of the platform gets them and says where
they are (`CMS_MODULUS_TABLES`); without them no account can be checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from uk_modulus_check import SortCodeSubstitutionTable, UKModulusChecker, WeightTable

from intake.domain.interview import QuestionState
from intake.domain.script import Kind


class AccountCheck(StrEnum):
    """The result of the check. It never holds a claim up."""

    FITS = "FITS"
    DOES_NOT_FIT = "DOES_NOT_FIT"
    NOT_CHECKABLE = "NOT_CHECKABLE"
    """There are no tables, or they say nothing of the sort code."""


@dataclass(frozen=True, kw_only=True)
class AccountRules:
    """The rules of the modulus check; `checker` is None where the operator gives no tables."""

    checker: UKModulusChecker | None = None

    @classmethod
    def of(cls, weights: str, substitutions: str) -> "AccountRules":
        """The rules of the two tables' texts. Raises ValueError naming a line that cannot be read."""
        weight_table, substitution_table = WeightTable(), SortCodeSubstitutionTable()
        weight_table.reload(_lines(weights))
        substitution_table.reload(_lines(substitutions))
        return cls(checker=UKModulusChecker(weight_table, substitution_table))

    def check(self, sort_code: str, account_number: str) -> AccountCheck:
        """Checks a canonical sort code (six digits) and account number (eight digits)."""
        if self.checker is None:
            return AccountCheck.NOT_CHECKABLE
        found = self.checker.validate(int(sort_code), int(account_number))
        if not found.known_sort_code:
            return AccountCheck.NOT_CHECKABLE
        return AccountCheck.FITS if found.result else AccountCheck.DOES_NOT_FIT

    def check_of(self, questions: Iterable[QuestionState]) -> AccountCheck | None:
        """The check of the account in an interview; None where its two numbers are not both known."""
        numbers = {
            state.question.kind: str(state.answer.value)
            for state in questions
            if state.relevant and state.answer and state.answer.has_value
        }
        if not {Kind.SORT_CODE, Kind.ACCOUNT_NUMBER} <= numbers.keys():
            return None
        return self.check(numbers[Kind.SORT_CODE], numbers[Kind.ACCOUNT_NUMBER])


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
