"""No request that the contract permits costs more than the budget, whatever it holds."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.descriptor import MethodDescriptor

from chassis import clock, contract
from chassis.errors import InvalidArgument
from chassis.runtime import Process
from chassis.testing import Tokens, costs
from intake.domain.answers import validate_answer
from intake.domain.script import Field, Kind, Question, Script

METHODS = costs.methods_of("cms.intake.v1.IntakeService")
DEAR_NAMES = [*costs.NASTY.values(), "é", "Ж", "ü.", "½", "ß-"]


DEAR_CODES = {
    Kind.DATE: "1980\u00a0-\u2003 02/" + "-" * 10 + "28",
    Kind.MONEY: "£ 1,234.56",
    Kind.PHONE: "+44" + " (-" * 8 + "1134960999",
    Kind.NINO: "AB-" + "-" * 19 + "123456C",
    Kind.SORT_CODE: "2-0" + " " * 20 + "-0000",
    Kind.ACCOUNT_NUMBER: "1" + "." * 20 + "2345678",
    Kind.POSTCODE: "LS1" + "\u2003" * 20 + "4AP",
    Kind.YES_NO: True,
}
"""Answers of the longest permitted length whose characters the question prescribes."""


def dearest(field: Field, repeated: str) -> Any:
    """The longest permitted answer to a question, made of a dear text."""
    most = field.limits.max_entries or 0
    text = costs.text_of(field.limits.max_length or 0, repeated)
    match field:
        case Question(kind=Kind.GROUP, fields=parts):
            return [{part.id: dearest(part, repeated) for part in parts}] * most
        case Field(kind=Kind.ADDRESS):
            return {"lines": [text] * most, "postcode": DEAR_CODES[Kind.POSTCODE]}
        case Field(kind=Kind.CHOICE, choices=choices):
            return choices[-1].code if choices else "E08000035"
        case Field(kind=Kind.CHOICES, choices=choices):
            return [choice.code for choice in choices]
        case Field(kind=Kind.NUMBER):
            return float(field.limits.maximum or 0)
        case Field(kind=Kind.EMAIL):
            return costs.text_of(240, f"{repeated}.") + "@example.org"
    return DEAR_CODES.get(field.kind, text)


def answers_that_fit(script: Script, repeated: str) -> list[dict[str, Any]]:
    """Answers to as many questions as one request holds."""
    found, room = list[dict[str, Any]](), 60_000
    for question in script.questions.values():
        answer = {"questionId": question.id, "value": dearest(question, repeated), "acceptTransliteration": True}
        size = len(json.dumps(answer, ensure_ascii=False).encode())
        if size < room:
            found.append(answer)
            room -= size
    return found


@pytest.fixture
def sound_for(process: Process, desk: Any) -> Callable[[MethodDescriptor], costs.Sound]:
    """Makes the fields by which a request of a method comes as far as it can: a claim in its operator's open call."""
    started = desk().start(nino=None)
    claim_ref, call_id = started["claim"]["claimRef"], started["call"]["callId"]

    def sound_of(method: MethodDescriptor) -> costs.Sound:
        def sound() -> dict[str, Any]:
            with process.database.transaction() as conn:
                row = conn.execute("SELECT version FROM claims WHERE claim_ref = %s", [claim_ref]).fetchone()
            assert row is not None
            known = {"claimRef": claim_ref, "callId": call_id, "requestId": str(uuid4()), "version": row["version"]}
            return {
                part.json_name: known[part.json_name] for part in method.input_type.fields if part.json_name in known
            }

        return sound

    return sound_of


def requests_of(method: MethodDescriptor, sound: costs.Sound, script: Script, today: date) -> Iterator[costs.Dear]:
    yield from costs.dearest_requests(method, sound)
    if "answers" not in method.input_type.fields_by_name:
        return
    more = {"reason": "x"} if "reason" in method.input_type.fields_by_name else {}
    for name in DEAR_NAMES:
        answers = answers_that_fit(script, name)
        yield from costs.by_both_doors(f"answers of {name!a}", method, sound() | more | {"answers": answers})
        good = [answer for answer in answers if is_sound(script, answer, today)]
        yield from costs.by_both_doors(f"sound answers of {name!a}", method, sound() | more | {"answers": good})


def is_sound(script: Script, answer: dict[str, Any], today: date) -> bool:
    try:
        validate_answer(script.questions, answer["questionId"], answer["value"], today=today)
    except InvalidArgument:
        return False
    return True


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_dearest_requests_are_cheap(
    process: Process,
    sound_for: Callable[[MethodDescriptor], costs.Sound],
    tokens: Tokens,
    script: Script,
    method: MethodDescriptor,
) -> None:
    roles = contract.allowed_roles(method)
    services = contract.called_by(method)
    token = tokens.issue("OPERATOR" if "OPERATOR" in roles else min(roles), subject=min(services, default=""))

    costs.expect_cheap(process, method, requests_of(method, sound_for(method), script, clock.today()), token)
