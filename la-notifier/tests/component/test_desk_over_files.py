"""What officers do with notices that went in files: receipts, sending again, and work, through the doors."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from chassis import clock
from chassis.database import Connection
from chassis.runtime import Process
from chassis.testing import Client, Door, Reply, Tokens, eventually
from cms.intake.v1 import events_pb2
from la_notifier.domain.notices import NoticeState
from la_notifier.store import files, versions

WELWYN = "E07000241"
AT_WELWYN = {"address": {"lines": ["1 High Street", "Welwyn"], "postcode": "AL7 3HN"}}
SERVICE = "cms.notifier.v1.LaNotifierService"
DOORS: tuple[Door, ...] = ("grpc", "http")
ASK_NOW = "UPDATE files SET ask_again_time = statement_timestamp()"
FILES = "SELECT sequence, state, uploads FROM files ORDER BY sequence"

Caller = Callable[..., Client]


@pytest.fixture
def caller(notifier: Process, tokens: Tokens) -> Caller:
    """A client of a role; a council officer's token names an authority."""

    def at(role: str = "PROCESSING_OFFICER", *, door: Door = "http", authority: str | None = None) -> Client:
        claims: dict[str, Any] = {"authority": authority} if authority else {}
        token = tokens.issue(role, subject="OF000001", **claims)
        return Client(process=notifier, service=SERVICE, token=token, door=door)

    return at


@pytest.fixture
def filed(notifier: Process, scene: Any, tenant: Any) -> Callable[[], str]:
    """Has the authority take the file of a claim; the id of the notice in it."""

    def send() -> str:
        scene.claims.keep(tenant(**AT_WELWYN))
        scene.publish(events_pb2.FirstContactRecorded(), version=3)
        eventually(lambda: scene.versions() == [(1, "INTENTION", "SENT")])
        scene.cycle()
        [(notice_id,)] = scene.rows("SELECT notice_id FROM notices")
        return str(notice_id)

    return send


def resend(caller: Caller, notice_id: str, *, door: Door = "http", preview: bool = False) -> Reply:
    body = {"noticeId": notice_id, "reason": "asked for", "preview": preview, "requestId": str(uuid.uuid4())}
    return caller(door=door).call("ResendNotice", **body)


def record(client: Client, notice_id: str, **outcome: Any) -> Any:
    body = {"noticeId": notice_id, "version": 1, "requestId": str(uuid.uuid4()), **outcome}
    return client.get("RecordReceipt", **body)["notice"]


def items(caller: Caller, state: str = "OPEN") -> list[Any]:
    found: list[Any] = caller().get("ListWorkItems", state=f"WORK_ITEM_STATE_{state}")["workItems"]
    return found


def wait_for_files(scene: Any, files: list[tuple[Any, ...]]) -> None:
    eventually(lambda: scene.rows(FILES) == files)


def wait_for_uploads(scene: Any, uploads: int) -> None:
    wait_for_files(scene, [(1, "SENT", uploads)])


@pytest.mark.parametrize("door", DOORS)
def test_a_version_in_a_file_is_sent_again_by_the_same_file(caller: Caller, scene: Any, filed: Any, door: Door) -> None:
    scene.order("cut_ack", count=1)
    notice_id = filed()

    assert resend(caller, notice_id, door=door, preview=True).body["count"] == 1
    assert resend(caller, notice_id, door=door).body["count"] == 1
    eventually(lambda: scene.rows(FILES) == [(1, "SENT", 2)])
    scene.cycle()
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    assert scene.ledger()["files"] == {"taken": 1, "refused": 0, "repeated": 1}
    assert scene.loaded_once()


@pytest.mark.parametrize("door", DOORS)
def test_a_receipt_for_a_version_in_a_file_ends_the_file(caller: Caller, scene: Any, filed: Any, door: Door) -> None:
    scene.order("cut_ack", count=1)
    notice_id = filed()

    officer = caller("COUNCIL_OFFICER", door=door, authority=WELWYN)
    notices = [record(officer, notice_id, loaded=True) for _ in range(2)]

    assert {notice["state"] for notice in notices} == {"NOTICE_STATE_LOADED"}
    eventually(lambda: scene.rows(FILES) == [(1, "ACKNOWLEDGED", 1)])
    assert [name for name, _ in scene.events_out()].count("NoticeLoaded") == 1


def ask_until_it_is_work(scene: Any) -> None:
    """Sends the file again, without any acknowledgement, until a person has to ask."""
    for uploads in (2, 3, 4):
        scene.change(ASK_NOW)
        wait_for_uploads(scene, uploads)
        if uploads < 4:
            scene.cycle()


