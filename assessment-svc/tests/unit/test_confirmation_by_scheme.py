"""The confirmation of a claim's schemes: by need, by desk, and by decision."""

from dataclasses import replace
from datetime import date

import pytest

from assessment.domain.evidence import Document, EvidenceState
from assessment.domain.items import Check, ItemStatus
from assessment.domain.refusals import (
    AlreadyClosed,
    AlreadyConfirmed,
    AssessmentClosed,
    DecisionNeeded,
    EvidenceOutstanding,
    InterviewNeeded,
    ItemsOpen,
    NotStarted,
    OtherScheme,
    ProposalsOpen,
)
from assessment.domain.states import AssessmentState
from chassis.errors import FailedPrecondition, InvalidArgument
from tests.support.assessments import (
    ASSESSOR,
    BEGUN,
    BY,
    CASEWORKER,
    CM,
    FACTS,
    IS,
    JSA,
    LOAN,
    READY,
    confirm,
    confirmed,
    facts,
    verified,
)

BOTH = replace(READY, schemes=(JSA, IS))
NEEDED = replace(FACTS, schemes={"surname": (JSA, IS), "tenure": (IS,)})


def test_a_claim_is_confirmed_when_its_last_scheme_is() -> None:
    both = verified(BOTH.start(FACTS, desks=ASSESSOR), "surname", "tenure")

    first = confirm(both, schemes=both.schemes_to_confirm([JSA], desks=ASSESSOR))
    with pytest.raises(AlreadyConfirmed):
        first.schemes_to_confirm([JSA], desks=ASSESSOR)
    second = confirm(first, schemes=first.schemes_to_confirm([], desks=ASSESSOR))

    assert (first.state, first.confirmed_schemes) == (AssessmentState.IN_PROGRESS, (JSA,))
    assert (second.state, second.confirmed_schemes) == (AssessmentState.CONFIRMED, (JSA, IS))


@pytest.mark.parametrize("status", [ItemStatus.DISPUTED, ItemStatus.UNCHECKED])
def test_an_open_item_holds_up_only_the_schemes_that_need_it(status: ItemStatus) -> None:
    begun = BOTH.start(NEEDED, desks=ASSESSOR)
    checks = [*confirmed("surname"), Check(fact="tenure", status=status)]
    checked = begun.verify(checks, version=begun.version, facts=NEEDED, checked=BY, desks=ASSESSOR)

    with pytest.raises(ItemsOpen) as refused:
        confirm(checked, NEEDED, schemes=(JSA, IS))
    done = confirm(checked, NEEDED, schemes=(JSA,))

    assert refused.value.metadata == {IS: "tenure"}
    assert [violation.description for violation in refused.value.violations] == [f"is {status}, needed by {IS}"]
    assert (done.state, done.confirmed_schemes) == (AssessmentState.IN_PROGRESS, (JSA,))


def test_a_proposal_holds_up_only_the_schemes_that_need_the_fact() -> None:
    proposed = replace(NEEDED, proposed=frozenset({"tenure"}))
    checked = verified(BOTH.start(proposed, desks=ASSESSOR), "surname", "tenure", known=proposed)

    with pytest.raises(ProposalsOpen):
        confirm(checked, proposed, schemes=(IS,))

    assert confirm(checked, proposed, schemes=(JSA,)).confirmed_schemes == (JSA,)


def test_a_confirmed_scheme_stays_when_a_fact_is_amended_or_disputed_for_another() -> None:
    first = confirm(verified(BOTH.start(NEEDED, desks=ASSESSOR), "surname", known=NEEDED), NEEDED, schemes=(JSA,))
    later = replace(facts(9, surname=9, tenure=5), schemes=NEEDED.schemes)

    amended = first.amended(["surname"], claim_version=9).start(later, desks=ASSESSOR)
    with pytest.raises(ItemsOpen) as refused:
        confirm(amended, later, schemes=(IS,))
    done = confirm(verified(amended, "surname", "tenure", known=later), later, schemes=(IS,))

    assert amended.confirmed_schemes == (JSA,)
    assert refused.value.metadata == {IS: "surname,tenure"}
    assert (done.state, done.confirmed_schemes) == (AssessmentState.CONFIRMED, (JSA, IS))


def test_a_scheme_that_was_not_claimed_is_named_by_its_position() -> None:
    with pytest.raises(InvalidArgument) as refused:
        BEGUN.schemes_to_confirm([JSA, IS], desks=ASSESSOR)

    assert [violation.field for violation in refused.value.violations] == ["schemes[1]"]


def test_caseworkers_confirm_child_maintenance_and_assessors_the_rest() -> None:
    mixed = replace(BEGUN, schemes=(JSA, CM))

    assert mixed.schemes_to_confirm([], desks=CASEWORKER) == (CM,)
    assert mixed.schemes_to_confirm([], desks=ASSESSOR) == (JSA,)
    assert mixed.schemes_to_confirm([], desks=ASSESSOR | CASEWORKER) == (JSA, CM)
    with pytest.raises(OtherScheme):
        mixed.schemes_to_confirm([CM], desks=ASSESSOR)
    with pytest.raises(OtherScheme):
        mixed.schemes_to_confirm([JSA, CM], desks=CASEWORKER)


