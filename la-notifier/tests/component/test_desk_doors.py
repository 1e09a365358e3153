"""Officers see notices and act on them, through both doors."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chassis import clock
from chassis.runtime import Process
from chassis.testing import Client, Door, Tokens, eventually
from cms.intake.v1 import events_pb2

CLAIM = "C0123456789A"
CARDIFF, LEEDS, WELWYN = "W06000015", "E08000035", "E07000241"
AT_WELWYN = {"address": {"lines": ["1 High Street", "Welwyn"], "postcode": "AL7 3HN"}}
SERVICE = "cms.notifier.v1.LaNotifierService"
DOORS: tuple[Door, ...] = ("grpc", "http")

Caller = Callable[..., Client]


@pytest.fixture
def caller(notifier: Process, tokens: Tokens) -> Caller:
    """A client of these roles; a council officer's token names an authority."""

    def at(*roles: str, door: Door = "http", authority: str | None = None) -> Client:
        claims: dict[str, Any] = {"authority": authority} if authority else {}
        token = tokens.issue(*(roles or ["PROCESSING_OFFICER"]), subject="OF000001", **claims)
        return Client(process=notifier, service=SERVICE, token=token, door=door)

    return at


@pytest.fixture
def told(scene: Any, tenant: Any) -> Callable[..., Any]:
    """Has the councils told of a tenant's claim, until its first version is in this state."""

    def tell(state: str = "LOADED") -> None:
        scene.claims.keep(tenant())
        scene.publish(events_pb2.FirstContactRecorded(), version=3)
        eventually(lambda: scene.versions() == [(1, "INTENTION", state)])

    return tell


def request(**body: Any) -> dict[str, Any]:
    return {"requestId": str(uuid.uuid4()), **body}


def in_two_months() -> dict[str, int]:
    """A day by which both clocks of a notice that was made now have run out."""
    day = clock.today() + timedelta(days=62)
    return {"year": day.year, "month": day.month, "day": day.day}


def notice_of(client: Client, **body: Any) -> Any:
    [notice] = client.get("ListNotices", claimRef=CLAIM, **body)["notices"]
    return notice


@pytest.mark.parametrize("door", DOORS)
def test_a_council_officer_sees_the_own_authoritys_notices_alone(caller: Caller, told: Any, door: Door) -> None:
    told()

    own = caller("COUNCIL_OFFICER", door=door, authority=CARDIFF).get("ListNotices", state="NOTICE_STATE_LOADED")
    other = caller("COUNCIL_OFFICER", door=door, authority=LEEDS).get("ListNotices", state="NOTICE_STATE_LOADED")

    assert [one["claimRef"] for one in own["notices"]] == [CLAIM]
    assert other["notices"] == []


def test_a_council_officer_is_refused_another_authority_and_a_token_without_one(caller: Caller, told: Any) -> None:
    told()
    notice = notice_of(caller())

    for method, body in [
        ("ListNotices", {"authorityCode": CARDIFF}),
        ("ListNoticesDue", {"authorityCode": CARDIFF}),
        ("ListWorkItems", {"authorityCode": CARDIFF}),
        ("RecordReceipt", request(noticeId=notice["noticeId"], version=1, loaded=True)),
        ("AskQuestion", request(noticeId=notice["noticeId"], question="Is the rent right?")),
    ]:
        other = caller("COUNCIL_OFFICER", authority=LEEDS).call(method, **body)
        nowhere = caller("COUNCIL_OFFICER").call(method, **body)

        assert (other.code, other.reason) == ("permission_denied", "OTHER_AUTHORITY"), method
        assert (nowhere.code, nowhere.reason) == ("permission_denied", "AUTHORITY_REQUIRED"), method


