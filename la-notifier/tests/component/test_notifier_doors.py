"""The notifier through both doors, with intake's claims the test's own."""

from collections.abc import Mapping
from typing import Any

import grpc
import httpx
import psycopg
import pytest

from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Tokens, eventually
from cms.intake.v1 import events_pb2
from cms.notifier.v1 import notifier_pb2, notifier_pb2_grpc

CLAIM = "C0123456789A"
SERVICE = "cms.notifier.v1.LaNotifierService"
REQUESTS: Mapping[str, Any] = {
    "GetNotices": notifier_pb2.GetNoticesRequest,
    "FindAuthority": notifier_pb2.FindAuthorityRequest,
}


def by_http(process: Process, method: str, body: Any, token: str = "") -> httpx.Response:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"http://127.0.0.1:{process.http.port}/{SERVICE}/{method}", json=body, headers=authorization)


def by_grpc(process: Process, method: str, body: Mapping[str, str], token: str = "") -> Any:
    with grpc.insecure_channel(f"127.0.0.1:{process.grpc.port}") as channel:
        call = getattr(notifier_pb2_grpc.LaNotifierServiceStub(channel), method)
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        return call(REQUESTS[method](**body), metadata=metadata, timeout=5)


@pytest.fixture
def staff(tokens: Tokens) -> str:
    return tokens.issue("SUPPORT")


def test_notices_show_their_dates_and_times(notifier: Process, scene: Any, tenant: Any, staff: str) -> None:
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    [notice] = by_http(notifier, "GetNotices", {"claimRef": CLAIM}, staff).json()["notices"]
    [same] = by_grpc(notifier, "GetNotices", {"claim_ref": CLAIM}, staff).notices

    assert notice["kind"] == "NOTICE_KIND_INTENTION"
    assert notice["state"] == "NOTICE_STATE_LOADED"
    assert (notice["channel"], notice["authorityName"]) == ("NOTICE_CHANNEL_API", "Cardiff")
    assert notice["sent"] <= notice["received"] <= notice["loaded"]
    day, due = same.first_contact_on, same.proof_due_on
    assert (due.year * 12 + due.month) - (day.year * 12 + day.month) == 1
    assert (same.version, same.attempts, same.authority_code) == (1, 1, "W06000015")


def test_an_unknown_claim_has_no_notices(notifier: Process, staff: str) -> None:
    assert by_http(notifier, "GetNotices", {"claimRef": CLAIM}, staff).json() == {"notices": [], "notTold": []}


def test_a_claim_without_an_authority_shows_the_reason(notifier: Process, scene: Any, tenant: Any, staff: str) -> None:
    scene.claims.keep(tenant(address={"lines": ["4 Donegall Square"], "postcode": "BT1 5GS"}))
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(scene.referrals)

    [not_told] = by_grpc(notifier, "GetNotices", {"claim_ref": CLAIM}, staff).not_told

    assert not_told.reason == notifier_pb2.NOT_TOLD_REASON_NORTHERN_IRELAND
    assert not_told.HasField("since")


def test_the_authority_of_a_postcode_is_found_in_any_spelling(notifier: Process, staff: str) -> None:
    found = by_http(notifier, "FindAuthority", {"postcode": "ls13aa"}, staff).json()["authority"]

    assert found == {"code": "E08000035", "name": "Leeds", "channel": "NOTICE_CHANNEL_API"}
    assert by_grpc(notifier, "FindAuthority", {"postcode": "LS1 3AA"}, staff).authority.name == "Leeds"


def test_the_metrics_of_the_notifier_are_served(
    notifier: Process, scene: Any, tenant: Any, database_urls: DatabaseUrls
) -> None:
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    text = httpx.get(f"http://127.0.0.1:{notifier.http.port}/metrics").text

    assert 'notifier_notices{channel="API",state="LOADED"} 1.0' in text
    assert 'notifier_first_contact_to_sent_seconds_bucket{le="60.0"}' in text
    assert "notifier_reviews_due 0.0" in text


