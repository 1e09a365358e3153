"""A notice at the wrong authority: an officer redirects it, or the authority was merged away."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from chassis.runtime import Process
from chassis.testing import Client, Tokens, eventually
from cms.intake.v1 import events_pb2
from la_notifier.service.redirecting import Successions

CLAIM = "C0123456789A"
SERVICE = "cms.notifier.v1.LaNotifierService"
LEEDS, CARDIFF, SANDWELL = "E08000035", "W06000015", "E08000025"
FIRST_CONTACT = events_pb2.FirstContactRecorded()
AMENDED = events_pb2.ClaimAmended(changed_fields=["rent_amount"])
TOLD, WITHDRAWN = (1, "INTENTION", "LOADED"), (2, "WITHDRAWN", "LOADED")

Desk = Callable[..., Any]


@pytest.fixture
def officer(notifier: Process, tokens: Tokens) -> Client:
    return Client(process=notifier, service=SERVICE, token=tokens.issue("PROCESSING_OFFICER"), door="http")


@pytest.fixture
def redirected(officer: Client, scene: Any) -> Desk:
    """Redirects the claim's first notice; gives the reply."""

    def to(code: str, **more: Any) -> Any:
        [(notice_id,)] = scene.rows("SELECT notice_id FROM notices ORDER BY authority_code DESC LIMIT 1")
        body = {"noticeId": str(notice_id), "authorityCode": code, "requestId": str(uuid4())} | more
        return officer.call("RedirectNotice", **({"reason": "REDIRECT_REASON_AUTHORITY_SAID"} | body))

    return to


@pytest.fixture
def told(notifier: Process, scene: Any, tenant: Any) -> None:
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3, occurred=datetime(2026, 3, 1, 12, tzinfo=UTC))
    eventually(lambda: scene.versions() == [TOLD])


def test_a_redirected_notice_is_withdrawn_there_and_goes_to_the_right_authority_with_its_dates(
    told: None, scene: Any, redirected: Desk
) -> None:
    reply = redirected(LEEDS)

    assert reply.body == {"claimRef": CLAIM, "authorityCode": LEEDS, "authorityName": "Leeds"}
    eventually(lambda: scene.versions() == [TOLD, TOLD, WITHDRAWN])
    dates = scene.rows("SELECT authority_code, intention_on::text, date_of_claim::text FROM notices ORDER BY 1")
    assert dates == [(LEEDS, "2026-03-01", "2026-03-01"), (CARDIFF, "2026-03-01", None)]


def test_a_notice_that_the_wrong_authority_refused_is_nobodys_work_once_it_is_redirected(
    officer: Client, scene: Any, tenant: Any, redirected: Desk
) -> None:
    scene.order("invalid", authority=CARDIFF, method="POST", count=1)
    scene.claims.keep(tenant())
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])
    [refused] = officer.get("ListNotices")["notices"]

    redirected(LEEDS)
    eventually(lambda: scene.versions() == [TOLD, (1, "INTENTION", "REFUSED")])

    assert officer.get("ListNotices")["notices"] == []
    assert officer.get("ListWorkItems")["workItems"] == []
    again = {"noticeId": refused["noticeId"], "reason": "asked for", "requestId": str(uuid4())}
    assert officer.call("ResendNotice", **again).reason == "NOTHING_TO_RESEND"


def test_a_redirect_holds_until_the_address_changes(told: None, scene: Any, tenant: Any, redirected: Desk) -> None:
    redirected(LEEDS)
    eventually(lambda: scene.versions() == [TOLD, TOLD, WITHDRAWN])
    scene.claims.amend(rent_amount="91.00")
    scene.publish(AMENDED, version=4)
    eventually(lambda: scene.versions() == [TOLD, (2, "CHANGE", "LOADED"), TOLD, WITHDRAWN])

    scene.claims.amend(address={"lines": ["9 High Street", "Cardiff"], "postcode": "CF10 4ER"})
    scene.publish(AMENDED, version=5)

    again = [TOLD, (2, "CHANGE", "LOADED"), (3, "WITHDRAWN", "LOADED"), TOLD, WITHDRAWN, (3, "INTENTION", "LOADED")]
    eventually(lambda: scene.versions() == again)


@pytest.mark.parametrize(
    ("code", "reply_code", "reason", "named"),
    [
        ("E06000029", "failed_precondition", "AUTHORITY_ABOLISHED", "Bournemouth, Christchurch and Poole (E06000058)"),
        ("E06999999", "not_found", "AUTHORITY_UNKNOWN", "E06999999"),
        ("N09000003", "not_found", "NORTHERN_IRELAND", "Northern Ireland Housing Executive"),
        (CARDIFF, "failed_precondition", "SAME_AUTHORITY", "Cardiff"),
    ],
)
def test_an_authority_that_cannot_be_told_is_refused_by_name(
    *, told: None, scene: Any, redirected: Desk, code: str, reply_code: str, reason: str, named: str
) -> None:
    reply = redirected(code)

    assert (reply.code, reply.reason) == (reply_code, reason)
    assert named in reply.text
    assert scene.rows("SELECT 1 FROM redirects") == []


def test_a_notice_that_is_unknown_or_withdrawn_is_not_redirected(told: None, scene: Any, redirected: Desk) -> None:
    assert redirected(LEEDS, noticeId=str(uuid4())).reason == "NOTICE_UNKNOWN"
    assert redirected(LEEDS, noticeId="Zq7").code == "invalid_argument"

    scene.claims.amend(wishes_housing_benefit=False, wishes_council_tax_benefit=False)
    assert redirected(LEEDS).reason == "NOTICE_WITHDRAWN"


def test_a_redirect_asked_for_twice_is_made_once_and_answered_alike(told: None, scene: Any, redirected: Desk) -> None:
    request_id = str(uuid4())
    first = redirected(LEEDS, requestId=request_id)
    eventually(lambda: scene.versions() == [TOLD, TOLD, WITHDRAWN])

    assert redirected(LEEDS, requestId=request_id).body == first.body
    assert redirected(SANDWELL, requestId=request_id).reason == "REQUEST_ID_REUSED"


def test_what_is_open_at_an_authority_that_was_merged_away_goes_to_its_successor(
    notifier: Process, scene: Any, tenant: Any, clock_file: Path
) -> None:
    clock.advance(datetime(2019, 3, 31, 12, tzinfo=UTC) - clock.now())
    scene.claims.keep(tenant(council="E06000029"))
    scene.publish(FIRST_CONTACT, version=3)
    eventually(lambda: scene.rows("SELECT authority_code FROM notices") == [("E06000029",)])
    successions = Successions(notifier.database)
    successions.follow_next()
    assert scene.rows("SELECT 1 FROM looks") == []

    clock.advance(datetime(2019, 4, 1, 12, tzinfo=UTC) - clock.now())
    successions.follow_next()

    eventually(lambda: [row[:2] for row in scene.versions()] == [(1, "INTENTION")] * 2)
    eventually(lambda: scene.versions()[0] == (1, "INTENTION", "SUPERSEDED") or successions.follow_next())
    notices = scene.rows("SELECT authority_code, wanted, intention_on::text FROM notices ORDER BY 1")
    assert notices == [("E06000029", False, "2019-03-31"), ("E06000058", True, "2019-03-31")]
