"""In a call that is held in Welsh every fault is told in Welsh, whoever finds it; in an English one in English."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

import intake
from chassis import bounds, conversions, enums, json_bodies, json_types, pages, requests
from chassis import faults as faults_of_requests
from chassis.errors import Text
from intake.domain import faults, problems
from intake.domain.script import Script

MODULES: list[ModuleType] = [
    faults, problems, bounds, conversions, enums, faults_of_requests, json_bodies, json_types, pages, requests
]  # fmt: skip
FAR = "9999-12-31T23:59:59Z"
ANSWERS: list[tuple[str, Any]] = [
    ("surname", "x" * 101), ("surname", "x" * 1_001), ("surname", "a\nb"), ("surname", "42"), ("surname", "   "),
    ("surname", "a\x00b"), ("surname", "\ue000a"), ("surname", [[[[[1]]]]]), ("surname", {"gap": "NEVER"}), ("surname", 7),
    ("nino", "QQ123456C"), ("nino", "é"), ("date_of_birth", "x"), ("date_of_birth", "1980-02-31"),
    ("date_of_birth", "2099-01-01"), ("sex", "Q"), ("has_partner", 1), ("capital", "-5"), ("capital", "10000000.00"),
    ("hours_available", "x"), ("hours_available", -1), ("hours_available", 7.25), ("telephone", "12"),
    ("telephone", "0113 FLOWERS"), ("email", "x"), ("sort_code", "000000"), ("account_number", "1"),
    ("address", 1), ("address", {"lines": 1, "postcode": "x"}), ("address", {"lines": ["a"], "postcode": "LS1 4AP"}),
    ("children", 1), ("children", [1]), ("children", [{}]), ("non_dependants", [{"relationship": "FRIEND"}] * 21),
    ("favourite_colour", 1), ("NOT AN ID", 1), ("job_goal_1", "🙂"),
]  # fmt: skip
HELPER = {
    "relation": "CALLER_RELATION_REPRESENTATIVE",
    "name": "J Price",
    "capacity": "REPRESENTATIVE_CAPACITY_HELPER",
}
ROWS: list[tuple[str, dict[str, Any]]] = [
    *(("RecordAnswers", {"answers": [{"questionId": name, "value": value}]}) for name, value in ANSWERS),
    ("RecordAnswers", {"answers": [{"questionId": "surname", "value": "A"}] * 2}),
    ("RecordAnswers", {"answers": []}),
    ("RecordAnswers", {"answers": [{"questionId": "surname"}]}),
    ("RecordAnswers", {"answers": [{"questionId": "surname", "value": 1}] * 201}),
    ("RecordAnswers", {"answers": [{"questionld": "surname"}]}),
    ("RecordAnswers", {"requestId": "00000000-0000-0000-0000-000000000000"}),
    ("RecordAnswers", {"version": "x"}),
    ("AmendAnswers", {"reason": "x" * 501}),
    ("AmendAnswers", {"reason": "a\nb"}),
    ("SubmitClaim", {}),
    ("GetInterview", {"section": "nowhere"}),
    ("EndCall", {"outcome": "CALL_OUTCOME_CALL_BACK", "callBackTime": FAR}),
    ("EndCall", {"outcome": "CALL_OUTCOME_CALL_BACK", "callBackTime": "2001-01-01T00:00:00Z"}),
    ("EndCall", {"outcome": "CALL_OUTCOME_CALL_BACK"}),
    ("EndCall", {"outcome": "CALL_OUTCOME_CALL_BAKC"}),
    ("EndCall", {"outcome": 77}),
    ("PassSecurity", {"answers": [{"questionId": "surname", "value": 1}]}),
    ("StartCall", {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"] * 2}),
    ("StartCall", {"needs": ["CALL_NEED_UNSPECIFIED"]}),
    ("StartCall", {"needs": ["CALL_NEED_TEXTPHONE"] * 11}),
    ("StartCall", {"nino": "AB123456C", "claimRef": "C0000000001Y"}),
    ("StartCall", {"claimRef": "C0000000001Z"}),
    ("StartCall", {"caller": {"relation": "CALLER_RELATION_REPRESENTATIVE"}}),
    ("StartCall", {"caller": HELPER}),
    ("StartCall", {"caller": HELPER | {"relation": "CALLER_RELATION_SELF"}}),
    ("ResumeCall", {"claimRef": "C0000000001Y"}),
    ("RecordCallBack", {"outcome": 77}),
    ("WithdrawClaim", {"reason": "a\nb"}),
]
SOUND: dict[str, dict[str, Any]] = {
    "RecordAnswers": {"version": 1, "answers": [{"questionId": "surname", "value": "A"}]},
    "AmendAnswers": {"version": 1, "answers": [{"questionId": "surname", "value": "A"}], "reason": "x"},
    "SubmitClaim": {"version": 1},
    "GetInterview": {},
    "EndCall": {"outcome": "CALL_OUTCOME_COMPLETED"},
    "ResumeCall": {},
    "RecordCallBack": {},
    "WithdrawClaim": {"version": 1},
    "PassSecurity": {"answers": [{"questionId": "surname", "value": "A"}]},
    "StartCall": {
        "purpose": "CALL_PURPOSE_NEW",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "caller": {"relation": "CALLER_RELATION_SELF"},
    },
}

OF_A_CALL = {"EndCall", "PassSecurity", "ResumeCall", "RecordCallBack"}


def texts(script: Script) -> Iterator[Text]:
    """All that can be told of a field by intake or by the chassis for it."""
    for module in MODULES:
        yield from (value for value in vars(module).values() if isinstance(value, Text))
    yield from (check.problem for question in script.questions.values() for check in question.checks)


def pattern(template: str) -> str:
    """A regular expression of what a template may become."""
    return "".join(
        re.escape(text) + (".+" if name is not None else "") for text, name, *_ in Formatter().parse(template)
    )


def told(reply: Any) -> list[str]:
    """The descriptions of the fields at fault."""
    details = [detail["debug"] for detail in json.loads(reply.text)["details"]]
    return [fault["description"] for detail in details for fault in detail.get("fieldViolations", [])]


@pytest.mark.parametrize(("language", "other"), [("CY", "EN"), ("EN", "CY")])
def test_faults_are_told_in_the_calls_language(desk: Any, script: Script, language: str, other: str) -> None:
    operator = desk()
    started = operator.start(nino=None, language=language)
    subject = {"claimRef": started["claim"]["claimRef"], "callId": started["call"]["callId"]}
    spoken = {
        tongue: re.compile("|".join(pattern(text.spoken(tongue)) for text in texts(script))) for tongue in ("EN", "CY")
    }

    for method, change in ROWS:
        named = {"language": f"LANGUAGE_{language}"} if method == "StartCall" else dict(subject)
        named.pop("callId" if method not in OF_A_CALL else "claimRef", None)
        once = {} if method == "GetInterview" else {"requestId": str(uuid4())}
        reply = operator.call(method, **{**named, **once, **SOUND[method], **change})

        descriptions = told(reply)
        assert descriptions, (method, change, reply)
        for description in descriptions:
            assert spoken[language].fullmatch(description), (method, change, description)
            assert not spoken[other].fullmatch(description), (method, change, description)


def test_an_open_claim_of_the_nino_is_told_in_welsh(desk: Any) -> None:
    desk().start("AB123456C")
    operator = desk(subject="OP000002")
    claim = operator.start(nino=None, language="CY")["claim"]

    reply = operator.try_record(claim["claimRef"], 1, nino="AB123456C")

    assert (reply.reason, told(reply)) == ("OPEN_CLAIM", [problems.NINO_TAKEN.cy])


def test_every_text_is_in_both_languages_with_the_same_values(script: Script) -> None:
    for text in texts(script):
        values = [{name for _, name, *_ in Formatter().parse(spoken) if name} for spoken in (text.en, text.cy)]
        assert values[0] == values[1], text
        assert text.en.strip(), text
        assert text.cy.strip(), text
        assert text.en != text.cy, text


def test_no_fault_of_intake_is_in_one_language_alone() -> None:
    sources = list(Path(intake.__file__).parent.rglob("*.py"))
    made = [
        f"{path.name}:{node.lineno}"
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation"
    ]

    assert len(sources) > 20
    assert not made, "make it by Violation.of, from a Text"
