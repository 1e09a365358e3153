"""A form that is printed, filled by a program and imported gives the claim that the call gives."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, ResourceExhausted
from chassis.testing import eventually
from cms_local.form import catalogue_form
from cms_local.paper.document import print_form
from intake import paper
from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.catalogue import Catalogue
from intake.domain.forms.filling import boxes_with
from intake.domain.forms.layout import IDENTITY_BOX, Form, form_of
from intake.domain.forms.reading import Boxes, read_boxes
from intake.domain.interview import Answer, Interview, evaluate
from intake.domain.place import Place
from intake.domain.script import Field, Kind, Question
from intake.domain.values import JsonValue
from tests.support.forms import filled

pytestmark = pytest.mark.xdist_group("forms")

DAY = date(2005, 7, 11)
_NAMES = ("Hughes", "O’Brien-Łukasz", "Siân Ŵyn", "李", "d'Arcy Ŷŷ")
_TEXTS = ("Bookkeeper", "Tŷ Coffi", "Ölçü & Sons (Leeds)", "£12 an hour, weekdays")
_CODES = {
    Kind.NINO: ("AB123456C", "CE654321B"),
    Kind.PHONE: ("0113 496 0999", "+48 22 123 45 67"),
    Kind.EMAIL: ("a@example.com", "siân@example.org"),
    Kind.SORT_CODE: ("200000", "403020"),
    Kind.ACCOUNT_NUMBER: ("12345678", "00000012"),
    Kind.POSTCODE: ("LS1 4AP", "CF10 1EP"),
    Kind.MONEY: ("0.00", "12.50", "1234.56"),
    Kind.NUMBER: (0, 7, 16, 40),
}


@cache
def catalogue() -> Catalogue:
    return load_catalogues().newest


@cache
def form(schemes: tuple[str, ...]) -> Form:
    return form_of(catalogue().script_for(schemes))


@cache
def printed(schemes: tuple[str, ...], language: str) -> bytes:
    return print_form(catalogue_form(catalogue(), schemes), language=language)


class Call:
    """A call in which open questions of the form are answered, some at a time, in any order, with answers by their kind."""

    def __init__(self, form: Form, seed: int) -> None:
        self._form, self._random = form, random.Random(seed)
        self.answers: dict[str, JsonValue] = {}

    def held(self) -> dict[str, JsonValue]:
        """The answers to questions that apply at the end of the call."""
        for _ in range(60):
            to_ask = [
                state.question for state in self._state().questions if state.is_open and self._asks(state.question)
            ]
            if not to_ask:
                break
            for question in self._random.sample(to_ask, min(len(to_ask), 8)):
                self._answer(question)
        return self.answers

    def _state(self) -> Interview:
        return interview_of(self._form, self.answers)

    def _asks(self, question: Question) -> bool:
        return question.id in self._form.by_id and question.id not in self.answers

    def _answer(self, question: Question) -> None:
        for _ in range(20):
            try:
                self.answers[question.id] = validate_answer(
                    self._form.script.questions, question.id, self._value(question), today=DAY
                )
            except InvalidArgument:
                continue
            return

    def _value(self, question: Question) -> Any:
        if question.gap_allowed and self._random.random() < 0.2:
            return {"gap": self._random.choice(("NOT_KNOWN", "WILL_SEND"))}
        if question.kind is not Kind.GROUP:
            return self._part(question)
        places = self._form.by_id[question.id].entries + self._form.by_id[question.id].more_entries
        return [
            {field.id: self._part(field) for field in question.fields if field.required or self._random.random() < 0.5}
            for _ in range(self._random.randrange(min(places, 5)))
        ]

    def _part(self, field: Field) -> Any:
        choose = self._random.choice
        match field.kind:
            case Kind.YES_NO:
                return choose((True, False))
            case Kind.CHOICE:
                return choose([choice.code for choice in field.choices])
            case Kind.CHOICES:
                return [choice.code for choice in field.choices if self._random.random() < 0.4]
            case Kind.DATE:
                return (DAY - timedelta(days=choose((0, 40, 3000, 9000, 12000)))).isoformat()
            case Kind.ADDRESS:
                return {"lines": list(self._random.sample(_TEXTS, 3)), "postcode": "LS1 4AP"}
            case Kind.NAME:
                return choose(_NAMES)
            case Kind.TEXT:
                return choose(_TEXTS)
        return choose(_CODES[field.kind])


def interview_of(form: Form, answers: Mapping[str, JsonValue]) -> Interview:
    located = Place(is_listed=True, councils=())
    given = {
        name: Answer(value=value, version=1, place=located if form.script.questions[name].located else None)
        for name, value in answers.items()
    }
    return evaluate(form.script, given, language="EN", contact_date=DAY)


def some_schemes() -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(sorted(catalogue().schemes)), min_size=1).map(lambda names: tuple(sorted(names)))


def boxes_of(pdf: bytes) -> Boxes:
    """The boxes of a form, tried again while no processor is free."""

    def read() -> Boxes | None:
        try:
            return paper.read_pdf(pdf)
        except ResourceExhausted:
            return None

    found: Boxes = eventually(read, seconds=60, what="a processor for the form")
    return found


def expect_the_same(schemes: tuple[str, ...], language: str, seed: int) -> None:
    by_call = Call(form(schemes), seed).held()

    boxes = boxes_of(filled(printed(schemes, language), boxes_with(form(schemes), by_call)))
    by_form = read_boxes(form(schemes), boxes, day=DAY)

    assert by_form.problems == ()
    assert by_form.answers == by_call
    assert interview_of(form(schemes), by_form.answers) == interview_of(form(schemes), by_call)
    assert f"-{language}-" in boxes[IDENTITY_BOX]


@given(some_schemes(), st.integers(0, 10**6))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_boxes_hold_the_words_that_were_said(schemes: tuple[str, ...], seed: int) -> None:
    by_call = Call(form(schemes), seed).held()

    found = read_boxes(form(schemes), boxes_with(form(schemes), by_call), day=DAY)

    assert (found.answers, found.problems) == (by_call, ())


@pytest.mark.parametrize(("language", "seed"), [("EN", 1), ("CY", 2)])
def test_a_form_of_every_scheme_that_is_filled_and_read_is_the_call(language: str, seed: int) -> None:
    expect_the_same(tuple(sorted(catalogue().schemes)), language, seed)


@pytest.mark.long
@given(some_schemes(), st.sampled_from(["EN", "CY"]), st.integers(0, 10**9))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_form_that_is_filled_and_read_is_the_call(schemes: tuple[str, ...], language: str, seed: int) -> None:
    expect_the_same(schemes, language, seed)
