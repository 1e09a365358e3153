"""Decisions on the benefits that open the gateway to housing benefit, and what the authority is told of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class AwardOutcome(StrEnum):
    """The outcome of a decision."""

    AWARDED = "AWARDED"
    DISALLOWED = "DISALLOWED"
    WITHDRAWN = "WITHDRAWN"
    """Ended without a decision: the claim for the benefit was withdrawn, not pursued, or a duplicate."""


class AwardBasis(StrEnum):
    """On what an award of Jobseeker's Allowance rests."""

    INCOME = "INCOME"
    CONTRIBUTION = "CONTRIBUTION"
    BOTH = "BOTH"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The newest decision on a scheme of the claim, or its end without one: then `from_day` is that day.

    `to_day` is the last day, None where the decision has no end.
    """

    scheme: str
    outcome: AwardOutcome
    basis: AwardBasis | None
    from_day: date
    to_day: date | None


@dataclass(frozen=True, kw_only=True)
class Award:
    """The award that the authority is told of: `benefit` is IS, JSA_IB, JSA_C, JSA_UNDECIDED (disallowed as a whole) or IB."""

    benefit: str
    outcome: AwardOutcome
    from_day: date
    to_day: date | None

    @property
    def is_passport(self) -> bool:
        """Whether the authority need not look at income and capital: Income Support or income-based JSA is paid."""
        return self.outcome is AwardOutcome.AWARDED and self.benefit in {"IS", "JSA_IB"}


# In the order in which a notice names the benefits: the first opens the gateway for certain.
_BENEFITS = {"INCOME_SUPPORT": "IS", "JOBSEEKERS_ALLOWANCE": "JSA_UNDECIDED", "INCAPACITY_BENEFIT": "IB"}
# An award that rests on both is a passport, as one on income alone is.
_BY_BASIS = {AwardBasis.INCOME: "JSA_IB", AwardBasis.BOTH: "JSA_IB", AwardBasis.CONTRIBUTION: "JSA_C"}


def award_of(decisions: Sequence[Decision]) -> Award | None:
    """The award that the authority is told of, by one of the decisions: an award first, then a disallowance, then the rest.

    None while nothing is decided that concerns it (a crisis loan and child maintenance do not).
    """
    told = [_award(decision) for decision in decisions if decision.scheme in _BENEFITS]
    return min(told, key=_rank, default=None)


def _rank(award: Award) -> tuple[int, bool, int]:
    order = ("IS", "JSA_IB", "JSA_UNDECIDED", "JSA_C", "IB")
    return list(AwardOutcome).index(award.outcome), not award.is_passport, order.index(award.benefit)


def _award(decision: Decision) -> Award:
    benefit = _BY_BASIS[decision.basis] if decision.basis else _BENEFITS[decision.scheme]
    return Award(benefit=benefit, outcome=decision.outcome, from_day=decision.from_day, to_day=decision.to_day)


def withdrawn(scheme: str, day: date) -> Decision:
    """The end of a scheme without a decision, on a day."""
    return Decision(scheme=scheme, outcome=AwardOutcome.WITHDRAWN, basis=None, from_day=day, to_day=None)
