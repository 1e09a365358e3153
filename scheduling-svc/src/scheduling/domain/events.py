"""The events that scheduling publishes. An event is a fact of an appointment, without personal data."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from scheduling.domain.offices import Channel


@dataclass(frozen=True, kw_only=True)
class Happening:
    """The claim, the version of the appointment, and the time of an event."""

    claim_ref: str
    version: int
    occurred_time: datetime


@dataclass(frozen=True, kw_only=True)
class AppointmentBooked(Happening):
    """An interview was booked for a claim. `lead_time_seconds`: elapsed, from first contact to the start."""

    appointment_id: UUID
    office_code: str
    assessor_id: str
    start_time: datetime
    channel: Channel
    lead_time_seconds: int


@dataclass(frozen=True, kw_only=True)
class AppointmentMoved(Happening):
    """An interview has another slot. With an `arranged_version` before its version the assessor alone is another."""

    appointment_id: UUID
    office_code: str
    assessor_id: str
    start_time: datetime
    channel: Channel
    previous_start_time: datetime
    arranged_version: int


@dataclass(frozen=True, kw_only=True)
class AppointmentCancelled(Happening):
    """An interview will not be held; its slot is free. `claim_withdrawn`: the claim waits for no other."""

    appointment_id: UUID
    office_code: str
    start_time: datetime
    claim_withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class AppointmentAttended(Happening):
    """The claimant came."""

    appointment_id: UUID
    office_code: str
    assessor_id: str
    start_time: datetime


@dataclass(frozen=True, kw_only=True)
class AppointmentMissed(AppointmentAttended):
    """The claimant did not come. `missed` counts the claim's interviews that were missed, this one among them."""

    missed: int


@dataclass(frozen=True, kw_only=True)
class TargetBreachExpected(Happening):
    """An interview is later than its target, or none was booked by then (`appointment_id` is None).

    With a `day` it is of an office and of no claim: somebody who calls on that day is likely not to be seen in time.
    """

    target_time: datetime
    appointment_id: UUID | None = None
    office_code: str = ""
    start_time: datetime | None = None
    day: date | None = None
    expected_breaches: float | None = None
    breach_probability: float | None = None
