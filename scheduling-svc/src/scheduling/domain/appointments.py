"""An appointment: the interview of one claim, in one slot."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from chassis.bank_holidays import Nation
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, StaleVersion, Violation
from scheduling.domain.events import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
    TargetBreachExpected,
)
from scheduling.domain.offices import Channel, Need
from scheduling.domain.slots import Slot
from scheduling.domain.travel import NO_TRAVEL
from scheduling.domain.working_time import london_day, working_lead_time

_WHERE_AND_WHEN = ("office_code", "assessor_id", "start_time", "channel")


class AppointmentState(StrEnum):
    """The state of an appointment. BOOKED and MOVED hold their slot."""

    BOOKED = "BOOKED"
    MOVED = "MOVED"
    CANCELLED = "CANCELLED"
    ATTENDED = "ATTENDED"
    MISSED = "MISSED"


HOLDS_A_SLOT = frozenset({AppointmentState.BOOKED, AppointmentState.MOVED})


class SlotPassed(FailedPrecondition):
    """The slot has begun or is over."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="has begun or is over")
        super().__init__("SLOT_PASSED", "the slot has begun: choose another", violations=[violation])


class AppointmentUnknown(NotFound):
    """There is no such appointment."""

    def __init__(self) -> None:
        super().__init__("APPOINTMENT_UNKNOWN", "there is no such appointment")


class AlreadyBooked(AlreadyExists):
    """The claim has an appointment already."""

    def __init__(self) -> None:
        super().__init__("ALREADY_BOOKED", "the claim has an appointment already")


class AppointmentBegun(FailedPrecondition):
    """The interview should have begun: it is attended, missed or cancelled, and not moved."""

    def __init__(self) -> None:
        super().__init__("APPOINTMENT_BEGUN", "the interview has begun: record whether the claimant came, or cancel it")


class AppointmentEnded(FailedPrecondition):
    """The appointment is cancelled, attended or missed."""

    def __init__(self, state: AppointmentState) -> None:
        super().__init__("APPOINTMENT_ENDED", f"the appointment is {state}", metadata={"state": state})


