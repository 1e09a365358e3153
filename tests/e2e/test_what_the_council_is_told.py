"""The notices of a council over a claim's life: while the call goes on, of the decision, and that it was the wrong council."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from chassis.testing import eventually
from cms_local.journey import GATEWAY, NOTIFIER, Journey
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

LEEDS, CARDIFF = "E08000035", "W06000015"


def shown(claim: Journey) -> Any:
    """The claim's notices, by GetNotices."""
    token = claim.issue("SUPPORT", subject="DEMO")
    return claim.doors.call(NOTIFIER, "GetNotices", {"claimRef": claim.claim_ref}, token=token, purpose=claim.work_item)


def told(claim: Journey, authority_code: str = "") -> list[tuple[str, str]]:
    """Kind and state of each version, of one authority where it is named."""
    notices = [one for one in shown(claim)["notices"] if authority_code in ("", one["authorityCode"])]
    return [(one["kind"].removeprefix("NOTICE_KIND_"), one["state"].removeprefix("NOTICE_STATE_")) for one in notices]


def message(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def test_a_council_is_told_during_the_call_of_the_decision_and_that_it_was_the_wrong_one(
    platform_under_test: PlatformUnderTest,
) -> None:
    claim = platform_under_test.journey("lodger")
    claim.start_call()
    claim.answer(claim.case.answers)
    eventually(lambda: told(claim) == [("INTENTION", "LOADED")], seconds=60, what="the intention, during the call")
    claim.book()
    claim.submit()
    claim.assess()
    claim.wait_for_outcome()

    officer = claim.issue("PROCESSING_OFFICER", subject="PO000001")
    entitled_from = clock.today() + timedelta(days=3)
    decision = {
        "claimRef": claim.claim_ref,
        "scheme": "SCHEME_JOBSEEKERS_ALLOWANCE",
        "outcome": "DECISION_OUTCOME_AWARDED",
        "basis": "DECISION_BASIS_INCOME",
        "from": message(entitled_from),
        "requestId": str(uuid4()),
    }
    claim.doors.call(GATEWAY, "RecordDecision", decision, token=officer)
    eventually(lambda: told(claim)[-1] == ("AWARD", "LOADED"), seconds=60, what="the award")
    [dated] = shown(claim)["datesOfClaim"]
    # The three waiting days are part of the entitlement.
    assert (dated["date"], dated["settled"]) == (message(clock.today()), True)
    assert dated["basis"] == "DATE_OF_CLAIM_BASIS_ENTITLEMENT"

    first = shown(claim)["notices"][0]
    other = LEEDS if first["authorityCode"] != LEEDS else CARDIFF
    redirect = {"noticeId": first["noticeId"], "authorityCode": other, "reason": "REDIRECT_REASON_CLAIMANT_SAID"}
    claim.doors.call(NOTIFIER, "RedirectNotice", {**redirect, "requestId": str(uuid4())}, token=officer)
    eventually(lambda: told(claim, other) == [("AWARD", "LOADED")], seconds=60, what="the right council's notice")
    eventually(lambda: told(claim, first["authorityCode"])[-1] == ("WITHDRAWN", "LOADED"), what="the withdrawal")
    [again] = shown(claim)["datesOfClaim"]
    assert (again["date"], again["noticeId"] == first["noticeId"]) == (dated["date"], False)
    findings = platform_under_test.settled_audit(claim)
    assert (findings.lost, findings.duplicates, findings.late) == (0, 0, 0)
