"""The rules that hold for every request, by the contract alone."""

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2, timestamp_pb2

from chassis import requests
from chassis.details import details_of
from chassis.errors import InvalidArgument
from cms.assessment.v1 import assessment_pb2, record_pb2
from cms.intake.v1 import intake_pb2
from tests.support.requests import faults, refusal

CANARY = "Zbigniew"


def answers(*values: Any) -> intake_pb2.RecordAnswersRequest:
    """A sound request to record these answers."""
    return intake_pb2.RecordAnswersRequest(
        claim_ref="C0000000000A",
        version=1,
        request_id="8a5e7c1e-98a5-4d64-9c3c-1d5b2f6d0001",
        answers=[
            intake_pb2.Answer(question_id="q", value=json_format.ParseDict(value, struct_pb2.Value()))
            for value in values
        ],
    )


def test_a_sound_request_passes() -> None:
    requests.check(answers("text", 1.5, None, ["a", {"b": "c"}]))


def test_every_absent_required_field_is_named() -> None:
    assert faults(intake_pb2.RecordAnswersRequest()) == {
        "claim_ref": "is required",
        "version": "is required",
        "request_id": "is required",
    }


def test_an_unknown_null_value_is_refused() -> None:
    request = answers("text")
    request.answers[0].value.ParseFromString(b"\x08\x07")

    assert faults(request) == {"answers[0].value": "holds something that is not a JSON value"}


def test_a_nested_field_is_named_by_its_path() -> None:
    request = answers("text", "text")
    request.answers[1].question_id = ""
    request.answers[1].ClearField("value")

    assert faults(request) == {"answers[1].question_id": "is required", "answers[1].value": "is required"}


def test_the_number_of_named_faults_is_bounded() -> None:
    request = assessment_pb2.VerifyItemsRequest(
        claim_ref="C0000000000A",
        version=1,
        request_id="8a5e7c1e-98a5-4d64-9c3c-1d5b2f6d0001",
        items=[assessment_pb2.ItemCheck(fact="surname")] * 200,
    )

    with pytest.raises(InvalidArgument) as refused:
        requests.check(request)

    named = [violation.field for violation in refused.value.violations]
    assert named[:2] == ["items[0].status", "items[1].status"]
    assert 50 < len(named) < 200
    assert refused.value.message.endswith(" and more")
    details = sum(len(detail.SerializeToString()) for detail in details_of(refused.value))
    assert details * 4 / 3 + len(refused.value.message) < 8000


def test_null_is_an_answer_and_not_an_absent_field() -> None:
    requests.check(answers(None))


def test_a_required_message_may_not_be_absent() -> None:
    request = assessment_pb2.VerifyItemsRequest(claim_ref="C0000000000A", version=1, request_id="x")
    request.items.add(
        fact="f", status=record_pb2.ITEM_STATUS_CONFIRMED
    ).evidence.kind = record_pb2.EVIDENCE_KIND_PASSPORT

    assert faults(request) == {"items[0].evidence.seen_on": "is required"}


def test_an_unknown_enum_value_is_refused() -> None:
    request = intake_pb2.StartCallRequest(schemes=[1, 2, 99])  # type: ignore[list-item]

    assert faults(request)["schemes[2]"] == (
        "must be one of SCHEME_INCOME_SUPPORT, SCHEME_JOBSEEKERS_ALLOWANCE, SCHEME_INCAPACITY_BENEFIT,"
        " SCHEME_CHILD_MAINTENANCE, SCHEME_CRISIS_LOAN"
    )


