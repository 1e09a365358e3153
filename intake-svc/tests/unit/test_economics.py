"""An answer is worth its question if it changes something outside or opens another question."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from intake.catalogue import load_catalogues
from intake.domain.answers import validate_answer
from intake.domain.economics import changing, is_nothing
from intake.domain.interview import Answer, known_values

DAY = date(2026, 3, 2)
SCRIPT = load_catalogues()[2].script_for(["JOBSEEKERS_ALLOWANCE"])


def changing_in(values: Mapping[str, Any]) -> frozenset[str]:
    answers = {
        name: Answer(value=validate_answer(SCRIPT.questions, name, value, today=DAY), version=1)
        for name, value in values.items()
    }
    return changing(SCRIPT, answers, known_values(SCRIPT, answers, DAY))


def test_a_no_and_a_zero_change_nothing() -> None:
    assert changing_in({"jury_service": False, "education_hours": 0, "pension_weekly": "0.00", "children": []}) == set()


def test_a_value_that_an_outside_field_takes_changes_something() -> None:
    assert changing_in({"surname": "Hughes", "jury_service": True, "pension_weekly": "12.00"}) == {
        "surname",
        "jury_service",
        "pension_weekly",
    }


def test_an_answer_that_opens_a_question_changes_something() -> None:
    assert "hours_available" in changing_in({"hours_available": 0})


def test_a_gap_changes_nothing() -> None:
    assert changing_in({"nino": {"gap": "NOT_KNOWN"}}) == set()


@pytest.mark.parametrize("value", [False, 0, "0.00", [], "NONE"])
def test_these_say_nothing(value: Any) -> None:
    assert is_nothing(value)


@pytest.mark.parametrize("value", [True, 7, "0.50", ["X"], "SINGLE", "2005-07-11", "0113 496 0999"])
def test_these_say_something(value: Any) -> None:
    assert not is_nothing(value)
