"""A withdrawal is heard of everywhere: no interview, no work, nothing more sent, and a person ends what is held."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.testing import eventually
from cms_local.doors import Refused
from cms_local.journey import ASSESSMENT, GATEWAY, SCHEDULING, Journey
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")


def transfers(claim: Journey) -> Any:
    return claim.transfers()


def refusal_of_assessment(claim: Journey) -> str:
    office, assessor = claim.appointment["office"]["code"], claim.appointment["assessorId"]
    token = claim.issue("ASSESSOR", subject=assessor, office=office)
    request = {"claimRef": claim.claim_ref, "requestId": str(uuid4())}
    try:
        claim.doors.call(ASSESSMENT, "StartAssessment", request, token=token)
    except Refused as refused:
        return refused.reason
    return ""


def test_a_claim_withdrawn_before_its_interview_is_nobodys_work(platform_under_test: PlatformUnderTest) -> None:
    claim = platform_under_test.journey("lodger", withdraws=True)
    claim.take_call()

    claim.wait_for_outcome()

    appointment = {"appointmentId": claim.appointment["appointmentId"]}
    support = claim.issue("SUPPORT", subject="SU000001")
    answer = claim.doors.call(SCHEDULING, "GetAppointment", appointment, token=support, purpose=claim.work_item)
    shown = answer["appointment"]
    assert shown["state"] == "APPOINTMENT_STATE_CANCELLED"
    eventually(lambda: refusal_of_assessment(claim) == "ASSESSMENT_CLOSED", what="the closed work")
    eventually(lambda: "withdrawTime" in transfers(claim), what="the gateway's knowledge of it")
    assert transfers(claim)["transfers"] == []
    findings = platform_under_test.settled_audit(claim)
    assert (findings.withdrawn, findings.lost, findings.late) == (1, 0, 0)


def test_a_withdrawn_claim_that_jsaps_holds_is_listed_until_an_officer_has_ended_it(
    platform_under_test: PlatformUnderTest,
) -> None:
    claim = platform_under_test.journey("lodger")
    claim.take_call()
    claim.assess()
    claim.wait_for_outcome()
    claim.call_again()

    claim.withdraw()
    eventually(lambda: transfers(claim)["withdrawnRecords"], what="the list of what is held")
    officer = claim.issue("PROCESSING_OFFICER", subject="PO000001")
    removal = {"claimRef": claim.claim_ref, "system": "SYSTEM_JSAPS", "requestId": str(uuid4())}
    ended = claim.doors.call(GATEWAY, "RecordRemoval", removal, token=officer)["withdrawnRecords"]

    assert [(record["system"], record["half"], "removedTime" in record) for record in ended] == [
        ("SYSTEM_JSAPS", False, True)
    ]
