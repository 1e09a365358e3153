"""The systems accept the records of any answers, or the gateway refuses them with a message that names the question."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain.answers import is_gap
from legacy_gateway import mapping
from legacy_gateway.domain import RefusalMessage, System

Objections = Callable[[str, bytes, date], set[str]]


def built(system: System, number: int, case: mapping.Case) -> tuple[bytes | None, tuple[RefusalMessage, ...]]:
    """The record, or the messages with which the gateway refuses it."""
    try:
        return mapping.build(system, number, case), ()
    except mapping.Unfit as unfit:
        return None, unfit.messages


@settings(max_examples=7, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_records_of_any_interview_are_accepted_or_wait_for_what_nobody_knows(
    seed: int, *, claimed: Any, objections: Objections
) -> None:
    *_, answers = claimed.interviews.at_random(seed)
    case = claimed.case(answers)

    for phase in mapping.sources(claimed.system).phases:
        payload, messages = built(claimed.system, phase.number, case)

        assert [message for message in messages if not is_excused(message, answers)] == []
        assert payload is None or objections(phase.record, payload, claimed.interviews.today) == set()


def is_excused(message: RefusalMessage, answers: Mapping[str, Any]) -> bool:
    """Whether the question has a gap, or two children have one name, or the record cannot hold all that is true."""
    given = answers[message.question_id].value
    return is_gap(given) or message.code == mapping.TOO_MUCH or message.field == "cots.children.date_of_birth"


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_proposal_that_nobody_agreed_to_is_refused_by_its_question(
    seed: int, *, claimed: Any, objections: Objections
) -> None:
    *_, agreed = claimed.interviews.at_random(seed)
    case = claimed.case({name: replace(answer, record_form=None) for name, answer in agreed.items()})

    for phase in mapping.sources(claimed.system).phases:
        payload, messages = built(claimed.system, phase.number, case)

        assert {message.question_id for message in messages} <= agreed.keys()
        assert payload is None or objections(phase.record, payload, claimed.interviews.today) == set()