class AppointmentToCome(FailedPrecondition):
    """Nobody can know yet whether the claimant comes."""

    def __init__(self) -> None:
        super().__init__("APPOINTMENT_TO_COME", "the interview is still to come")


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
    arranged_version: int = 1
    """The version since which time, place and way are what they are: a later one changed the assessor alone."""
    needs: frozenset[Need] = frozenset()
    attempt: int = 1
    """1 for the first interview of the claim; one more for each that was missed."""
    schemes: frozenset[str] = frozenset()
    """The claimed schemes that have an interview: the assessor knows them."""
    language: str = ""
    """The language that was asked for, by its code: its assessor speaks it, or has an interpreter by telephone."""
    travel: timedelta = NO_TRAVEL
    """The way from the office to a home visit."""

    @classmethod
    def book(
        cls,
        *,
        appointment_id: UUID,
        claim_ref: str,
        slot: Slot,
        nation: Nation,
        first_contact_time: datetime,
        target_time: datetime,
        now: datetime,
        needs: frozenset[Need] = frozenset(),
        attempt: int = 1,
        schemes: frozenset[str] = frozenset(),
        language: str = "",
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
            target_time=target_time,
            working_lead_time=working_lead_time(first_contact_time, slot.start_time, nation=nation),
            version=1,
            needs=needs,
            attempt=attempt,
            schemes=schemes,
            language=language,
            travel=slot.travel,
        )
        return appointment, AppointmentBooked(
            **appointment._told(now, *_WHERE_AND_WHEN),
            lead_time_seconds=int(appointment.lead_time.total_seconds()),
        )

    @property
    def slot(self) -> Slot:
        """The slot in which it is held."""
        return Slot(
            assessor_id=self.assessor_id,
            office_code=self.office_code,
            start_time=self.start_time,
            end_time=self.end_time,
            channel=self.channel,
            travel=self.travel,
        )

    @property
    def lead_time(self) -> timedelta:
        """The elapsed time from first contact to the start."""
        return self.start_time - self.first_contact_time

    @property
    def within_target(self) -> bool:
        """Whether the interview starts by its target time."""
        return self.start_time <= self.target_time

    def moved(self, slot: Slot, *, nation: Nation, version: int, now: datetime) -> tuple[Self, AppointmentMoved]:
        """Takes this slot, of an office in this nation, in the place of its own; the target stays.

        Raises StaleVersion, AppointmentEnded, AppointmentBegun, SlotPassed.
        """
        self.check(version)
        if self.start_time <= now:
            raise AppointmentBegun
        if slot.start_time <= now:
            raise SlotPassed
        arranged = (self.start_time, self.office_code, self.channel) == (
            slot.start_time,
            slot.office_code,
            slot.channel,
        )
        appointment = replace(
            self,
            office_code=slot.office_code,
            assessor_id=slot.assessor_id,
            start_time=slot.start_time,
            end_time=slot.end_time,
            channel=slot.channel,
            travel=slot.travel,
            state=AppointmentState.MOVED,
            working_lead_time=working_lead_time(self.first_contact_time, slot.start_time, nation=nation),
            version=self.version + 1,
            arranged_version=self.arranged_version if arranged else self.version + 1,
        )
        return appointment, AppointmentMoved(
            **appointment._told(now, *_WHERE_AND_WHEN, "arranged_version"), previous_start_time=self.start_time
        )

    def cancelled(
        self, *, version: int, now: datetime, claim_withdrawn: bool = False
    ) -> tuple[Self, AppointmentCancelled]:
        """Will not be held. Raises StaleVersion, AppointmentEnded."""
        self.check(version)
        appointment = replace(self, state=AppointmentState.CANCELLED, version=self.version + 1)
        return appointment, AppointmentCancelled(
            **appointment._told(now, "office_code", "start_time"), claim_withdrawn=claim_withdrawn
        )

    def attended(self, *, version: int, now: datetime) -> tuple[Self, AppointmentAttended]:
        """The claimant came, perhaps before the time. Raises StaleVersion, AppointmentEnded, AppointmentToCome."""
        self.check(version)
        if london_day(now) < london_day(self.start_time):
            raise AppointmentToCome
        appointment = replace(self, state=AppointmentState.ATTENDED, version=self.version + 1)
        return appointment, AppointmentAttended(**appointment._told(now, "office_code", "assessor_id", "start_time"))

    def missed(self, *, version: int, now: datetime, missed_before: int) -> tuple[Self, AppointmentMissed]:
        """The claimant did not come. Raises StaleVersion, AppointmentEnded, AppointmentToCome."""
        self.check(version)
        if now < self.start_time:
            raise AppointmentToCome
        appointment = replace(self, state=AppointmentState.MISSED, version=self.version + 1)
        told = appointment._told(now, "office_code", "assessor_id", "start_time")
        return appointment, AppointmentMissed(**told, missed=missed_before + 1)

    def breach(self, now: datetime) -> TargetBreachExpected | None:
        """The event that tells of an interview after its target; None for one in time."""
        if self.within_target:
            return None
        return TargetBreachExpected(**self._told(now, "office_code", "start_time", "target_time"))

    def check(self, version: int) -> None:
        """Whether whoever read this version may change it. Raises StaleVersion, AppointmentEnded."""
        if version != self.version:
            raise StaleVersion(given=version, current=self.version)
        if self.state not in HOLDS_A_SLOT:
            raise AppointmentEnded(self.state)

    def _told(self, now: datetime, *names: str) -> dict[str, Any]:
        ours = ("claim_ref", "version", "appointment_id", *names)
        return {name: getattr(self, name) for name in ours} | {"occurred_time": now}
