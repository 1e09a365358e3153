"""The story of an assessment, without a database."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.items import Check, Evidence, ItemStatus
from assessment.domain.refusals import (
    AlreadyConfirmed,
    ClaimChanged,
    ItemsOpen,
    NotStarted,
    OfficeRequired,
    OtherOffice,
    OtherScheme,
    ProposalsOpen,
)
from assessment.domain.states import AssessmentState
from assessment.domain.work import Booking, WorkItem
from chassis.errors import InvalidArgument, StaleVersion
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
    NOW,
    READY,
    confirm,
    confirmed,
    facts,
    statuses,
    verified,
)


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

    assert mixed.purpose == UNBOOKED.purpose == "work item C0123456789A"


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
