"""The award that an authority is told of, by the decisions on a claim."""

from datetime import date

import pytest

from la_notifier.domain.awards import AwardBasis, AwardOutcome, Decision, award_of, withdrawn

DAY = date(2005, 7, 7)
IS, JSA, IB, LOAN = "INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE", "INCAPACITY_BENEFIT", "CRISIS_LOAN"


def decision(scheme: str, outcome: str = "AWARDED", basis: str = "") -> Decision:
    return Decision(
        scheme=scheme,
        outcome=AwardOutcome(outcome),
        basis=AwardBasis(basis) if basis else None,
        from_day=DAY,
        to_day=None,
    )


@pytest.mark.parametrize(
    ("decisions", "benefit", "outcome", "is_passport"),
    [
        ([decision(IS)], "IS", "AWARDED", True),
        ([decision(IS, "DISALLOWED")], "IS", "DISALLOWED", False),
        ([decision(JSA, basis="INCOME")], "JSA_IB", "AWARDED", True),
        ([decision(JSA, basis="BOTH")], "JSA_IB", "AWARDED", True),
        ([decision(JSA, basis="CONTRIBUTION")], "JSA_C", "AWARDED", False),
        ([decision(JSA, "DISALLOWED")], "JSA_UNDECIDED", "DISALLOWED", False),
        ([decision(IB)], "IB", "AWARDED", False),
        ([decision(IS, "DISALLOWED"), decision(IB)], "IB", "AWARDED", False),
        ([decision(IB), decision(IS)], "IS", "AWARDED", True),
        ([decision(IB, "DISALLOWED"), decision(IS, "DISALLOWED")], "IS", "DISALLOWED", False),
        ([decision(LOAN), decision(IB)], "IB", "AWARDED", False),
        ([withdrawn(IS, DAY)], "IS", "WITHDRAWN", False),
        ([withdrawn(IS, DAY), decision(IB, "DISALLOWED")], "IB", "DISALLOWED", False),
        ([withdrawn(LOAN, DAY), withdrawn(JSA, DAY)], "JSA_UNDECIDED", "WITHDRAWN", False),
    ],
)
def test_the_authority_is_told_of_the_decision_that_matters_most_to_it(
    *, decisions: list[Decision], benefit: str, outcome: str, is_passport: bool
) -> None:
    award = award_of(decisions)

    assert award is not None
    assert (award.benefit, award.outcome, award.is_passport) == (benefit, outcome, is_passport)


@pytest.mark.parametrize("decisions", [[], [decision(LOAN)], [decision("CHILD_MAINTENANCE")]])
def test_the_authority_is_told_nothing_of_what_does_not_concern_it(decisions: list[Decision]) -> None:
    assert award_of(decisions) is None