def test_a_booking_that_was_not_heard_of_holds_nothing_up() -> None:
    unheard = replace(BEGUN, schemes=(JSA, IS), appointment_id=None, office_code=None)

    assert unheard.schemes_to_confirm([], desks=ASSESSOR) == (JSA, IS)


def test_beside_an_unbooked_crisis_loan_only_child_maintenance_can_be_confirmed() -> None:
    unbooked = replace(BEGUN, schemes=(JSA, IS, LOAN, CM), appointment_id=None, office_code=None)

    assert unbooked.schemes_to_confirm([], desks=CASEWORKER) == (CM,)
    assert unbooked.schemes_to_confirm([], desks=ASSESSOR | CASEWORKER) == (CM,)
    assert unbooked.waiting_for_interview(unbooked.schemes_to_confirm([], desks=ASSESSOR)) == [JSA, IS]
    assert unbooked.waiting_for_interview(unbooked.schemes_to_confirm([JSA], desks=ASSESSOR)) == [JSA]


def test_an_interview_that_was_cancelled_is_needed_again() -> None:
    cancelled = replace(BEGUN, appointment_id=None, office_code=None, interview_cancelled=True)

    assert cancelled.waiting_for_interview([JSA, CM]) == [JSA]
    assert BEGUN.waiting_for_interview([JSA, CM]) == []


def test_a_confirmation_is_refused_once_for_all_that_stands_in_its_way() -> None:
    unbooked = replace(verified(BEGUN, "surname"), appointment_id=None, interview_cancelled=True)
    proposed = replace(FACTS, proposed=frozenset({"surname", "tenure"}))
    passport = Document(kind="PASSPORT", state=EvidenceState.REQUESTED, due_on=date(2026, 4, 2))

    with pytest.raises(FailedPrecondition) as refused:
        unbooked.confirm(
            (JSA,),
            facts=proposed,
            office_code="123456",
            checked=BY,
            interview=[InterviewNeeded([JSA], wanted=[CM, JSA])],
            evidence=[EvidenceOutstanding([(passport, {JSA})])],
        )

    assert refused.value.reason == "INTERVIEW_NEEDED"
    assert [violation.field for violation in refused.value.violations] == [
        "schemes[1]",
        "tenure",
        "surname",
        "tenure",
        "PASSPORT",
    ]
    assert refused.value.violations[-1].description == f"was asked for and is due on 2026-04-02, needed by {JSA}"
    assert "evidence was asked for" in refused.value.message


def test_what_was_closed_is_not_called_confirmed() -> None:
    closed = replace(BEGUN, schemes=(JSA, IS), closed_schemes=(JSA,))

    with pytest.raises(AlreadyClosed) as refused:
        closed.schemes_to_confirm([IS, JSA], desks=ASSESSOR)
    with pytest.raises(AlreadyClosed):
        closed.check_undecided(JSA)

    assert [violation.field for violation in refused.value.violations] == ["schemes[1]"]


def test_a_crisis_loan_is_confirmed_only_by_the_decision_on_it() -> None:
    mixed = replace(BEGUN, schemes=(JSA, LOAN))

    assert mixed.schemes_to_confirm([], desks=ASSESSOR) == (JSA,)
    for wanted, done in (([LOAN], ()), ([JSA, LOAN], ()), ([], (JSA,))):
        with pytest.raises(DecisionNeeded):
            replace(mixed, confirmed_schemes=done).schemes_to_confirm(wanted, desks=ASSESSOR)


def test_each_desk_has_the_items_that_its_schemes_need() -> None:
    needed = replace(
        facts(7, surname=3, tenure=5, role=6), schemes={"surname": (JSA, CM), "tenure": (JSA,), "role": (CM,)}
    )
    begun = replace(READY, schemes=(JSA, CM)).start(needed, desks=CASEWORKER)

    assert list(begun.items_at(CASEWORKER)) == ["surname", "role"]
    assert list(begun.items_at(ASSESSOR)) == ["surname", "tenure"]
    with pytest.raises(NotStarted):
        begun.verify(confirmed("surname"), version=begun.version, facts=needed, checked=BY, desks=ASSESSOR)
    with pytest.raises(InvalidArgument):
        begun.verify(confirmed("tenure"), version=begun.version, facts=needed, checked=BY, desks=CASEWORKER)
    with pytest.raises(InvalidArgument):
        begun.check_correctable("tenure", version=begun.version, desks=CASEWORKER)


def test_a_closed_assessment_can_be_neither_started_nor_changed_and_takes_no_amendment() -> None:
    closed = replace(verified(BEGUN, "surname"), state=AssessmentState.CLOSED, closed_reason="WITHDRAWN")

    assert closed.amended(["surname"], claim_version=9) is closed
    with pytest.raises(AssessmentClosed):
        closed.start(FACTS, desks=ASSESSOR)
    with pytest.raises(AssessmentClosed):
        closed.check_open(closed.version, desks=ASSESSOR)
    with pytest.raises(AssessmentClosed):
        closed.correct("surname", facts=FACTS, checked=BY, desks=ASSESSOR)
