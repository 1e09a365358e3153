"""Properties of the engine on catalogue 2, of any schemes: claims can be completed, order does not matter, nothing is lost."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.interview import Answer, Interview, QuestionState, evaluate, facts, with_consent
from intake.domain.place import Place
from intake.domain.script import Field, Kind, Question, Script

CONSUMERS = ("legacy-gateway", "la-notifier")
FEW, MANY = 10, 500
"""Examples in `make test`, and in the long forms."""
SEEDS = st.integers(0, 2**32)
Answers = dict[str, Answer]


@cache
def script_for(schemes: tuple[str, ...]) -> Script:
    return load_catalogues()[2].script_for(schemes)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Gives answers at random; one seed gives one claim, made while every scheme is open."""

    random: random.Random
    script: Script
    today: date

    def evaluated(self, answers: Mapping[str, Answer]) -> Interview:
        return evaluate(self.script, answers, language="EN", contact_date=self.today)

    def told(self, answers: Mapping[str, Answer]) -> list[dict[str, Any]]:
        return [facts(self.script, answers, consumer, contact_date=self.today) for consumer in CONSUMERS]

    def given(self, question: Question, value: Any) -> Answer | None:
        """The answer as it is kept, with agreement to its form in a record; None where it is refused."""
        try:
            read = validate_answer(self.script.questions, question.id, value, today=self.today)
        except InvalidArgument:
            return None
        place = Place(is_listed=True, councils=()) if question.located else None
        return with_consent(question, Answer(value=read, place=place, version=1))

    def any_answer(self, question: Question) -> Answer | None:
        if self.random.random() < 0.1:
            return self.given(question, {"gap": "NOT_KNOWN"})
        return self.given(question, self.random.choice(list(values(question, self.today))))

    def any_state(self) -> Answers:
        """Answers to any of the questions, in any order, relevant or not."""
        names = list(self.script.questions)
        asked = self.random.sample(names, self.random.randrange(len(names)))
        answers = {name: self.any_answer(self.script.questions[name]) for name in asked}
        return {name: answer for name, answer in answers.items() if answer is not None}

    def completed(self, answers: Answers) -> Answers:
        """Answers what is open until the claim can be submitted and nothing is left to ask."""
        answers = dict(answers)
        for _ in range(200):
            still_open = [state for state in self.evaluated(answers).questions if state.is_open]
            if not still_open:
                return answers
            unsettled = [state for state in still_open if state.problem]
            answers |= self._settling(answers, unsettled) if unsettled else self._at_once(still_open)
        raise AssertionError(f"the claim cannot be completed: {[state.question.id for state in still_open]}")

    def _at_once(self, states: list[QuestionState]) -> Answers:
        """An answer to each, whatever checks say of them together."""
        found = {state.question.id: next(filter(None, self._shuffled(state.question)), None) for state in states}
        return {name: answer for name, answer in found.items() if answer}

    def _settling(self, answers: Answers, states: list[QuestionState]) -> Answers:
        """An answer that closes one of the questions: its own, or one to a question that its checks name."""
        for asked in (state.question for state in states):
            named = {name for check in asked.cross_checks for name in check.rule.names} & self.script.questions.keys()
            for question in (asked, *(self.script.questions[name] for name in sorted(named - {asked.id}))):
                for answer in self._shuffled(question):
                    if answer and not self._is_open(answers | {question.id: answer}, asked.id):
                        return {question.id: answer}
        raise AssertionError(f"no answer settles any of {[state.question.id for state in states]}")

    def _shuffled(self, question: Question) -> Iterator[Answer | None]:
        known = list(values(question, self.today))
        self.random.shuffle(known)
        yield from (self.given(question, value) for value in known)

    def _is_open(self, answers: Answers, name: str) -> bool:
        return next(state.is_open for state in self.evaluated(answers).questions if state.question.id == name)


def values(question: Question, today: date) -> Iterator[Any]:
    """Plausible values of a question of this kind; some break a check."""
    if question.choices_from:
        yield "E08000035"
    elif question.kind is Kind.GROUP:
        yield []
        parts = {field.id: list(of_a_field(field, today)) for field in question.fields}
        for at in range(12):
            yield [{name: known[at % len(known)] for name, known in parts.items()}]
    else:
        yield from of_a_field(question, today)


