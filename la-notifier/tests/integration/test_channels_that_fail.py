"""Councils that fail by every way: their ledger ends with the latest version of each notice, loaded once."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from chassis import clock, deadlines, testing
from chassis.database import Database
from chassis.runtime import Process
from chassis.testing import Client, Tokens, eventually
from cms.intake.v1 import events_pb2
from la_notifier.__main__ import service
from la_notifier.config import Settings
from la_notifier.deadlines import DEADLINES
from simulators.councils.server import Councils
from simulators.councils.testing import councils_settings
from simulators.testing import call

Scene = Any

FIRST_CONTACT = events_pb2.FirstContactRecorded()
SUBMITTED = events_pb2.ClaimSubmitted()
AMENDED = events_pb2.ClaimAmended(changed_fields=["rent_amount"])
CLAIMS = [f"C0123456{number}A" for number in range(100, 104)]
HARTLEPOOL, HARTLEPOOL_CODE = {"lines": ["3 Church Street", "Hartlepool"], "postcode": "TS25 3DA"}, "E06000001"
TAMWORTH = {"lines": ["1 High Street", "Tamworth"], "postcode": "B77 5AJ"}
BURNLEY, BURNLEY_CODE = {"lines": ["5 Standish Street", "Burnley"], "postcode": "BB11 3JL"}, "E07000117"


@pytest.fixture
def councils(tmp_path: Path, secrets_file: Path) -> Iterator[Councils]:
    """Their cycle of files turns ten times a second."""
    stand_in = Councils(councils_settings(tmp_path, secrets_file, cycle_seconds=0.1))
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def by_files(settings: Settings, claims: Any) -> Iterator[Process]:
    """The notifier with a cycle of files five times a second, which asks for an answer again after a second or two."""
    hasty = msgspec.structs.replace(
        settings,
        time_scale=0.0001,
        sftp_cycle_seconds=2_000.0,
    )
    with testing.running(service(hasty, claims_of=lambda _: claims, decisions_of=lambda _: claims)) as process:
        yield process


def at_first_contact(scene: Scene, tenant: Any, claim_refs: list[str], address: dict[str, Any]) -> None:
    for claim_ref in claim_refs:
        scene.claims.keep(replace(tenant(address=address), claim_ref=claim_ref))
        scene.publish(FIRST_CONTACT, claim_ref=claim_ref, version=3)


def submitted(scene: Scene, claim_refs: list[str]) -> None:
    for claim_ref in claim_refs:
        scene.claims.submit(claim_ref)
        scene.publish(SUBMITTED, claim_ref=claim_ref, version=4)


def loaded(scene: Scene, claim_refs: list[str], version: int) -> bool:
    """Whether each claim's newest version is this one, and LOADED, here and at the council, and nothing was loaded twice."""
    ledger = scene.ledger("")
    held = {ref: ledger["claims"].get(ref, [{"loaded_version": None}])[0]["loaded_version"] for ref in claim_refs}
    ours = {
        ref: (number, state)
        for ref, number, state in scene.rows(
            "SELECT DISTINCT ON (claim_ref) claim_ref, version, state FROM notices JOIN notice_versions USING (notice_id)"
            " ORDER BY claim_ref, version DESC"
        )
    }
    everywhere = all(held[ref] == version and ours.get(ref) == (version, "LOADED") for ref in claim_refs)
    return everywhere and ledger["duplicates"] == 0


def overdue(database: Database) -> set[str]:
    with database.transaction() as conn:
        return {late.state for late in deadlines.overdue(conn, DEADLINES)}


def test_the_latest_is_loaded_once_after_three_days_without_the_api(
    *, notifier: Process, scene: Scene, tenant: Any, database: Database, clock_file: Path
) -> None:
    refs = CLAIMS[:2]
    scene.order("unavailable", retry_after=0)
    at_first_contact(scene, tenant, refs, tenant().answers["address"])
    eventually(lambda: scene.fired().get("unavailable", 0) >= 4)

    clock.advance(timedelta(days=3))
    eventually(lambda: overdue(database) == {"AUTHORITY_AWAY", "WAITING_API"})
    submitted(scene, refs)
    eventually(lambda: len(scene.rows("SELECT 1 FROM notice_versions WHERE kind = 'CLAIM'")) == 2)
    assert scene.ledger("")["notices"] == 0

    scene.relent()
    eventually(lambda: loaded(scene, refs, 2), seconds=20)
    eventually(lambda: overdue(database) == set())


