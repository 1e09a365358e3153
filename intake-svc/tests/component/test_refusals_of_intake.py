"""What every method refuses, by either door: the right code, the field named, and no value in the text."""

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import uuid4

import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import contract
from chassis.runtime import Process
from chassis.testing import Tokens
from cms.intake.v1 import intake_pb2

SERVICE = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
METHODS = {method.name: method for method in SERVICE.methods}
CANARY = "Canary"

Refusal = tuple[str, str, frozenset[str]]
"""Code, reason, fields."""
Door = Callable[..., tuple[Refusal, str]]
"""Calls a method with a body and metadata; gives how it was refused, and all the text of it."""

VALID: dict[str, Any] = {
    "StartCall": {
        "purpose": "CALL_PURPOSE_NEW",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
    },
    "PassSecurity": {"answers": [{"questionId": "date_of_birth", "value": "1980-02-29"}]},
    "EndCall": {"outcome": "CALL_OUTCOME_COMPLETED"},
    "GetInterview": {},
    "RecordAnswers": {"version": 1, "answers": [{"questionId": "surname", "value": "Hughes"}]},
    "AmendAnswers": {
        "version": 1,
        "answers": [{"questionId": "surname", "value": "Hughes"}],
        "reason": "misheard",
    },
    "GetHistory": {},
    "SubmitClaim": {"version": 1},
    "GetClaim": {},
    "ListClaims": {"nino": "AB123456C"},
    "GetClaimFacts": {},
}
REQUIRED = {
    "StartCall": {"purpose", "schemes", "language", "caller", "request_id"},
    "PassSecurity": {"call_id", "answers", "request_id"},
    "EndCall": {"call_id", "outcome", "request_id"},
    "GetInterview": {"claim_ref"},
    "RecordAnswers": {"claim_ref", "answers", "version", "request_id"},
    "AmendAnswers": {"claim_ref", "answers", "version", "request_id", "reason"},
    "GetHistory": {"claim_ref"},
    "SubmitClaim": {"claim_ref", "version", "request_id"},
    "GetClaim": {"claim_ref"},
    "GetClaimFacts": {"claim_ref"},
}
MALFORMED: list[tuple[str, dict[str, Any], set[str]]] = [
    ("StartCall", {"nino": "QQ123456C"}, {"nino"}),
    ("StartCall", {"nino": CANARY, "schemes": ["SCHEME_INCOME_SUPPORT"]}, {"nino", "schemes"}),
    ("StartCall", {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"] * 2}, {"schemes"}),
    ("StartCall", {"needs": ["CALL_NEED_UNSPECIFIED"]}, {"needs"}),
    ("StartCall", {"claimRef": CANARY}, {"claim_ref"}),
    ("StartCall", {"nino": "AB123456C", "claimRef": "C00000000000"}, {"claim_ref"}),
    (
        "StartCall",
        {"caller": {"relation": "CALLER_RELATION_REPRESENTATIVE"}},
        {"caller.name", "caller.authority"},
    ),
    ("StartCall", {"caller": {"relation": "CALLER_RELATION_SELF", "name": f"{CANARY}\n"}}, {"caller.name"}),
    ("PassSecurity", {"callId": CANARY}, {"call_id"}),
    ("PassSecurity", {"answers": [{"questionId": "date_of_birth", "value": CANARY}]}, {"date_of_birth"}),
    ("EndCall", {"outcome": "CALL_OUTCOME_CALL_BACK"}, {"call_back_time"}),
    ("EndCall", {"callBackTime": "2099-01-01T00:00:00Z"}, {"call_back_time"}),
    ("GetInterview", {"section": CANARY}, {"section"}),
    ("RecordAnswers", {"answers": [{"questionId": CANARY, "value": "x"}]}, {"question_id"}),
    ("RecordAnswers", {"answers": [{"questionId": "surname", "value": "A"}] * 2}, {"surname"}),
    ("RecordAnswers", {"answers": [{"questionId": "surname"}]}, {"answers[0].value"}),
    (
        "RecordAnswers",
        {
            "answers": [
                {"questionId": "nino", "value": "QQ123456C"},
                {"questionId": "date_of_birth", "value": "1980-02-31"},
                {"questionId": "capital", "value": "-5.00"},
                {"questionId": "surname", "value": "🙂" + CANARY * 20},
                {"questionId": "children", "value": [{"name": CANARY}]},
            ]
        },
        {"nino", "date_of_birth", "capital", "surname", "children"},
    ),
    ("AmendAnswers", {"answers": [{"questionId": "sex", "value": CANARY}]}, {"sex"}),
    ("AmendAnswers", {"reason": f"{CANARY}\r\n"}, {"reason"}),
    ("SubmitClaim", {"claimRef": CANARY}, {"claim_ref"}),
    ("GetClaim", {"claimRef": "C0000000001B"}, {"claim_ref"}),
    ("GetHistory", {"claimRef": CANARY}, {"claim_ref"}),
    ("GetClaimFacts", {"version": 2**31 - 1}, {"version"}),
]


@pytest.fixture(params=["json", "grpc"])
def door(request: Any, process: Process) -> Iterator[Door]:
    """A door of the service; each test goes through both."""
    if request.param == "json":
        with httpx.Client(timeout=20) as client:
            yield lambda method, body, **metadata: by_json(client, process, method, body, metadata)
    else:
        with grpc.insecure_channel(f"127.0.0.1:{process.grpc.port}") as channel:
            yield lambda method, body, **metadata: by_grpc(channel, method, body, metadata)


def by_json(client: httpx.Client, process: Process, method: str, body: Any, metadata: Any) -> tuple[Refusal, str]:
    headers = {name.replace("_", "-"): value for name, value in metadata.items()}
    url = f"http://127.0.0.1:{process.http.port}/{SERVICE.full_name}/{method}"
    answer = client.post(url, json=body, headers=headers)
    if answer.status_code == 200:
        return ("ok", "", frozenset()), answer.text
    details = [detail["debug"] for detail in answer.json()["details"]]
    fields = [fault["field"] for detail in details for fault in detail.get("fieldViolations", [])]
    return (answer.json()["code"], details[0]["reason"], frozenset(fields)), answer.text


def by_grpc(channel: grpc.Channel, method: str, body: Any, metadata: Any) -> tuple[Refusal, str]:
    descriptor = METHODS[method]
    request = json_format.ParseDict(body, GetMessageClass(descriptor.input_type)())
    call: Any = channel.unary_unary(
        f"/{SERVICE.full_name}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(descriptor.output_type).FromString,
    )
    try:
        answer = call(request, timeout=20, metadata=[(name.replace("_", "-"), text) for name, text in metadata.items()])
    except grpc.RpcError as error:
        return refusal_of(cast(Any, error))
    return ("ok", "", frozenset()), str(answer)


def refusal_of(error: Any) -> tuple[Refusal, str]:
    status: Any = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad)
    fields = frozenset(fault.field for fault in bad.field_violations)
    return (error.code().name.lower(), info.reason, fields), f"{status}{error.details()}"


@pytest.fixture
def bearer(tokens: Tokens) -> Callable[..., str]:
    return lambda *roles, **claims: f"Bearer {tokens.issue(*roles, **claims)}"


@pytest.fixture
def started(desk: Any) -> Any:
    """A call of OP000001 on a new claim."""
    return desk().start()


def allowed(method: str) -> str:
    roles = contract.allowed_roles(METHODS[method])
    return "OPERATOR" if "OPERATOR" in roles else min(roles)


def body_of(method: str, started: Any, **more: Any) -> dict[str, Any]:
    """A request that is sound, but for what `more` changes."""
    fields = METHODS[method].input_type.fields_by_name
    subject = {"claimRef": started["claim"]["claimRef"], "callId": started["call"]["callId"]}
    named = {
        name: value for name, value in subject.items() if ("claim_ref" if name == "claimRef" else "call_id") in fields
    }
    if method == "StartCall":
        named = {}
    request_id = {"requestId": str(uuid4())} if "request_id" in fields else {}
    return {**VALID[method], **named, **request_id, **more}


def mutating() -> list[str]:
    return [name for name, method in METHODS.items() if "request_id" in method.input_type.fields_by_name]


def test_the_tables_know_every_method() -> None:
    assert VALID.keys() == METHODS.keys()
    assert REQUIRED.keys() | {"ListClaims"} == METHODS.keys()


def test_without_a_token_nobody_is_served(door: Door, started: Any) -> None:
    codes = {method: door(method, body_of(method, started))[0][0] for method in METHODS}

    assert codes == dict.fromkeys(METHODS, "unauthenticated")


def test_no_role_but_those_of_the_contract_is_served(door: Door, started: Any, bearer: Any) -> None:
    roles = {"OPERATOR", "ASSESSOR", "PROCESSING_OFFICER", "COUNCIL_OFFICER", "CASEWORKER", "SERVICE_MANAGER"}
    for method, descriptor in METHODS.items():
        others = sorted((roles | {"SUPPORT", "SERVICE"}) - contract.allowed_roles(descriptor))

        refusal, _ = door(method, body_of(method, started), authorization=bearer(*others))

        assert (method, refusal) == (method, ("permission_denied", "ROLE", frozenset()))


def test_every_required_field_is_named(door: Door, bearer: Any) -> None:
    for method, required in REQUIRED.items():
        refusal, _ = door(method, {}, authorization=bearer(allowed(method)))

        assert (method, refusal) == (method, ("invalid_argument", "INVALID_FIELDS", frozenset(required)))


def test_malformed_input_names_its_fields_and_never_its_values(door: Door, started: Any, bearer: Any) -> None:
    for method, more, fields in MALFORMED:
        body = body_of(method, started, **more)

        refusal, text = door(method, body, authorization=bearer(allowed(method)))

        assert (method, more, refusal) == (method, more, ("invalid_argument", "INVALID_FIELDS", frozenset(fields)))
        assert CANARY not in text
        assert "QQ123456C" not in text


def test_what_is_not_there_is_not_found(door: Door, started: Any, bearer: Any) -> None:
    missing = {"claimRef": "C00000000000", "callId": str(uuid4())}
    for method in sorted(METHODS.keys() - {"StartCall", "ListClaims"}):
        body = body_of(method, started)
        body |= {name: value for name, value in missing.items() if name in body}

        refusal, _ = door(method, body, authorization=bearer(allowed(method)))

        assert (method, refusal[0]) == (method, "not_found")


def test_a_stale_version_is_told_with_the_present_one(door: Door, desk: Any, started: Any, bearer: Any) -> None:
    desk().record(started["claim"]["claimRef"], 1, sex="F")
    for method in ("RecordAnswers", "AmendAnswers", "SubmitClaim"):
        refusal, text = door(method, body_of(method, started), authorization=bearer("OPERATOR"))

        assert (method, refusal) == (method, ("aborted", "STALE_VERSION", frozenset()))
        assert "the record is at 2" in text


def test_a_request_id_with_another_body_is_refused(door: Door, desk: Any, single_tenant: Any, bearer: Any) -> None:
    changes: dict[str, Any] = {
        "StartCall": {"language": "LANGUAGE_CY"},
        "PassSecurity": {"answers": [{"questionId": "date_of_birth", "value": "1980-02-28"}]},
        "EndCall": {"outcome": "CALL_OUTCOME_ABANDONED"},
        "RecordAnswers": {"version": 7},
        "AmendAnswers": {"reason": "misread"},
        "SubmitClaim": {"version": 7},
    }
    assert changes.keys() == set(mutating())
    for method, change in changes.items():
        body, token = first_request(method, desk, single_tenant), bearer("OPERATOR")

        first, _ = door(method, body, authorization=token)
        again, _ = door(method, body, authorization=token)
        other, _ = door(method, body | change, authorization=token)

        assert (method, first[0], again[0]) == (method, "ok", "ok")
        assert (method, other) == (method, ("already_exists", "REQUEST_ID_REUSED", frozenset()))


def first_request(method: str, desk: Any, single_tenant: Any) -> dict[str, Any]:
    """A request that will be served, about a claim of its own."""
    operator = desk()
    started = operator.start(nino=None)
    claim_ref = started["claim"]["claimRef"]
    if method == "SubmitClaim":
        rest = {name: value for name, value in single_tenant.items() if name not in ("nino", "language")}
        version = operator.record(claim_ref, 1, **rest, nino={"gap": "NOT_KNOWN"})["version"]
        return body_of(method, started, version=version)
    if method == "PassSecurity":
        operator.record(claim_ref, 1, date_of_birth="1980-02-29")
        started = operator.start(nino=None, claimRef=claim_ref)
    return body_of(method, started)


def test_a_claim_with_gaps_is_not_submitted_and_names_them(door: Door, started: Any, bearer: Any) -> None:
    refusal, _ = door("SubmitClaim", body_of("SubmitClaim", started), authorization=bearer("OPERATOR"))

    assert refusal[:2] == ("invalid_argument", "CLAIM_INCOMPLETE")
    assert {"surname", "date_of_birth", "address", "declaration"} <= refusal[2]


def test_what_a_submitted_claim_no_longer_allows(
    door: Door, desk: Any, single_tenant: Any, bearer: Any, started: Any
) -> None:
    claim = desk(subject="OP000009").submitted(single_tenant, "CE123456A")
    here = {"claimRef": claim["claimRef"], "version": claim["version"]}
    for method in ("RecordAnswers", "SubmitClaim"):
        token = bearer("OPERATOR", subject="OP000009")

        refusal, _ = door(method, body_of(method, started, **here), authorization=token)

        assert (method, refusal) == (method, ("failed_precondition", "CLAIM_SUBMITTED", frozenset()))