def test_a_file_that_is_never_answered_is_work_and_what_is_recorded_as_refused_goes_in_the_next(
    caller: Caller, scene: Any, filed: Any
) -> None:
    scene.order("no_ack", count=3, seconds=3600)
    notice_id = filed()
    assert items(caller) == []
    ask_until_it_is_work(scene)

    [item] = items(caller)
    assert (item["kind"], item["reason"], item["noticeId"]) == (
        "WORK_ITEM_KIND_REFUSAL",
        "FILE_NOT_ANSWERED",
        notice_id,
    )

    record(caller(), notice_id, refused=True, reason="They cannot read it")
    [refused] = items(caller)
    assert (refused["reason"], refused["words"]) == ("REFUSAL_RECORDED", "They cannot read it")
    assert [one["workItemId"] for one in items(caller, "DONE")] == [item["workItemId"]]

    assert resend(caller, notice_id).body["count"] == 1
    eventually(lambda: scene.versions() == [(1, "INTENTION", "SENT")])
    scene.cycle()
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    assert [(sequence, state) for sequence, state, _ in scene.rows(FILES)] == [(1, "ACKNOWLEDGED"), (2, "ACKNOWLEDGED")]
    assert scene.loaded_once()
    assert items(caller) == []


def test_work_over_a_file_without_an_answer_ends_when_the_answer_comes(caller: Caller, scene: Any, filed: Any) -> None:
    scene.order("no_ack", count=3, seconds=3600)
    filed()
    ask_until_it_is_work(scene)
    assert len(items(caller)) == 1

    scene.cycle()
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])

    assert items(caller) == []
    assert [one["outcome"] for one in items(caller, "DONE")] == ["WORK_ITEM_OUTCOME_FOLLOWED"]


def test_a_version_that_two_files_leave_out_is_work_until_a_third_is_loaded(
    caller: Caller, scene: Any, filed: Any
) -> None:
    for sequence in (1, 2):
        scene.take_sequence(WELWYN, sequence)
    filed()
    ended: list[tuple[Any, ...]] = []
    for sequence in (1, 2):
        assert items(caller) == []
        scene.change(ASK_NOW)
        wait_for_files(scene, [*ended, (sequence, "SENT", 2)])
        scene.cycle()
        scene.change(ASK_NOW)
        ended.append((sequence, "ACKNOWLEDGED", 2))
        wait_for_files(scene, [*ended, (sequence + 1, "SENT", 1)])
        if sequence == 1:
            scene.cycle()

    assert [one["reason"] for one in items(caller)] == ["FILE_NOT_ANSWERED"]

    scene.cycle()
    eventually(lambda: scene.versions() == [(1, "INTENTION", "LOADED")])
    assert items(caller) == []
    assert scene.loaded_once()


def test_sending_all_again_goes_on_where_it_ended(notifier: Process, scene: Any, filed: Any) -> None:
    scene.order("no_ack", seconds=3600)
    notice_id = uuid.UUID(filed())

    def found(conn: Connection) -> int:
        now = clock.now()
        return len(versions.to_resend(conn, [WELWYN], state=NoticeState.SENT, older_than=now, limit=10))

    with notifier.database.transaction() as conn:
        assert found(conn) == 1
        assert files.ask_again(conn, notice_id, 1)
        assert found(conn) == 0


def test_a_file_that_is_answered_is_not_sent_again(caller: Caller, scene: Any, filed: Any) -> None:
    scene.order("cut_ack", count=1)
    notice_id = filed()
    scene.change("UPDATE file_rows SET saying = 'LATER_VERSION_HELD'")

    for preview in (True, False):
        refused = resend(caller, notice_id, preview=preview)
        assert (refused.code, refused.reason) == ("failed_precondition", "FILE_ANSWERED")


def test_the_councils_words_over_a_refused_row_are_sealed_in_the_work_item(
    caller: Caller, scene: Any, filed: Any
) -> None:
    scene.order("refuse_load", reason="tenancy.kind: the tenant of O’Brien is unknown")
    filed()
    eventually(lambda: scene.versions() == [(1, "INTENTION", "REFUSED")])

    [item] = items(caller)

    assert (item["reason"], item["words"]) == ("FIELDS_REFUSED", "tenancy.kind: the tenant of O’Brien is unknown")
    assert [one["field"] for one in item["fields"]] == ["tenancy.kind"]
    [(sealed,)] = scene.rows("SELECT words FROM work_items")
    assert "O’Brien".encode() not in sealed
    assert scene.rows("SELECT 1 FROM outbox WHERE position('O’Brien' IN outbox::text) > 0") == []
