"""Items that need a person are listed by `cms`, and counted by the services."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from chassis.signatures import as_read
from chassis.testing import eventually
from cms.intake.v1 import events_pb2
from cms_local import acknowledged
from cms_local.audit import Findings
from tests.support.bus import signing_key_of, unsigned
from tests.support.platforms import PlatformUnderTest

CMS = Path(sys.executable).parent / "cms"
SERVICE = "scheduling-svc"
CLAIM = "C00000000018"
BURY = """
    INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, entry, reason, tries, died_time)
    VALUES (%s, 'intake-svc', %s, %s, '', %s, 'NOT_SO', 3, clock_timestamp() - interval '2 days')
"""
pytestmark = pytest.mark.xdist_group("platform")


def cms(platform: PlatformUnderTest, *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command and waits for its end."""
    environment = {**os.environ, "CMS_PORT_BASE": str(platform.layout.base)}
    return subprocess.run([CMS, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)


def about_the_claim(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    """Returns the entries of the output that concern the claim of these tests."""
    found = json.loads(done.stdout)
    return [line for line in found if line["claim_ref"] == CLAIM]


@pytest.fixture
def letter(platform_under_test: PlatformUnderTest) -> Iterator[str]:
    """A dead letter of two days ago that scheduling can handle now."""
    told = events_pb2.FirstContactRecorded()
    told.first_contact_time.FromJsonString("2026-03-02T12:00:00Z")
    entry = unsigned(told, CLAIM, heard_by=(SERVICE,))
    event_id = str(UUID(bytes=entry["event_id"]))
    signed = signing_key_of(platform_under_test.layout, "intake-svc").signed("events:intake-svc", entry)
    kept = msgspec.msgpack.encode(as_read(signed))
    platform_under_test.execute(SERVICE, BURY, event_id, told.DESCRIPTOR.full_name, CLAIM, kept)
    yield event_id
    platform_under_test.execute(SERVICE, "DELETE FROM dead_letters WHERE claim_ref = %s", CLAIM)
    platform_under_test.execute(SERVICE, "DELETE FROM first_contacts WHERE claim_ref = %s", CLAIM)


def counted(platform: PlatformUnderTest, sample: str) -> float:
    port = platform.layout.operations_port(SERVICE)
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith(f"{sample} ")]
    return float(line.split()[-1])


def test_overdue_items_are_listed_with_their_owner_and_counted(
    platform_under_test: PlatformUnderTest, letter: str
) -> None:
    done = cms(platform_under_test, "overdue", "--json")

    [late] = about_the_claim(done)
    assert (late["service"], late["state"], late["owner"]) == (SERVICE, "DEAD_LETTER", "SUPPORT")
    assert late["since_time"] < late["deadline_time"]
    assert done.returncode == 1
    eventually(
        lambda: counted(platform_under_test, 'scheduling_overdue{state="DEAD_LETTER"}') >= 1, what="the count of it"
    )


def test_the_audit_counts_a_claim_as_late_an_hour_after_its_confirmation(
    platform_under_test: PlatformUnderTest,
) -> None:
    claim = platform_under_test.journey("single, council tenant")
    claim.take_call()
    # Before it is: so JSAPS holds nothing yet.
    acknowledged.note(claim.acknowledged_file, claim.claim_ref, "CONFIRMED", schemes=claim.case.schemes)

    at_once = json.loads(cms(platform_under_test, "audit", "--json").stdout)
    cms(platform_under_test, "clock", "advance", "2h")
    try:
        done = cms(platform_under_test, "audit", "--json")
        shown = cms(platform_under_test, "audit").stdout
    finally:
        cms(platform_under_test, "clock", "reset")

    assert claim.claim_ref not in at_once["late_claims"]
    assert "JSAPS" in json.loads(done.stdout)["late_claims"][claim.claim_ref]
    assert f"late: {claim.claim_ref}: confirmed " in shown
    assert done.returncode == 1
    claim.assess()
    claim.wait_for_outcome()
    assert platform_under_test.settled_audit(claim).late == 0


def test_a_dead_letter_is_listed_until_it_is_replayed(platform_under_test: PlatformUnderTest, letter: str) -> None:
    [before] = about_the_claim(cms(platform_under_test, "deadletters", "list", "--json"))

    replay = cms(platform_under_test, "deadletters", "replay", letter)

    assert (before["service"], before["event_id"], before["reason"]) == (SERVICE, letter, "NOT_SO")
    assert replay.returncode == 0
    kept = "SELECT count(*) FROM first_contacts WHERE claim_ref = %s"
    eventually(lambda: platform_under_test.count(SERVICE, kept, CLAIM) == 1, what="its handling")
    assert about_the_claim(cms(platform_under_test, "deadletters", "list", "--json")) == []


def test_an_event_that_is_no_dead_letter_cannot_be_replayed(platform_under_test: PlatformUnderTest) -> None:
    unknown = str(uuid4())

    done = cms(platform_under_test, "deadletters", "replay", unknown)
    wrong = cms(platform_under_test, "deadletters", "replay", "no-event")

    assert done.returncode == wrong.returncode == 1
    assert f"no service has a dead letter of {unknown}" in done.stderr
    assert "event_id" in wrong.stderr


def test_a_service_that_is_away_is_named_and_the_others_are_listed(
    platform_under_test: PlatformUnderTest, letter: str
) -> None:
    platform_under_test.running.stop("la-notifier")
    try:
        commands = (["overdue", "--json"], ["deadletters", "list", "--json"], ["deadletters", "replay", letter])
        done = [cms(platform_under_test, *words) for words in commands]
    finally:
        platform_under_test.running.start("la-notifier")
        platform_under_test.running.wait_until_ready(names=("la-notifier",))

    assert [command.returncode for command in done] == [2, 2, 2]
    assert all(command.stderr.startswith("cms: la-notifier does not answer at http://") for command in done)
    assert [line["service"] for command in done[:2] for line in about_the_claim(command)] == [SERVICE, SERVICE]


def test_the_audit_covers_all_claims(platform_under_test: PlatformUnderTest) -> None:
    claim = platform_under_test.journey("lodger")
    claim.take_call()
    claim.assess()
    claim.wait_for_outcome()

    done = cms(platform_under_test, "audit", "--json")

    found = Findings(**json.loads(done.stdout))
    assert found.claims >= found.confirmed >= found.accepted >= 1
    assert claim.claim_ref not in {*found.lost_claims, *found.duplicate_claims, *found.half_transfer_claims}
    assert (done.returncode == 0) == found.sound
