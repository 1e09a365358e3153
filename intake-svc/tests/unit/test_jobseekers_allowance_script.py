"""The script is complete, in two languages, and supplies every fact that other services need."""

import re
from collections.abc import Iterator
from typing import Any

from chassis.errors import Text
from intake.domain.script import Field, Kind, Script

# Words that are the same in both languages.
SHARED = {"Mr", "Mrs", "Miss", "Ms", "Mx", "Doctor"}

# The claimant's facts in the records of both JSAPS phases (copybooks CLMCOMN, JSAPS-ES and JSAPS-BA).
RECORD_FACTS = {
    "nino", "title", "surname", "forenames", "date_of_birth", "sex", "address", "telephone", "language",
    "sort_code", "account_number", "account_name", "roll_number", "has_partner", "partner_nino", "partner_surname",
    "partner_date_of_birth", "partner_hours", "available_from", "hours_available", "restrictions", "job_goal_1",
    "job_goal_2", "job_goal_3", "ever_worked", "last_job_ended", "last_job_reason", "last_employer", "joint_claim",
    "earlier_claim", "backdate_to", "capital", "pension_weekly", "part_time_earnings", "jury_service",
    "education_hours",
}  # fmt: skip

# The claimant's facts in a notice to the local authority.
NOTICE_FACTS = {
    "nino", "title", "surname", "forenames", "date_of_birth", "partner_surname", "partner_forenames", "address",
    "tenure", "landlord", "rent_amount", "rent_period", "moved_in_on", "children", "non_dependants", "other_income",
    "capital_band", "language", "liable_for_rent", "liable_for_council_tax", "wishes_housing_benefit",
    "wishes_council_tax_benefit",
}  # fmt: skip


def fields(script: Script) -> Iterator[Field]:
    for question in script.questions.values():
        yield question
        yield from question.fields


def texts(script: Script) -> Iterator[Text]:
    yield from (section.name for section in script.sections)
    for field in fields(script):
        yield field.text
        yield from (choice.text for choice in field.choices)
    for question in script.questions.values():
        yield from (check.problem for check in question.checks)
        if question.help:
            yield question.help


def seen_by(script: Script, consumer: str) -> set[str]:
    facts: list[Any] = [*script.questions.values(), *script.derived]
    return {fact.id for fact in facts if consumer in fact.seen_by}


def test_every_text_exists_in_english_and_in_welsh(script: Script) -> None:
    for text in texts(script):
        assert text.en.strip()
        assert text.cy.strip()
        assert text.en != text.cy or text.en in SHARED, text.en


def test_no_welsh_text_is_left_in_english(script: Script) -> None:
    english = re.compile(r"\b(the|your|you|what|which|how|are|does|have|for|with|and)\b", re.IGNORECASE)

    assert not [text.cy for text in texts(script) if english.search(text.cy)]


def test_the_sections_come_in_the_order_of_the_call(script: Script) -> None:
    order = [
        "emergency", "safety", "call", "identity", "claim", "family", "contact", "housing", "residence", "work",
        "availability", "income", "disability", "maintenance", "tenancy", "bank", "declaration",
    ]  # fmt: skip

    assert [section.id for section in script.sections] == order
    assert {question.section for question in script.questions.values()} == {section.id for section in script.sections}


def test_every_field_of_both_records_that_comes_from_the_claimant_is_supplied(script: Script) -> None:
    assert RECORD_FACTS - seen_by(script, "legacy-gateway") == set()


def test_every_field_of_a_notice_is_supplied(script: Script) -> None:
    assert NOTICE_FACTS - seen_by(script, "la-notifier") == set()


def test_only_the_gateway_and_the_notifier_see_facts(script: Script) -> None:
    seen = {service for field in fields(script) for service in field.seen_by}

    assert seen == {"legacy-gateway", "la-notifier", "la-notifier/messages"}
    assert not {"has_account", "sort_code", "account_number", "capital"} & seen_by(script, "la-notifier")


def test_text_for_a_record_has_the_records_rule(script: Script) -> None:
    texts_sent = [
        question
        for question in script.questions.values()
        if question.kind in {Kind.TEXT, Kind.NAME, Kind.ADDRESS} and "legacy-gateway" in question.seen_by
    ]

    assert [question.id for question in texts_sent if question.record is None] == []


def test_titles_fit_the_records_four_characters(script: Script) -> None:
    assert all(len(choice.code) <= 4 for choice in script.questions["title"].choices)


def test_a_long_interview_takes_at_most_twenty_minutes(
    answered: Any, evaluated: Any, couple_with_children: Any
) -> None:
    asked = [state.question for state in evaluated(answered(**couple_with_children)).questions if state.relevant]

    assert sum(question.seconds for question in asked) <= 20 * 60


def test_security_questions_ask_for_facts_that_others_hardly_know(script: Script) -> None:
    usable = {question.id for question in script.questions.values() if question.security}

    assert {"date_of_birth", "account_number"} <= usable
    assert not {"nino", "surname", "sex"} & usable
