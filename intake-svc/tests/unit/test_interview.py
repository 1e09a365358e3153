from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from intake.domain.interview import (
    Answer,
    Blocker,
    evaluate,
    facts,
    first_contact_known,
    record_forms,
    security_questions,
    with_consent,
)
from intake.domain.script import Script

CONTACT = date(2026, 3, 2)


def blockers(interview: Any) -> dict[str, Blocker]:
    return {missing.question_id: missing.blocker for missing in interview.missing}


def relevant(interview: Any) -> set[str]:
    return {state.question.id for state in interview.questions if state.relevant}


def state_of(interview: Any, name: str) -> Any:
    return next(state for state in interview.questions if state.question.id == name)


def test_an_interview_begins_with_the_first_question_and_nothing_asked(evaluated: Any) -> None:
    interview = evaluated({})

    assert (interview.next_question_id, interview.asked) == ("can_manage_today", 0)
    assert blockers(interview)["surname"] is Blocker.REQUIRED
    to_ask = {state.question.section for state in interview.questions if state.relevant}
    assert not any(section.complete for section in interview.sections if section.section.id in to_ask)


def test_a_full_set_of_answers_can_be_submitted(evaluated: Any, answered: Any, single_tenant: Any) -> None:
    interview = evaluated(answered(**single_tenant))

    assert interview.missing == ()
    assert all(section.complete for section in interview.sections)
    assert interview.asked == len(single_tenant)


def test_optional_questions_are_asked_but_do_not_block_submission(
    evaluated: Any, answered: Any, single_tenant: Any
) -> None:
    given = answered(**single_tenant, email={"gap": "NOT_KNOWN"}, title=None)

    interview = evaluated(given)

    assert interview.next_question_id == "title"
    assert not state_of(interview, "email").is_open
    assert not interview.missing


def test_questions_not_answered_yet_are_asked_again_after_all_else(
    evaluated: Any, answered: Any, single_tenant: Any
) -> None:
    not_known = {"date_of_birth": {"gap": "NOT_KNOWN"}, "capital": {"gap": "WILL_SEND"}}
    optional = {
        state.question.id: {"gap": "NOT_KNOWN"}
        for state in evaluated(answered(**single_tenant)).questions
        if state.is_open
    }

    some_unasked = evaluated(answered(**single_tenant, **optional) | answered(**not_known) | answered(telephone=None))
    all_asked = evaluated(answered(**single_tenant, **optional) | answered(**not_known))

    assert some_unasked.next_question_id == "telephone"
    assert (all_asked.next_question_id, all_asked.remaining) == ("date_of_birth", 2)
    assert [missing.question_id for missing in all_asked.missing] == ["date_of_birth", "capital"]


def test_a_single_tenant_is_asked_far_fewer_questions_than_a_couple_with_children(
    evaluated: Any, answered: Any, single_tenant: Any, couple_with_children: Any
) -> None:
    single = evaluated(answered(**single_tenant))
    couple = evaluated(answered(**couple_with_children))

    assert not couple.missing
    assert len(relevant(single)) <= len(relevant(couple)) - 8


def test_every_question_is_counted_once(evaluated: Any, answered: Any, couple_with_children: Any) -> None:
    for taken in range(len(couple_with_children)):
        interview = evaluated(answered(**dict(list(couple_with_children.items())[:taken])))

        assert interview.asked + interview.remaining + interview.not_relevant == len(interview.questions)
        assert interview.next_question_id is not None


def test_a_question_whose_rule_is_still_unknown_is_not_relevant(evaluated: Any, answered: Any) -> None:
    assert "partner_surname" not in relevant(evaluated({}))
    assert "partner_surname" in relevant(evaluated(answered(has_partner=True)))


def test_a_gap_counts_as_missing_for_the_rules(evaluated: Any, answered: Any) -> None:
    known = answered(has_account=True, sort_code="20-00-00")
    gap = answered(has_account=True, sort_code={"gap": "WILL_SEND"})

    assert "account_number" in relevant(evaluated(known))
    assert "account_number" not in relevant(evaluated(gap))
    assert "sort_code" not in blockers(evaluated(gap))


