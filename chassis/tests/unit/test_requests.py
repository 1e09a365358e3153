"""What must hold of every request, by the contract alone."""

import contextlib
import json
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis import requests
from chassis.details import details_of
from chassis.errors import InvalidArgument
from cms.assessment.v1 import assessment_pb2
from cms.intake.v1 import intake_pb2
from cms.scheduling.v1 import scheduling_pb2

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


def faults(request: Any) -> dict[str, str]:
    """What `check` finds: field → description."""
    with pytest.raises(InvalidArgument) as refused:
        requests.check(request)
    return {violation.field: violation.description for violation in refused.value.violations}


def test_a_sound_request_passes() -> None:
    requests.check(answers("text", 1.5, None, ["a", {"b": "c"}]))


def test_every_absent_required_field_is_named() -> None:
    assert faults(intake_pb2.RecordAnswersRequest()) == {
        "claim_ref": "is required",
        "answers": "is required",
        "version": "is required",
        "request_id": "is required",
    }


def test_an_unknown_null_value_is_refused() -> None:
    request = answers("text")
    request.answers[0].value.ParseFromString(b"\x08\x07")

    assert faults(request) == {"answers[0].value.null_value": "is not a value of the enumeration"}


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
        items=[assessment_pb2.ItemCheck(fact="surname")] * 100_000,
    )

    with pytest.raises(InvalidArgument) as refused:
        requests.check(request)

    named = [violation.field for violation in refused.value.violations]
    assert named[:2] == ["items[0].status", "items[1].status"]
    assert 50 < len(named) < 500
    assert refused.value.message.endswith(" and more")
    details = sum(len(detail.SerializeToString()) for detail in details_of(refused.value))
    assert details * 4 / 3 + len(refused.value.message) < 8000


def test_null_is_an_answer_and_not_an_absent_field() -> None:
    requests.check(answers(None))


def test_a_required_message_may_not_be_absent() -> None:
    request = assessment_pb2.VerifyItemsRequest(claim_ref="C0000000000A", version=1, request_id="x")
    request.items.add(
        fact="f", status=assessment_pb2.ITEM_STATUS_CONFIRMED
    ).evidence.kind = assessment_pb2.EVIDENCE_KIND_PASSPORT

    assert faults(request) == {"items[0].evidence.seen_on": "is required"}


def test_an_unknown_enum_value_is_refused() -> None:
    request = intake_pb2.StartCallRequest(schemes=[1, 2, 99])  # type: ignore[list-item]

    assert faults(request)["schemes[2]"] == "is not a value of the enumeration"


@pytest.mark.parametrize("value", ["a\x00b", ["fine", "a\x00b"], {"lines": ["\x00"]}, {"\x00": "key"}])
def test_a_nul_character_is_refused_anywhere(value: Any) -> None:
    found = faults(answers("fine", value))

    assert set(found.values()) == {"holds a NUL character"}
    assert all(path.startswith("answers[1].value.") for path in found)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_an_infinite_number_or_nan_is_refused(number: float) -> None:
    request = answers("text")
    request.answers[0].value.number_value = number

    assert faults(request) == {"answers[0].value.number_value": "is not a finite number"}


def test_a_path_never_holds_the_callers_own_keys() -> None:
    assert CANARY not in str(faults(answers({CANARY: {CANARY: "\x00"}})))


def test_a_fault_in_a_deeply_nested_value_is_named() -> None:
    deep: Any = "\x00"
    for _ in range(45):
        deep = [deep]

    with pytest.raises(InvalidArgument) as refused:
        requests.check(answers(deep))

    (named,) = [violation.field for violation in refused.value.violations]
    assert named == "answers[0].value" + ".list_value.values[0]" * 45 + ".string_value"
    details = sum(len(detail.SerializeToString()) for detail in details_of(refused.value))
    assert details * 4 / 3 + len(refused.value.message) < 8000


def test_maps_of_plain_values_are_checked() -> None:
    with pytest.raises(InvalidArgument) as refused:
        requests.check(struct_pb2.Struct(fields={"k": struct_pb2.Value(string_value="\0")}))

    assert [violation.field for violation in refused.value.violations] == ["fields.string_value"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"claimReff": CANARY}, "claimReff"),
        ({"claimRef": {"x": CANARY}}, "claimRef"),
        ({"version": CANARY}, "version"),
        ({"answers": CANARY}, "answers"),
        ({"answers": [{"questionId": [CANARY]}]}, "answers.questionId"),
    ],
)
def test_json_of_the_wrong_type_names_the_field_and_not_the_value(body: Any, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        requests.parse_json(intake_pb2.RecordAnswersRequest, json.dumps(body).encode())

    assert refused.value.reason == requests.MALFORMED
    assert [violation.field for violation in refused.value.violations] == [field]
    assert CANARY not in str(refused.value)
    assert CANARY not in str(refused.value.violations)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"version": f"Failed to parse {CANARY} field: "}, ["version"]),
        ({"version": f'Message type "x" has no field named "{CANARY}"'}, ["version"]),
        ({"purpose": f"Failed to parse {CANARY} field: "}, ["purpose"]),
    ],
)
def test_a_value_that_imitates_the_parser_is_not_taken_for_a_name(body: Any, fields: list[str]) -> None:
    kind = intake_pb2.StartCallRequest if "purpose" in body else intake_pb2.RecordAnswersRequest

    with pytest.raises(InvalidArgument) as refused:
        requests.parse_json(kind, json.dumps(body).encode())

    assert [violation.field for violation in refused.value.violations] == fields


@pytest.mark.parametrize(
    "text", [CANARY, "c0000000000a", "C000000000A", "C0000000000AA", "C0000000000U", "C0000000000\x0a"]
)
def test_a_malformed_claim_reference_is_refused(text: str) -> None:
    found = faults(intake_pb2.GetClaimRequest(claim_ref=text))

    assert found == {"claim_ref": "is not in the form of a claim reference"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b"\xff",
        b'{"claimRef": "\\ud800"}',
        b'{"a":' * 2_000,
        b"[" * 100_000,
        b'{"version": 1e99}',
    ],
)
def test_a_body_that_is_not_the_messages_json_is_malformed(body: bytes) -> None:
    with pytest.raises(InvalidArgument) as refused:
        requests.parse_json(intake_pb2.RecordAnswersRequest, body)

    assert refused.value.reason == requests.MALFORMED


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=8,
)


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_refused(body: bytes) -> None:
    for parse in (requests.parse_binary, requests.parse_json):
        with contextlib.suppress(InvalidArgument):
            requests.check(parse(scheduling_pb2.BookAppointmentRequest, body))


@given(JSON)
def test_any_json_parses_or_is_refused(value: Any) -> None:
    body = json.dumps({"answers": [{"questionId": "q", "value": value}]}).encode()

    with pytest.raises(InvalidArgument) as refused:  # required fields are absent, whatever else is wrong
        requests.check(requests.parse_json(intake_pb2.RecordAnswersRequest, body))

    assert refused.value.reason in {requests.MALFORMED, "INVALID_FIELDS"}