def test_a_council_officer_with_another_role_is_held_to_what_that_role_may_call(caller: Caller, told: Any) -> None:
    told()
    notice_id = notice_of(caller())["noticeId"]
    operator, processing = (
        caller("COUNCIL_OFFICER", other, authority=LEEDS) for other in ("OPERATOR", "PROCESSING_OFFICER")
    )
    receipt = request(noticeId=notice_id, version=1, loaded=True)
    question = request(noticeId=notice_id, question="Is the rent right?")

    assert operator.get("ListNotices", claimRef=CLAIM)["notices"] == []
    assert operator.call("RecordReceipt", **receipt).reason == "OTHER_AUTHORITY"
    assert [one["noticeId"] for one in processing.get("ListNotices", claimRef=CLAIM)["notices"]] == [notice_id]
    # Only council officers ask questions back, so it is as one that this call is made.
    assert processing.call("AskQuestion", **question).reason == "OTHER_AUTHORITY"


def test_both_clocks_are_on_the_notice_and_on_the_list_until_the_council_has_it(
    caller: Caller, scene: Any, tenant: Any
) -> None:
    scene.order("unavailable")
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "WAITING")])
    until = in_two_months()

    waiting = notice_of(caller())
    due = caller().get("ListNoticesDue", untilOn=until)["due"]

    assert waiting["intentionDueOn"] == waiting["claimDueOn"] == waiting["atStakeOn"]
    assert {one["clock"] for one in due} == {"NOTICE_CLOCK_INTENTION", "NOTICE_CLOCK_CLAIM"}
    assert all(one["dueOn"] == waiting["atStakeOn"] and one["notice"]["claimRef"] == CLAIM for one in due)


def test_the_clock_of_the_claim_runs_on_until_the_claim_is_there(caller: Caller, scene: Any, told: Any) -> None:
    def clocks() -> list[str]:
        return [one["clock"] for one in caller().get("ListNoticesDue", untilOn=in_two_months())["due"]]

    told()
    assert clocks() == ["NOTICE_CLOCK_CLAIM"]
    assert caller().get("ListNoticesDue")["due"] == []

    scene.claims.submit()
    scene.publish(events_pb2.ClaimSubmitted(), version=4)
    eventually(lambda: ("CLAIM", "LOADED") in [one[1:] for one in scene.versions()])

    assert clocks() == []
    shown = caller().get("ListNotices", claimRef=CLAIM)["notices"]
    assert not any("atStakeOn" in one for one in shown)


@pytest.mark.parametrize("door", DOORS)
def test_a_receipt_is_recorded_once_however_often_it_comes(caller: Caller, scene: Any, tenant: Any, door: Door) -> None:
    scene.order("conflict")
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "SENT")])
    officer = caller("COUNCIL_OFFICER", door=door, authority=CARDIFF)
    notice = notice_of(officer)

    first = officer.get("RecordReceipt", **request(noticeId=notice["noticeId"], version=1, loaded=True))["notice"]
    again = officer.get("RecordReceipt", **request(noticeId=notice["noticeId"], version=1, loaded=True))["notice"]
    refused = officer.call(
        "RecordReceipt", **request(noticeId=notice["noticeId"], version=1, refused=True, reason="Unknown here")
    )

    assert first["state"] == again["state"] == "NOTICE_STATE_LOADED"
    assert first["loaded"] == again["loaded"]
    assert (refused.code, refused.reason) == ("failed_precondition", "RECEIPT_CONTRADICTS")
    assert scene.events_out() == [("NoticeSent", 1), ("NoticeLoaded", 1)]


def test_a_receipt_for_a_notice_that_was_never_sent_is_refused(
    caller: Caller, scene: Any, database_urls: Any, told: Any
) -> None:
    told()
    notice = notice_of(caller(), state="NOTICE_STATE_LOADED")

    unknown = caller().call("RecordReceipt", **request(noticeId=notice["noticeId"], version=2, loaded=True))

    assert (unknown.code, unknown.reason) == ("not_found", "NOTICE_UNKNOWN")