def test_a_gap_that_is_not_allowed_blocks_submission(evaluated: Any, answered: Any, single_tenant: Any) -> None:
    given = answered(**single_tenant | {"capital": {"gap": "NOT_KNOWN"}})

    interview = evaluated(given)

    assert blockers(interview) == {"capital": Blocker.GAP_NOT_ALLOWED}
    assert state_of(interview, "capital").is_open


def test_an_answer_that_is_no_longer_relevant_is_kept_but_not_passed_on(
    script: Script, evaluated: Any, answered: Any, couple_with_children: Any
) -> None:
    given = answered(**couple_with_children | {"has_partner": False})

    state = state_of(evaluated(given), "partner_surname")

    assert (state.relevant, state.answer.value) == (False, "O'Brien")
    assert not {"partner_surname", "partner_nino"} & facts(script, given, "legacy-gateway", contact_date=CONTACT).keys()


def test_an_irrelevant_answer_makes_no_other_question_relevant(evaluated: Any, answered: Any) -> None:
    given = answered(tenure="NON_DEPENDANT", liable_for_rent=True, wishes_housing_benefit=True)

    assert not {"liable_for_rent", "wishes_housing_benefit", "rent_amount"} & relevant(evaluated(given))


def test_contradicting_answers_block_submission(script: Script, answered: Any, single_tenant: Any) -> None:
    given = answered(**single_tenant | {"last_job_ended": "1979-01-01"})

    interview = evaluate(script, given, language="CY", contact_date=CONTACT)

    assert blockers(interview) == {"last_job_ended": Blocker.CHECK_FAILED}
    problem = state_of(interview, "last_job_ended").problem
    assert problem.cy == "Daeth y swydd ddiwethaf i ben cyn i'r hawlydd gael ei eni."


def test_a_name_that_the_record_cannot_hold_waits_for_consent(
    script: Script, evaluated: Any, answered: Any, single_tenant: Any
) -> None:
    given = answered(**single_tenant | {"surname": "O’Brien-Łukasz"})

    interview = evaluated(given)
    agreed = given | {"surname": with_consent(script.questions["surname"], given["surname"])}

    assert state_of(interview, "surname").proposal == "O'BRIEN-LUKASZ"
    assert blockers(interview) == {"surname": Blocker.PROPOSAL_NOT_ACCEPTED}
    assert agreed["surname"].record_form == "O'BRIEN-LUKASZ"
    assert not evaluated(agreed).missing
    assert state_of(evaluated(agreed), "surname").proposal is None


def test_consent_changes_nothing_where_it_is_not_needed(script: Script) -> None:
    surname = script.questions["surname"]
    for answer in (
        Answer(value="Hughes", version=1),
        Answer(value="Siân", record_form="SIAN", version=1),
        Answer(value={"gap": "NOT_KNOWN"}, version=1),
    ):
        assert with_consent(surname, answer) == answer


def test_services_that_see_a_name_also_get_its_record_form(script: Script, answered: Any, single_tenant: Any) -> None:
    given = answered(**single_tenant) | {
        "surname": Answer(value="Siân", record_form="SIAN", version=2),
        "job_goal_1": Answer(value="Tŷ Coffi", record_form="TY COFFI", version=2),
    }

    assert facts(script, given, "legacy-gateway", contact_date=CONTACT)["surname"] == "Siân"
    assert record_forms(given, facts(script, given, "legacy-gateway", contact_date=CONTACT)) == {
        "surname": "SIAN",
        "job_goal_1": "TY COFFI",
    }
    assert record_forms(given, facts(script, given, "la-notifier", contact_date=CONTACT)) == {"surname": "SIAN"}
    assert record_forms(given, facts(script, given, "scheduling-svc", contact_date=CONTACT)) == {}


