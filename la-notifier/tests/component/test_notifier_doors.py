"""The notifier through both doors, with claims of the test's own instead of intake's."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
import pytest
from google.protobuf.descriptor import MethodDescriptor

from chassis import clock
from chassis.errors import PermissionDenied
from chassis.runtime import Process
from chassis.testing import Client, DatabaseUrls, Door, Tokens, costs, eventually, open_channel
from cms.intake.v1 import events_pb2

CLAIM = "C0123456789A"
SERVICE = "cms.notifier.v1.LaNotifierService"
DOORS: tuple[Door, ...] = ("grpc", "http")
NOBODYS = "7d1f1a8e-8a4b-4a7e-9a0c-3f6f0f8f2f10"
BELFAST = {"lines": ["4 Donegall Square"], "postcode": "BT1 5GS"}

CallerAt = Callable[..., Client]


@pytest.fixture
def caller(notifier: Process, tokens: Tokens) -> CallerAt:
    """A client with a token of a role; without a token where the role is None."""

    def at(door: Door = "http", role: str | None = "SUPPORT") -> Client:
        subject = "intake-svc" if role == "SERVICE" else "OP000001"
        token = tokens.issue(role, subject=subject) if role else ""
        return Client(process=notifier, service=SERVICE, token=token, door=door)

    return at


@pytest.mark.parametrize("door", DOORS)
def test_notices_show_their_dates_and_times(caller: CallerAt, scene: Any, tenant: Any, door: Door) -> None:
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    shown = caller(door).get("GetNotices", claimRef=CLAIM)

    [notice] = shown["notices"]
    [dated] = shown["datesOfClaim"]
    assert (dated["noticeId"], dated["date"]) == (notice["noticeId"], notice["firstContactOn"])
    assert (dated["basis"], dated["rule"], dated["settled"]) == ("DATE_OF_CLAIM_BASIS_INTENTION", "HB_2006_83", False)
    assert (notice["kind"], notice["state"]) == ("NOTICE_KIND_INTENTION", "NOTICE_STATE_LOADED")
    assert (notice["channel"], notice["authorityName"]) == ("NOTICE_CHANNEL_API", "Cardiff")
    assert (notice["version"], notice["attempts"], notice["authorityCode"]) == (1, 1, "W06000015")
    assert notice["sent"] <= notice["received"] <= notice["loaded"]
    assert "disputed" not in notice
    day, due = notice["firstContactOn"], notice["proofDueOn"]
    assert (due["year"] * 12 + due["month"]) - (day["year"] * 12 + day["month"]) == 1


def test_the_next_attempt_is_shown_on_the_platforms_clock(
    caller: CallerAt, scene: Any, tenant: Any, clock_file: Path
) -> None:
    clock.advance(timedelta(days=-7000))
    scene.order("conflict")
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "SENT")])

    [notice] = caller().get("GetNotices", claimRef=CLAIM)["notices"]

    wait = datetime.fromisoformat(notice["nextAttemptTime"]) - clock.now()
    assert abs(wait) < timedelta(days=1)


def test_a_disputed_notice_shows_since_when(caller: CallerAt, scene: Any, tenant: Any) -> None:
    scene.order("conflict")
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "SENT")])

    [notice] = caller().get("GetNotices", claimRef=CLAIM)["notices"]

    assert notice["disputed"]
    assert "sent" not in notice


def test_an_unknown_claim_has_no_notices(caller: CallerAt) -> None:
    assert caller().get("GetNotices", claimRef=CLAIM) == {
        "notices": [],
        "notTold": [],
        "datesOfClaim": [],
        "resends": [],
    }


def test_a_claim_without_an_authority_shows_the_reason(caller: CallerAt, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant(address=BELFAST))
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(scene.referrals)

    [not_told] = caller("grpc").get("GetNotices", claimRef=CLAIM)["notTold"]

    assert not_told["reason"] == "NOT_TOLD_REASON_NORTHERN_IRELAND"
    assert not_told["since"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("postcode", ["LS1 3AA", "ls13aa"])
def test_the_authority_of_a_postcode_is_found_in_any_spelling(caller: CallerAt, door: Door, postcode: str) -> None:
    found = caller(door).get("FindAuthority", postcode=postcode)["authority"]

    assert found == {"code": "E08000035", "name": "Leeds", "channel": "NOTICE_CHANNEL_API"}


def test_the_notifier_serves_its_metrics(notifier: Process, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    text = httpx.get(f"http://127.0.0.1:{notifier.operations.port}/metrics").text

    assert 'notifier_notices{channel="API",state="LOADED"} 1.0' in text
    assert 'notifier_first_contact_to_sent_seconds_bucket{le="60.0"}' in text
    assert "notifier_reviews_due 0.0" in text


REFUSALS: list[tuple[str, dict[str, str], str | None, str, set[str]]] = [
    ("GetNotices", {"claimRef": CLAIM}, None, "unauthenticated", set()),
    ("GetNotices", {"claimRef": CLAIM}, "COUNCIL_OFFICER", "permission_denied", set()),
    ("GetNotices", {"claimRef": CLAIM}, "SERVICE", "permission_denied", set()),
    ("GetNotices", {}, "OPERATOR", "invalid_argument", {"claim_ref"}),
    ("GetNotices", {"claimRef": "' OR 1=1 --"}, "OPERATOR", "invalid_argument", {"claim_ref"}),
    ("GetNotices", {"claimRef": "d0123456789a"}, "OPERATOR", "invalid_argument", {"claim_ref"}),
    ("GetNotices", {"claimRef": "C0123456789\x00"}, "OPERATOR", "invalid_argument", {"claim_ref"}),
    ("FindAuthority", {"postcode": "LS1 3AA"}, None, "unauthenticated", set()),
    ("FindAuthority", {"postcode": "LS1 3AA"}, "COUNCIL_OFFICER", "permission_denied", set()),
    ("FindAuthority", {"postcode": "LS1 3AA"}, "SERVICE", "permission_denied", set()),
    ("FindAuthority", {}, "OPERATOR", "invalid_argument", {"postcode"}),
    ("FindAuthority", {"postcode": "not-one"}, "OPERATOR", "invalid_argument", {"postcode"}),
    ("FindAuthority", {"postcode": "CF10 9ZZ"}, "OPERATOR", "not_found", {"postcode"}),
    ("FindAuthority", {"postcode": "BT1 5GS"}, "OPERATOR", "not_found", {"postcode"}),
]


@pytest.mark.parametrize("door", DOORS)
def test_bad_requests_are_refused_with_field_names_but_without_values(caller: CallerAt, door: Door) -> None:
    for method, body, role, code, fields in REFUSALS:
        reply = caller(door, role).call(method, **body)

        assert (reply.code, set(reply.fields)) == (code, fields), (method, body, role)
        assert not [value for value in body.values() if value in reply.text]


def test_both_doors_refuse_a_body_that_is_not_a_message(notifier: Process, caller: CallerAt, tokens: Tokens) -> None:
    for method in ("GetNotices", "FindAuthority"):
        reply = caller().call(method, nonsense={"CANARY": 1})
        with open_channel(notifier) as channel:
            raw: Any = channel.unary_unary(f"/{SERVICE}/{method}", None, None)
            with pytest.raises(grpc.RpcError) as refused:
                raw(b"\x0a\xff\xff", metadata=(("authorization", f"Bearer {tokens.issue('SUPPORT')}"),), timeout=5)

        assert reply.code == "invalid_argument"
        assert "CANARY" not in reply.text
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("postcode", "reason", "ask"),
    [
        ("BT1 5GS", "NORTHERN_IRELAND", "Northern Ireland Housing Executive"),
        ("IM1-1AA", "ISLE_OF_MAN", "Isle of Man Treasury"),
        ("je2 3ab", "CHANNEL_ISLANDS", "Customer and Local Services"),
        ("GY1 1AA", "CHANNEL_ISLANDS", "Employment & Social Security"),
        ("BF1 2AT", "BFPO", "welfare officer"),
        ("BFPO 140", "BFPO", "welfare officer"),
    ],
)
def test_the_refusal_of_a_place_outside_great_britain_names_whom_to_ask(
    caller: CallerAt, postcode: str, reason: str, ask: str
) -> None:
    reply = caller().call("FindAuthority", postcode=postcode)

    assert (reply.code, reply.reason) == ("not_found", reason)
    assert ask in reply.text


def test_the_refusal_of_an_unknown_postcode_names_the_authorities_around_it(caller: CallerAt) -> None:
    reply = caller().call("FindAuthority", postcode="CF10 9ZZ")

    assert (reply.code, reply.reason) == ("not_found", "POSTCODE_UNKNOWN")
    assert "W06000015" in reply.text


@pytest.mark.parametrize("postcode", ["LS1 3AA", "ls1-3aa", "LS1\u00a03AA", "LS1.3AA"])
def test_an_authority_is_found_however_the_postcode_is_written(caller: CallerAt, postcode: str) -> None:
    found = caller().get("FindAuthority", postcode=postcode)

    assert (found["authority"]["name"], found["others"], found["certain"]) == ("Leeds", [], True)


def test_a_refused_call_is_in_the_access_log(caller: CallerAt, database_urls: DatabaseUrls) -> None:
    caller(role="COUNCIL_OFFICER").call("GetNotices", claimRef=CLAIM)

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT method, outcome FROM access_log").fetchall()
    assert rows == [(f"/{SERVICE}/GetNotices", "DENIED")]


SOUND: dict[str, dict[str, Any]] = {
    "GetNotices": {"claimRef": CLAIM},
    "GetMessages": {"claimRef": CLAIM},
    "RedirectNotice": {"noticeId": NOBODYS, "authorityCode": "E08000035", "reason": "REDIRECT_REASON_OTHER"},
    "RecordReceipt": {"noticeId": NOBODYS, "version": 1, "refused": True, "reason": "Not here"},
    "ResendNotice": {"noticeId": NOBODYS, "reason": "Mended"},
    "AskQuestion": {"noticeId": NOBODYS},
    "ResolveWorkItem": {"workItemId": NOBODYS, "outcome": "WORK_ITEM_OUTCOME_NOT_NEEDED"},
}


@pytest.mark.parametrize(
    "method", costs.methods_of("cms.notifier.v1.LaNotifierService"), ids=lambda method: method.name
)
def test_the_dearest_requests_are_cheap(notifier: Process, tokens: Tokens, method: MethodDescriptor) -> None:
    given = costs.dearest_requests(method, lambda: {**SOUND.get(method.name, {})})
    role = "COUNCIL_OFFICER" if method.name == "AskQuestion" else "PROCESSING_OFFICER"
    costs.expect_cheap(notifier, method, given, tokens.issue(role, authority="W06000015"))


def test_notices_are_shown_only_to_those_whom_intake_entitles_and_are_logged(
    caller: CallerAt, scene: Any, database_urls: DatabaseUrls
) -> None:
    seen = caller().call("GetNotices", claimRef=CLAIM)
    scene.claims.refusal = PermissionDenied("PURPOSE_NOT_YOURS", "it is not yours")
    refused = caller().call("GetNotices", claimRef=CLAIM)

    assert (seen.code, refused.code, refused.reason) == ("ok", "permission_denied", "PURPOSE_NOT_YOURS")
    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT purpose, outcome FROM access_log ORDER BY access_id").fetchall()
    assert rows == [(f"work item {CLAIM}", "SHOWN"), ("", "DENIED")]