def test_a_refusal_is_a_work_item_with_its_field_and_question_until_a_version_follows(
    caller: Caller, scene: Any, tenant: Any
) -> None:
    scene.order("invalid", field="tenancy.rent_amount")
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])

    [item] = caller().get("ListWorkItems")["workItems"]
    assert (item["kind"], item["reason"], item["owner"]) == (
        "WORK_ITEM_KIND_REFUSAL",
        "FIELDS_REFUSED",
        "PROCESSING_OFFICER",
    )
    assert item["fields"]
    assert item["deadlineTime"] > item["opened"]

    scene.relent()
    scene.claims.amend(rent_amount="90.00")
    scene.publish(events_pb2.ClaimAmended(changed_fields=["rent_amount"]), version=4)
    eventually(lambda: caller().get("ListWorkItems")["workItems"] == [])
    [done] = caller().get("ListWorkItems", state="WORK_ITEM_STATE_DONE")["workItems"]
    assert done["outcome"] == "WORK_ITEM_OUTCOME_FOLLOWED"


@pytest.mark.parametrize("door", DOORS)
def test_a_councils_question_is_answered_by_a_processing_officer(
    caller: Caller, told: Any, scene: Any, door: Door
) -> None:
    told()
    officer = caller("COUNCIL_OFFICER", door=door, authority=CARDIFF)
    notice = notice_of(officer)

    asked = officer.get("AskQuestion", **request(noticeId=notice["noticeId"], question="Who is the landlord?"))
    [item] = caller(door=door).get("ListWorkItems", kind="WORK_ITEM_KIND_QUESTION")["workItems"]
    answer = request(workItemId=item["workItemId"], outcome="WORK_ITEM_OUTCOME_ANSWERED", answer="The council.")
    first, again = (caller(door=door).get("ResolveWorkItem", **answer) for _ in range(2))
    late = caller(door=door).call("ResolveWorkItem", **answer | {"requestId": str(uuid.uuid4())})
    [answered] = officer.get("ListWorkItems", state="WORK_ITEM_STATE_DONE")["workItems"]

    assert asked["workItem"]["words"] == item["words"] == "Who is the landlord?"
    assert first == again
    assert late.reason == "WORK_ITEM_DONE"
    assert (answered["answer"], answered["doneBy"]) == ("The council.", "OF000001")
    assert shown(scene) == {"AskQuestion": 1, "ListWorkItems": 2, "ResolveWorkItem": 2}
    [(sealed,)] = scene.rows("SELECT words FROM work_items")
    assert b"landlord" not in sealed


def shown(scene: Any) -> dict[str, int]:
    """How often each method has shown what a person wrote, by the access log."""
    query = "SELECT regexp_replace(method, '.*/', ''), count(*) FROM access_log WHERE outcome = 'SHOWN' GROUP BY 1"
    with psycopg.connect(scene._urls.owner) as conn:
        return dict(conn.execute(query).fetchall())


def test_a_refused_notice_is_sent_again_and_loaded_once(caller: Caller, scene: Any, tenant: Any) -> None:
    scene.order("invalid", field="tenancy.kind", count=1)
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])
    notice = notice_of(caller())

    body = {"noticeId": notice["noticeId"], "reason": "The council mended its table"}
    shown = caller().get("ResendNotice", **request(**body, preview=True))
    assert (shown["count"], scene.versions()) == (1, [(1, "INTENTION", "REFUSED")])
    caller().get("ResendNotice", **request(**body))
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    assert scene.loaded_once()
    [resend] = caller().get("GetNotices", claimRef=CLAIM)["resends"]
    assert (resend["version"], resend["reason"], resend["resentBy"]) == (1, body["reason"], "OF000001")
    assert caller().get("ListWorkItems")["workItems"] == []
    assert caller().call("ResendNotice", **request(**body)).reason == "NOTHING_TO_RESEND"


