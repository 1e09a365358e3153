"""No NINO yet, no fixed address, no bank account: each has its path to submission, and what is missing follows later."""

from typing import Any


def test_a_claim_without_nino_home_or_account_is_submitted_and_the_nino_follows(
    desk: Any, single_tenant: dict[str, Any]
) -> None:
    operator = desk()
    claim_ref = operator.start(nino=None)["claim"]["claimRef"]
    bank = ("sort_code", "account_number", "account_name")
    answers = {name: value for name, value in single_tenant.items() if name not in bank}
    without = {
        "nino": {"gap": "NOT_KNOWN"},
        "address": {"lines": ["c/o St George's Crypt", "Leeds"], "postcode": "LS1 4AP"},
        "has_account": False,
        "tenure": "NONE",
        "liable_for_rent": False,
        "liable_for_council_tax": False,
    }

    interview = operator.record(claim_ref, 1, **{**answers, **without})
    claim = operator.submit(claim_ref, interview["version"])
    amended = operator.amend(claim, nino="CE123456A")["interview"]

    assert {"questionId": "nino", "gap": "NOT_KNOWN", "allowed": True} in interview["gaps"]
    assert {"rent_amount", "wishes_housing_benefit"} <= set(interview["notRelevantAnswers"])
    assert not any(gap["questionId"] == "nino" for gap in amended["gaps"])
    assert operator.start("CE123456A")["claim"]["claimRef"] == claim_ref
