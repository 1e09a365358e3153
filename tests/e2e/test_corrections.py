"""An assessor corrects a fact to what no paying system can hold: it is agreed before it is confirmed, not refused after."""

import pytest

from cms_local import told
from cms_local.doors import Refused, wait_for
from cms_local.testing import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

AS_SPOKEN, IN_A_RECORD = "Łukasiewicz", "LUKASIEWICZ"


def test_a_correction_that_needs_another_form_holds_up_the_confirmation_until_it_is_agreed(
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
    told.note(claim.told_file, claim.claim_ref, "CONFIRMED")

    assert proposals == {"surname": IN_A_RECORD}
    assert (refused.value.code, refused.value.reason) == ("failed_precondition", "PROPOSALS_OPEN")
    assert confirmed["state"] == "ASSESSMENT_STATE_CONFIRMED"
    wait_for(claim.is_accepted, seconds=60, what="acceptance by JSAPS")
