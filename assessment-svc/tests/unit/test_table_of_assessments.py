"""The table of an assessment's states: docs/states.md shows it, and each way in it can be gone."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assessment.domain.assessments import Assessment
from assessment.domain.items import Check, Checked, Evidence, Facts, ItemStatus
from assessment.domain.refusals import AlreadyConfirmed, NotStarted
from assessment.domain.schemes import Desk
from assessment.domain.states import STAYS, TRANSITIONS, AssessmentState
from chassis.errors import InvalidArgument

PAGE = Path(__file__).parents[3] / "docs" / "states.md"
JSA = "JOBSEEKERS_ALLOWANCE"
FACTS = Facts(version=7, answered={"surname": 3, "tenure": 3})
BY = Checked(by="AS000001", at=datetime(2026, 3, 2, 10, tzinfo=UTC))
DUE = date(2026, 4, 2)
READY = Assessment(claim_ref="C0123456789A", schemes=(JSA,), appointment_id="A1", office_code="123456")
BEGUN = READY.start(FACTS, desks=frozenset({Desk.ASSESSOR}))


def test_the_page_shows_the_table() -> None:
    _, _, page = PAGE.read_text().partition("## How an assessment goes")
    page, _, _ = page.partition("\n## ")
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in page.splitlines() if line[:2] == "| "
    ]

    assert rows[2:] == [(one.cause, one.before or "–", one.after, one.event or "–") for one in TRANSITIONS]


def test_every_state_has_an_owner_or_is_an_end() -> None:
    assert {state for state in AssessmentState if state.is_end} == {AssessmentState.CONFIRMED, AssessmentState.CLOSED}
    assert {one.before for one in TRANSITIONS} >= set(STAYS)


def test_evidence_is_outstanding_until_it_came_and_a_second_request_moves_the_day() -> None:
    outstanding = BEGUN.evidence_due(DUE)
    later = outstanding.evidence_due(date(2026, 4, 9))
    ended = later.evidence_due(None)

    assert (outstanding.state, outstanding.evidence_due_on) == (AssessmentState.EVIDENCE_OUTSTANDING, DUE)
    assert (later.state, later.evidence_due_on) == (AssessmentState.EVIDENCE_OUTSTANDING, date(2026, 4, 9))
    assert (ended.state, ended.evidence_due_on) == (AssessmentState.IN_PROGRESS, None)
    assert ended.version == BEGUN.version + 3


def test_starting_again_leaves_evidence_outstanding() -> None:
    outstanding = BEGUN.evidence_due(DUE)

    assert outstanding.start(FACTS, desks=frozenset({Desk.ASSESSOR})) == outstanding


def test_evidence_is_asked_for_only_between_start_and_confirmation() -> None:
    checks = [Check(fact=fact, status=ItemStatus.CONFIRMED) for fact in FACTS.answered]
    checked = BEGUN.verify(checks, version=2, facts=FACTS, checked=BY, desks=frozenset({Desk.ASSESSOR}))
    done, _ = checked.confirm((JSA,), facts=FACTS, office_code="123456", checked=BY)

    with pytest.raises(NotStarted):
        READY.evidence_due(DUE)
    with pytest.raises(AlreadyConfirmed):
        done.evidence_due(DUE)


def test_one_document_proves_several_facts_and_settles_none() -> None:
    passport = Evidence(kind="PASSPORT", seen_on=date(2026, 3, 2))

    proved = BEGUN.prove(passport, ["surname", "tenure"])

    assert {item.evidence for item in proved.items.values()} == {passport}
    assert {item.status for item in proved.items.values()} == {ItemStatus.UNCHECKED}
    with pytest.raises(InvalidArgument) as refused:
        BEGUN.prove(passport, ["surname", "nonsense"])
    assert [violation.field for violation in refused.value.violations] == ["facts[1]"]
