"""An erased claim leaves no answer readable in any service, and every ledger still balances."""

import json

import pytest
from typer.testing import CliRunner

from chassis.testing import eventually
from cms_local.doors import Refused
from cms_local.journey import GATEWAY, INTAKE, NOTIFIER, Journey
from cms_local.layout import SERVICES
from cms_local.main import app
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

KEYS = "SELECT count(*) FROM data_keys WHERE claim_ref = %s"
ERASED = "SELECT count(*) FROM erased_claims WHERE claim_ref = %s"
END = "UPDATE claims SET state = 'CLOSED', last_live_time = '2000-01-01' WHERE claim_ref = %s"
AGE_CALLS = "UPDATE calls SET started = '2000-01-01' WHERE claim_ref = %s"


def retention(*words: str) -> dict[str, int]:
    given = CliRunner().invoke(app, ["retention", *words])
    assert given.exit_code == 0, given.output
    found: dict[str, int] = json.loads(given.stdout.splitlines()[-1])
    return found


def reason_of(claim: Journey, service: str, method: str, token: str) -> str:
    """The reason of the refusal to show the claim; empty where it is shown."""
    try:
        claim.doors.call(
            service, method, {"claimRef": claim.claim_ref}, token=token, purpose=f"work item {claim.claim_ref}"
        )
    except Refused as refused:
        return refused.reason
    return ""


def test_a_claim_is_erased_in_every_service_and_the_audit_stays_sound(
    platform_under_test: PlatformUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = platform_under_test
    monkeypatch.setattr("cms_local.commands.retention.running_platform", lambda: platform.running)
    claim = platform.journey("assessor corrects the employer")
    claim.take_call()
    claim.assess()
    claim.wait_for_outcome()
    platform.settled_audit(claim)
    had = {service for service in SERVICES if platform.count(service, KEYS, claim.claim_ref)}
    assert {"intake-svc", "legacy-gateway", "la-notifier"} <= had
    platform.execute("intake-svc", END, claim.claim_ref)
    platform.execute("intake-svc", AGE_CALLS, claim.claim_ref)

    assert retention("run", "--json") == {"erased": 0, "due": 1, "held": 0}
    assert platform.count("intake-svc", KEYS, claim.claim_ref) == 1
    assert retention("run", "--erase", "--json") == {"erased": 1, "due": 0, "held": 0}

    for service in SERVICES:
        eventually(lambda: platform.count(service, ERASED, claim.claim_ref), what=f"the erasure in {service}")  # noqa: B023
        assert platform.count(service, KEYS, claim.claim_ref) == 0
    findings = platform.settled_audit(claim)
    assert (findings.accepted, findings.lost, findings.late) == (1, 0, 0)
    manager = claim.issue("SERVICE_MANAGER", subject="SM000001")
    officer = claim.issue("PROCESSING_OFFICER", subject="PO000001")
    assert reason_of(claim, INTAKE, "GetHistory", manager) == "CLAIM_ERASED"
    assert reason_of(claim, GATEWAY, "GetTransfers", officer) == ""
    assert reason_of(claim, NOTIFIER, "GetNotices", officer) == ""
    for service, method in ((GATEWAY, "ListTransfers"), (NOTIFIER, "ListNotices"), (NOTIFIER, "ListWorkItems")):
        assert claim.doors.call(service, method, {}, token=officer) is not None
