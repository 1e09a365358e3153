from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, StaleVersion
from intake.domain.claim import (
    Change,
    Claim,
    ClaimAmended,
    ClaimState,
    ClaimSubmitted,
    FirstContactRecorded,
    amend_answers,
    record_answers,
    submit,
)
from intake.domain.given import GivenAnswer
from intake.domain.interview import Answers, evaluate
from intake.domain.script import Script

CONTACT = date(2026, 3, 2)
STARTED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SUBMITTED = datetime(2026, 3, 2, 9, 48, tzinfo=UTC)


@pytest.fixture
def draft() -> Claim:
    return Claim(
        claim_ref="C0000000000A",
        schemes=("JOBSEEKERS_ALLOWANCE",),
        catalogue=1,
        state=ClaimState.DRAFT,
        version=1,
        language="EN",
        first_contact_time=STARTED,
        operator="OP000001",
        operator_grade="AO",
    )


@pytest.fixture
def submitted(draft: Claim) -> Claim:
    return replace(draft, state=ClaimState.SUBMITTED, version=9, submit_time=SUBMITTED, first_contact_recorded=True)


def given(**values: Any) -> dict[str, GivenAnswer]:
    return {name: GivenAnswer(value=value) for name, value in values.items()}


def names_refused(raised: Any) -> set[str]:
    return {violation.field for violation in raised.value.violations}


def test_several_answers_make_one_new_version(draft: Claim, script: Script) -> None:
    change = record_answers(draft, script, {}, given(surname="Hughes", sex="F"))

    assert change.claim.version == 2
    assert {name: answer.version for name, answer in change.changed.items()} == {"surname": 2, "sex": 2}
    assert change.events == ()


def test_repeated_answers_change_nothing(draft: Claim, script: Script, answered: Any) -> None:
    before = answered(surname="Hughes", children=[])

    change = record_answers(draft, script, before, given(surname="Hughes", children=[], title=None))

    assert change == Change(claim=draft, answers=before, changed={})


def test_null_clears_an_answer_and_makes_a_version(draft: Claim, script: Script, answered: Any) -> None:
    change = record_answers(draft, script, answered(title="MR"), given(title=None))

    assert change.changed["title"].value is None
    assert change.claim.version == 2


def test_the_first_contact_is_told_as_soon_as_it_is_known_and_again_where_its_facts_change(
    draft: Claim, script: Script, answered: Any, single_tenant: Any
) -> None:
    known = answered(**single_tenant)
    before = {name: answer for name, answer in known.items() if name != "wishes_housing_benefit"}

    first = record_answers(draft, script, before, given(wishes_housing_benefit=True))
    again = record_answers(first.claim, script, first.answers, given(wishes_housing_benefit=False))
    other = record_answers(again.claim, script, again.answers, given(title="MRS"))
    cleared = record_answers(other.claim, script, other.answers, given(surname=None))

    told = (FirstContactRecorded(first_contact_time=STARTED),)
    assert first.claim.first_contact_recorded
    assert (first.events, again.events, other.events, cleared.events) == (told, told, (), ())


def test_agreement_to_a_record_form_ends_when_the_value_changes(draft: Claim, script: Script) -> None:
    agreed = record_answers(draft, script, {}, {"surname": GivenAnswer(value="Siân", accept_transliteration=True)})
    same = record_answers(agreed.claim, script, agreed.answers, given(surname="Siân"))
    other = record_answers(agreed.claim, script, agreed.answers, given(surname="Siôn"))

    assert agreed.answers["surname"].record_form == "SIAN"
    assert same.changed == {}
    assert other.answers["surname"].record_form is None


def test_agreement_may_come_after_the_answer(draft: Claim, script: Script) -> None:
    recorded = record_answers(draft, script, {}, given(surname="Siân"))

    agreed = record_answers(
        recorded.claim, script, recorded.answers, {"surname": GivenAnswer(value="Siân", accept_transliteration=True)}
    )

    assert (agreed.claim.version, agreed.answers["surname"].record_form) == (3, "SIAN")


def test_the_answer_about_language_sets_the_claims_language(draft: Claim, script: Script) -> None:
    assert record_answers(draft, script, {}, given(language="CY")).claim.language == "CY"
    assert record_answers(draft, script, {}, given(surname="Hughes")).claim.language == "EN"


def test_a_complete_claim_is_submitted(draft: Claim, script: Script, answered: Any, single_tenant: Any) -> None:
    interview = evaluate(script, answered(**single_tenant), language="EN", contact_date=CONTACT)

    after, event = submit(draft, interview, at=SUBMITTED)

    assert (after.state, after.version, after.submit_time) == (ClaimState.SUBMITTED, 2, SUBMITTED)
    assert event == ClaimSubmitted(schemes=("JOBSEEKERS_ALLOWANCE",), submit_time=SUBMITTED, first_contact_time=STARTED)


