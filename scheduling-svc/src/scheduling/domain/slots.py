"""Slots: the times at which an assessor can hold an interview. A slot's id is written, not looked up."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, Violation
from scheduling.domain.offices import Channel

SLOT_LENGTH = timedelta(minutes=45)
REACH_KM = 30.0
"""The greatest distance, as the crow flies, to which a claimant is sent to meet the target."""
_WRITTEN = re.compile(r"([A-Z0-9]{1,8})-([0-9]{8}T[0-9]{4}Z)")
_MOMENT = "%Y%m%dT%H%MZ"


class SlotUnknown(NotFound):
    """There is no such slot."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="is not in the rotas as they are published now")
        super().__init__("SLOT_UNKNOWN", "there is no slot with this slot_id", violations=[violation])


class SlotTaken(AlreadyExists):
    """Another appointment has the slot, it is held for another call, or the assessor is away."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="is not free any more")
        super().__init__("SLOT_TAKEN", "the slot is not free any more: choose another", violations=[violation])


class OfficeClosed(FailedPrecondition):
    """The office is closed at the time of the slot, whatever its rotas say."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="is at a time at which the office is closed")
        super().__init__("OFFICE_CLOSED", "the office is closed then: choose another slot", violations=[violation])


class SchemeNotKnown(FailedPrecondition):
    """The assessor does not know a scheme that is claimed, and cannot hold the interview."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="is of an assessor who does not know a claimed scheme")
        super().__init__(
            "SCHEME_NOT_KNOWN",
            "the assessor does not know every scheme that is claimed: choose another slot",
            violations=[violation],
        )


class NoSlotFree(FailedPrecondition):
    """No slot is free within reach for the channel and the needs."""

    def __init__(self) -> None:
        super().__init__("NO_SLOT_FREE", "no office within reach has a free slot for this channel and these needs")


@dataclass(frozen=True, kw_only=True)
class SlotId:
    """A slot's identity: its assessor, and its start in UTC on a whole minute. Written `ANE01001-20261130T0900Z`."""

    assessor_id: str
    start_time: datetime

    @classmethod
    def read(cls, text: str) -> "SlotId":
        """The identity as it was written. Raises ValueError for anything else."""
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ValueError("is not the id of a slot")
        assessor_id, moment = written.groups()
        return cls(assessor_id=assessor_id, start_time=datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC))

    def __str__(self) -> str:
        # strftime writes a year before 1000 with fewer than four digits.
        start = self.start_time.astimezone(UTC)
        return f"{self.assessor_id}-{start.year:04}{start:%m%dT%H%MZ}"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A time at which an assessor can hold an interview. Times are UTC."""

    assessor_id: str
    office_code: str
    start_time: datetime
    end_time: datetime
    channel: Channel
    travel: timedelta = timedelta()
    """Of a home visit: the way to the claimant, and the same way back."""

    @property
    def leave_time(self) -> datetime:
        """When the assessor sets out: with the start, but for a home visit."""
        return self.start_time - self.travel

    @property
    def return_time(self) -> datetime:
        """When the assessor is back: with the end, but for a home visit."""
        return self.end_time + self.travel

    @property
    def slot_id(self) -> SlotId:
        """The same, however often the rota is published anew."""
        return SlotId(assessor_id=self.assessor_id, start_time=self.start_time)
