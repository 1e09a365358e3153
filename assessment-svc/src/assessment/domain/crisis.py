"""Crisis loans of the Social Fund: what stands in the way of an offer, and the decision. Amounts are pounds.

A loan is for somebody of 16 or over, in an emergency or disaster, who has no other means. Where the need comes from a delayed
claim an interim payment is considered first. What is owed may not go over a cap, by the day of the application.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation

YOUNGEST = 16
"""Social Fund Direction 14: a crisis loan is made to nobody under this age."""
AWAITS_FIRST_PAYMENT = "AF"
"""The reason of need by which a claim's first payment is awaited (edit rule SF0021)."""
AWARDS_WITHOUT_INTERVIEW = 2
"""In twelve months; a third is made only after an interview (House of Commons, 28 January 2010)."""
_AMOUNT = re.compile(r"[0-9]{1,5}(\.[0-9]{2})?")


class LoanOutcome(StrEnum):
    """The decision on an application."""

    OFFERED = "OFFERED"
    REFUSED = "REFUSED"


class NoCrisisLoan(NotFound):
    """The claim asks for no crisis loan."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__("NO_CRISIS_LOAN", "the claim asks for no crisis loan", metadata={"claim_ref": claim_ref})


class LoanNotPossible(FailedPrecondition):
    """The rules of the Social Fund stand in the way; the violations name the facts."""

    def __init__(self, obstacles: list[Violation]) -> None:
        super().__init__("LOAN_NOT_POSSIBLE", "the rules do not allow this loan", violations=obstacles)


@dataclass(frozen=True, kw_only=True)
class Application:
    """The facts that the decision rests on. None: the fact is not known. `cap`: the most that may be owed on `applied_on`.

    `awards_in_year` counts the loans of the last twelve months; None where nobody asks, before 30 October 2009.
    """

    applied_on: date
    cap: Decimal
    born: date | None
    reason: str | None
    interim_considered: bool
    asked: Decimal | None
    owed: Decimal | None
    awards_in_year: int | None
    has_interview: bool

    @property
    def most(self) -> Decimal:
        """The most that can be offered."""
        if self.asked is None or self.owed is None:
            return Decimal(0)
        return max(Decimal(0), min(self.asked, self.cap - self.owed))

    def obstacles(self) -> Iterator[Violation]:
        """The obstacles to any offer, by fact."""
        if self.born is None or _years(self.born, self.applied_on) < YOUNGEST:
            yield Violation(field="date_of_birth", description=f"a crisis loan is made to nobody under {YOUNGEST}")
        if self.reason is None:
            yield Violation(field="crisis_reason", description="the reason of the need is not known")
        if self.reason == AWAITS_FIRST_PAYMENT and not self.interim_considered:
            yield Violation(field="interim_considered", description="an interim payment is considered first")
        for fact, known in (("amount", self.asked), ("existing_debt", self.owed)):
            if known is None:
                yield Violation(field=fact, description="is not known")
        if self.owed is not None and self.owed >= self.cap:
            yield Violation(field="existing_debt", description="so much is owed that no loan can be made")
        if (self.awards_in_year or 0) >= AWARDS_WITHOUT_INTERVIEW and not self.has_interview:
            yield Violation(
                field="awards_in_year",
                description="a third loan in twelve months needs an interview: book one for today",
            )

    def check(self, offered: Decimal) -> None:
        """Raises LoanNotPossible, and InvalidArgument for an amount over the most that can be offered."""
        if found := list(self.obstacles()):
            raise LoanNotPossible(found)
        if offered > self.most:
            raise InvalidArgument.of(
                Violation(
                    field="amount",
                    description="is more than was asked for, or brings the debt over the cap: GetCrisisLoan shows the most",
                )
            )


@dataclass(frozen=True, kw_only=True)
class LoanDecision:
    """The decision on an application. `amount` is what is lent: None for a refusal."""

    outcome: LoanOutcome
    amount: Decimal | None
    reason: str

    @classmethod
    def of(cls, outcome: LoanOutcome, *, amount: str, reason: str) -> Self:
        """The decision as it was given. Raises InvalidArgument naming `amount`."""
        if outcome is LoanOutcome.OFFERED:
            return cls(outcome=outcome, amount=_offered(amount), reason=reason)
        if amount:
            raise InvalidArgument.of(Violation(field="amount", description="goes with OFFERED alone"))
        return cls(outcome=outcome, amount=None, reason=reason)


@dataclass(frozen=True, kw_only=True)
class LoanDecided:
    """A decision that was made: by whom, at which office, when."""

    decision: LoanDecision
    office_code: str
    decided_by: str
    decided_time: datetime


def _offered(amount: str) -> Decimal:
    if not _AMOUNT.fullmatch(amount) or Decimal(amount) == 0:
        raise InvalidArgument.of(
            Violation(field="amount", description="must be an amount in pounds above zero, such as 60.00")
        )
    return Decimal(amount).quantize(Decimal("0.01"))


def _years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
