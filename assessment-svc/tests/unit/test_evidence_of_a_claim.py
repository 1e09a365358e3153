"""Evidence that was asked for, seen or waived, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from assessment.data.evidence import EVIDENCE
from assessment.domain.evidence import ClaimEvidence, EvidenceState, held_up
from assessment.domain.items import Checked
from chassis.errors import InvalidArgument

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BY = Checked(by="AS000001", at=NOW)
DUE = date(2026, 4, 2)
JSA, IS, CM, LOAN = "JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT", "CHILD_MAINTENANCE", "CRISIS_LOAN"


def wanting(*needs: str) -> ClaimEvidence:
    return ClaimEvidence(needs=EVIDENCE.named(needs))


def request(evidence: ClaimEvidence, *kinds: str, facts: tuple[str, ...] = (), due_on: date = DUE) -> ClaimEvidence:
    return evidence.request(kinds, facts=facts, due_on=due_on, remind_on=due_on, requested=BY)


def see(evidence: ClaimEvidence, kind: str, *facts: str, on: date = date(2026, 3, 2)) -> ClaimEvidence:
    after, _ = evidence.see(kind, facts=facts, seen_on=on, settled=BY)
    return after


def test_one_document_proves_every_fact_that_needs_its_kind() -> None:
    evidence = see(wanting("address", "capital", "income"), "BANK_STATEMENT")

    assert evidence.is_complete
    assert set(evidence.documents[0].facts) >= {"address", "capital", "other_income"}


def test_the_claimants_passport_does_not_prove_who_the_partner_is() -> None:
    evidence = see(wanting("identity", "partner"), "PASSPORT")

    assert [need.id for need in evidence.missing] == ["partner"]
    assert see(evidence, "PASSPORT", on=date(2026, 3, 3)).is_complete


def test_facts_that_are_named_are_what_a_document_proves() -> None:
    evidence = see(wanting("identity", "partner"), "PASSPORT", "partner_surname")

    assert [need.id for need in evidence.missing] == ["identity"]


def test_a_fact_that_is_answered_anew_is_proved_no_longer() -> None:
    evidence = see(wanting("address", "capital"), "BANK_STATEMENT").answered_anew({"address"})

    assert [need.id for need in evidence.missing] == ["address"]


def test_a_document_seen_again_on_the_same_day_is_the_same_document() -> None:
    evidence = see(see(wanting("identity"), "PASSPORT", "surname"), "PASSPORT", "forenames")

    assert [document.facts for document in evidence.documents] == [("surname", "forenames")]


def test_evidence_is_outstanding_until_it_is_seen() -> None:
    asked = request(wanting("earnings"), "WAGE_SLIP")

    assert (asked.is_complete, asked.due_on) == (False, DUE)
    seen = see(asked, "WAGE_SLIP")
    assert (seen.is_complete, seen.due_on) == (True, None)
    assert [document.state for document in seen.documents] == [EvidenceState.SEEN]


def test_what_is_asked_for_again_has_the_new_day_and_stays_one_request() -> None:
    again = request(request(wanting("earnings"), "WAGE_SLIP"), "WAGE_SLIP", due_on=DUE + timedelta(days=14))

    assert [document.due_on for document in again.outstanding] == [DUE + timedelta(days=14)]


def test_a_person_may_do_without_what_is_awaited_or_needed() -> None:
    evidence = request(wanting("earnings", "identity"), "WAGE_SLIP")

    after = evidence.waive(["WAGE_SLIP", "PASSPORT"], reason="lost in a fire", settled=BY)

    assert after.is_complete
    assert {document.state for document in after.documents} == {EvidenceState.WAIVED}


def test_nobody_can_do_without_what_nobody_wants() -> None:
    with pytest.raises(InvalidArgument) as refused:
        wanting("earnings").waive(["WAGE_SLIP", "PASSPORT"], reason="none", settled=BY)

    assert [fault.field for fault in refused.value.violations] == ["kinds[1]"]


def test_a_kind_given_twice_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidArgument) as refused:
        request(wanting("earnings"), "WAGE_SLIP", "WAGE_SLIP")

    assert [fault.field for fault in refused.value.violations] == ["kinds[1]"]


def test_the_time_of_completeness_stands_until_something_is_wanted_again() -> None:
    complete, wanted = see(wanting("earnings"), "WAGE_SLIP"), wanting("earnings")
    later = NOW + timedelta(days=3)

    assert complete.complete_time(None, confirmed=False, now=NOW) == NOW
    assert complete.complete_time(NOW, confirmed=False, now=later) == NOW
    assert wanted.complete_time(NOW, confirmed=False, now=later) is None
    assert wanted.complete_time(None, confirmed=True, now=later) == later


def test_outstanding_evidence_holds_up_only_the_schemes_that_need_its_facts() -> None:
    asked = request(wanting("illness"), "MEDICAL_CERTIFICATE").outstanding
    needed_by = {"sick_from": (IS,), "surname": (IS, JSA)}

    assert held_up(asked, schemes=[JSA, IS], needed_by=needed_by) == {IS}
    assert held_up(asked, schemes=[JSA], needed_by=needed_by) == set()


def test_evidence_of_facts_that_are_gone_holds_up_nothing() -> None:
    asked = request(wanting("illness"), "MEDICAL_CERTIFICATE").outstanding

    assert held_up(asked, schemes=[JSA, IS], needed_by={"surname": (IS, JSA)}) == set()


def test_evidence_of_the_claim_as_a_whole_holds_up_every_scheme_but_those_without_an_interview() -> None:
    asked = request(wanting(), "OTHER").outstanding

    assert held_up(asked, schemes=[JSA, CM, LOAN], needed_by={}) == {JSA}
