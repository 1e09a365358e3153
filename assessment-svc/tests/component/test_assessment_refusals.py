"""Refusals are the same by both doors: code, reason and fields, without any value of the caller's."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import grpc
import httpx
import pytest

from chassis.testing import open_channel
from cms.assessment.v1 import assessment_pb2
from cms.common.v1 import common_pb2

CLAIM = "C0123456789A"
UNKNOWN = "C00000000010"
CANARY = "canary-of-a-value"

METHODS = ["ListWork", "StartAssessment", "VerifyItems", "CorrectItem", "ConfirmAssessment", "CloseAssessment"]
OF_SERVICES = ["GetConfirmations"]
SHOWING = "GetAssessment"
OF_EVIDENCE = ["GetEvidence", "RequestEvidence", "RecordEvidence", "WaiveEvidence"]
OF_EMERGENCIES = ["ListInterimPayments", "RecordInterimPayment", "GetEmergencies"]
"""Their refusals are in test_interim_payments.py."""
OF_CRISIS_LOANS = ["GetCrisisLoan", "DecideCrisisLoan"]
"""Their refusals are in test_crisis_loan_decisions.py."""
OF_BUNDLES = ["TakeBundle", "ReturnBundle", "DiscardBundle"]
"""Theirs are in test_bundles_away_from_the_office.py."""
MUTATING = METHODS[1:]
VERSIONED = METHODS[2:]
CHECK = {"fact": "surname", "status": "ITEM_STATUS_CONFIRMED"}


@pytest.fixture(autouse=True)
def begun_assessment(intake: Any, others: Any, desk: Any) -> None:
    """A claim of one office, in progress at version 2."""
    intake.submit(surname="Jones", tenure="TENANT")
    others.submit()
    others.book()
    desk.do("StartAssessment")


def body_of(method: str, **changes: Any) -> dict[str, Any]:
    """A good request, but for these changes."""
    special: dict[str, dict[str, Any]] = {
        "ListWork": {},
        "StartAssessment": {},
        "VerifyItems": {"version": 2, "items": [CHECK]},
        "CorrectItem": {"version": 2, "fact": "tenure", "value": CANARY, "reason": "seen"},
        "ConfirmAssessment": {"version": 2},
        "CloseAssessment": {"version": 2, "reason": "CLOSED_REASON_NOT_PURSUED"},
        "GetEvidence": {},
        "GetAssessment": {},
        "RequestEvidence": {"kinds": ["EVIDENCE_KIND_PASSPORT"]},
        "RecordEvidence": {"kind": "EVIDENCE_KIND_PASSPORT", "seenOn": {"year": 2020, "month": 2, "day": 29}},
        "WaiveEvidence": {"kinds": ["EVIDENCE_KIND_PASSPORT"], "reason": CANARY},
    }
    common = (
        {"claimRef": CLAIM, "requestId": str(uuid4())} if method not in {"ListWork", "GetEvidence", SHOWING} else {}
    )
    common |= {"claimRef": CLAIM} if method in {"GetEvidence", SHOWING} else {}
    return {**common, **special[method], **changes}


def refused(desk: Any, method: str, **body: Any) -> Any:
    """The refusal, which is the same by either door and repeats no value."""
    by_http, by_grpc = (replace(desk, door=door).call(method, **body) for door in ("http", "grpc"))
    assert (by_http.code, by_http.reason, by_http.fields) == (by_grpc.code, by_grpc.reason, by_grpc.fields)
    assert CANARY not in by_http.text + by_grpc.text
    return by_http


def test_the_table_names_every_method_of_the_contract() -> None:
    service = assessment_pb2.DESCRIPTOR.services_by_name["AssessmentService"]

    assert {method.name for method in service.methods} == {
        *METHODS,
        *OF_SERVICES,
        *OF_EVIDENCE,
        *OF_CRISIS_LOANS,
        SHOWING,
        *OF_BUNDLES,
        *OF_EMERGENCIES,
    }


@pytest.mark.parametrize("method", [*METHODS, *OF_EVIDENCE, SHOWING])
def test_calls_without_a_token_or_with_another_role_are_refused(desk: Any, desk_of: Any, method: str) -> None:
    nobody = refused(replace(desk, token=""), method, **body_of(method))
    others = refused(desk_of("OPERATOR", "SUPPORT", "SERVICE_MANAGER"), method, **body_of(method))

    assert nobody.code == "unauthenticated"
    assert (others.code, others.reason) == ("permission_denied", "ROLE")


def test_what_was_confirmed_is_for_services_alone(desk: Any, desk_of: Any) -> None:
    nobody = refused(replace(desk, token=""), "GetConfirmations", claimRef=CLAIM)
    staff = refused(desk_of("ASSESSOR", "CASEWORKER", "SUPPORT"), "GetConfirmations", claimRef=CLAIM)
    unknown = refused(desk_of("SERVICE", subject="legacy-gateway"), "GetConfirmations", claimRef=UNKNOWN)
    absent = refused(desk_of("SERVICE", subject="legacy-gateway"), "GetConfirmations")

    assert nobody.code == "unauthenticated"
    assert (staff.code, staff.reason) == ("permission_denied", "ROLE")
    assert (unknown.code, unknown.reason) == ("not_found", "WORK_NOT_FOUND")
    assert (absent.code, absent.fields) == ("invalid_argument", {"claim_ref"})


@pytest.mark.parametrize("method", [*METHODS, *OF_EVIDENCE, SHOWING])
def test_an_assessor_without_an_office_is_refused(desk_of: Any, method: str) -> None:
    answer = refused(desk_of(office=None), method, **body_of(method))

    assert (answer.code, answer.reason) == ("permission_denied", "OFFICE_REQUIRED")


@pytest.mark.parametrize("method", [*METHODS, *OF_EVIDENCE, SHOWING])
def test_another_offices_work_is_refused(desk_of: Any, intake: Any, method: str) -> None:
    body = body_of(method, **({"office": "123456"} if method == "ListWork" else {}))
    asked_before = list(intake.asked)

    answer = refused(desk_of(office="654321"), method, **body)

    assert (answer.code, answer.reason) == ("permission_denied", "OTHER_OFFICE")
    assert intake.asked == asked_before


@pytest.mark.parametrize("method", [*MUTATING, *OF_EVIDENCE, SHOWING])
def test_a_claim_that_was_not_submitted_is_not_found(desk: Any, others: Any, method: str) -> None:
    others.book("C00000000020")

    for claim_ref in (UNKNOWN, "C00000000020"):
        answer = refused(desk, method, **body_of(method, claimRef=claim_ref))
        assert (answer.code, answer.reason) == ("not_found", "WORK_NOT_FOUND")


@pytest.mark.parametrize("method", [*MUTATING, *OF_EVIDENCE[1:]])
def test_missing_fields_and_a_malformed_request_id_are_named(desk: Any, method: str) -> None:
    required = {"claim_ref", "request_id"} | ({"version"} if method in VERSIONED else set())

    absent = refused(desk, method)
    no_uuid = refused(desk, method, **body_of(method, requestId=CANARY))

    assert absent.code == "invalid_argument"
    assert required <= absent.fields
    assert (no_uuid.code, no_uuid.fields) == ("invalid_argument", {"request_id"})


@pytest.mark.parametrize("method", VERSIONED)
def test_a_stale_version_is_aborted_and_changes_nothing(desk: Any, intake: Any, method: str) -> None:
    answer = refused(desk, method, **body_of(method, version=1))

    assert (answer.code, answer.reason) == ("aborted", "STALE_VERSION")
    assert intake.claims[CLAIM].version == 7


@pytest.mark.parametrize("method", MUTATING)
def test_a_request_id_with_another_body_is_refused(desk: Any, intake: Any, others: Any, method: str) -> None:
    intake.submit(UNKNOWN, surname="Evans")
    others.submit(UNKNOWN)
    checks = [{**CHECK, "fact": fact} for fact in ("surname", "tenure")]
    version = desk.do("VerifyItems", version=2, items=checks)["version"]
    body = body_of(method, **({"version": version} if method in VERSIONED else {}))
    first = desk.call(method, **body)

    again = desk.call(method, **body)
    answer = refused(desk, method, **{**body, "claimRef": UNKNOWN})

    assert first.code == "ok"
    assert again == first
    assert (answer.code, answer.reason) == ("already_exists", "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    ("method", "changes", "fields"),
    [
        ("ListWork", {"pageSize": -1}, {"page_size"}),
        ("ListWork", {"pageToken": CANARY}, {"page_token"}),
        ("ListWork", {"day": {"year": 2026, "month": 2, "day": 31}}, {"day"}),
        ("ListWork", {"day": {"year": 9999, "month": 12, "day": 31}}, {"day"}),
        ("ListWork", {"state": 77}, {"state"}),
        ("VerifyItems", {"items": []}, {"items"}),
        ("VerifyItems", {"items": [{"fact": "surname"}]}, {"items[0].status"}),
        ("VerifyItems", {"items": [{**CHECK, "status": "ITEM_STATUS_CORRECTED"}]}, {"items[0].status"}),
        ("VerifyItems", {"items": [CHECK, {**CHECK, "fact": CANARY}, CHECK]}, {"items[1].fact", "items[2].fact"}),
        (
            "VerifyItems",
            {"items": [{**CHECK, "evidence": {"kind": 3, "seenOn": {"year": 2026, "month": 2, "day": 31}}}]},
            {"items[0].evidence.seen_on"},
        ),
        (
            "VerifyItems",
            {"items": [{**CHECK, "evidence": {"kind": 3, "seenOn": {"year": 2199, "month": 2, "day": 1}}}]},
            {"items[0].evidence.seen_on"},
        ),
        (
            "VerifyItems",
            {"items": [{**CHECK, "evidence": {"seenOn": {"year": 2026, "month": 2, "day": 1}}}]},
            {"items[0].evidence.kind"},
        ),
        ("CorrectItem", {"fact": CANARY}, {"fact"}),
        ("CorrectItem", {"reason": ""}, {"reason"}),
        ("CorrectItem", {"reason": "a\x00b"}, {"reason"}),
        ("ConfirmAssessment", {"schemes": [0]}, {"schemes[0]"}),
        ("ConfirmAssessment", {"schemes": ["SCHEME_INCOME_SUPPORT"]}, {"schemes[0]"}),
    ],
)
def test_bad_input_is_named_without_its_value(desk: Any, method: str, changes: Any, fields: set[str]) -> None:
    answer = refused(desk, method, **body_of(method, **changes))

    assert (answer.code, answer.fields) == ("invalid_argument", fields)


@pytest.mark.parametrize("method", [method for method in VERSIONED if method != "CloseAssessment"])
def test_an_assessment_that_was_not_started_cannot_be_changed(desk: Any, intake: Any, others: Any, method: str) -> None:
    intake.submit(UNKNOWN, surname="Evans")
    others.submit(UNKNOWN)

    answer = refused(desk, method, **body_of(method, claimRef=UNKNOWN, version=1))

    assert (answer.code, answer.reason) == ("failed_precondition", "NOT_STARTED")


@pytest.mark.parametrize("method", MUTATING)
def test_child_maintenance_is_no_assessors_work_and_the_rest_no_caseworkers(
    desk: Any, desk_of: Any, intake: Any, others: Any, method: str
) -> None:
    intake.submit(UNKNOWN, surname="Evans")
    others.submit(UNKNOWN, schemes=[common_pb2.SCHEME_CHILD_MAINTENANCE])

    assessor = refused(desk, method, **body_of(method, claimRef=UNKNOWN))
    caseworker = refused(desk_of("CASEWORKER", office=None), method, **body_of(method))

    assert (assessor.code, assessor.reason) == ("permission_denied", "OTHER_SCHEME")
    assert (caseworker.code, caseworker.reason) == ("permission_denied", "OTHER_SCHEME")


@pytest.mark.parametrize("method", MUTATING)
def test_the_work_of_a_withdrawn_claim_is_closed(desk: Any, others: Any, intake: Any, method: str) -> None:
    others.withdraw()

    answer = refused(desk, method, **body_of(method))

    assert (answer.code, answer.reason) == ("failed_precondition", "ASSESSMENT_CLOSED")
    assert intake.claims[CLAIM].version == 7


def test_a_caseworker_cannot_list_by_interview(desk_of: Any) -> None:
    wanted = {"office": "123456", "assessor": "AS000001", "day": {"year": 2005, "month": 7, "day": 11}}

    answer = refused(desk_of("CASEWORKER", office=None), "ListWork", **wanted)

    assert (answer.code, answer.fields) == ("invalid_argument", {"office", "assessor", "day"})


def test_a_malformed_body_is_refused(desk: Any, process: Any) -> None:
    url = f"http://127.0.0.1:{process.http.port}/cms.assessment.v1.AssessmentService/CorrectItem"
    headers = {"Authorization": f"Bearer {desk.token}", "Content-Type": "application/json"}

    by_http = httpx.post(url, content=b'{"version": "' + CANARY.encode() + b'"}', headers=headers)
    with open_channel(process, desk.token) as channel:
        unary: Any = channel.unary_unary
        correct_item = unary("/cms.assessment.v1.AssessmentService/CorrectItem")
        metadata = (("authorization", f"Bearer {desk.token}"),)
        with pytest.raises(grpc.RpcError) as by_grpc:
            correct_item(b"\x0a\xff\xff" + CANARY.encode(), metadata=metadata, timeout=5)

    assert (by_http.status_code, by_http.json()["code"]) == (400, "invalid_argument")
    assert by_grpc.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert CANARY not in by_http.text + str(by_grpc.value)
