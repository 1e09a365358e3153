"""The list of work: submitted claims with their interviews, as an office sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from assessment.domain.clocks import Reading, Targets
from assessment.domain.reports import Appointment
from assessment.domain.schemes import WITHOUT_INTERVIEW, Desk
from assessment.domain.states import AssessmentState

BOOKING_AWAITED_FOR = timedelta(minutes=30)
"""A claim without an interview after this long is unbooked: somebody must book it."""


class Booking(StrEnum):
    """Whether a claim has its interview."""

    BOOKED = "BOOKED"
    AWAITED = "AWAITED"
    UNBOOKED = "UNBOOKED"
    NOT_NEEDED = "NOT_NEEDED"
    MISSED = "MISSED"


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    """A submitted claim, as a desk lists it. `state` is that of the desk's part of the work."""

    claim_ref: str
    state: AssessmentState
    version: int
    schemes: tuple[str, ...]
    confirmed_schemes: tuple[str, ...] = ()
    closed_schemes: tuple[str, ...] = ()
    closed_reason: str | None = None
    submit_time: datetime
    appointment: Appointment | None
    accepted_by: tuple[str, ...]
    rejected_question_ids: tuple[str, ...]
    first_contact_time: datetime | None = None
    evidence_complete_time: datetime | None = None
    evidence_due_on: date | None = None
    decided: Mapping[str, datetime] = field(default_factory=dict)
    missed: int = 0
    missed_time: datetime | None = None
    attended_time: datetime | None = None

    def clocks(self, targets: Targets, now: datetime) -> list[Reading]:
        """The clocks of the claim's schemes, without those that were closed."""
        return targets.read(
            [scheme for scheme in self.schemes if scheme not in self.closed_schemes],
            first_contact=self.first_contact_time,
            evidence_complete=self.evidence_complete_time,
            decided=self.decided,
            now=now,
        )

    def booking(self, now: datetime) -> Booking:
        """Whether the claim has its interview, by the platform's time."""
        if self.appointment is not None:
            return Booking.BOOKED if self.missed_time is None else Booking.MISSED
        if set(self.schemes) <= WITHOUT_INTERVIEW:
            return Booking.NOT_NEEDED
        return Booking.AWAITED if now - self.submit_time < BOOKING_AWAITED_FOR else Booking.UNBOOKED


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place where a page of work ended. Open work comes before work that is done, the oldest submission first.

    A day's work is in the order of its interviews, open or done: there `time` is the interview's and `done` is False.
    """

    done: bool
    time: datetime = datetime(1, 1, 1, tzinfo=UTC)
    claim_ref: str = ""

    @classmethod
    def of(cls, work: WorkItem, *, by_interview: bool = False) -> Self:
        """The place of this work item, in the order of interviews or of submissions."""
        if by_interview and work.appointment is not None:
            return cls(done=False, time=work.appointment.start_time, claim_ref=work.claim_ref)
        return cls(done=_is_done(work.state), time=work.submit_time, claim_ref=work.claim_ref)


@dataclass(frozen=True, kw_only=True)
class WorkFilter:
    """The work to list: an office's, with or without the work that has no interview yet; without an office, caseworkers'.

    `assessor`, the time of the interview (both ends or neither) and `state` narrow it further.
    """

    office: str | None
    with_unbooked: bool = False
    assessor: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    state: AssessmentState | None = None

    @property
    def desk(self) -> Desk:
        """The desk whose work is listed."""
        return Desk.CASEWORKER if self.office is None else Desk.ASSESSOR

    @property
    def by_interview(self) -> bool:
        """Whether a day's work is listed, in the order of its interviews."""
        return self.starts_from is not None

    def starts(self, after: Place | None) -> Mapping[AssessmentState, Place]:
        """The place after which to read each wanted state. States that were read to the end are absent."""
        last = after or Place(done=False)
        return {
            state: last if _is_done(state) == last.done else Place(done=_is_done(state))
            for state in ([self.state] if self.state else AssessmentState)
            if _is_done(state) >= last.done
        }


def _is_done(state: AssessmentState) -> bool:
    return state.is_end
