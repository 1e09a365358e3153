from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.bank_holidays import Nation
from chassis.errors import FailedPrecondition
from scheduling.domain.appointments import Appointment, AppointmentBooked, AppointmentState, SlotPassed
from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH, Slot

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