def test_authorities_get_no_bank_details_childrens_names_or_savings(
    script: Script, answered: Any, couple_with_children: Any
) -> None:
    seen = facts(script, answered(**couple_with_children), "la-notifier", contact_date=CONTACT)

    assert not {"sort_code", "account_number", "account_name", "capital", "sex"} & seen.keys()
    assert seen["capital_band"] == "UP_TO_6000"
    assert seen["children"] == [
        {"date_of_birth": "2015-01-31", "relationship": "SON_OR_DAUGHTER"},
        {"date_of_birth": "2018-07-01", "relationship": "STEPCHILD"},
    ]


def test_a_service_that_needs_no_facts_gets_none(script: Script, answered: Any, single_tenant: Any) -> None:
    assert facts(script, answered(**single_tenant), "scheduling-svc", contact_date=CONTACT) == {}


def test_a_couple_without_children_claims_jointly_if_one_was_born_after_28_october_1957(
    script: Script, answered: Any, couple_with_children: Any
) -> None:
    couple = couple_with_children | {"children": [], "date_of_birth": "1957-10-28"}

    def joint(partner_born: str) -> Any:
        given = answered(**couple | {"partner_date_of_birth": partner_born})
        return facts(script, given, "legacy-gateway", contact_date=CONTACT)["joint_claim"]

    assert joint("1957-10-29") is True
    assert joint("1957-10-28") is False
    assert (
        facts(script, answered(**couple_with_children), "legacy-gateway", contact_date=CONTACT)["joint_claim"] is False
    )
    assert facts(script, answered(has_partner=False), "legacy-gateway", contact_date=CONTACT)["joint_claim"] is False


def test_only_answered_questions_can_show_who_is_calling(script: Script, answered: Any) -> None:
    given = answered(
        surname="Hughes", date_of_birth="1980-02-29", telephone={"gap": "NOT_KNOWN"}, last_job_ended="2026-01-01"
    )

    assert security_questions(script, given, contact_date=CONTACT) == ("date_of_birth",)


IDENTITY: dict[str, Any] = {
    "surname": "Hughes",
    "forenames": "Ann",
    "date_of_birth": "1980-02-29",
    "address": {"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"},
}


def test_a_first_contact_is_known_once_liability_and_the_wish_to_claim_are_known(script: Script, answered: Any) -> None:
    def known(**values: Any) -> bool:
        return first_contact_known(script, answered(**IDENTITY, **values), contact_date=CONTACT)

    assert not known()
    assert not known(tenure="COUNCIL_TENANT", liable_for_rent=True, liable_for_council_tax=False)
    assert known(tenure="NON_DEPENDANT")
    assert known(tenure="COUNCIL_TENANT", liable_for_rent=False, liable_for_council_tax=False)
    assert known(tenure="LODGER", liable_for_rent=True, liable_for_council_tax=False, wishes_housing_benefit=False)
    assert known(tenure="OWNER_OCCUPIER", liable_for_council_tax=True, wishes_council_tax_benefit=True)


def test_a_first_contact_needs_the_whole_identity_except_the_nino(script: Script, answered: Any) -> None:
    for left_out in IDENTITY:
        given = {name: value for name, value in IDENTITY.items() if name != left_out}

        assert not first_contact_known(script, answered(**given, tenure="NON_DEPENDANT"), contact_date=CONTACT)
    not_liable = answered(**IDENTITY, tenure="NON_DEPENDANT", nino={"gap": "NOT_KNOWN"})
    assert first_contact_known(script, not_liable, contact_date=CONTACT)


@given(random=st.randoms(use_true_random=False))
def test_the_order_of_answering_changes_nothing(
    random: Any, script: Script, answered: Any, evaluated: Any, couple_with_children: Any
) -> None:
    chosen = random.sample(sorted(couple_with_children), random.randint(0, len(couple_with_children)))
    given = answered(**{name: couple_with_children[name] for name in chosen})

    assert evaluated(given) == evaluated(dict(sorted(given.items())))
    assert facts(script, given, "la-notifier", contact_date=CONTACT) == facts(
        script, dict(sorted(given.items())), "la-notifier", contact_date=CONTACT
    )


def test_an_answer_to_an_unknown_question_is_ignored(evaluated: Any) -> None:
    given = {"favourite_colour": Answer(value="green", version=1)}

    assert evaluated(given) == evaluated({})
