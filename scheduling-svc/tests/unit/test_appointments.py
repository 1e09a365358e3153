from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.bank_holidays import Nation
from chassis.errors import FailedPrecondition, StaleVersion
from scheduling.domain.appointments import (
    Appointment,
    AppointmentBegun,
    AppointmentEnded,
    AppointmentState,
    AppointmentToCome,
    SlotPassed,
)
from scheduling.domain.claims import Claim
from scheduling.domain.events import AppointmentBooked, TargetBreachExpected
from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH, Slot
from scheduling.domain.working_time import TARGET, target_due

FRIDAY_TEN = datetime(2026, 11, 27, 10, tzinfo=UTC)
TUESDAY_TEN = datetime(2026, 12, 1, 10, tzinfo=UTC)
IDENTITY = UUID("5d1a1f6e-0c0b-4c5e-9d5e-1c6a0f1f2b3c")


def slot(start: datetime) -> Slot:
    return Slot(
        assessor_id="ALE02001",
        office_code="600021",
        start_time=start,
        end_time=start + SLOT_LENGTH,
        channel=Channel.TELEPHONE,
    )


def book(
    start: datetime, *, nation: Nation = Nation.ENGLAND, now: datetime = FRIDAY_TEN
) -> tuple[Appointment, AppointmentBooked]:
    return Appointment.book(
        appointment_id=IDENTITY,
        claim_ref="C00000000000",
        slot=slot(start),
        nation=nation,
        first_contact_time=FRIDAY_TEN,
        target_time=target_due(FRIDAY_TEN, nation),
        now=now,
    )


def test_booking_takes_the_slot_for_the_claim() -> None:
    appointment, _ = book(TUESDAY_TEN)

    assert appointment.state is AppointmentState.BOOKED
    assert appointment.version == 1
    assert (appointment.assessor_id, appointment.office_code) == ("ALE02001", "600021")
    assert (appointment.start_time, appointment.end_time) == (TUESDAY_TEN, TUESDAY_TEN + SLOT_LENGTH)
    assert appointment.channel is Channel.TELEPHONE


def test_the_booking_event_names_assessor_office_and_time() -> None:
    now = FRIDAY_TEN + timedelta(minutes=20)

    _, event = book(TUESDAY_TEN, now=now)

    assert event == AppointmentBooked(
        appointment_id=IDENTITY,
        claim_ref="C00000000000",
        version=1,
        office_code="600021",
        assessor_id="ALE02001",
        start_time=TUESDAY_TEN,
        channel=Channel.TELEPHONE,
        lead_time_seconds=96 * 3600,
        occurred_time=now,
    )


def test_an_appointment_has_an_elapsed_and_a_working_lead_time() -> None:
    appointment, _ = book(TUESDAY_TEN)

    assert appointment.working_lead_time == timedelta(hours=48)
    assert appointment.lead_time == timedelta(hours=96)


def test_an_interview_by_its_target_time_is_within_the_target() -> None:
    in_time, _ = book(TUESDAY_TEN)
    late, _ = book(TUESDAY_TEN + timedelta(minutes=45))

    assert in_time.target_time == TUESDAY_TEN
    assert in_time.within_target
    assert not late.within_target


def test_the_offices_nation_decides_the_target() -> None:
    in_england, _ = book(TUESDAY_TEN)
    in_scotland, _ = book(TUESDAY_TEN, nation=Nation.SCOTLAND)

    assert in_england.target_time == TUESDAY_TEN
    assert in_scotland.target_time == TUESDAY_TEN + timedelta(days=1)  # 30 November, Saint Andrew's Day


def test_a_slot_that_has_begun_cannot_be_booked() -> None:
    with pytest.raises(SlotPassed) as refused:
        book(TUESDAY_TEN, now=TUESDAY_TEN)

    assert isinstance(refused.value, FailedPrecondition)
    assert refused.value.reason == "SLOT_PASSED"


WEDNESDAY_NINE = datetime(2026, 12, 2, 9, tzinfo=UTC)


def move(appointment: Appointment, start: datetime, *, version: int = 1, now: datetime = FRIDAY_TEN) -> Appointment:
    moved, event = appointment.moved(slot(start), nation=Nation.ENGLAND, version=version, now=now)
    assert (event.start_time, event.previous_start_time) == (start, appointment.start_time)
    assert event.version == moved.version
    return moved


