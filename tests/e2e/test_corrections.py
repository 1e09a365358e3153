"""A value that a record cannot hold is agreed before the confirmation; a refused claim is corrected and sent."""

from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from cms_local import acknowledged, demo
from cms_local.doors import Refused, wait_for
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

AS_SPOKEN, IN_A_RECORD = "Łukasiewicz", "LUKASIEWICZ"


def test_a_correction_with_an_open_proposal_blocks_the_confirmation(
    platform_under_test: PlatformUnderTest,
) -> None:
    claim = platform_under_test.journey("lodger")
    claim.take_call()
    office, assessor = claim.appointment["office"]["code"], claim.appointment["assessorId"]
    token = claim.issue("ASSESSOR", subject=assessor, office=office)
    started = wait_for(lambda: claim._started(token), seconds=60, what="the work item")
    checks = [{"fact": item["fact"], "status": "ITEM_STATUS_CONFIRMED"} for item in started["items"]]
    checked = claim._assess(token, "VerifyItems", started, items=checks)
    correction = {"fact": "surname", "value": AS_SPOKEN, "reason": "As the passport that was shown says"}

    corrected = claim._assess(token, "CorrectItem", checked, **correction)
    with pytest.raises(Refused) as refused:
        claim._assess(token, "ConfirmAssessment", corrected)
    proposals = {item["fact"]: item["proposal"] for item in corrected["items"] if "proposal" in item}
    agreed = claim._assess(token, "CorrectItem", corrected, **correction, acceptTransliteration=True)
    confirmed = claim._assess(token, "ConfirmAssessment", agreed)
    acknowledged.note(claim.acknowledged_file, claim.claim_ref, "CONFIRMED", schemes=claim.case.schemes)

    assert proposals == {"surname": IN_A_RECORD}
    assert (refused.value.code, refused.value.reason) == ("failed_precondition", "PROPOSALS_OPEN")
    assert confirmed["state"] == "ASSESSMENT_STATE_CONFIRMED"
    wait_for(claim.is_accepted, seconds=60, what="acceptance by JSAPS")


def test_a_claim_that_jsaps_refused_is_held_once_after_it_is_corrected_at_the_repair_desk_and_closed_when_it_is_decided(
    platform_under_test: PlatformUnderTest,
) -> None:
    failure = {"failure": "refuse_record", "dialogue": "BA504", "field": "JB-CAPITAL", "count": 1}
    claim = platform_under_test.journey("lodger", failures={"jsaps": failure})
    claim.take_call(once_known=lambda: demo.arm_failures(platform_under_test.layout, claim))
    claim.assess()
    wait_for(lambda: standing(claim) == "TRANSFER_STATE_REJECTED", seconds=60, what="the refusal")

    [refused] = [one for one in claim.transfers()["transfers"] if one["state"] == "TRANSFER_STATE_REJECTED"]
    correction = {
        "transferIds": [refused["transferId"]],
        "corrections": [{"questionId": "capital", "value": "1250.00"}],
        "reason": "As the statement that was sent shows",
        "requestId": str(uuid4()),
    }
    officer = claim.issue("PROCESSING_OFFICER", subject="PO000001")
    [done] = platform_under_test.doors.call("legacy-gateway", "CorrectTransfers", correction, token=officer)["results"]
    assert done["outcome"] == "TRANSFER_OUTCOME_CORRECTED"
    wait_for(lambda: standing(claim) == "TRANSFER_STATE_ACCEPTED", seconds=60, what="acceptance by JSAPS")

    corrected = [transfer for transfer in claim.transfers()["transfers"] if transfer["replaces"]]
    assert [transfer["action"] for transfer in corrected] == ["TRANSFER_ACTION_CHANGE", "TRANSFER_ACTION_NEW"]
    decide(platform_under_test, claim, officer)
    findings = platform_under_test.settled_audit(claim)
    assert (findings.accepted, findings.half_transfers, findings.duplicates) == (1, 0, 0)


def decide(platform: PlatformUnderTest, claim: Any, officer: str) -> None:
    """Decides the claim, which intake closes then."""
    today = clock.today()
    decision = {
        "claimRef": claim.claim_ref,
        "scheme": "SCHEME_JOBSEEKERS_ALLOWANCE",
        "outcome": "DECISION_OUTCOME_AWARDED",
        "basis": "DECISION_BASIS_INCOME",
        "from": {"year": today.year, "month": today.month, "day": today.day},
        "requestId": str(uuid4()),
    }
    platform.doors.call("legacy-gateway", "RecordDecision", decision, token=officer)

    def state() -> Any:
        return platform.doors.call("intake-svc", "GetClaim", {"claimRef": claim.claim_ref}, token=officer)["claim"][
            "state"
        ]

    wait_for(lambda: state() == "CLAIM_STATE_CLOSED", seconds=30, what="the closing of the claim")


def standing(claim: Any) -> str:
    """The state of the claim in JSAPS."""
    systems = claim.transfers()["systems"]
    return str(systems[0]["state"]) if systems else ""
