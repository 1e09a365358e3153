"""An appointment: the interview of one claim, in one slot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from chassis.bank_holidays import Nation
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from scheduling.domain.offices import Channel, Need
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import TARGET, target_due, working_lead_time


class AppointmentState(StrEnum):
    """The state of an appointment. BOOKED and MOVED hold their slot."""

    BOOKED = "BOOKED"
    MOVED = "MOVED"
    CANCELLED = "CANCELLED"
    ATTENDED = "ATTENDED"
    MISSED = "MISSED"


class SlotPassed(FailedPrecondition):
    """The slot has begun or is over."""

    def __init__(self) -> None:
        super().__init__("SLOT_PASSED", "the slot has begun: choose another")


class AppointmentUnknown(NotFound):
    """There is no such appointment."""

    def __init__(self) -> None:
        super().__init__("APPOINTMENT_UNKNOWN", "there is no such appointment")


class AlreadyBooked(AlreadyExists):
    """The claim has an appointment already."""

    def __init__(self) -> None:
        super().__init__("ALREADY_BOOKED", "the claim has an appointment already")


@dataclass(frozen=True, kw_only=True)
class AppointmentBooked:
    """An interview was booked for a claim."""

    appointment_id: UUID
    claim_ref: str
    version: int
    office_code: str
    assessor_id: str
    start_time: datetime
    channel: Channel
    occurred_time: datetime


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """The interview of a claim.

    `target_time` is the moment by which it should start; `working_lead_time` is the working time from first contact to
    its start, the measure of the target; `lead_time` is the elapsed time, shown beside it.
    """

    appointment_id: UUID
    claim_ref: str
    office_code: str
    assessor_id: str
    start_time: datetime
    end_time: datetime
    channel: Channel
    state: AppointmentState
    first_contact_time: datetime
    target_time: datetime
    working_lead_time: timedelta
    version: int
    needs: frozenset[Need] = frozenset()

    @classmethod
    def book(
        cls,
        *,
        appointment_id: UUID,
        claim_ref: str,
        slot: Slot,
        nation: Nation,
        first_contact_time: datetime,
        now: datetime,
        needs: frozenset[Need] = frozenset(),
        target: timedelta = TARGET,
    ) -> tuple[Self, AppointmentBooked]:
        """Books the slot, of an office in this nation; gives the appointment and its event. Raises SlotPassed."""
        if slot.start_time <= now:
            raise SlotPassed
        appointment = cls(
            appointment_id=appointment_id,
            claim_ref=claim_ref,
            office_code=slot.office_code,
            assessor_id=slot.assessor_id,
            start_time=slot.start_time,
            end_time=slot.end_time,
            channel=slot.channel,
            state=AppointmentState.BOOKED,
            first_contact_time=first_contact_time,
            target_time=target_due(first_contact_time, nation, target=target),
            working_lead_time=working_lead_time(first_contact_time, slot.start_time, nation=nation),
            version=1,
            needs=needs,
        )
        return appointment, appointment._booked(now)

    @property
    def lead_time(self) -> timedelta:
        """The elapsed time from first contact to the start."""
        return self.start_time - self.first_contact_time

    @property
    def within_target(self) -> bool:
        """Whether the interview starts by its target time."""
        return self.start_time <= self.target_time

    def _booked(self, now: datetime) -> AppointmentBooked:
        return AppointmentBooked(
            appointment_id=self.appointment_id,
            claim_ref=self.claim_ref,
            version=self.version,
            office_code=self.office_code,
            assessor_id=self.assessor_id,
            start_time=self.start_time,
            channel=self.channel,
            occurred_time=now,
        )
