"""Lists of interviews: of a claim, of an office, of an assessor, of a day."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from chassis.errors import PermissionDenied
from scheduling.domain.appointments import Appointment


class OtherOffice(PermissionDenied):
    """The appointment is another office's, and the caller an assessor alone."""

    def __init__(self) -> None:
        super().__init__("OTHER_OFFICE", "assessors can see only their own office's appointments")


@dataclass(frozen=True, kw_only=True)
class AppointmentFilter:
    """The interviews wanted. An empty text or None leaves a condition out; a start is at `since` or later, before `until`."""

    claim_ref: str = ""
    office_code: str = ""
    assessor_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def within_office(self, office_code: str | None) -> Self:
        """The same of the caller's own office. Raises OtherOffice where another one is asked for."""
        if not office_code or self.office_code not in ("", office_code):
            raise OtherOffice
        return replace(self, office_code=office_code)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place in the list of the interview that was seen last."""

    start_time: datetime
    appointment_id: UUID

    @classmethod
    def of(cls, appointment: Appointment) -> Self:
        """The place of this interview."""
        return cls(start_time=appointment.start_time, appointment_id=appointment.appointment_id)