def test_submitting_an_incomplete_claim_names_each_gap(
    draft: Claim, script: Script, answered: Any, single_tenant: Any
) -> None:
    answers = answered(**single_tenant | {"capital": {"gap": "NOT_KNOWN"}, "surname": "Łukasz", "sex": None})

    with pytest.raises(InvalidArgument) as raised:
        submit(draft, evaluate(script, answers, language="EN", contact_date=CONTACT), at=SUBMITTED)

    assert names_refused(raised) == {"capital", "surname", "sex"}


def test_a_submitted_claim_cannot_be_submitted_or_recorded_again(
    submitted: Claim, script: Script, answered: Any, single_tenant: Any
) -> None:
    answers = answered(**single_tenant)

    with pytest.raises(FailedPrecondition) as twice:
        submit(submitted, evaluate(script, answers, language="EN", contact_date=CONTACT), at=SUBMITTED)
    with pytest.raises(FailedPrecondition, match="AmendAnswers"):
        record_answers(submitted, script, answers, given(capital="1.00"))

    assert twice.value.reason == "CLAIM_SUBMITTED"


@pytest.fixture
def answers(answered: Any, single_tenant: Any) -> Answers:
    whole: Answers = answered(**single_tenant)
    return whole


def test_an_amendment_of_a_submitted_claim_announces_the_changed_facts(
    submitted: Claim, script: Script, answers: Answers
) -> None:
    change = amend_answers(submitted, script, answers, given(capital="999.00", wishes_housing_benefit=False))

    assert change.claim.version == 10
    assert change.events == (
        ClaimAmended(changed_fields=("wishes_housing_benefit", "capital", "rent_amount", "rent_period")),
    )


def test_an_amendment_of_a_draft_that_no_council_was_told_of_is_not_announced(
    draft: Claim, script: Script, answers: Answers
) -> None:
    contacted = replace(draft, first_contact_recorded=True)

    assert amend_answers(contacted, script, answers, given(capital="999.00")).events == ()


def test_an_amendment_that_changes_nothing_is_not_announced(submitted: Claim, script: Script, answers: Answers) -> None:
    assert amend_answers(submitted, script, answers, given(capital="350.00")).events == ()


def test_a_submitted_claim_stays_complete(submitted: Claim, script: Script, answers: Answers) -> None:
    with pytest.raises(InvalidArgument) as raised:
        amend_answers(submitted, script, answers, given(has_partner=True, partner_hours=3, sex=None))

    whole = amend_answers(
        submitted,
        script,
        answers,
        given(
            has_partner=True,
            partner_surname="Price",
            partner_forenames="Jo",
            partner_date_of_birth="1979-05-04",
            partner_nino={"gap": "NOT_KNOWN"},
            partner_hours=3,
            partner_claims="NONE",
            partner_excused="ABROAD",
        ),
    )

    assert names_refused(raised) == {
        "sex",
        "partner_surname",
        "partner_forenames",
        "partner_date_of_birth",
        "partner_nino",
        "partner_claims",
        "partner_excused",
    }
    assert whole.claim.version == 10


def test_gaps_from_before_an_amendment_do_not_block_it(submitted: Claim, script: Script, answers: Answers) -> None:
    asked_less = {name: answer for name, answer in answers.items() if name != "jury_service"}

    assert amend_answers(submitted, script, asked_less, given(capital="1.00")).changed


def test_a_name_corrected_after_submission_carries_its_proposal(
    submitted: Claim, script: Script, answers: Answers
) -> None:
    change = amend_answers(submitted, script, answers, given(surname="Łukasz"))

    state = next(
        part
        for part in evaluate(script, change.answers, language="EN", contact_date=CONTACT).questions
        if part.question.id == "surname"
    )
    assert state.proposal == "LUKASZ"


@pytest.mark.parametrize("state", [ClaimState.WITHDRAWN, ClaimState.CLOSED])
def test_withdrawn_and_closed_claims_cannot_be_amended(
    submitted: Claim, script: Script, answers: Answers, state: ClaimState
) -> None:
    with pytest.raises(FailedPrecondition):
        amend_answers(replace(submitted, state=state), script, answers, given(capital="1.00"))


def test_an_earlier_version_is_stale(draft: Claim) -> None:
    draft.expect_version(1)
    with pytest.raises(StaleVersion) as raised:
        replace(draft, version=3).expect_version(2)

    assert raised.value.metadata == {"given_version": "2", "current_version": "3"}
