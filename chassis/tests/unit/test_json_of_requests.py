"""The JSON of a request is read whole or refused, and a refusal never repeats a value."""

import contextlib
import json
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import example, given
from hypothesis import strategies as st

from chassis import requests
from chassis.errors import InvalidArgument
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2
from cms.scheduling.v1 import scheduling_pb2
from tests.support.requests import refusal

CANARY = "Zbigniew"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"claimReff": CANARY}, "claimReff"),
        ({"claimRef": {"x": CANARY}}, "claim_ref"),
        ({"claim_ref": {"x": CANARY}}, "claim_ref"),
        ({"version": CANARY}, "version"),
        ({"answers": CANARY}, "answers"),
        ({"answers": {"questionId": CANARY}}, "answers"),
        ({"answers": [{"questionId": "q", "value": CANARY}, CANARY]}, "answers[1]"),
        ({"answers": [{"questionId": "q", "value": CANARY}, {"questionId": [CANARY]}]}, "answers[1].question_id"),
        ({"answers": [{"questionld": CANARY}]}, "answers[0].questionld"),
        ({"answers": [{CANARY + "?": CANARY}]}, "answers[0]"),
        ({"answers": [None]}, "answers[0]"),
        ({"claimRef": "\ud83d"}, "claim_ref"),
        ({"answers": [{"questionId": "q", "value": f"{CANARY} \ud83d"}]}, "answers[0].value"),
        ({"answers": [{"questionId": "q", "value": {"\udc00": CANARY}}]}, "answers[0].value"),
        ({"answers": [["\ud83d"]]}, "answers[0]"),
        ({"view": "\ud83d"}, "view"),
        ({"version": 10**400}, "version"),
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
        b'{"version": NaN}',
        b'{"version": 1, "version": 1}',
        b'{"answers": [{"value": {"a": 1, "a": 1}}]}',
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


LEAVES = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(st.characters())
ANY_FIELDS = st.dictionaries(
    st.sampled_from([part.name for part in intake_pb2.StartCallRequest.DESCRIPTOR.fields]) | st.text(st.characters()),
    LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text(st.characters()), LEAVES, max_size=2),
)


@given(ANY_FIELDS)
@example({"schemes": "SCHEME_JOBSEEKERS_ALLOWANCE"})
@example({"needs": "1", "x": 1})
@example({"purpose": "\ud800"})
def test_any_json_in_any_field_parses_or_is_refused(body: Any) -> None:
    with pytest.raises(InvalidArgument):
        requests.check(requests.parse_json(intake_pb2.StartCallRequest, json.dumps(body).encode()))


@given(JSON)
@example(10**400)
@example([-(10**400)])
def test_any_json_parses_or_is_refused(value: Any) -> None:
    body = json.dumps({"answers": [{"questionId": "q", "value": value}]}).encode()

    with pytest.raises(InvalidArgument) as refused:  # required fields are absent, whatever else is wrong
        requests.check(requests.parse_json(intake_pb2.RecordAnswersRequest, body))

    assert refused.value.reason in {requests.MALFORMED, "INVALID_FIELDS"}


@pytest.mark.parametrize("field", ["purpose", "language"])
def test_a_misspelt_enumeration_names_the_permitted_values(field: str) -> None:
    found = refusal(intake_pb2.StartCallRequest, json.dumps({field: "CALL_PURPOSE_NWE"}).encode(), by_json=True)

    kind = intake_pb2.StartCallRequest.DESCRIPTOR.fields_by_name[field].enum_type
    assert kind is not None
    assert found == {field: f"must be one of {', '.join(value.name for value in kind.values if value.number)}"}


def test_every_misspelt_field_of_a_body_is_named_at_once() -> None:
    body = {
        "purpose": "X",
        "schemes": ["SCHEME_INCOME_SUPPORT", "Y"],
        "caller": {"relation": [], "name": 3},
        "ninno": "",
    }

    found = refusal(intake_pb2.StartCallRequest, json.dumps(body).encode(), by_json=True)

    assert set(found) == {"purpose", "schemes[1]", "caller.relation", "caller.name", "ninno"}


