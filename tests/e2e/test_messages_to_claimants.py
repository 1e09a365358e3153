"""A claimant is told of the interview, of what to bring and of evidence, each once, as they chose in the call."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from cms_local.doors import wait_for
from cms_local.journey import ASSESSMENT, NOTIFIER, Journey
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")


def state_of(platform: PlatformUnderTest, claim: Journey, kind: str) -> str | None:
    found = platform.doors.call(NOTIFIER, "GetMessages", {"claimRef": claim.claim_ref}, token=claim.operator)
    states = {one["kind"]: str(one["state"]) for one in found["messages"]}
    return states.get(f"MESSAGE_KIND_{kind}")


def said(platform: PlatformUnderTest, claim: Journey) -> list[dict[str, Any]]:
    control = f"http://127.0.0.1:{platform.layout.control_port('notify')}"
    told: list[dict[str, Any]] = httpx.get(f"{control}/messages?claim_ref={claim.claim_ref}").json()["messages"]
    return told


def test_the_claimant_has_a_text_of_the_interview_and_of_evidence_that_is_asked_for(
    platform_under_test: PlatformUnderTest,
) -> None:
    claim = platform_under_test.journey("lodger")
    claim.take_call()
    wait_for(
        lambda: state_of(platform_under_test, claim, "APPOINTMENT_MADE") == "MESSAGE_STATE_DELIVERED",
        seconds=60,
        what="the delivery of the text",
    )
    office, assessor = claim.appointment["office"]["code"], claim.appointment["assessorId"]
    token = claim.issue("ASSESSOR", subject=assessor, office=office)
    wait_for(lambda: claim._started(token), seconds=60, what="the work item")
    asked = {"claimRef": claim.claim_ref, "kinds": ["EVIDENCE_KIND_WAGE_SLIP"], "requestId": str(uuid4())}
    platform_under_test.doors.call(ASSESSMENT, "RequestEvidence", asked, token=token)
    wait_for(lambda: len(said(platform_under_test, claim)) == 2, seconds=60, what="the text of what to bring")

    of_the_interview, of_evidence = said(platform_under_test, claim)
    assert {one["type"] for one in (of_the_interview, of_evidence)} == {"sms"}
    assert "Your interview about Jobseeker's Allowance is on" in of_the_interview["body"]
    assert "wage slips" in of_evidence["body"]
