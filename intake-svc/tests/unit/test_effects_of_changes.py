"""The effect of a change before it is saved: which outside fields read what changes, for the claim's own schemes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.claim import Change, Claim, ClaimState, CrisisLoanRequested, amend_answers, record_answers
from intake.domain.given import GivenAnswer
from intake.domain.interview import Answer
from intake.domain.script import Script
from intake.service.effects import EffectShown, shown_effect

CATALOGUE = load_catalogues().newest
NINE = datetime(2005, 7, 11, 8, tzinfo=UTC)
SINGLE: dict[str, Any] = {
    "surname": "Hughes",
    "forenames": "Ann",
    "has_partner": False,
    "children": [{"name": "Mia", "date_of_birth": "2000-01-31", "relationship": "SON_OR_DAUGHTER"}],
    "ever_worked": True,
    "claims_income_based": True,
    "capital": "350.00",
    "tenure": "COUNCIL_TENANT",
    "liable_for_rent": True,
    "liable_for_council_tax": True,
    "wishes_housing_benefit": True,
    "wishes_council_tax_benefit": True,
    "rent_amount": "91.50",
}


def claim_for(*schemes: str) -> Claim:
    return Claim(
        claim_ref="C00000000000",
        schemes=schemes,
        catalogue=CATALOGUE.number,
        state=ClaimState.DRAFT,
        version=4,
        language="EN",
        first_contact_time=NINE,
        first_contact_recorded=True,
        operator="OP000001",
        operator_grade="AO",
    )


def given(script: Script, values: dict[str, Any]) -> dict[str, GivenAnswer]:
    today = date(2005, 7, 11)
    return {
        name: GivenAnswer(value=validate_answer(script.questions, name, value, today=today))
        for name, value in values.items()
        if name in script.questions
    }


def effect(schemes: tuple[str, ...], **changes: Any) -> EffectShown:
    script = CATALOGUE.script_for(schemes)
    before = {name: Answer(value=of.value, version=1) for name, of in given(script, SINGLE).items()}
    change = amend_answers(claim_for(*schemes), script, before, given(script, changes))
    return shown_effect(CATALOGUE, script, before, change)


def fields(shown: EffectShown) -> set[str]:
    return {part.field for part in shown.outside_fields}


def test_only_fields_of_records_of_the_claims_own_schemes_are_named() -> None:
    jobseeker = effect(("JOBSEEKERS_ALLOWANCE",), capital="400.00")
    both = effect(("INCOME_SUPPORT", "JOBSEEKERS_ALLOWANCE"), capital="400.00")

    assert jobseeker.effect.changed_fields[0] == "capital"
    assert "JB-CAPITAL" in fields(jobseeker)
    assert "IS-CAPITAL" not in fields(jobseeker)
    assert {"JB-CAPITAL", "IS-CAPITAL"} <= fields(both)


def test_a_changed_name_reaches_each_record_and_the_notice() -> None:
    shown = effect(("JOBSEEKERS_ALLOWANCE",), surname="Price")

    read = {(part.record, part.field) for part in shown.outside_fields}
    assert {("JSAPS-ES", "CM-SURNAME"), ("JSAPS-BA", "CM-SURNAME"), ("notice", "notice.claimant.surname")} <= read
    assert shown.sends_notice


def test_of_a_group_only_the_readers_of_the_fields_that_changed_are_named() -> None:
    child = SINGLE["children"][0]

    renamed = effect(("INCOME_SUPPORT",), children=[{**child, "name": "May"}])

    assert "IS-CHILD-NAME" in fields(renamed)
    assert "IS-CHILD-DOB" not in fields(renamed)


def test_questions_that_come_and_go_are_named_and_the_notice_ends_with_the_wish() -> None:
    shown = effect(("JOBSEEKERS_ALLOWANCE",), wishes_housing_benefit=False, wishes_council_tax_benefit=False)
    partner = effect(("JOBSEEKERS_ALLOWANCE",), has_partner=True)

    assert "rent_amount" in shown.effect.not_relevant
    assert shown.sends_notice
    assert "partner_surname" in partner.effect.relevant


LOAN: dict[str, Any] = {
    "surname": "Hughes",
    "forenames": "Ann",
    "date_of_birth": "1980-02-29",
    "address": {"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"},
    "crisis_reason": "AF",
    "what_happened": "The first payment has not come",
    "at_risk": "No food for the child",
    "amount": "60.00",
    "existing_debt": "0.00",
    "other_resources": "2.50",
    "money_needed_by": "2005-07-12",
}


def asked_for(values: dict[str, Any]) -> Change:
    script = CATALOGUE.script_for(["CRISIS_LOAN"])
    return record_answers(claim_for("CRISIS_LOAN"), script, {}, given(script, values))


def test_a_crisis_loan_is_announced_once_its_facts_are_known_and_an_interim_payment_was_considered() -> None:
    early = asked_for(LOAN)
    not_considered = asked_for(LOAN | {"interim_considered": False})
    known = asked_for(LOAN | {"interim_considered": True})

    assert CrisisLoanRequested() not in early.events
    assert CrisisLoanRequested() not in not_considered.events
    assert known.events[0] == CrisisLoanRequested()
    assert known.claim.crisis_loan_requested


def test_a_crisis_loan_is_announced_once() -> None:
    script = CATALOGUE.script_for(["CRISIS_LOAN"])
    known = asked_for(LOAN | {"interim_considered": True})

    again = record_answers(known.claim, script, known.answers, given(script, {"amount": "50.00"}))

    assert again.events == ()


@pytest.mark.parametrize("schemes", [("INCOME_SUPPORT",), ("JOBSEEKERS_ALLOWANCE",)])
def test_no_crisis_loan_is_announced_for_other_schemes(schemes: tuple[str, ...]) -> None:
    script = CATALOGUE.script_for(schemes)
    draft = replace(claim_for(*schemes), first_contact_recorded=False)

    assert not any(
        isinstance(event, CrisisLoanRequested)
        for event in record_answers(draft, script, {}, given(script, SINGLE)).events
    )