def test_a_hasty_reader_never_sees_half_a_file(by_files: Process, scene: Scene, tenant: Any) -> None:
    scene.order("hasty")
    scene.order("break_off", at="write", count=2)
    scene.order("lose_reply", at="rename", count=1)

    at_first_contact(scene, tenant, CLAIMS, HARTLEPOOL)

    eventually(lambda: loaded(scene, CLAIMS, 1), seconds=20)
    assert scene.fired().keys() >= {"hasty", "break_off", "lose_reply"}
    assert scene.ledger("")["files"]["refused"] == 0


def test_an_authority_that_is_away_holds_up_no_other_and_gets_the_latest_once(
    by_files: Process, scene: Scene, tenant: Any
) -> None:
    away, present = CLAIMS[:2], CLAIMS[2:]
    scene.order("silent", authority=HARTLEPOOL_CODE, seconds=3600)
    scene.order("system_error", at="rename", authority=HARTLEPOOL_CODE, count=2)
    at_first_contact(scene, tenant, away, HARTLEPOOL)
    at_first_contact(scene, tenant, present, BURNLEY)

    eventually(lambda: loaded(scene, present, 1), seconds=20)
    submitted(scene, away)
    eventually(lambda: len(scene.rows("SELECT 1 FROM notice_versions WHERE kind = 'CLAIM'")) == 2)
    assert all(ref not in scene.ledger("")["claims"] for ref in away)

    scene.relent()
    eventually(lambda: loaded(scene, away, 2), seconds=20)


@pytest.mark.parametrize(
    ("failure", "method"), [("huge_reply", "POST"), ("packed_reply", "POST"), ("packed_reply", "GET")]
)
def test_a_reply_that_floods_us_is_not_read_and_the_notice_is_loaded_once(
    notifier: Process, scene: Scene, tenant: Any, failure: str, method: str
) -> None:
    scene.order(failure, method=method, count=1, megabytes=64)

    at_first_contact(scene, tenant, CLAIMS[:1], tenant().answers["address"])

    eventually(lambda: loaded(scene, CLAIMS[:1], 1), seconds=20)
    assert scene.fired() == {failure: 1}


def test_letters_that_are_lost_or_arrive_out_of_order_end_with_the_latest(
    *, notifier: Process, scene: Scene, tenant: Any, tokens: Tokens, councils: Councils
) -> None:
    token = tokens.issue("PROCESSING_OFFICER", subject="PO000001")
    officer = Client(process=notifier, service="cms.notifier.v1.LaNotifierService", token=token)
    scene.order("lost_letter", count=1)
    at_first_contact(scene, tenant, CLAIMS[:1], TAMWORTH)
    intention = printed(officer)
    assert posted(councils, intention) == (202, {})
    submitted(scene, CLAIMS[:1])
    claim = printed(officer)

    status, told = posted(councils, claim)
    assert (status, told["version"], told["kind"]) == (202, 2, "CLAIM")
    assert posted(councils, intention)[0] == 409
    assert posted(councils, claim) == (200, told)
    for _ in range(2):
        receipt = {"noticeId": told["notice_id"], "version": 2, "loaded": True, "requestId": str(uuid4())}
        assert officer.get("RecordReceipt", **receipt)["notice"]["state"] == "NOTICE_STATE_LOADED"
    eventually(lambda: loaded(scene, CLAIMS[:1], 2))


def printed(officer: Client) -> dict[str, Any]:
    """The next letter to a council, once it is in the queue; it counts as printed then."""
    [letter] = eventually(lambda: officer.get("GetLetters", recipient="LETTER_RECIPIENT_COUNCIL")["letters"])
    done = officer.get("MarkPrinted", letterIds=[letter["letterId"]], requestId=str(uuid4()))
    assert [result["outcome"] for result in done["results"]] == ["PRINT_OUTCOME_PRINTED"]
    found: dict[str, Any] = letter
    return found


def posted(councils: Councils, letter: dict[str, Any]) -> tuple[int, Any]:
    pdf = base64.b64decode(letter["pdf"])
    answer = call(councils.port, "POST", f"/{letter['authorityCode']}/letters", body=pdf)
    return answer.status, answer.body
