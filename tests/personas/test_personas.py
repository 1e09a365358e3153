"""Each persona is asked exactly what the claim needs: nothing is missing, and nothing is irrelevant."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from statistics import median
from typing import Any

import pytest

from chassis.errors import InvalidArgument
from chassis.outside import records
from intake.domain.answers import is_gap
from intake.domain.interview import Answer, Interview, facts, record_forms
from intake.domain.script import Kind, Question
from legacy_gateway import mapping
from legacy_gateway.domain import System
from tests.personas import model, outside
from tests.personas.domains import other_fields, others
from tests.personas.outside import SYSTEMS, Outcome, case_of, decisions, outcome
from tests.personas.persona import Call, Persona, answer_of, call_of, catalogue, evaluated, personas, script_of

NAMES = sorted(personas())
LONGEST_MINUTES, MEDIAN_MINUTES = 20, 12
SAME_NAMES = {"children": "children_nights", "children_nights": "children"}


@cache
def call(name: str) -> Call:
    return call_of(personas()[name])


def blocked(interview: Interview) -> frozenset[str]:
    return frozenset(missing.question_id for missing in interview.missing)


def outcome_of(persona: Persona, answers: dict[str, Answer]) -> Outcome:
    return outcome(persona, answers, held_up=blocked(evaluated(persona, answers)))


def changed(persona: Persona, answers: dict[str, Answer], question: Question, value: Any) -> Outcome | None:
    """The outcome with another answer; None where that answer is refused when it is given."""
    try:
        given = answer_of(persona, question, value)
    except InvalidArgument:
        return None
    return outcome_of(persona, answers | {question.id: given} | said_alike(answers, question.id, given))


def said_alike(answers: dict[str, Answer], name: str, given: Answer) -> dict[str, Answer]:
    """A person who renames a child does so in both lists that name it."""
    other = SAME_NAMES.get(name, "")
    before: Any = answers[name].value
    after: Any = given.value
    if other not in answers or len(before) != len(after):
        return {}
    renamed = {old["name"]: new["name"] for old, new in zip(before, after, strict=True)}
    rows: Any = answers[other].value
    return {
        other: replace(answers[other], value=[row | {"name": renamed.get(row["name"], row["name"])} for row in rows])
    }


def without_effect(persona: Persona, answers: dict[str, Answer], asked: tuple[str, ...]) -> Iterator[str]:
    """The questions, and the fields of groups, whose answer makes no difference whatever it is."""
    before, script = outcome_of(persona, answers), script_of(persona)
    for name in asked:
        question, value = script.questions[name], answers[name].value
        given = others(question, value, today=persona.called_on, options=options_of(persona, question))
        if not any(makes_a_difference(persona, answers, question, other, before) for other in given):
            yield name
        if question.kind is Kind.GROUP:
            yield from fields_without_effect(persona, answers, question, before)


def fields_without_effect(
    persona: Persona, answers: dict[str, Answer], question: Question, before: Outcome
) -> Iterator[str]:
    effect: dict[str, bool] = {}
    for field, groups in other_fields(question, answers[question.id].value, today=persona.called_on):
        effect[field] = effect.get(field, False) or any(
            makes_a_difference(persona, answers, question, group, before) for group in groups
        )
    yield from (f"{question.id}.{field}" for field, has_effect in effect.items() if not has_effect)


def makes_a_difference(
    persona: Persona, answers: dict[str, Answer], question: Question, other: Any, before: Outcome
) -> bool:
    """A yes or no that is refused, or holds up the claim, ends the path; another value that does is outside the domain."""
    after = changed(persona, answers, question, other)
    if after is None or (after.held_up and after.path == before.path):
        return question.kind is Kind.YES_NO
    return after != before


def options_of(persona: Persona, question: Question) -> tuple[str, ...]:
    return persona.councils if question.choices_from else ()


def test_there_are_the_fourteen_of_the_issue() -> None:
    assert len(NAMES) == 14


@pytest.mark.parametrize("name", NAMES)
def test_a_persona_is_asked_exactly_these_questions(name: str) -> None:
    persona = personas()[name]

    assert call(name).asked == persona.asked
    assert set(persona.answers) == set(persona.asked), "answers to questions that are not asked"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_missing_at_the_end_of_the_call(name: str) -> None:
    assert call(name).interview.missing == ()
    assert call(name).interview.remaining == 0


@pytest.mark.parametrize("name", NAMES)
def test_no_question_is_irrelevant(name: str) -> None:
    persona, made = personas()[name], call(name)

    assert list(without_effect(persona, dict(made.answers), made.asked)) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_persona_holds_the_line_for_twenty_minutes(name: str) -> None:
    assert model.minutes(call(name)) < LONGEST_MINUTES


def test_the_median_call_takes_twelve_minutes_at_most() -> None:
    assert median(model.minutes(call(name)) for name in NAMES) <= MEDIAN_MINUTES


@pytest.mark.parametrize("name", NAMES)
def test_a_fixed_script_asks_more_and_leaves_out_nothing_that_is_needed(name: str) -> None:
    fixed = model.fixed_script(personas()[name], call(name))

    assert set(call(name).asked) <= set(fixed)
    assert len(fixed) > len(call(name).asked)


def test_a_question_without_effect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "one_without_nino_address_or_bank_account"
    persona, made = personas()[name], call(name)
    known = {decision: goes_by for decision, goes_by in decisions().items() if decision != "repayment"}

    monkeypatch.setattr(outside, "decisions", lambda: known)

    assert list(without_effect(persona, dict(made.answers), made.asked)) == ["repay_weekly"]


def test_every_decision_of_the_catalogue_is_modelled() -> None:
    assert decisions().keys() == catalogue().decisions.keys()


def test_a_decision_goes_by_every_question_that_names_it() -> None:
    for name, decision in decisions().items():
        rules = [catalogue().compiler.value(rule) for rule in decision.rules]
        goes_by = {*decision.reads, *(part for rule in rules for part in rule.names)}
        needed_by = {
            question.id
            for question in catalogue().bank.values()
            if any(f"decision.{name}" in part.needed_by for part in (question, *question.fields))
        }

        assert needed_by <= goes_by, (name, needed_by - goes_by)


def test_every_mandatory_field_of_a_record_is_made_from_a_question() -> None:
    for scheme, record in records_of_schemes():
        script = catalogue().script_for([scheme])
        named = {
            name
            for question in script.questions.values()
            for part in (question, *question.fields)
            for name in part.needed_by
        }
        named |= {name for fact in script.derived for name in fact.needed_by}
        mandatory = {name for name, field in records()[record].fields.items() if field.mandatory is not False}

        assert mandatory - named == set(), record
    assert {scheme for scheme, _ in records_of_schemes()} == catalogue().schemes.keys()


def records_of_schemes() -> list[tuple[str, str]]:
    return [(scheme, phase.record) for scheme, system in SYSTEMS.items() for phase in mapping.sources(system).phases]


@pytest.mark.parametrize("name", NAMES)
def test_the_gateway_makes_every_record_of_a_persona_or_names_what_nobody_knows_yet(name: str) -> None:
    persona, made = personas()[name], call(name)
    told = facts(script_of(persona), made.answers, "legacy-gateway", contact_date=persona.called_on)
    case = case_of(persona, told | record_forms(made.answers, told))

    unfit = {
        question
        for scheme in persona.schemes
        for phase in mapping.sources(SYSTEMS[scheme]).phases
        for question in questions_that_keep_back(SYSTEMS[scheme], phase.number, case)
    }

    assert unfit <= without_value(made)


def questions_that_keep_back(system: System, phase: int, case: mapping.Case) -> set[str]:
    try:
        mapping.build(system, phase, case)
    except mapping.Unfit as unfit:
        return {message.question_id for message in unfit.messages}
    return set()


def without_value(made: Call) -> set[str]:
    """The questions to which the answer is a gap: the assessor fills it before the claim is confirmed."""
    return {question for question, answer in made.answers.items() if is_gap(answer.value)}
