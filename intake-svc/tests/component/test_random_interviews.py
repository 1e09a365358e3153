"""A client that knows only the contract's kinds of question drives interviews to submission over the JSON door."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NAMES = ["Hughes", "O’Brien-Łukasz", "Siân", "李", "van der Berg", "D'Arcy"]
TEXTS = ["Bookkeeper", "Tŷ Coffi", "Ölçü & Sons (Leeds)", "a" * 70, "£12 an hour"]


class Answerer:
    """Answers a question by its kind alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, questions: list[Any]) -> list[Any]:
        return self._random.sample(questions, self._random.randint(1, min(5, len(questions))))

    def answer(self, question: Any) -> Any:
        if question["gapsAllowed"] and self._random.random() < 0.2:
            return {"gap": self._random.choice(question["gapsAllowed"])}
        if question["kind"] == "QUESTION_KIND_GROUP":
            return [self._entry(question["fields"]) for _ in range(self._random.randrange(3))]
        return self._value(question)

    def _entry(self, fields: list[Any]) -> dict[str, Any]:
        return {field["id"]: self._value(field) for field in fields if field["required"] or self._random.random() < 0.5}

    def _value(self, question: Any) -> Any:
        choice, number = self._random.choice, self._random.randrange
        codes = [option["code"] for option in question["choices"]]
        makers: dict[str, Any] = {
            "YES_NO": lambda: choice([True, False]),
            "CHOICE": lambda: choice(codes),
            "CHOICES": lambda: self._random.sample(codes, number(len(codes))),
            "TEXT": lambda: choice(TEXTS),
            "NAME": lambda: choice(NAMES),
            "NINO": lambda: f"{choice(['AB', 'CE', 'jk'])} {number(10**6):06} {choice('ABCD')}",
            "PHONE": lambda: choice(["0113 496 0999", "+48 22 123 45 67", "07700 900123"]),
            "EMAIL": lambda: choice(["a@example.com", "siân@example.org"]),
            "SORT_CODE": lambda: f"{number(1, 10**6):06}",
            "ACCOUNT_NUMBER": lambda: f"{number(1, 10**8):08}",
            "POSTCODE": lambda: choice(["LS1 4AP", "cf101ep"]),
            "DATE": self._date,
            "MONEY": lambda: f"{number(10**6) / 100:.2f}",
            "NUMBER": lambda: choice([0, 7, 16.5, 40]),
            "ADDRESS": lambda: {"lines": [choice(TEXTS), choice(TEXTS)], "postcode": choice(["LS1 4AP", "EH1 1BB"])},
        }
        return makers[question["kind"].removeprefix("QUESTION_KIND_")]()

    def _date(self) -> str:
        days = self._random.choice([60, 3_000, 30_000])
        return (datetime.now(UTC).date() - timedelta(days=self._random.randrange(-30, days))).isoformat()


def is_open(question: Any) -> bool:
    """Not answered yet; or answered, and a proposal, a problem or a gap that may not stand holds it up."""
    answer = question.get("answer")
    if answer is None or "proposal" in question or question["problem"]:
        return True
    return isinstance(answer, dict) and answer.get("gap") is not None and not question["gapsAllowed"]


def next_answers(answerer: Answerer, questions: list[Any]) -> list[dict[str, Any]]:
    return [
        {"questionId": question["id"], "value": question["answer"], "acceptTransliteration": True}
        if "proposal" in question
        else {"questionId": question["id"], "value": answerer.answer(question)}
        for question in answerer.pick([question for question in questions if is_open(question)])
    ]


def drive(operator: Any, answerer: Answerer, interview: Any) -> Any:
    """Answers open questions, some at a time and in any order, until none is left."""
    for _ in range(400):
        if not interview["nextQuestionId"]:
            return interview
        answers = next_answers(answerer, interview["questions"])
        subject = {"claimRef": interview["claimRef"], "version": interview["version"]}
        reply = operator.try_once("RecordAnswers", **subject, answers=answers)
        if reply.code == "ok":
            interview = reply.body["interview"]
        else:  # A rule that the client does not know: the questions at fault are named, and asked again.
            assert reply.fields, reply
            at_fault = {field.partition("[")[0].partition(".")[0] for field in reply.fields}
            assert at_fault <= {answer["questionId"] for answer in answers}, reply
    raise AssertionError("the interview does not end")


@pytest.mark.parametrize(
    ("language", "schemes"),
    [("EN", ["JOBSEEKERS_ALLOWANCE"]), ("CY", ["INCOME_SUPPORT", "CHILD_MAINTENANCE"])],
)
def test_random_answers_in_any_order_come_to_a_submitted_claim(desk: Any, language: str, schemes: list[str]) -> None:
    operator = desk()
    for seed in range(3):
        started = operator.start(nino=None, language=language, schemes=[f"SCHEME_{scheme}" for scheme in schemes])

        interview = drive(operator, Answerer(seed), started["interview"])

        assert interview["remaining"] == 0
        assert operator.submit(interview["claimRef"], interview["version"])["state"] == "CLAIM_STATE_SUBMITTED"
