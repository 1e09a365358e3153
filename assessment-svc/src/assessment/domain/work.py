"""The list of work: submitted claims with their interviews, as an office sees them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from assessment.domain.assessments import AssessmentState

BOOKING_AWAITED_FOR = timedelta(minutes=30)
"""After this long without an interview somebody must book it."""


class Booking(StrEnum):
    """Whether a claim has its interview."""

    BOOKED = "BOOKED"
    AWAITED = "AWAITED"
    UNBOOKED = "UNBOOKED"


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """The interview of a claim, as scheduling told it at `booked_time`."""

    appointment_id: str
    office_code: str
    assessor_id: str
    start_time: datetime
    channel: str
    booked_time: datetime


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    """A submitted claim, as an office lists it."""

    claim_ref: str
    state: AssessmentState
    version: int
    schemes: tuple[str, ...]
    submit_time: datetime
    appointment: Appointment | None
    accepted_by: tuple[str, ...]
    rejected_question_ids: tuple[str, ...]

    def booking(self, now: datetime) -> Booking:
        """Whether it has its interview, by the platform's time."""
        if self.appointment is not None:
            return Booking.BOOKED
        return Booking.AWAITED if now - self.submit_time < BOOKING_AWAITED_FOR else Booking.UNBOOKED


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page of work ended."""

    done: bool
    submit_time: datetime
    claim_ref: str

    @classmethod
    def of(cls, work: WorkItem) -> Self:
        """The place of this work item."""
        done = work.state is AssessmentState.CONFIRMED
        return cls(done=done, submit_time=work.submit_time, claim_ref=work.claim_ref)


@dataclass(frozen=True, kw_only=True)
class WorkFilter:
    """Which work to list: of an office, with what is not booked yet or without; the rest narrows it further."""

    office: str
    with_unbooked: bool
    assessor: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    state: AssessmentState | None = None
