"""Letters to authorities that are told by post: made, shown to print, marked as printed."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pypdf
import pytest

from chassis.runtime import Process
from chassis.testing import Client, DatabaseUrls, Door, Tokens, eventually
from cms.intake.v1 import events_pb2

CLAIM = "C0123456789A"
SERVICE = "cms.notifier.v1.LaNotifierService"
DOORS: tuple[Door, ...] = ("grpc", "http")
TAMWORTH = {"address": {"lines": ["1 High Street", "Tamworth"], "postcode": "B77 5AJ"}}
COUNCIL = "LETTER_RECIPIENT_COUNCIL"

CallerAt = Callable[..., Client]


@pytest.fixture
def caller(notifier: Process, tokens: Tokens) -> CallerAt:
    """A client with the token of a processing officer, or of another role."""

    def at(door: Door = "http", role: str = "PROCESSING_OFFICER") -> Client:
        return Client(process=notifier, service=SERVICE, token=tokens.issue(role, subject="PO000001"), door=door)

    return at


@pytest.fixture
def letter(caller: CallerAt, scene: Any, tenant: Any) -> dict[str, Any]:
    """The letter of an intention, to be printed."""
    scene.claims.keep(tenant(**TAMWORTH))
    scene.publish(events_pb2.FirstContactRecorded(), version=3)
    return the_letter(caller)


def the_letter(caller: CallerAt) -> dict[str, Any]:
    eventually(lambda: to_print(caller))
    return to_print(caller)[0]


def to_print(caller: CallerAt) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller().get("GetLetters", recipient=COUNCIL)["letters"]
    return found


def mark(caller: CallerAt, *letter_ids: str, door: Door = "http", request_id: str = "") -> list[str]:
    done = caller(door).get("MarkPrinted", letterIds=list(letter_ids), requestId=request_id or str(uuid4()))
    return [result["outcome"].removeprefix("PRINT_OUTCOME_") for result in done["results"]]


@pytest.mark.parametrize("door", DOORS)
def test_a_printed_letter_counts_as_sent_once(caller: CallerAt, scene: Any, letter: dict[str, Any], door: Door) -> None:
    assert (letter["about"], letter["authorityCode"], letter["state"]) == (
        "INTENTION",
        "E07000199",
        "LETTER_STATE_WAITING",
    )
    text = pypdf.PdfReader(io.BytesIO(base64.b64decode(letter["pdf"]))).pages[0].extract_text()
    assert f"E07000199 / {CLAIM} / {letter['noticeId']} / 1 / INTENTION" in " ".join(text.split())
    assert scene.versions() == [(1, "INTENTION", "WAITING")]
    assert scene.events_out() == []

    assert mark(caller, letter["letterId"], door=door) == ["PRINTED"]
    assert mark(caller, letter["letterId"], door=door) == ["PRINTED_BEFORE"]

    assert scene.versions() == [(1, "INTENTION", "SENT")]
    assert scene.events_out() == [("NoticeSent", 1)]
    assert to_print(caller) == []
    [again] = caller(door).get("GetLetters", letterIds=[letter["letterId"]])["letters"]
    assert (again["state"], again["pdf"]) == ("LETTER_STATE_PRINTED", letter["pdf"])


def test_a_request_that_is_repeated_marks_once(caller: CallerAt, letter: dict[str, Any]) -> None:
    request_id = str(uuid4())

    first = mark(caller, letter["letterId"], request_id=request_id)

    assert mark(caller, letter["letterId"], request_id=request_id) == first == ["PRINTED"]


def test_a_letter_that_a_later_version_replaces_is_not_to_be_posted(
    caller: CallerAt, scene: Any, letter: dict[str, Any]
) -> None:
    now = scene.claims.submit()
    scene.publish(events_pb2.ClaimSubmitted(), version=now.version)
    eventually(lambda: len(scene.versions()) == 2)

    assert mark(caller, letter["letterId"]) == ["CANCELLED"]

    later = the_letter(caller)
    assert (later["about"], later["version"]) == ("CLAIM", 2)
    assert mark(caller, later["letterId"], letter["letterId"]) == ["PRINTED", "CANCELLED"]
    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "SENT")]


def test_an_intention_that_was_never_posted_is_withdrawn_without_a_letter(
    caller: CallerAt, scene: Any, letter: dict[str, Any]
) -> None:
    now = scene.claims.kept[CLAIM][-1]
    scene.claims.keep(replace(now, version=4, withdrawn=True))
    scene.publish(events_pb2.ClaimWithdrawn(), version=4)
    eventually(lambda: scene.versions() == [(1, "INTENTION", "SUPERSEDED")])

    assert to_print(caller) == []
    assert mark(caller, letter["letterId"]) == ["CANCELLED"]


def test_every_letter_that_is_shown_is_in_the_access_log(database_urls: DatabaseUrls, letter: dict[str, Any]) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        logged = conn.execute("SELECT DISTINCT subject, claim_ref, purpose, outcome FROM access_log").fetchall()

    assert logged == [("PO000001", CLAIM, f"letter {letter['letterId']}", "SHOWN")]


def test_a_letter_is_sealed_at_rest(letter: dict[str, Any], scene: Any) -> None:
    [(content,)] = scene.rows("SELECT content FROM letters")

    assert b"%PDF" not in content
    assert base64.b64decode(letter["pdf"]).startswith(b"%PDF")


def test_pages_of_letters_follow_one_another(caller: CallerAt, scene: Any, tenant: Any) -> None:
    for number in range(3):
        claim_ref = f"C012345678{number}B"
        scene.claims.keep(replace(tenant(**TAMWORTH), claim_ref=claim_ref))
        scene.publish(events_pb2.FirstContactRecorded(), claim_ref=claim_ref, version=3)
    eventually(lambda: len(to_print(caller)) == 3)

    first = caller().get("GetLetters", recipient=COUNCIL, pageSize=2)
    second = caller().get("GetLetters", recipient=COUNCIL, pageSize=2, pageToken=first["nextPageToken"])

    assert [len(page["letters"]) for page in (first, second)] == [2, 1]
    assert len({letter["letterId"] for page in (first, second) for letter in page["letters"]}) == 3
    assert second["nextPageToken"] == ""


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "recipient"),
        ({"recipient": COUNCIL, "letterIds": [str(uuid4())]}, "recipient"),
        ({"letterIds": ["x"]}, "letter_ids[0]"),
        ({"recipient": COUNCIL, "pageToken": "x"}, "page_token"),
        ({"recipient": COUNCIL, "pageSize": -1}, "page_size"),
    ],
)
def test_what_cannot_be_asked_of_the_queue_is_named(caller: CallerAt, request_: dict[str, Any], field: str) -> None:
    reply = caller().call("GetLetters", **request_)

    assert (reply.code, set(reply.fields)) == ("invalid_argument", {field})


def test_a_letter_that_is_not_there_is_told_and_the_others_are_marked(caller: CallerAt, letter: dict[str, Any]) -> None:
    assert mark(caller, str(uuid4()), letter["letterId"]) == ["NOT_FOUND", "PRINTED"]


def test_the_queue_is_the_processing_officers_alone(caller: CallerAt) -> None:
    assert caller(role="SUPPORT").call("GetLetters", recipient=COUNCIL).code == "permission_denied"


def receipt(caller: CallerAt, letter: dict[str, Any], **more: Any) -> str:
    body = {"noticeId": letter["noticeId"], "version": letter["version"], **more}
    state: str = caller().once("RecordReceipt", **body)["notice"]["state"]
    return state.removeprefix("NOTICE_STATE_")


def test_a_letter_is_printed_anew_when_its_notice_is_sent_again(
    caller: CallerAt, scene: Any, letter: dict[str, Any]
) -> None:
    mark(caller, letter["letterId"])

    caller().once("ResendNotice", noticeId=letter["noticeId"], reason="lost in the post")

    anew = the_letter(caller)
    assert (anew["noticeId"], anew["version"]) == (letter["noticeId"], 1)
    assert anew["letterId"] != letter["letterId"]
    assert mark(caller, letter["letterId"], anew["letterId"]) == ["NOT_FOUND", "PRINTED"]
    assert scene.events_out() == [("NoticeSent", 1)]


def test_receipts_out_of_order_and_twice_end_with_the_latest_version_loaded_once(
    caller: CallerAt, scene: Any, letter: dict[str, Any]
) -> None:
    mark(caller, letter["letterId"])
    now = scene.claims.submit()
    scene.publish(events_pb2.ClaimSubmitted(), version=now.version)
    later = the_letter(caller)
    mark(caller, later["letterId"])

    told = [receipt(caller, one, loaded=True) for one in (later, later, letter, later)]

    assert told == ["LOADED", "LOADED", "SUPERSEDED", "LOADED"]
    assert scene.versions() == [(1, "INTENTION", "SUPERSEDED"), (2, "CLAIM", "LOADED")]
    assert [name for name, _ in scene.events_out()].count("NoticeLoaded") == 1


@pytest.mark.parametrize("door", DOORS)
def test_a_receipt_for_a_letter_that_was_never_posted_is_refused_until_it_is_marked_as_printed(
    caller: CallerAt, scene: Any, letter: dict[str, Any], door: Door
) -> None:
    body = {"noticeId": letter["noticeId"], "version": 1, "requestId": str(uuid4())}

    for outcome in ({"loaded": True}, {"refused": True, "reason": "Not ours"}):
        refused = caller(door).call("RecordReceipt", **body, **outcome)
        assert (refused.code, refused.reason) == ("failed_precondition", "NOTICE_NEVER_SENT")
        assert "printed first" in refused.text
    assert scene.versions() == [(1, "INTENTION", "WAITING")]

    mark(caller, letter["letterId"])
    assert receipt(caller, letter, loaded=True) == "LOADED"


def test_a_receipt_for_a_letter_that_is_to_be_printed_again_takes_it_out_of_the_queue(
    caller: CallerAt, scene: Any, letter: dict[str, Any]
) -> None:
    mark(caller, letter["letterId"])
    caller().once("ResendNotice", noticeId=letter["noticeId"], reason="lost in the post")
    anew = the_letter(caller)

    assert receipt(caller, anew, loaded=True) == "LOADED"

    assert to_print(caller) == []
    assert mark(caller, anew["letterId"]) == ["CANCELLED"]
    assert scene.versions() == [(1, "INTENTION", "LOADED")]
