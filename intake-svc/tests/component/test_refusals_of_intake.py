"""Every method refuses by either door with the right code, names the field, and repeats no value."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock, contract
from chassis.runtime import Process
from chassis.testing import Client, DatabaseUrls, Reply, Tokens
from cms.intake.v1 import intake_pb2

SERVICE = intake_pb2.DESCRIPTOR.services_by_name["IntakeService"]
METHODS = {method.name: method for method in SERVICE.methods}
CANARY = "Canary"

As = Callable[..., Client]
"""Somebody of these roles, at the door of the test; nobody without a role."""

HELPER = {
    "relation": "CALLER_RELATION_REPRESENTATIVE",
    "name": "J Price",
    "capacity": "REPRESENTATIVE_CAPACITY_HELPER",
}
COUNTS = {
    "start": "2026-03-02T09:00:00Z",
    "offered": 10,
    "answered": 8,
    "abandoned": 1,
    "answeredWithinTarget": 6,
}
VALID: dict[str, Any] = {
    "StartCall": {
        "purpose": "CALL_PURPOSE_NEW",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
    },
    "PassSecurity": {"answers": [{"questionId": "date_of_birth", "value": "1980-02-29"}]},
    "ListSecurityLocks": {},
    "PlaceLegalHold": {"reason": "appeal"},
    "LiftLegalHold": {},
    "ListLegalHolds": {},
    "EraseClaims": {},
    "CheckEntitlement": {},
    "LiftSecurityLock": {"version": 1},
    "HoldCall": {},
    "ResumeCall": {},
    "EndCall": {"outcome": "CALL_OUTCOME_COMPLETED"},
    "EndWrapUp": {},
    "ListCalls": {},
    "ListCallBacks": {},
    "TakeCallBack": {},
    "RecordCallBack": {"outcome": "CALL_BACK_OUTCOME_NO_ANSWER"},
    "ReportLines": {"quarterHours": [COUNTS]},
    "GetLines": {"from": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00Z"},
    "ImportForm": {
        "form": {"answers": [{"question": "surname", "value": "Hughes"}]},
        "receivedOn": {"year": clock.today().year, "month": clock.today().month, "day": clock.today().day},
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
    },
    "GetInterview": {},
    "RecordAnswers": {"version": 1, "answers": [{"questionId": "surname", "value": "Hughes"}]},
    "AmendAnswers": {
        "version": 1,
        "answers": [{"questionId": "surname", "value": "Hughes"}],
        "reason": "misheard",
    },
    "ChangeSchemes": {"version": 1, "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"]},
    "MoveToCatalogue": {"version": 1},
    "GetHistory": {},
    "SubmitClaim": {"version": 1},
    "WithdrawClaim": {"version": 1, "reason": "found work"},
    "DecideDuplicate": {
        "version": 1,
        "otherClaimRef": "C00000000000",
        "verdict": "DUPLICATE_VERDICT_OTHER_PERSON",
        "reason": "twins",
    },
    "GetClaim": {},
    "ListClaims": {"nino": "AB123456C"},
    "GetClaimFacts": {},
}
REQUIRED = {
    "StartCall": {"purpose", "schemes", "language", "caller", "request_id"},
    "PassSecurity": {"call_id", "answers", "request_id"},
    "LiftSecurityLock": {"version", "request_id"},
    "PlaceLegalHold": {"claim_ref", "reason", "request_id"},
    "LiftLegalHold": {"claim_ref", "request_id"},
    "EraseClaims": {"request_id"},
    "CheckEntitlement": {"claim_ref"},
    "HoldCall": {"call_id", "request_id"},
    "ResumeCall": {"request_id"},
    "EndCall": {"call_id", "outcome", "request_id"},
    "EndWrapUp": {"call_id", "request_id"},
    "ListCalls": {"claim_ref"},
    "TakeCallBack": {"request_id"},
    "RecordCallBack": {"call_id", "outcome", "request_id"},
    "ReportLines": {"quarter_hours", "request_id"},
    "GetLines": {"from", "until"},
    "ImportForm": {"form", "received_on", "schemes", "request_id"},
    "GetInterview": {"claim_ref"},
    "RecordAnswers": {"claim_ref", "version", "request_id"},
    "AmendAnswers": {"claim_ref", "answers", "version", "request_id", "reason"},
    "ChangeSchemes": {"claim_ref", "schemes", "version", "request_id"},
    "MoveToCatalogue": {"claim_ref", "version", "request_id"},
    "GetHistory": {"claim_ref"},
    "SubmitClaim": {"claim_ref", "version", "request_id"},
    "WithdrawClaim": {"claim_ref", "reason", "version", "request_id"},
    "DecideDuplicate": {"claim_ref", "other_claim_ref", "verdict", "reason", "version", "request_id"},
    "GetClaim": {"claim_ref"},
    "GetClaimFacts": {"claim_ref"},
}
MALFORMED: list[tuple[str, dict[str, Any], set[str]]] = [
    ("StartCall", {"nino": "QQ123456C"}, {"nino"}),
    ("StartCall", {"nino": CANARY, "schemes": ["SCHEME_UNSPECIFIED"]}, {"nino", "schemes[0]"}),
    ("StartCall", {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"] * 2}, {"schemes[1]"}),
    ("StartCall", {"needs": ["CALL_NEED_UNSPECIFIED"]}, {"needs[0]"}),
    ("StartCall", {"claimRef": CANARY}, {"claim_ref"}),
    ("StartCall", {"nino": "AB123456C", "claimRef": "C00000000000"}, {"claim_ref"}),
    (
        "StartCall",
        {"caller": {"relation": "CALLER_RELATION_REPRESENTATIVE"}},
        {"caller.name", "caller.authority"},
    ),
    ("StartCall", {"caller": {"relation": "CALLER_RELATION_SELF", "name": f"{CANARY}\n"}}, {"caller.name"}),
    (
        "StartCall",
        {"caller": {"relation": "CALLER_RELATION_SELF", "capacity": "REPRESENTATIVE_CAPACITY_HELPER"}},
        {"caller.capacity"},
    ),
    ("StartCall", {"caller": HELPER}, {"caller.claimant_present"}),
    ("StartCall", {"caller": {"relation": "CALLER_RELATION_SELF", "capacity": 77}}, {"caller.capacity"}),
    ("HoldCall", {"callId": CANARY}, {"call_id"}),
    ("ResumeCall", {"callId": CANARY}, {"call_id"}),
    ("ResumeCall", {"callId": "", "claimRef": CANARY}, {"claim_ref"}),
    ("ResumeCall", {"claimRef": "C0000000000A"}, {"call_id", "claim_ref"}),
    ("ResumeCall", {"callId": ""}, {"call_id", "claim_ref"}),
    ("EndWrapUp", {"callId": CANARY}, {"call_id"}),
    ("ListCalls", {"claimRef": CANARY}, {"claim_ref"}),
    ("ListCalls", {"pageSize": -1}, {"page_size"}),
    ("ListCallBacks", {"state": "CALL_BACK_STATE_SETTLED"}, {"state"}),
    ("ListCallBacks", {"state": 77, "language": 77}, {"state", "language"}),
    ("ListCallBacks", {"state": "CALL_BACK_STATE_SETTLED", "pageSize": -1}, {"state", "page_size"}),
    ("ListCallBacks", {"pageToken": CANARY}, {"page_token"}),
    ("TakeCallBack", {"callId": CANARY}, {"call_id"}),
    ("TakeCallBack", {"callId": "", "language": 77}, {"language"}),
    ("RecordCallBack", {"callId": CANARY}, {"call_id"}),
    ("RecordCallBack", {"outcome": 77}, {"outcome"}),
    ("PassSecurity", {"callId": CANARY}, {"call_id"}),
    ("PassSecurity", {"answers": [{"questionId": "date_of_birth", "value": CANARY}]}, {"date_of_birth"}),
    ("EndCall", {"outcome": "CALL_OUTCOME_CALL_BACK"}, {"call_back_time"}),
    ("EndCall", {"callBackTime": "2099-01-01T00:00:00Z"}, {"call_back_time"}),
    ("ReportLines", {"quarterHours": [{"offered": 1}]}, {"quarter_hours[0].start"}),
    ("ReportLines", {"quarterHours": [COUNTS, COUNTS]}, {"quarter_hours[0].start", "quarter_hours[1].start"}),
    ("ReportLines", {"quarterHours": [COUNTS | {"start": "2026-03-02T09:01:00Z"}]}, {"quarter_hours[0].start"}),
    ("ReportLines", {"quarterHours": [COUNTS | {"start": "2099-01-01T00:00:00Z"}]}, {"quarter_hours[0].start"}),
    ("ReportLines", {"quarterHours": [COUNTS | {"offered": -1}]}, {"quarter_hours[0].offered"}),
    (
        "ReportLines",
        {"quarterHours": [COUNTS | {"offered": 20001, "answeredWithinTarget": 9}]},
        {"quarter_hours[0].offered", "quarter_hours[0].answered_within_target"},
    ),
    ("GetLines", {"until": "2026-03-02T00:00:00Z"}, {"until"}),
    ("GetLines", {"until": "2026-03-10T00:00:00Z"}, {"until"}),
    ("GetInterview", {"section": CANARY}, {"section"}),
    ("RecordAnswers", {"answers": [{"questionId": CANARY, "value": "x"}]}, {"answers[0].question_id"}),
    (
        "RecordAnswers",
        {"answers": [{"questionId": "surname", "value": "A"}, *[{"questionId": CANARY.lower(), "value": "x"}] * 2]},
        {"answers[1].question_id", "answers[2].question_id"},
    ),
    ("RecordAnswers", {"answers": [{"questionId": "maintenance_role", "value": "A"}]}, {"maintenance_role"}),
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
        {"nino", "date_of_birth", "capital", "surname", "children[0].date_of_birth", "children[0].relationship"},
    ),
    ("AmendAnswers", {"answers": [{"questionId": "sex", "value": CANARY}]}, {"sex"}),
    ("AmendAnswers", {"reason": f"{CANARY}\r\n"}, {"reason"}),
    ("SubmitClaim", {"claimRef": CANARY}, {"claim_ref"}),
    ("ChangeSchemes", {"claimRef": CANARY}, {"claim_ref"}),
    ("ChangeSchemes", {"schemes": [77]}, {"schemes[0]"}),
    ("ChangeSchemes", {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"] * 2}, {"schemes[1]"}),
    ("MoveToCatalogue", {"claimRef": CANARY}, {"claim_ref"}),
    ("WithdrawClaim", {"claimRef": CANARY}, {"claim_ref"}),
    ("WithdrawClaim", {"reason": f"{CANARY}\0"}, {"reason"}),
    ("WithdrawClaim", {"reason": CANARY * 100}, {"reason"}),
    ("DecideDuplicate", {"otherClaimRef": CANARY, "reason": f"{CANARY}\r\n"}, {"other_claim_ref", "reason"}),
    ("GetClaim", {"claimRef": "C0000000001B"}, {"claim_ref"}),
    ("GetHistory", {"claimRef": CANARY}, {"claim_ref"}),
    ("GetClaimFacts", {"version": 2**31 - 1}, {"version"}),
]


@pytest.fixture(params=["http", "grpc"])
def as_(request: Any, process: Process, tokens: Tokens) -> As:
    """Each test goes through both doors."""

    def client(*roles: str, **claims: Any) -> Client:
        token = tokens.issue(*roles, **claims) if roles else ""
        return Client(process=process, service=SERVICE.full_name, token=token, door=request.param)

    return client


def refusal(reply: Reply) -> tuple[str, str, frozenset[str]]:
    return reply.code, reply.reason, reply.fields


@pytest.fixture
def started(desk: Any) -> Any:
    """A call of OP000001 on a new claim."""
    return desk().start()


def allowed(method: str) -> str:
    roles = contract.allowed_roles(METHODS[method])
    return "OPERATOR" if "OPERATOR" in roles else min(roles)


def subject_of(method: str) -> dict[str, str]:
    """A service that may call the method, where services alone may."""
    return {"subject": min(contract.called_by(METHODS[method]))} if allowed(method) == "SERVICE" else {}


def body_of(method: str, started: Any, **more: Any) -> dict[str, Any]:
    """A request that is sound, but for what `more` changes."""
    fields = METHODS[method].input_type.fields_by_name
    subject = {"claimRef": started["claim"]["claimRef"], "callId": started["call"]["callId"]}
    named = {
        name: value for name, value in subject.items() if ("claim_ref" if name == "claimRef" else "call_id") in fields
    }
    if method == "StartCall":
        named = {}
    if method == "ResumeCall":
        del named["claimRef"]
    request_id = {"requestId": str(uuid4())} if "request_id" in fields else {}
    return {**VALID[method], **named, **request_id, **more}


def test_the_tables_know_every_method() -> None:
    assert VALID.keys() == METHODS.keys()
    assert REQUIRED.keys() | {"ListClaims", "ListCallBacks", "ListSecurityLocks", "ListLegalHolds"} == METHODS.keys()
    assert OTHER_BODIES.keys() == {
        name for name, method in METHODS.items() if "request_id" in method.input_type.fields_by_name
    }


def test_callers_without_a_token_are_unauthenticated(as_: As, started: Any) -> None:
    codes = {method: as_().call(method, **body_of(method, started)).code for method in METHODS}

    assert codes == dict.fromkeys(METHODS, "unauthenticated")


def test_only_the_contracts_roles_may_call_a_method(as_: As, started: Any) -> None:
    roles = {"OPERATOR", "ASSESSOR", "PROCESSING_OFFICER", "COUNCIL_OFFICER", "CASEWORKER", "SERVICE_MANAGER"}
    for method, descriptor in METHODS.items():
        others = sorted((roles | {"SUPPORT"}) - contract.allowed_roles(descriptor))
        for refused in (others, {"SERVICE"} - contract.allowed_roles(descriptor)):
            reply = as_(*refused).call(method, **body_of(method, started))

            refusing = ("permission_denied", "ROLE") if refused else ("unauthenticated", "NO_TOKEN")
            assert (method, refusal(reply)) == (method, (*refusing, frozenset()))


def test_every_required_field_is_named(as_: As) -> None:
    for method, required in REQUIRED.items():
        reply = as_(allowed(method), **subject_of(method)).call(method)

        assert (method, refusal(reply)) == (method, ("invalid_argument", "INVALID_FIELDS", frozenset(required)))


def test_malformed_input_names_its_fields_and_never_its_values(as_: As, started: Any) -> None:
    for method, more, fields in MALFORMED:
        reply = as_(allowed(method), **subject_of(method)).call(method, **body_of(method, started, **more))

        expected = ("invalid_argument", "INVALID_FIELDS", frozenset(fields))
        assert (method, more, refusal(reply)) == (method, more, expected)
        assert CANARY not in reply.text
        assert "QQ123456C" not in reply.text


WITHOUT_A_RECORD = {
    "StartCall",
    "ListClaims",
    "ListCallBacks",
    "ListSecurityLocks",
    "ListLegalHolds",
    "EraseClaims",
    "ReportLines",
    "GetLines",
    "ImportForm",
}


def test_unknown_claims_and_calls_are_not_found(as_: As, started: Any) -> None:
    missing = {"claimRef": "C00000000000", "callId": str(uuid4())}
    for method in sorted(METHODS.keys() - WITHOUT_A_RECORD):
        body = body_of(method, started)
        body |= {name: value for name, value in missing.items() if name in body}

        reply = as_(allowed(method), **subject_of(method)).call(method, **body)

        assert (method, reply.code) == (method, "not_found")


def test_a_stale_version_is_refused_with_the_present_one(as_: As, desk: Any, started: Any) -> None:
    desk().record(started["claim"]["claimRef"], 1, sex="F")
    for method in ("RecordAnswers", "AmendAnswers", "ChangeSchemes", "MoveToCatalogue", "SubmitClaim", "WithdrawClaim"):
        reply = as_("OPERATOR").call(method, **body_of(method, started))

        assert (method, refusal(reply)) == (method, ("aborted", "STALE_VERSION", frozenset()))
        assert "the record is at 2" in reply.text


OTHER_BODIES: dict[str, dict[str, Any]] = {
    "StartCall": {"language": "LANGUAGE_CY"},
    "PassSecurity": {"answers": [{"questionId": "date_of_birth", "value": "1980-02-28"}]},
    "LiftSecurityLock": {"version": 7},
    "PlaceLegalHold": {"reason": "court"},
    "LiftLegalHold": {"claimRef": "C00000000000"},
    "EraseClaims": {"limit": 7},
    "HoldCall": {"callId": str(uuid4())},
    "ResumeCall": {"callId": str(uuid4())},
    "EndCall": {"outcome": "CALL_OUTCOME_ABANDONED"},
    "EndWrapUp": {"callId": str(uuid4())},
    "TakeCallBack": {"callId": str(uuid4())},
    "RecordCallBack": {"outcome": "CALL_BACK_OUTCOME_NO_NUMBER"},
    "ReportLines": {"quarterHours": [COUNTS | {"offered": 11}]},
    "ImportForm": {"form": {"answers": [{"question": "surname", "value": "Price"}]}},
    "RecordAnswers": {"version": 7},
    "AmendAnswers": {"reason": "misread"},
    "ChangeSchemes": {"version": 7},
    "MoveToCatalogue": {"version": 7},
    "SubmitClaim": {"version": 7},
    "WithdrawClaim": {"reason": "moved abroad"},
    "DecideDuplicate": {"reason": "cousins"},
}


def test_a_request_id_with_another_body_is_refused(
    as_: As, desk: Any, rest: Any, clock_file: Path, database_urls: DatabaseUrls
) -> None:
    for method, change in OTHER_BODIES.items():
        body, operator = first_request(method, desk, rest), as_(allowed(method), **subject_of(method))
        if method == "LiftSecurityLock":
            lock_claim(database_urls, body["claimRef"])

        first, again, other = (operator.call(method, **sent) for sent in (body, body, body | change))

        assert (method, first.code, again.code) == (method, "ok", "ok")
        assert (method, refusal(other)) == (method, ("already_exists", "REQUEST_ID_REUSED", frozenset()))


def lock_claim(database_urls: DatabaseUrls, claim_ref: str) -> None:
    """Locks a claim, as six wrong answers to its questions would."""
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute(
            "INSERT INTO security_failures (kind, name, failures, locked_time) VALUES ('CLAIM', %s, 6, now())",
            [claim_ref],
        )


def first_request(method: str, desk: Any, rest: Any) -> dict[str, Any]:
    """A request that will be served, about a claim of its own."""
    operator = desk()
    started = operator.start(nino=None)
    claim_ref = started["claim"]["claimRef"]
    if method == "SubmitClaim":
        version = operator.record(claim_ref, 1, **rest, nino={"gap": "NOT_KNOWN"})["version"]
        return body_of(method, started, version=version)
    if method == "PassSecurity":
        operator.record(claim_ref, 1, date_of_birth="1980-02-29")
        started = operator.start(nino=None, claimRef=claim_ref)
    if method == "DecideDuplicate":
        twins = {"surname": "Twin", "date_of_birth": "1980-02-29", "address": rest["address"]}
        operator.record(claim_ref, 1, **twins)
        second = operator.start(nino=None)
        operator.record(second["claim"]["claimRef"], 1, **twins)
        return body_of(method, second, version=2, otherClaimRef=claim_ref)
    if method == "LiftLegalHold":
        desk("SERVICE_MANAGER", "SM000001").once("PlaceLegalHold", claimRef=claim_ref, reason="appeal")
    this = {"callId": started["call"]["callId"]}
    if method == "ResumeCall":
        operator.once("HoldCall", **this)
    if method == "EndWrapUp":
        operator.once("EndCall", **this, outcome="CALL_OUTCOME_COMPLETED")
    if method in ("TakeCallBack", "RecordCallBack"):
        later = (clock.now() + timedelta(hours=1)).isoformat()
        operator.once("EndCall", **this, outcome="CALL_OUTCOME_CALL_BACK", callBackTime=later)
        clock.advance(timedelta(hours=2))
    if method == "RecordCallBack":
        operator.once("TakeCallBack", **this)
    return body_of(method, started)


def test_an_incomplete_claim_is_not_submitted_and_its_gaps_are_named(as_: As, started: Any) -> None:
    reply = as_("OPERATOR").call("SubmitClaim", **body_of("SubmitClaim", started))

    assert (reply.code, reply.reason) == ("invalid_argument", "CLAIM_INCOMPLETE")
    assert {"surname", "date_of_birth", "address", "declaration"} <= reply.fields


def test_a_submitted_claim_takes_no_interview_answers_and_no_second_submission(
    as_: As, desk: Any, single_tenant: Any, started: Any
) -> None:
    claim = desk(subject="OP000009").submitted(single_tenant, "CE123456A")
    here = {"claimRef": claim["claimRef"], "version": claim["version"]}
    for method in ("RecordAnswers", "SubmitClaim"):
        reply = as_("OPERATOR", subject="OP000009").call(method, **body_of(method, started, **here))

        assert (method, refusal(reply)) == (method, ("failed_precondition", "CLAIM_SUBMITTED", frozenset()))