def test_all_that_an_authority_refused_is_sent_again(caller: Caller, scene: Any, tenant: Any) -> None:
    scene.order("invalid", field="tenancy.kind", count=1)
    scene.claims.keep(tenant())
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])

    wanted = {"authorityCode": CARDIFF, "state": "NOTICE_STATE_REFUSED"}
    sent = caller("SUPPORT").get("ResendNotice", **request(filter=wanted, reason="Mended there"))
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    assert sent["count"] == 1
    assert scene.loaded_once()


def test_a_version_whose_file_is_not_answered_goes_in_a_later_one_once_its_refusal_is_recorded(
    caller: Caller, scene: Any, tenant: Any
) -> None:
    scene.take_sequence(WELWYN, 1)
    scene.claims.keep(tenant(**AT_WELWYN))
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "SENT")])
    scene.cycle()
    notice = notice_of(caller())

    of_it = {"noticeId": notice["noticeId"], "reason": "It took another file under this number"}
    caller().get("RecordReceipt", **request(**of_it, version=1, refused=True))
    caller().get("ResendNotice", **request(**of_it))

    def is_loaded() -> bool:
        scene.cycle()
        return bool(scene.versions() == [(1, "INTENTION", "LOADED")])

    eventually(is_loaded)
    assert scene.loaded_once()


REFUSALS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("ListNotices", {"state": 99}, {"state"}),
    ("ListNotices", {"pageSize": -1}, {"page_size"}),
    ("ListNotices", {"pageToken": "nothing"}, {"page_token"}),
    ("ListNoticesDue", {"fromOn": {"year": 2026, "month": 2, "day": 30}}, {"from_on"}),
    (
        "ListNoticesDue",
        {"fromOn": {"year": 2026, "month": 2, "day": 2}, "untilOn": {"year": 2026, "month": 2, "day": 1}},
        {"until_on"},
    ),
    ("RecordReceipt", request(noticeId="x", version=1, loaded=True), {"notice_id"}),
    ("RecordReceipt", request(noticeId=str(uuid.uuid4()), version=1), {"loaded", "refused"}),
    ("RecordReceipt", request(noticeId=str(uuid.uuid4()), version=1, refused=True), {"reason"}),
    ("RecordReceipt", request(noticeId=str(uuid.uuid4()), version=1, loaded=True, reason="No"), {"reason"}),
    ("RecordReceipt", request(noticeId=str(uuid.uuid4()), version=-1, loaded=True), {"version"}),
    (
        "RecordReceipt",
        request(
            noticeId=str(uuid.uuid4()),
            version=1,
            refused=True,
            reason="No",
            fields=["household[0].relationship", "Mary"],
        ),
        {"fields[1]"},
    ),
    ("ResendNotice", request(noticeId=str(uuid.uuid4()), reason=" \u200b"), {"reason"}),
    ("ResendNotice", request(reason="No notice"), {"notice_id", "filter"}),
    ("ResendNotice", request(reason="All", filter={}), {"filter.authority_code"}),
    (
        "ResendNotice",
        request(reason="All", filter={"authorityCode": CARDIFF, "state": "NOTICE_STATE_LOADED"}),
        {"filter.state"},
    ),
    ("ListWorkItems", {"kind": 99}, {"kind"}),
    ("ResolveWorkItem", request(workItemId="x", outcome="WORK_ITEM_OUTCOME_NOT_NEEDED"), {"work_item_id"}),
    ("ResolveWorkItem", request(workItemId=str(uuid.uuid4()), outcome="WORK_ITEM_OUTCOME_FOLLOWED"), {"outcome"}),
    ("ResolveWorkItem", request(workItemId=str(uuid.uuid4()), outcome="WORK_ITEM_OUTCOME_ANSWERED"), {"answer"}),
]


@pytest.mark.parametrize("door", DOORS)
def test_bad_requests_are_refused_by_the_names_of_their_fields(caller: Caller, door: Door) -> None:
    for method, body, fields in REFUSALS:
        reply = caller(door=door).call(method, **body)

        assert (reply.code, set(reply.fields)) == ("invalid_argument", fields), (method, body)
