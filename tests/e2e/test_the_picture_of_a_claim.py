"""An assessor sees all of a claim in one answer: before its interview what is missing, after its confirmation what followed."""

from typing import Any

import pytest

from cms_local.doors import wait_for
from cms_local.journey import ASSESSMENT, Journey
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")


def picture(claim: Journey) -> Any:
    token = claim._token_of("ASSESSOR")
    return claim.doors.call(ASSESSMENT, "GetAssessment", {"claimRef": claim.claim_ref}, token=token)


def booked_picture(claim: Journey) -> Any:
    """None until assessment-svc has heard of the booking, which may be after the claim."""
    found = picture(claim)
    return None if "BLOCK_KIND_INTERVIEW" in {block["kind"] for block in found["blocks"]} else found


def test_an_assessor_sees_what_became_of_a_claim_with_its_changes(platform_under_test: PlatformUnderTest) -> None:
    claim = platform_under_test.journey("assessor corrects the employer")
    claim.take_call()
    wait_for(lambda: claim._started(claim._token_of("ASSESSOR")), seconds=60, what="the work item")
    before = wait_for(lambda: booked_picture(claim), seconds=60, what="the booking")
    claim.assess()
    claim.wait_for_outcome()

    after = picture(claim)

    assert {block["kind"] for block in before["blocks"]} == {"BLOCK_KIND_UNCHECKED"}
    assert before["evidence"]["needs"]
    assert (before["transfers"], before["notReached"]) == ([], [])
    assert (after["blocks"], after["notReached"], after["likelyRefusals"]) == ([], [], [])
    assert {change["fact"]: change["reason"] for change in after["changes"]} == dict.fromkeys(
        claim.case.correct, "As the letter that was shown says"
    )
    assert {one["state"] for one in after["systems"]} == {"TRANSFER_STATE_ACCEPTED"}
    assert after["notices"]