def test_readable_parts_of_a_refused_body_are_kept_to_choose_the_language() -> None:
    body = {"claimRef": "C0000000001Y", "answers": [{"questionId": 1}], "reason": "x" * 501, "version": "x"}

    for door in (json.dumps(body).encode(), json.dumps({"claimRef": "C0000000001Y", "reason": "x" * 501}).encode()):
        with pytest.raises(InvalidArgument) as refused:
            requests.parse_json(intake_pb2.AmendAnswersRequest, door)

        assert refused.value.request == intake_pb2.AmendAnswersRequest(claim_ref="C0000000001Y")


@pytest.mark.parametrize("language", ["LANGUAGE_CY", 2])
def test_the_language_of_a_refused_body_is_read_by_name_or_number(language: Any) -> None:
    with pytest.raises(InvalidArgument) as refused:
        requests.parse_json(intake_pb2.StartCallRequest, json.dumps({"language": language, "purpose": "X"}).encode())

    assert refused.value.request == intake_pb2.StartCallRequest(language=common_pb2.LANGUAGE_CY)


@pytest.mark.parametrize(
    ("field", "wanted"), [("version", "must be a whole number of at most 32 bits"), ("answers", "must be a list")]
)
def test_a_long_text_in_the_place_of_something_else_is_not_looked_into(field: str, wanted: str) -> None:
    found = refusal(intake_pb2.RecordAnswersRequest, json.dumps({field: "9" * 60_000}).encode(), by_json=True)

    assert found == {field: wanted}


@pytest.mark.parametrize(
    ("message", "body", "field", "wanted"),
    [
        (intake_pb2.RecordAnswersRequest, {"version": "two"}, "version", "must be a whole number of at most 32 bits"),
        (intake_pb2.RecordAnswersRequest, {"version": 2**40}, "version", "must be a whole number of at most 32 bits"),
        (intake_pb2.RecordAnswersRequest, {"claimRef": 5}, "claim_ref", "must be a string"),
        (intake_pb2.RecordAnswersRequest, {"answers": {}}, "answers", "must be a list"),
        (
            intake_pb2.RecordAnswersRequest,
            {"answers": [["surname", "Abbot"]]},
            "answers[0]",
            "must be an object with question_id, value, accept_transliteration",
        ),
        (
            intake_pb2.RecordAnswersRequest,
            {"answers": [{"acceptTransliteration": "yes"}]},
            "answers[0].accept_transliteration",
            "must be true or false",
        ),
        (
            intake_pb2.EndCallRequest,
            {"callBackTime": "soon"},
            "call_back_time",
            "must be a time such as 2026-11-30T09:15:00Z",
        ),
        (
            intake_pb2.ListClaimsRequest,
            {"dateOfBirth": "1984-02-29"},
            "date_of_birth",
            "must be an object with year, month, day",
        ),
    ],
)
def test_a_value_of_another_type_is_told_what_the_field_takes(
    message: type[Message], body: dict[str, Any], field: str, wanted: str
) -> None:
    assert refusal(message, json.dumps(body).encode(), by_json=True) == {field: wanted}


def test_an_unknown_field_that_could_be_somebodys_words_is_not_repeated() -> None:
    assert refusal(intake_pb2.RecordAnswersRequest, json.dumps({f"{CANARY} x": 1}).encode(), by_json=True) == {}


def test_a_field_given_by_both_its_names_is_refused() -> None:
    body = {"claimRef": "C0000000001Y", "claim_ref": "C0000000001Y"}

    found = refusal(intake_pb2.RecordAnswersRequest, json.dumps(body).encode(), by_json=True)

    assert found == {"claim_ref": "is given twice, by both its names"}