def test_a_moved_appointment_has_the_new_slot_and_counts_from_the_same_first_contact() -> None:
    appointment, _ = book(TUESDAY_TEN)

    moved = move(appointment, WEDNESDAY_NINE)

    assert (moved.appointment_id, moved.version, moved.state) == (IDENTITY, 2, AppointmentState.MOVED)
    assert moved.lead_time == WEDNESDAY_NINE - FRIDAY_TEN
    assert moved.target_time == TUESDAY_TEN
    assert move(moved, TUESDAY_TEN, version=2).within_target


def test_an_interview_after_its_target_is_told_of() -> None:
    in_time, _ = book(TUESDAY_TEN)
    late = move(in_time, WEDNESDAY_NINE)

    assert in_time.breach(FRIDAY_TEN) is None
    assert late.breach(FRIDAY_TEN) == TargetBreachExpected(
        claim_ref="C00000000000",
        version=2,
        occurred_time=FRIDAY_TEN,
        appointment_id=IDENTITY,
        office_code="600021",
        start_time=WEDNESDAY_NINE,
        target_time=TUESDAY_TEN,
    )


def test_an_interview_that_has_begun_is_not_moved() -> None:
    appointment, _ = book(TUESDAY_TEN)

    with pytest.raises(AppointmentBegun):
        move(appointment, WEDNESDAY_NINE, now=TUESDAY_TEN)
    with pytest.raises(SlotPassed):
        move(appointment, FRIDAY_TEN, now=FRIDAY_TEN)


def test_attendance_is_recorded_from_the_day_on_and_absence_from_the_time_on() -> None:
    appointment, _ = book(TUESDAY_TEN)
    that_morning = TUESDAY_TEN - timedelta(hours=1)

    with pytest.raises(AppointmentToCome):
        appointment.attended(version=1, now=TUESDAY_TEN - timedelta(days=1))
    with pytest.raises(AppointmentToCome):
        appointment.missed(version=1, now=that_morning, missed_before=0)

    came, _ = appointment.attended(version=1, now=that_morning)
    missed, event = appointment.missed(version=1, now=TUESDAY_TEN, missed_before=1)
    assert came.state is AppointmentState.ATTENDED
    assert missed.state is AppointmentState.MISSED
    assert event.missed == 2


def test_an_appointment_that_is_over_stays_as_it_is() -> None:
    appointment, _ = book(TUESDAY_TEN)
    cancelled, event = appointment.cancelled(version=1, now=FRIDAY_TEN)

    assert (cancelled.state, cancelled.version, event.version) == (AppointmentState.CANCELLED, 2, 2)
    with pytest.raises(AppointmentEnded):
        cancelled.cancelled(version=2, now=FRIDAY_TEN)
    with pytest.raises(AppointmentEnded):
        cancelled.attended(version=2, now=TUESDAY_TEN)
    with pytest.raises(AppointmentEnded):
        move(cancelled, WEDNESDAY_NINE, version=2)


def test_a_stale_version_changes_nothing() -> None:
    appointment, _ = book(TUESDAY_TEN)

    with pytest.raises(StaleVersion):
        move(appointment, WEDNESDAY_NINE, version=2)
    with pytest.raises(StaleVersion):
        appointment.missed(version=0, now=TUESDAY_TEN, missed_before=0)


@pytest.mark.parametrize(
    ("schemes", "due"),
    [
        (("CRISIS_LOAN",), datetime(2026, 11, 28, tzinfo=UTC)),
        (("CRISIS_LOAN", "CHILD_MAINTENANCE"), datetime(2026, 11, 28, tzinfo=UTC)),
        (("CRISIS_LOAN", "INCOME_SUPPORT"), TUESDAY_TEN),
        (("JOBSEEKERS_ALLOWANCE",), TUESDAY_TEN),
    ],
)
def test_an_interview_about_a_crisis_loan_alone_is_due_on_the_same_day(schemes: tuple[str, ...], due: datetime) -> None:
    claim = Claim(claim_ref="C00000000000", schemes=schemes, is_open=True, first_contact_time=FRIDAY_TEN)

    assert claim.due(Nation.ENGLAND, target=TARGET) == due
