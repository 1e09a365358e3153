"""The crash tests find two classic defects, each planted in a copy of the code."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.testing import eventually
from cms_local.audit import audit
from cms_local.journey import ASSESSMENT, GATEWAY, Journey
from cms_local.layout import ROOT
from tests.support.platforms import PlatformUnderTest, own_platform

pytestmark = pytest.mark.xdist_group("faults")


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A file of the project, a text that occurs in it once, and the text that replaces it."""

    path: str
    sound: str
    unsound: str


ACKNOWLEDGE_BEFORE_COMMIT = Defect(
    path="chassis/src/chassis/inbox.py",
    sound="""
    def _take(self, deliveries: list[Delivery]) -> None:
""",
    unsound="""
    def _take(self, deliveries: list[Delivery]) -> None:
        self._send_receipts([delivery for delivery in deliveries if self._is_ours(delivery)])
        self._bus.acknowledge(self._service, deliveries)
""",
)
RESEND_WITHOUT_ASKING = Defect(
    path="legacy-gateway/src/legacy_gateway/domain/transfers.py",
    sound="""
        return self._unknown(waits)

    def unfit(""",
    unsound="""
        return Step(state=State.WAITING, wait_seconds=0.0)

    def unfit(""",
)
SHORT_LEASE = {"CMS_REPLY_SECONDS": "1"}


def planted(defect: Defect, folder: Path) -> Mapping[str, str]:
    """Plants the defect in a copy of the code, and returns the environment of a process that runs it."""
    member = defect.path.partition("/")[0]
    shutil.copytree(ROOT / member, folder / member, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    copied = folder / defect.path
    text = copied.read_text()
    assert text.count(defect.sound) == 1, f"{defect.path} has changed: the defect cannot be planted"
    copied.write_text(text.replace(defect.sound, defect.unsound))
    return {"PYTHONPATH": os.pathsep.join([str(folder / member / "src"), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformUnderTest]:
    """A platform of its own, because the damage of a defect stays."""
    with own_platform() as started:
        yield started


def confirmed_claim(platform: PlatformUnderTest) -> Journey:
    journey = platform.journey("single, council tenant")
    journey.take_call()
    journey.assess()
    return journey


def test_the_audit_finds_a_claim_lost_by_an_acknowledgement_before_the_commit(
    platform: PlatformUnderTest, tmp_path: Path
) -> None:
    defect = planted(ACKNOWLEDGE_BEFORE_COMMIT, tmp_path)
    platform.start_to_die(GATEWAY, "inbox.before_commit", extra=defect)
    journey = confirmed_claim(platform)
    platform.wait_for_death(GATEWAY)
    platform.running.start(GATEWAY, extra=defect)
    eventually(journey.is_loaded, seconds=60, what="the notice")
    unfinished = "SELECT count(*) FROM outbox WHERE claim_ref = %s AND finished_time IS NULL"
    eventually(lambda: platform.count(ASSESSMENT, unfinished, journey.claim_ref) == 0, seconds=60, what="every receipt")

    findings = audit(platform.layout, only={journey.claim_ref})

    assert findings.lost_claims == {journey.claim_ref: "confirmed, and JSAPS holds nothing"}
    assert not findings.sound


def test_the_audit_finds_a_claim_doubled_by_resending_without_asking(
    platform: PlatformUnderTest, tmp_path: Path
) -> None:
    defect = {**planted(RESEND_WITHOUT_ASKING, tmp_path), **SHORT_LEASE}
    platform.start_to_die(GATEWAY, "transfer.after_reply", extra=defect)
    journey = confirmed_claim(platform)
    platform.wait_for_death(GATEWAY)
    platform.running.start(GATEWAY, extra=defect)
    journey.wait_for_outcome()

    findings = audit(platform.layout, only={journey.claim_ref})

    assert findings.duplicate_claims == [journey.claim_ref]
    assert not findings.sound
