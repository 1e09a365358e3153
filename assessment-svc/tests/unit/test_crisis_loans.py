from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from assessment.domain.crisis import Application, LoanDecision, LoanNotPossible, LoanOutcome
from chassis.errors import InvalidArgument


def application(**changes: Any) -> Application:
    known: dict[str, Any] = {
        "applied_on": date(2005, 7, 11),
        "cap": Decimal(1000),
        "born": date(1974, 8, 19),
        "reason": "AF",
        "interim_considered": True,
        "asked": Decimal("60.00"),
        "owed": Decimal("0.00"),
        "awards_in_year": None,
        "has_interview": False,
    }
    return Application(**known | changes)


def facts(**changes: Any) -> list[str]:
    return [found.field for found in application(**changes).obstacles()]


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"born": date(1989, 7, 12)}, "date_of_birth"),
        ({"born": None}, "date_of_birth"),
        ({"reason": None}, "crisis_reason"),
        ({"interim_considered": False}, "interim_considered"),
        ({"asked": None}, "amount"),
        ({"owed": None}, "existing_debt"),
        ({"owed": Decimal(1000)}, "existing_debt"),
        ({"awards_in_year": 2}, "awards_in_year"),
    ],
)
def test_what_stands_in_the_way_of_an_offer_is_named_by_its_fact(changes: dict[str, Any], fact: str) -> None:
    assert facts(**changes) == [fact]
    with pytest.raises(LoanNotPossible):
        application(**changes).check(Decimal("0.01"))


@pytest.mark.parametrize(
    "changes",
    [
        {"born": date(1989, 7, 11)},
        {"reason": "DI", "interim_considered": False},
        {"owed": Decimal("999.99")},
        {"awards_in_year": 1},
        {"awards_in_year": 2, "has_interview": True},
    ],
)
def test_a_case_at_the_edge_of_a_rule_can_be_offered_a_loan(changes: dict[str, Any]) -> None:
    assert facts(**changes) == []


def test_the_most_that_can_be_offered_is_what_was_asked_for_within_the_cap() -> None:
    assert application().most == Decimal("60.00")
    assert application(owed=Decimal("955.50")).most == Decimal("44.50")
    assert application(owed=Decimal("955.50"), cap=Decimal(1500)).most == Decimal("60.00")
    assert application(owed=Decimal(1200)).most == 0


def test_an_offer_over_the_most_is_refused() -> None:
    application().check(Decimal("60.00"))

    with pytest.raises(InvalidArgument) as refused:
        application().check(Decimal("60.01"))
    assert [violation.field for violation in refused.value.violations] == ["amount"]


@pytest.mark.parametrize("amount", ["", "0", "0.00", "-5.00", "60.001", "1e2", "NaN", "100000.00", "٣"])
def test_an_offer_needs_an_amount_in_pounds(amount: str) -> None:
    with pytest.raises(InvalidArgument):
        LoanDecision.of(LoanOutcome.OFFERED, amount=amount, reason="no food in the house")


def test_a_refusal_has_no_amount() -> None:
    assert LoanDecision.of(LoanOutcome.REFUSED, amount="", reason="has other means").amount is None
    with pytest.raises(InvalidArgument):
        LoanDecision.of(LoanOutcome.REFUSED, amount="60.00", reason="has other means")