@pytest.mark.parametrize("value", ["a\x00b", ["fine", "a\x00b"], {"lines": ["\x00"]}, {"\x00": "key"}])
def test_a_nul_character_is_refused_anywhere(value: Any) -> None:
    assert faults(answers("fine", value)) == {"answers[1].value": "holds a NUL character"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_an_infinite_number_or_nan_is_refused(number: float) -> None:
    request = answers("text")
    request.answers[0].value.number_value = number

    assert faults(request) == {"answers[0].value": "is not a finite number"}


def test_a_path_never_holds_the_callers_own_keys() -> None:
    assert CANARY not in str(faults(answers({CANARY: {CANARY: "\x00"}})))


@pytest.mark.parametrize(
    "text", [CANARY, "C000000000A", "C0000000000AA", "C0000000000U", "C0000000000\x0a", "ＣC000000000A"]
)
def test_a_malformed_claim_reference_is_refused(text: str) -> None:
    found = faults(intake_pb2.GetClaimRequest(claim_ref=text))

    assert found == {"claim_ref": "is not in the form of a claim reference"}


def both(request: Any) -> list[tuple[bytes, bool]]:
    """The request by each door."""
    return [(request.SerializeToString(), False), (json_format.MessageToJson(request).encode(), True)]


def deep(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "description"),
    [
        ("A" + "\u0301" * 1_000, "holds a text longer than 1000 characters"),
        ([1, ["x" * 1_001]], "holds a text longer than 1000 characters"),
        ({"x" * 1_001: 1}, "holds a text longer than 1000 characters"),
        ([None] * 61, "has more than 60 entries"),
        ([{str(number): 1 for number in range(61)}], "has more than 60 entries"),
        (deep(5), "is nested more than 4 deep"),
        ([[1] * 49] * 8, "holds more than 400 values"),
    ],
)
def test_a_value_beyond_its_bounds_is_refused_by_either_door(value: Any, description: str) -> None:
    for body, by_json in both(answers("fine", value)):
        assert refusal(intake_pb2.RecordAnswersRequest, body, by_json=by_json) == {"answers[1].value": description}


@pytest.mark.parametrize("value", ["A" + "\u0301" * 999, [None] * 60, deep(4), [[1] * 49] * 7])
def test_a_value_at_its_bounds_passes_by_either_door(value: Any) -> None:
    request = answers("fine", value)

    assert requests.parse_binary(type(request), request.SerializeToString()) == request
    assert requests.parse_json(type(request), json_format.MessageToJson(request).encode()) == request


def test_the_values_of_all_fields_together_are_bounded() -> None:
    request = answers(*[[[1] * 49] * 7] * 20)

    for body, by_json in both(request):
        assert refusal(intake_pb2.RecordAnswersRequest, body, by_json=by_json) == {
            "answers[14].value": "is where the request comes to hold more than 5000 values"
        }


@pytest.mark.parametrize(
    ("request_", "field", "description"),
    [
        (intake_pb2.StartCallRequest(nino="A" * 31), "nino", "is longer than 30 characters"),
        (
            intake_pb2.StartCallRequest(caller=intake_pb2.Caller(name="e\u0301" * 51)),
            "caller.name",
            "is longer than 100 characters",
        ),
        (
            intake_pb2.StartCallRequest(needs=[intake_pb2.CALL_NEED_INTERPRETER] * 11),
            "needs",
            "has more than 10 entries",
        ),
        (
            intake_pb2.RecordAnswersRequest(answers=[intake_pb2.Answer()] * 201),
            "answers",
            "has more than 200 entries",
        ),
        (
            assessment_pb2.VerifyItemsRequest(items=[assessment_pb2.ItemCheck(fact="f" * 61)]),
            "items[0].fact",
            "is longer than 60 characters",
        ),
    ],
)
def test_a_field_beyond_its_bounds_is_refused_by_either_door(request_: Any, field: str, description: str) -> None:
    for body, by_json in both(request_):
        assert refusal(type(request_), body, by_json=by_json) == {field: description}


@pytest.mark.parametrize(("seconds", "nanos"), [(2**50, 0), (-(2**40), 0), (0, -1), (0, 10**9)])
def test_a_time_that_no_calendar_has_is_refused(seconds: int, nanos: int) -> None:
    request = intake_pb2.EndCallRequest(call_back_time=timestamp_pb2.Timestamp(seconds=seconds, nanos=nanos))

    assert faults(request)["call_back_time"] == "is not a time of the calendar"


@pytest.mark.parametrize(
    "text",
    [
        "c0000000001y",
        "C000 0000 001Y",
        "c-000-0000-001y",
        "C\u2011000\u00a00000\u2212001Y",
        "cooooooooOIy",
        "cOOOOOOOOOLY",
    ],
)
def test_a_claim_reference_is_taken_as_people_write_it(text: str) -> None:
    request = intake_pb2.GetClaimRequest(claim_ref=text)

    requests.check(request)

    assert request.claim_ref == "C0000000001Y"
