"""The story of an assessment, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.assessments import Assessment
from assessment.domain.evidence import Document, EvidenceState
from assessment.domain.items import Check, Checked, Evidence, Facts, ItemStatus
from assessment.domain.refusals import (
    AlreadyClosed,
    AlreadyConfirmed,
    AssessmentClosed,
    ClaimChanged,
    DecisionNeeded,
    EvidenceOutstanding,
    InterviewNeeded,
    ItemsOpen,
    NotStarted,
    OfficeRequired,
    OtherOffice,
    OtherScheme,
    ProposalsOpen,
)
from assessment.domain.schemes import Desk
from assessment.domain.states import AssessmentState
from assessment.domain.work import Booking, WorkItem
from chassis.errors import FailedPrecondition, InvalidArgument, StaleVersion

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BY = Checked(by="AS000001", at=NOW)
JSA, IS, CM, LOAN = "JOBSEEKERS_ALLOWANCE", "INCOME_SUPPORT", "CHILD_MAINTENANCE", "CRISIS_LOAN"
ASSESSOR, CASEWORKER = frozenset({Desk.ASSESSOR}), frozenset({Desk.CASEWORKER})
READY = Assessment(claim_ref="C0123456789A", schemes=(JSA,), appointment_id="A1", office_code="123456")


def facts(version: int, **answered: int) -> Facts:
    return Facts(version=version, answered=answered)


FACTS = facts(7, surname=3, tenure=5)
BEGUN = READY.start(FACTS, desks=ASSESSOR)


def confirmed(*names: str) -> list[Check]:
    return [Check(fact=name, status=ItemStatus.CONFIRMED) for name in names]


def verified(assessment: Assessment, *names: str, known: Facts = FACTS) -> Assessment:
    return assessment.verify(confirmed(*names), version=assessment.version, facts=known, checked=BY, desks=ASSESSOR)


def statuses(assessment: Assessment) -> dict[str, str]:
    return {name: item.status.value for name, item in assessment.items.items()}


def confirm(assessment: Assessment, known: Facts = FACTS, *, schemes: tuple[str, ...] = (JSA,)) -> Assessment:
    done, _ = assessment.confirm(schemes, facts=known, office_code="123456", checked=BY)
    return done


def test_starting_makes_every_fact_an_unchecked_item() -> None:
    assert (BEGUN.state, BEGUN.claim_version, BEGUN.version) == (AssessmentState.IN_PROGRESS, 7, 2)
    assert statuses(BEGUN) == {"surname": "UNCHECKED", "tenure": "UNCHECKED"}


def test_resuming_an_unchanged_assessment_changes_nothing() -> None:
    checked = verified(BEGUN, "surname")

    assert checked.start(FACTS, desks=ASSESSOR) == checked


def test_resuming_after_an_amendment_unchecks_changed_facts_and_drops_removed_ones() -> None:
    resumed = verified(BEGUN, "surname", "tenure").start(facts(9, surname=3, tenure=9, rent=9), desks=ASSESSOR)
    shorter = resumed.start(facts(10, surname=3), desks=ASSESSOR)

    assert statuses(resumed) == {"surname": "CONFIRMED", "tenure": "UNCHECKED", "rent": "UNCHECKED"}
    assert statuses(shorter) == {"surname": "CONFIRMED"}
    assert shorter.version == resumed.version + 1


def test_facts_older_than_the_items_are_refused() -> None:
    with pytest.raises(ClaimChanged):
        BEGUN.start(facts(6, surname=3), desks=ASSESSOR)


def test_a_check_records_its_assessor_and_the_evidence() -> None:
    evidence = Evidence(kind="PASSPORT", seen_on=date(2026, 3, 1))
    disputed = Check(fact="surname", status=ItemStatus.DISPUTED, evidence=evidence)

    item = BEGUN.verify([disputed], version=2, facts=FACTS, checked=BY, desks=ASSESSOR).items["surname"]

    assert (item.status, item.evidence, item.checked, item.settled) == (ItemStatus.DISPUTED, evidence, BY, False)


def test_a_check_without_a_document_keeps_the_proof_that_was_seen_of_the_same_answer() -> None:
    passport, licence = (Evidence(kind=kind, seen_on=date(2026, 3, 1)) for kind in ("PASSPORT", "DRIVING_LICENCE"))
    proved = BEGUN.prove(passport, ["surname"])
    named = Check(fact="surname", status=ItemStatus.CONFIRMED, evidence=licence)

    kept = verified(proved, "surname").items["surname"]
    replaced = proved.verify([named], version=2, facts=FACTS, checked=BY, desks=ASSESSOR).items["surname"]
    anew = verified(proved, "surname", known=facts(8, surname=8, tenure=5)).items["surname"]

    assert (kept.status, kept.evidence) == (ItemStatus.CONFIRMED, passport)
    assert replaced.evidence == licence
    assert (anew.status, anew.evidence) == (ItemStatus.UNCHECKED, None)


def test_a_check_does_not_count_for_a_later_answer() -> None:
    after = verified(BEGUN, "surname", "tenure", known=facts(8, surname=3, tenure=8))

    assert statuses(after) == {"surname": "CONFIRMED", "tenure": "UNCHECKED"}
    assert after.items["tenure"].answered_version == 8


def test_a_check_of_a_removed_fact_is_ignored() -> None:
    assert statuses(verified(BEGUN, "surname", "tenure", known=facts(8, surname=3))) == {"surname": "CONFIRMED"}


def test_unknown_and_repeated_checks_are_named_by_their_position() -> None:
    with pytest.raises(InvalidArgument) as refused:
        verified(BEGUN, "surname", "nonsense", "surname")

    assert [violation.field for violation in refused.value.violations] == ["items[1].fact", "items[2].fact"]
    assert "nonsense" not in str(refused.value.violations)


def test_a_stale_version_is_refused_before_anything_else() -> None:
    with pytest.raises(StaleVersion):
        READY.verify(confirmed("surname"), version=9, facts=FACTS, checked=BY, desks=ASSESSOR)


def test_items_can_be_checked_only_between_start_and_confirmation() -> None:
    done = confirm(verified(BEGUN, "surname", "tenure"))

    with pytest.raises(NotStarted):
        verified(READY, "surname")
    with pytest.raises(NotStarted):
        READY.check_correctable("surname", version=1, desks=ASSESSOR)
    with pytest.raises(AlreadyConfirmed):
        verified(done, "surname")
    with pytest.raises(AlreadyConfirmed):
        done.correct("surname", facts=FACTS, checked=BY, desks=ASSESSOR)
    with pytest.raises(AlreadyConfirmed):
        done.start(FACTS, desks=ASSESSOR)


def test_only_an_item_can_be_corrected() -> None:
    with pytest.raises(InvalidArgument) as refused:
        BEGUN.check_correctable("nonsense", version=2, desks=ASSESSOR)

    assert [violation.field for violation in refused.value.violations] == ["fact"]


def test_a_correction_counts_only_for_its_own_answer() -> None:
    corrected = BEGUN.correct("tenure", facts=facts(8, surname=3, tenure=8), checked=BY, desks=ASSESSOR)

    assert statuses(corrected) == {"surname": "UNCHECKED", "tenure": "CORRECTED"}
    assert statuses(corrected.start(facts(9, surname=3, tenure=9), desks=ASSESSOR)) == {
        "surname": "UNCHECKED",
        "tenure": "UNCHECKED",
    }


def test_an_amendment_event_unchecks_only_older_answers() -> None:
    checked = verified(BEGUN, "surname", "tenure")

    assert statuses(checked.amended(["tenure", "rent"], claim_version=8)) == {
        "surname": "CONFIRMED",
        "tenure": "UNCHECKED",
    }
    assert checked.amended(["tenure"], claim_version=5) == checked


def test_a_check_after_an_amendment_event_does_not_count_for_the_new_answer() -> None:
    amended = verified(BEGUN, "surname", "tenure").amended(["tenure"], claim_version=8)

    after = verified(amended, "tenure", known=facts(8, surname=3, tenure=8))

    assert statuses(after)["tenure"] == "UNCHECKED"


def test_an_amendment_does_not_change_a_confirmed_assessment() -> None:
    done = confirm(verified(BEGUN, "surname", "tenure"))

    assert done.amended(["tenure"], claim_version=8) is done


def test_confirmation_names_every_open_item_and_the_schemes_that_need_it() -> None:
    with pytest.raises(ItemsOpen) as refused:
        confirm(verified(BEGUN, "surname"))

    assert [(violation.field, violation.description) for violation in refused.value.violations] == [
        ("tenure", "is UNCHECKED, needed by JOBSEEKERS_ALLOWANCE")
    ]
    assert refused.value.metadata == {JSA: "tenure"}


def test_confirmation_names_every_fact_with_an_open_proposal() -> None:
    proposed = replace(FACTS, proposed=frozenset({"tenure", "surname"}))

    with pytest.raises(ProposalsOpen) as refused:
        confirm(verified(BEGUN, "surname", "tenure"), proposed)

    assert [violation.field for violation in refused.value.violations] == ["surname", "tenure"]
    assert all("accept_transliteration" in violation.description for violation in refused.value.violations)


def test_confirmation_covers_the_version_whose_items_were_checked() -> None:
    checked = verified(BEGUN, "surname", "tenure")

    with pytest.raises(ItemsOpen):
        confirm(checked, facts(8, surname=3, tenure=8))
    done, event = checked.confirm((JSA,), facts=facts(8, surname=3, tenure=5), office_code="1", checked=BY)

    assert (event.claim_version, event.version, event.schemes, event.assessor_id) == (8, 4, (JSA,), "AS000001")
    assert (done.state, done.version, done.confirmed) == (AssessmentState.CONFIRMED, 4, BY)


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
    for wanted, confirmed in (([LOAN], ()), ([JSA, LOAN], ()), ([], (JSA,))):
        with pytest.raises(DecisionNeeded):
            replace(mixed, confirmed_schemes=confirmed).schemes_to_confirm(wanted, desks=ASSESSOR)


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


UNBOOKED = replace(READY, office_code=None, appointment_id=None)


def test_booked_work_belongs_to_its_office_and_unbooked_work_to_any() -> None:
    assert READY.desks_for(ASSESSOR, office="123456") == ASSESSOR
    assert UNBOOKED.desks_for(ASSESSOR, office="654321") == ASSESSOR
    with pytest.raises(OtherOffice):
        READY.desks_for(ASSESSOR, office="654321")
    with pytest.raises(OfficeRequired):
        UNBOOKED.desks_for(ASSESSOR, office=None)


def test_each_role_works_only_on_claims_with_a_scheme_of_theirs() -> None:
    mixed = replace(READY, schemes=(JSA, CM))

    assert mixed.desks_for(CASEWORKER, office=None) == CASEWORKER
    assert mixed.desks_for(ASSESSOR | CASEWORKER, office="654321") == CASEWORKER
    assert mixed.desks_for(ASSESSOR | CASEWORKER, office="123456") == ASSESSOR | CASEWORKER
    with pytest.raises(OtherScheme):
        READY.desks_for(CASEWORKER, office=None)
    with pytest.raises(OtherScheme):
        replace(READY, schemes=(CM,)).desks_for(ASSESSOR, office="123456")


def test_an_assessor_reads_for_the_appointment_and_a_caseworker_for_the_work_item() -> None:
    mixed = replace(READY, schemes=(JSA, CM))

    assert mixed.purpose_at(ASSESSOR) == "appointment A1"
    assert mixed.purpose_at(CASEWORKER) == "work item C0123456789A"
    assert UNBOOKED.purpose_at(ASSESSOR) == "work item C0123456789A"


def work_item(*schemes: str) -> WorkItem:
    return WorkItem(
        claim_ref="C0123456789A",
        state=AssessmentState.READY,
        version=1,
        schemes=schemes,
        submit_time=NOW,
        appointment=None,
        accepted_by=(),
        rejected_question_ids=(),
    )


@pytest.mark.parametrize(
    ("waited", "booking"),
    [
        (timedelta(0), Booking.AWAITED),
        (timedelta(minutes=29, seconds=59), Booking.AWAITED),
        (timedelta(minutes=30), Booking.UNBOOKED),
        (timedelta(days=400), Booking.UNBOOKED),
    ],
)
def test_work_counts_as_unbooked_after_thirty_minutes(waited: timedelta, booking: Booking) -> None:
    assert work_item(JSA).booking(NOW + waited) is booking
    assert work_item(CM, LOAN).booking(NOW + waited) is Booking.NOT_NEEDED
    assert work_item(CM, IS).booking(NOW + waited) is booking


NAMES = ("surname", "tenure", "rent")


@given(st.lists(st.one_of(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)).map(tuple)), max_size=12))
def test_an_answer_that_nobody_checked_is_never_settled(
    acts: list[set[str] | tuple[str, ...]],
) -> None:
    """Sets are amendments, which the service may not have heard of; tuples are checks of what was shown last."""
    answered, version = dict.fromkeys(NAMES, 1), 1
    assessment = READY.start(facts(version, **answered), desks=ASSESSOR)
    shown = dict(answered)
    seen = set[tuple[str, int]]()

    for act in acts:
        if isinstance(act, set):
            version += 1
            answered |= dict.fromkeys(act, version)
            continue
        seen |= {(name, shown[name]) for name in act}
        assessment = verified(assessment, *act, known=facts(version, **answered))
        shown = dict(answered)

    settled = {(name, item.answered_version) for name, item in assessment.items.items() if item.settled}
    assert settled <= seen
