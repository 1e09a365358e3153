"""The story of an assessment, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.assessments import Assessment, AssessmentState
from assessment.domain.items import Check, Checked, Evidence, Facts, ItemStatus
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
from assessment.domain.work import Booking, WorkItem
from chassis.errors import InvalidArgument, StaleVersion

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BY = Checked(by="AS000001", at=NOW)
JSA = "JOBSEEKERS_ALLOWANCE"
READY = Assessment(claim_ref="C0123456789A", schemes=(JSA,))


def facts(version: int, **answered: int) -> Facts:
    return Facts(version=version, answered=answered)


FACTS = facts(7, surname=3, tenure=5)
BEGUN = READY.start(FACTS)


def confirmed(*names: str) -> list[Check]:
    return [Check(fact=name, status=ItemStatus.CONFIRMED) for name in names]


def verified(assessment: Assessment, *names: str, known: Facts = FACTS) -> Assessment:
    return assessment.verify(confirmed(*names), version=assessment.version, facts=known, checked=BY)


def statuses(assessment: Assessment) -> dict[str, str]:
    return {name: item.status.value for name, item in assessment.items.items()}


def confirm(assessment: Assessment, known: Facts = FACTS, *, schemes: tuple[str, ...] = (JSA,)) -> Assessment:
    done, _ = assessment.confirm(schemes, version=assessment.version, facts=known, office_code="123456", checked=BY)
    return done


def test_starting_makes_every_fact_an_unchecked_item() -> None:
    assert (BEGUN.state, BEGUN.claim_version, BEGUN.version) == (AssessmentState.IN_PROGRESS, 7, 2)
    assert statuses(BEGUN) == {"surname": "UNCHECKED", "tenure": "UNCHECKED"}


def test_resuming_an_unchanged_assessment_changes_nothing() -> None:
    checked = verified(BEGUN, "surname")

    assert checked.start(FACTS) == checked


def test_resuming_after_an_amendment_unchecks_changed_facts_and_drops_removed_ones() -> None:
    resumed = verified(BEGUN, "surname", "tenure").start(facts(9, surname=3, tenure=9, rent=9))
    shorter = resumed.start(facts(10, surname=3))

    assert statuses(resumed) == {"surname": "CONFIRMED", "tenure": "UNCHECKED", "rent": "UNCHECKED"}
    assert statuses(shorter) == {"surname": "CONFIRMED"}
    assert shorter.version == resumed.version + 1


def test_facts_older_than_the_items_are_refused() -> None:
    with pytest.raises(ClaimChanged):
        BEGUN.start(facts(6, surname=3))


def test_a_check_records_its_assessor_and_the_evidence() -> None:
    evidence = Evidence(kind="PASSPORT", seen_on=date(2026, 3, 1))
    disputed = Check(fact="surname", status=ItemStatus.DISPUTED, evidence=evidence)

    item = BEGUN.verify([disputed], version=2, facts=FACTS, checked=BY).items["surname"]

    assert (item.status, item.evidence, item.checked, item.settled) == (ItemStatus.DISPUTED, evidence, BY, False)


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
        READY.verify(confirmed("surname"), version=9, facts=FACTS, checked=BY)


def test_items_can_be_checked_only_between_start_and_confirmation() -> None:
    done = confirm(verified(BEGUN, "surname", "tenure"))

    with pytest.raises(NotStarted):
        verified(READY, "surname")
    with pytest.raises(NotStarted):
        READY.check_correctable("surname", version=1)
    with pytest.raises(AlreadyConfirmed):
        verified(done, "surname")
    with pytest.raises(AlreadyConfirmed):
        done.correct("surname", facts=FACTS, checked=BY)
    with pytest.raises(AlreadyConfirmed):
        done.start(FACTS)


def test_only_an_item_can_be_corrected() -> None:
    with pytest.raises(InvalidArgument) as refused:
        BEGUN.check_correctable("nonsense", version=2)

    assert [violation.field for violation in refused.value.violations] == ["fact"]


def test_a_correction_counts_only_for_its_own_answer() -> None:
    corrected = BEGUN.correct("tenure", facts=facts(8, surname=3, tenure=8), checked=BY)

    assert statuses(corrected) == {"surname": "UNCHECKED", "tenure": "CORRECTED"}
    assert statuses(corrected.start(facts(9, surname=3, tenure=9))) == {"surname": "UNCHECKED", "tenure": "UNCHECKED"}


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


def test_confirmation_names_every_open_item() -> None:
    with pytest.raises(ItemsOpen) as refused:
        confirm(verified(BEGUN, "surname"))

    assert [(violation.field, violation.description) for violation in refused.value.violations] == [
        ("tenure", "is UNCHECKED")
    ]


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
    done, event = checked.confirm((JSA,), version=3, facts=facts(8, surname=3, tenure=5), office_code="1", checked=BY)

    assert (event.claim_version, event.version, event.schemes, event.assessor_id) == (8, 4, (JSA,), "AS000001")
    assert (done.state, done.version, done.confirmed) == (AssessmentState.CONFIRMED, 4, BY)


def test_a_claim_is_confirmed_when_its_last_scheme_is() -> None:
    both = replace(verified(BEGUN, "surname", "tenure"), schemes=(JSA, "INCOME_SUPPORT"))

    first = confirm(both, schemes=both.schemes_to_confirm([JSA], as_assessor=True))
    with pytest.raises(AlreadyConfirmed):
        first.schemes_to_confirm([JSA], as_assessor=True)
    second = confirm(first, schemes=first.schemes_to_confirm([], as_assessor=True))

    assert (first.state, first.confirmed_schemes) == (AssessmentState.IN_PROGRESS, (JSA,))
    assert (second.state, second.confirmed_schemes) == (AssessmentState.CONFIRMED, (JSA, "INCOME_SUPPORT"))


def test_a_scheme_that_was_not_claimed_is_named_by_its_position() -> None:
    with pytest.raises(InvalidArgument) as refused:
        BEGUN.schemes_to_confirm([JSA, "INCOME_SUPPORT"], as_assessor=True)

    assert [violation.field for violation in refused.value.violations] == ["schemes[1]"]


def test_caseworkers_confirm_child_maintenance_and_assessors_the_rest() -> None:
    child = replace(BEGUN, schemes=("CHILD_MAINTENANCE",))

    assert child.schemes_to_confirm([], as_assessor=False) == ("CHILD_MAINTENANCE",)
    with pytest.raises(OtherScheme):
        child.schemes_to_confirm([], as_assessor=True)
    with pytest.raises(OtherScheme):
        BEGUN.schemes_to_confirm([], as_assessor=False)


def test_booked_work_belongs_to_its_office_and_unbooked_work_to_any() -> None:
    booked = replace(READY, office_code="123456", appointment_id="A1")

    booked.check_office("123456")
    READY.check_office("654321")
    with pytest.raises(OtherOffice):
        booked.check_office("654321")
    with pytest.raises(OfficeRequired):
        READY.check_office(None)
    assert (booked.purpose, READY.purpose) == ("appointment A1", "work item C0123456789A")


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
    work = WorkItem(
        claim_ref="C0123456789A",
        state=AssessmentState.READY,
        version=1,
        schemes=(JSA,),
        submit_time=NOW,
        appointment=None,
        accepted_by=(),
        rejected_question_ids=(),
    )

    assert work.booking(NOW + waited) is booking


NAMES = ("surname", "tenure", "rent")


@given(st.lists(st.one_of(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)).map(tuple)), max_size=12))
def test_an_answer_that_nobody_checked_is_never_settled(
    acts: list[set[str] | tuple[str, ...]],
) -> None:
    """Sets are amendments, which the service may not have heard of; tuples are checks of what was shown last."""
    answered, version = dict.fromkeys(NAMES, 1), 1
    assessment = READY.start(facts(version, **answered))
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
