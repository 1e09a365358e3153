"""A crisis loan is decided by an assessor, and SFCS holds it the same day with the amount that was offered."""

import pytest

from cms_local.audit import Findings
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

ALONE = "crisis loan alone, decided without an interview"


def test_a_crisis_loan_is_decided_and_held_by_sfcs_without_an_interview(platform_under_test: PlatformUnderTest) -> None:
    journey = platform_under_test.journey(ALONE)
    journey.loan_offered = "25.00"

    journey.take_call()
    journey.assess()
    journey.wait_for_outcome()

    assert "crisis loan of 25.00 pounds offered" in [what for _, what in journey.timeline]
    [transfer] = journey.transfers()["transfers"]
    assert (transfer["system"], transfer["state"]) == ("SYSTEM_SFCS", "TRANSFER_STATE_ACCEPTED")
    found: Findings = platform_under_test.settled_audit(journey)
    assert found.sound
