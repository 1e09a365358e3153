"""Shifts: the published work of assessors, and the slots into which it is cut."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduling.domain.offices import Channel
from scheduling.domain.slots import SLOT_LENGTH, Slot

LONGEST_SHIFT = timedelta(hours=14)
"""A day's work at most. The search for what a shift covers looks back no further."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A stretch of an assessor's work at an office, within one day of London.

    Times are UTC, on whole minutes. `skills` are those that the assessor uses in it, by their codes. Its last
    `emergency_slots` are kept for claimants who must be seen on the day.
    """

    assessor_id: str
    office_code: str
    start_time: datetime
    end_time: datetime
    channel: Channel
    skills: frozenset[str] = frozenset()
    emergency_slots: int = 0
    room: int | None = field(default=None, compare=False)
    """The room of the office, from 1 on, that the assessor has for the shift; None where it is not held there."""

    @property
    def kept_starts(self) -> frozenset[datetime]:
        """The starts of the slots that are kept for emergencies."""
        starts = [slot.start_time for slot in self.slots()] if self.emergency_slots else []
        return frozenset(starts[-self.emergency_slots :])

    def slots(self, *, length: timedelta = SLOT_LENGTH) -> Iterator[Slot]:
        """Whole slots from its start; a remainder at its end gives no slot."""
        start = self.start_time
        while start + length <= self.end_time:
            yield Slot(
                assessor_id=self.assessor_id,
                office_code=self.office_code,
                start_time=start,
                end_time=start + length,
                channel=self.channel,
            )
            start += length

    def slot_at(self, start: datetime) -> Slot | None:
        """The slot that starts then; None where the shift is cut otherwise."""
        return next((slot for slot in self.slots() if slot.start_time == start), None)

    def meets(self, needs: Collection[str]) -> bool:
        """Whether the assessor's skills meet these needs, which the office does not meet already."""
        return self.skills.issuperset(needs)

    def fits(self, slot: Slot) -> bool:
        """Whether the interview lies in this shift with the way to it: at its office, in its channel, within its times."""
        return (
            (self.assessor_id, self.office_code, self.channel) == (slot.assessor_id, slot.office_code, slot.channel)
            and self.start_time <= slot.leave_time
            and slot.return_time <= self.end_time
        )