def of_a_field(field: Field, today: date) -> Iterator[Any]:
    codes = [choice.code for choice in field.choices]
    known: dict[Kind, list[Any]] = {
        Kind.YES_NO: [True, False],
        Kind.CHOICE: codes,
        Kind.CHOICES: [[], codes[:1]],
        Kind.TEXT: ["Nobody", "Leeds"],
        Kind.NAME: ["Ann"],
        Kind.NINO: ["AB123456C", "CE123456A", "AE123456B"],
        Kind.PHONE: ["0113 496 0999"],
        Kind.EMAIL: ["a@example.com"],
        Kind.SORT_CODE: ["200000"],
        Kind.ACCOUNT_NUMBER: ["12345678"],
        Kind.POSTCODE: ["LS1 4AP"],
        Kind.MONEY: ["0.00", "5.00", "400.00", "9000.00", "20000.00"],
        Kind.NUMBER: [0, 8, 16, 40],
        Kind.ADDRESS: [{"lines": ["1 High Street", "Leeds"], "postcode": "LS1 4AP"}],
    }
    days = (0, -1, -5, 1, 30, -60, -2500, -6700, -9000, -13000, -20000)
    dates = [(today + timedelta(days=day)).isoformat() for day in days]
    yield from known.get(field.kind, dates)


def caller(seed: int) -> Caller:
    source = random.Random(seed)
    names = sorted(load_names())
    schemes = tuple(sorted(source.sample(names, source.randint(1, len(names)))))
    today = date(2005, 1, 3) + timedelta(days=source.randrange(1200))
    return Caller(random=source, script=script_for(schemes), today=today)


@cache
def load_names() -> frozenset[str]:
    return frozenset(load_catalogues()[2].schemes)


def a_claim_can_be_completed_from_any_state(seed: int) -> None:
    person = caller(seed)

    answers = person.completed(person.any_state())

    assert person.evaluated(answers).missing == ()
    assert person.evaluated(answers).remaining == 0


def any_order_and_any_slip_give_the_claim_of_right_answers(seed: int) -> None:
    person = caller(seed)
    right = person.completed({})
    slips = [(name, answer) for name in right if (answer := person.any_answer(person.script.questions[name]))]
    corrections = list(right.items())
    person.random.shuffle(slips)
    person.random.shuffle(corrections)

    kept = dict(slips)
    for name, answer in corrections:
        kept[name] = answer

    assert person.evaluated(kept).questions == person.evaluated(right).questions
    assert person.told(kept) == person.told(right)


def what_is_no_longer_relevant_is_kept_back_and_comes_again(seed: int) -> None:
    person = caller(seed)
    before = person.completed({})
    questions = [state.question for state in person.evaluated(before).questions if state.relevant]
    changed = person.random.choice([question.id for question in questions if question.kind is Kind.YES_NO])
    other = person.given(person.script.questions[changed], not before[changed].value)

    if other is None:  # the declaration: there is no other path
        return
    meanwhile = person.evaluated(before | {changed: other})

    shown = {state.question.id: state for state in meanwhile.questions}
    kept_back = [name for name in before if not shown[name].relevant]
    assert all(shown[name].answer == before[name] for name in kept_back if before[name].value is not None)
    assert not any(told.keys() & set(kept_back) for told in person.told(before | {changed: other}))
    again = before | {changed: other} | {changed: before[changed]}
    assert person.evaluated(again) == person.evaluated(before)
    assert person.told(again) == person.told(before)


@settings(max_examples=FEW, deadline=None)
@given(seed=SEEDS)
def test_a_claim_can_be_completed_from_any_state(seed: int) -> None:
    a_claim_can_be_completed_from_any_state(seed)


@settings(max_examples=FEW, deadline=None)
@given(seed=SEEDS)
def test_any_order_and_any_slip_give_the_claim_of_right_answers(seed: int) -> None:
    any_order_and_any_slip_give_the_claim_of_right_answers(seed)


@settings(max_examples=FEW, deadline=None)
@given(seed=SEEDS)
def test_answers_no_longer_relevant_are_kept_back_and_come_again(seed: int) -> None:
    what_is_no_longer_relevant_is_kept_back_and_comes_again(seed)


@pytest.mark.long
@settings(max_examples=MANY, deadline=None)
@given(seed=SEEDS)
def test_a_claim_can_be_completed_from_any_of_many_states(seed: int) -> None:
    a_claim_can_be_completed_from_any_state(seed)


@pytest.mark.long
@settings(max_examples=MANY, deadline=None)
@given(seed=SEEDS)
def test_many_orders_and_slips_give_the_claim_of_right_answers(seed: int) -> None:
    any_order_and_any_slip_give_the_claim_of_right_answers(seed)


@pytest.mark.long
@settings(max_examples=MANY, deadline=None)
@given(seed=SEEDS)
def test_on_many_paths_what_is_no_longer_relevant_comes_again(seed: int) -> None:
    what_is_no_longer_relevant_is_kept_back_and_comes_again(seed)
