"""JSAPS accepts the records of any answers, or the gateway refuses them with a message that names the question."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_gateway import mapping
from legacy_gateway.domain import System
from simulators.jsaps import JSAPS
from simulators.record_link.edit_rules import rules_of
from simulators.record_link.link import Link, Message
from simulators.record_link.record import decode

DIALOGUES = {1: ("ES504", "JSAPS-ES"), 2: ("BA504", "JSAPS-BA")}


@pytest.fixture(scope="session")
def refusals(copybooks: Any, interviews: Any) -> Callable[[int, bytes], tuple[Message, ...]]:
    """Lists the objections of JSAPS's edit rules to the record of a phase."""
    link, rules = Link(JSAPS, copybooks), rules_of(JSAPS)

    def ask(phase: int, payload: bytes) -> tuple[Message, ...]:
        dialogue, record = DIALOGUES[phase]
        return rules.messages(dialogue, decode(link.layout(record), payload), received_on=interviews.today)

    return ask


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_jsaps_accepts_the_records_of_any_interview_that_the_gateway_lets_through(
    seed: int, *, interviews: Any, case_of: Any, refusals: Any
) -> None:
    *_, answers = interviews.at_random(seed)

    case = case_of(answers)

    for phase in DIALOGUES:
        try:
            payload = mapping.build(System.JSAPS, phase, case)
        except mapping.Unfit as unfit:
            questions = {message.question_id for message in unfit.messages}
            assert questions <= interviews.script.questions.keys()
        else:
            assert refusals(phase, payload) == ()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_proposal_that_nobody_agreed_to_is_refused_by_its_question(
    seed: int, *, interviews: Any, case_of: Any, refusals: Any
) -> None:
    *_, agreed = interviews.at_random(seed)
    case = case_of({name: replace(answer, record_form=None) for name, answer in agreed.items()})

    for phase in DIALOGUES:
        try:
            refused = {message.field for message in refusals(phase, mapping.build(System.JSAPS, phase, case))}
            questions = {mapping.question_of(System.JSAPS, field) for field in refused}
        except mapping.Unfit as unfit:
            questions = {message.question_id for message in unfit.messages}
        assert questions <= interviews.script.questions.keys()


def test_every_choice_that_becomes_a_record_code_has_one(interviews: Any) -> None:
    for record in ("JSAPS-ES", "JSAPS-BA"):
        for field, source in mapping.sources(System.JSAPS).fields[record].items():
            for name in source.from_facts if source.codes else ():
                choices = {choice.code for choice in interviews.script.questions[name].choices}
                assert choices <= source.codes.keys(), field


def test_the_gateway_may_see_every_fact_that_a_record_needs(interviews: Any) -> None:
    script = interviews.script
    seen = {name for name, question in script.questions.items() if "legacy-gateway" in question.seen_by}
    seen |= {fact.id for fact in script.derived if "legacy-gateway" in fact.seen_by}

    for fields in mapping.sources(System.JSAPS).fields.values():
        for field, source in fields.items():
            if source.question:
                assert set(source.from_facts) <= seen, field
                assert source.question in script.questions, field
