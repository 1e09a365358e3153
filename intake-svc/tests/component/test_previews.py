"""The effects of a change are shown before it is saved; an answer that does not apply is kept and sent to nobody."""

from typing import Any

import pytest


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim, in a call of OP000001."""
    return desk().submitted(single_tenant)


WITH_CAPITAL = {
    "capital": "20000.00",
    "capital_kinds": [{"kind": "CASH", "amount": "20000.00", "owner": "CLAIMANT"}],
    "compensation_or_arrears": False,
}
"""Over the limit of income-based Jobseeker's Allowance."""


def preview(operator: Any, claim: Any, **values: Any) -> Any:
    return operator.get("AmendAnswers", **operator.amendment(claim, **values), preview=True)


def test_a_preview_tells_the_effect_and_changes_nothing(desk: Any, claim: Any) -> None:
    operator = desk()
    before = operator.get("GetInterview", claimRef=claim["claimRef"])

    told = preview(operator, claim, wishes_housing_benefit=False)

    effect = told["effect"]
    assert "wishes_housing_benefit" in effect["changedFields"]
    assert "rent_amount" in effect["notRelevantQuestionIds"]
    assert [change["questionId"] for change in told["changes"]] == ["wishes_housing_benefit"]
    assert operator.get("GetInterview", claimRef=claim["claimRef"]) == before
    assert operator.amend(claim, wishes_housing_benefit=False)["interview"]["version"] == claim["version"] + 1


def test_a_preview_is_refused_as_the_change_would_be(desk: Any, claim: Any) -> None:
    operator = desk()

    refused = operator.call("AmendAnswers", **operator.amendment(claim, has_partner=True), preview=True)

    assert (refused.code, refused.reason) == ("invalid_argument", "CLAIM_INCOMPLETE")
    assert "partner_surname" in refused.fields


def test_a_submitted_claim_takes_a_true_change_that_ends_entitlement(desk: Any, claim: Any) -> None:
    operator = desk()

    changed = operator.amend(claim, **WITH_CAPITAL)

    [capital] = [part for part in changed["interview"]["questions"] if part["id"] == "capital"]
    assert capital["answer"] == "20000.00"
    assert "over the limit" in capital["problem"]


def test_a_draft_whose_scheme_is_not_due_cannot_be_submitted(desk: Any, single_tenant: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    interview = operator.record(claim_ref, 1, **single_tenant | WITH_CAPITAL)

    refused = operator.try_once("SubmitClaim", claimRef=claim_ref, version=interview["version"])

    assert (refused.reason, refused.fields) == ("CLAIM_INCOMPLETE", {"capital"})


def test_an_answer_that_does_not_apply_is_kept_out_and_named(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    single = operator.record(
        claim_ref, 1, ever_worked=False, has_partner=False, partner_surname="O'Brien", capital={"gap": "WILL_SEND"}
    )
    couple = operator.record(claim_ref, 2, has_partner=True)

    assert single["notRelevantAnswers"] == ["partner_surname"]
    assert single["gaps"] == [{"questionId": "capital", "gap": "WILL_SEND", "allowed": False}]
    assert couple["notRelevantAnswers"] == []
    [name] = [part["answer"] for part in couple["questions"] if part["id"] == "partner_surname"]
    assert name == "O'Brien"


def test_the_claim_is_shown_as_it_was_at_a_time(desk: Any, claim: Any) -> None:
    operator = desk()
    entries = operator.get("GetHistory", claimRef=claim["claimRef"])["entries"]
    operator.amend(claim, capital="4711.00")

    then = operator.get("GetInterview", claimRef=claim["claimRef"], atTime=entries[-1]["at"])["interview"]
    early = operator.call("GetInterview", claimRef=claim["claimRef"], atTime="2005-07-01T09:00:00Z")

    assert [part["answer"] for part in then["questions"] if part["id"] == "capital"] == ["350.00"]
    assert then["version"] == entries[-1]["version"]
    assert (early.code, early.fields) == ("invalid_argument", {"at_time"})


def test_without_rule_tables_an_account_is_not_checkable_and_holds_nothing_up(desk: Any, claim: Any) -> None:
    interview = desk().get("GetInterview", claimRef=claim["claimRef"])["interview"]

    assert interview["accountCheck"] == "ACCOUNT_CHECK_NOT_CHECKABLE"
