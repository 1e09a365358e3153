"""Amendments after the paying system holds the claim go there in order, where they feed a record, and are held once."""

from typing import Any

import pytest

from cms_local.doors import wait_for
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")


def versions_of_changes(claim: Any) -> list[str]:
    return [row["state"] for row in claim.transfers()["transfers"] if row["action"] == "TRANSFER_ACTION_CHANGE"]


def test_changes_reach_jsaps_in_order_and_what_feeds_no_record_goes_nowhere(
    platform_under_test: PlatformUnderTest,
) -> None:
    claim = platform_under_test.journey("lodger")
    claim.take_call()
    claim.assess()
    wait_for(claim.is_accepted, seconds=60, what="acceptance by JSAPS")

    claim.call_again()
    claim.amend({"pension_weekly": "11.00"}, reason="The claimant reported a change")
    claim.amend({"pension_weekly": "12.50"}, reason="The claimant reported another change")
    wait_for(lambda: versions_of_changes(claim) and claim.is_accepted(), seconds=60, what="acceptance of the changes")
    changes = versions_of_changes(claim)
    claim.amend({"rent_amount": "74.00"}, reason="The rent went up, which JSAPS is not told")

    # The second amendment was taken in by the first change, or made one of its own; a change that it overtook is never sent.
    assert set(changes) <= {"TRANSFER_STATE_ACCEPTED", "TRANSFER_STATE_CANCELLED"}
    assert list(changes).count("TRANSFER_STATE_ACCEPTED") in {2, 4}
    assert versions_of_changes(claim) == changes
    findings = platform_under_test.settled_audit(claim)
    assert (findings.accepted, findings.half_transfers, findings.duplicates, findings.lost) == (1, 0, 0, 0)