REFUSALS = [
    ("GetNotices", {"claim_ref": CLAIM}, None, "UNAUTHENTICATED", set()),
    ("GetNotices", {"claim_ref": CLAIM}, "COUNCIL_OFFICER", "PERMISSION_DENIED", set()),
    ("GetNotices", {"claim_ref": CLAIM}, "SERVICE", "PERMISSION_DENIED", set()),
    ("GetNotices", {}, "OPERATOR", "INVALID_ARGUMENT", {"claim_ref"}),
    ("GetNotices", {"claim_ref": "' OR 1=1 --"}, "OPERATOR", "INVALID_ARGUMENT", {"claim_ref"}),
    ("GetNotices", {"claim_ref": "c0123456789a"}, "OPERATOR", "INVALID_ARGUMENT", {"claim_ref"}),
    ("GetNotices", {"claim_ref": "C0123456789\x00"}, "OPERATOR", "INVALID_ARGUMENT", {"claim_ref"}),
    ("FindAuthority", {"postcode": "LS1 3AA"}, None, "UNAUTHENTICATED", set()),
    ("FindAuthority", {"postcode": "LS1 3AA"}, "COUNCIL_OFFICER", "PERMISSION_DENIED", set()),
    ("FindAuthority", {"postcode": "LS1 3AA"}, "SERVICE", "PERMISSION_DENIED", set()),
    ("FindAuthority", {}, "OPERATOR", "INVALID_ARGUMENT", {"postcode"}),
    ("FindAuthority", {"postcode": "not-one"}, "OPERATOR", "INVALID_ARGUMENT", {"postcode"}),
    ("FindAuthority", {"postcode": "CF10 9ZZ"}, "OPERATOR", "NOT_FOUND", set()),
    ("FindAuthority", {"postcode": "BT1 5GS"}, "OPERATOR", "NOT_FOUND", set()),
]


def test_both_doors_refuse_bad_requests_with_field_names_but_without_values(notifier: Process, tokens: Tokens) -> None:
    refused = [refusal(notifier, tokens, method=method, body=body, role=role) for method, body, role, _, _ in REFUSALS]

    assert refused == [(code, fields, code, []) for _, _, _, code, fields in REFUSALS]


def refusal(
    process: Process, tokens: Tokens, *, method: str, body: dict[str, str], role: str | None
) -> tuple[str, set[str], str, list[str]]:
    """By HTTP the code and the fields, by gRPC the code; and the values given that either answer holds."""
    subject = "intake-svc" if role == "SERVICE" else "OP000001"
    token = tokens.issue(role, subject=subject) if role else ""
    answer = by_http(process, method, body, token)
    with pytest.raises(grpc.RpcError) as refused:
        by_grpc(process, method, body, token)
    faults = [fault for detail in answer.json()["details"] for fault in detail["debug"].get("fieldViolations", [])]
    shown = answer.text + str(refused.value.details())
    return (
        answer.json()["code"].upper(),
        {fault["field"] for fault in faults},
        refused.value.code().name,
        [value for value in body.values() if value in shown],
    )


def test_both_doors_refuse_a_body_that_is_not_a_message(notifier: Process, staff: str) -> None:
    for method in REQUESTS:
        answer = by_http(notifier, method, {"nonsense": {"CANARY": 1}}, staff)
        with grpc.insecure_channel(f"127.0.0.1:{notifier.grpc.port}") as channel:
            raw: Any = channel.unary_unary(f"/{SERVICE}/{method}", None, None)
            with pytest.raises(grpc.RpcError) as refused:
                raw(b"\x0a\xff\xff", metadata=(("authorization", f"Bearer {staff}"),), timeout=5)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
        assert "CANARY" not in answer.text
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_refusal_for_northern_ireland_names_the_bodies_to_ask(notifier: Process, staff: str) -> None:
    answer = by_http(notifier, "FindAuthority", {"postcode": "BT1 5GS"}, staff).json()

    assert "Northern Ireland Housing Executive" in answer["message"]
    assert answer["details"][0]["debug"]["reason"] == "NORTHERN_IRELAND"


def test_a_refused_call_is_in_the_access_log(notifier: Process, tokens: Tokens, database_urls: DatabaseUrls) -> None:
    by_http(notifier, "GetNotices", {"claimRef": CLAIM}, tokens.issue("COUNCIL_OFFICER"))

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT method, outcome FROM access_log").fetchall()
    assert rows == [(f"/{SERVICE}/GetNotices", "DENIED")]
