"""A client that knows only the contract's question kinds drives interviews to submission with random answers."""

import random
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from intake.domain.answers import validate_answer
from intake.domain.interview import (
    Answer,
    QuestionState,
    evaluate,
    facts,
    first_contact_known,
    known_values,
    security_questions,
    with_consent,
)
from intake.domain.script import Field, Kind, Question, Script

NAMES = ["Hughes", "O’Brien-Łukasz", "Siân", "李", "van der Berg", "x" * 50, "D'Arcy", "ﻣﺮﻳﻢ", "A" * 34 + " B"]
TEXTS = ["Bookkeeper", "Tŷ Coffi", "Ölçü & Sons (Leeds)", "night work 🙂 only", "a" * 90, "£12 an hour"]
POSTCODES = ["LS1 4AP", "cf101ep", "EH1 1BB"]


class Driver:
    """Answers by kind alone; about one answer in eight is a gap."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = random.Random(seed)
        self._today = today

    def answer(self, question: Question) -> Any:
        if self._random.random() < 0.12:
            return {"gap": self._random.choice(["NOT_KNOWN", "WILL_SEND"])}
        if question.kind is Kind.GROUP:
            return [self._entry(question) for _ in range(self._random.randrange(3))]
        return self._value(question)

    def pick(self, states: list[QuestionState]) -> QuestionState:
        return self._random.choice(states)

    def _entry(self, question: Question) -> dict[str, Any]:
        fields = [field for field in question.fields if field.required or self._random.random() < 0.5]
        return {field.id: self._value(field) for field in fields}

    def _value(self, field: Field) -> Any:
        choice = self._random.choice
        codes = [option.code for option in field.choices]
        makers: dict[Kind, Any] = {
            Kind.YES_NO: lambda: choice([True, False]),
            Kind.CHOICE: lambda: choice(codes),
            Kind.CHOICES: lambda: self._random.sample(codes, self._random.randrange(len(codes))),
            Kind.TEXT: lambda: choice(TEXTS),
            Kind.NAME: lambda: choice(NAMES),
            Kind.NINO: lambda: f"{choice(['AB', 'CE', 'jk'])} {self._random.randrange(10**6):06} {choice('ABCD')}",
            Kind.PHONE: lambda: choice(["0113 496 0999", "+48 22 123 45 67", "07700 900123"]),
            Kind.EMAIL: lambda: choice(["a@example.com", "siân@example.org"]),
            Kind.SORT_CODE: lambda: f"{self._random.randrange(1, 10**6):06}",
            Kind.ACCOUNT_NUMBER: lambda: f"{self._random.randrange(1, 10**8):08}",
            Kind.POSTCODE: lambda: choice(POSTCODES),
            Kind.DATE: self._date,
            Kind.MONEY: lambda: f"{self._random.randrange(10**6) / 100:.2f}",
            Kind.NUMBER: lambda: choice([0, 7, 16.5, 40, 168]),
            Kind.ADDRESS: lambda: {"lines": [choice(TEXTS), choice(TEXTS)], "postcode": choice(POSTCODES)},
        }
        return makers[field.kind]()

    def _date(self) -> str:
        days = self._random.choice([120, 3_000, 30_000])
        return (self._today - timedelta(days=self._random.randrange(-30, days))).isoformat()


def drive(script: Script, driver: Driver, today: date, *, in_order: bool) -> dict[str, Answer]:
    """Answers until nothing is open; the interview must never fail, and must come to an end."""
    answers: dict[str, Answer] = {}
    for version in range(5_000):
        interview = evaluate(script, answers, language="EN")
        open_states = [state for state in interview.questions if state.is_open]
        assert interview.remaining == len(open_states)
        if not open_states:
            assert interview.missing == ()
            return answers
        state = open_states[0] if in_order else driver.pick(open_states)
        if state.answer and state.proposal is not None:
            answers[state.question.id] = with_consent(state.question, state.answer)
            continue
        with suppress(InvalidArgument):
            value = validate_answer(script, state.question.id, driver.answer(state.question), today=today)
            answers[state.question.id] = Answer(value=value, version=version)
    raise AssertionError("the interview does not end")


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), in_order=st.booleans())
def test_random_answers_in_any_order_come_to_an_interview_that_can_be_submitted(
    seed: int, *, in_order: bool, script: Script, today: date
) -> None:
    answers = drive(script, Driver(seed, today), today, in_order=in_order)

    assert first_contact_known(script, known_values(script, answers))
    assert "date_of_birth" in security_questions(script, answers)
    assert {"surname", "date_of_birth", "address"} <= facts(script, answers, "legacy-gateway").keys()
