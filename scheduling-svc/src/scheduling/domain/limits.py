"""The limits of an assessor's day: breaks between interviews, and slots that are kept for emergencies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import FailedPrecondition, Violation
from scheduling.domain.diary import Stretch, WorkingTime
from scheduling.domain.slots import Slot


class BreakNeeded(FailedPrecondition):
    """With this interview the assessor would have no break for too long."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="is at a time at which the assessor needs a break")
        super().__init__(
            "BREAK_NEEDED", "the assessor needs a break at that time: choose another slot", violations=[violation]
        )


class KeptForEmergencies(FailedPrecondition):
    """The slot is kept for claimants who must be seen on the day."""

    def __init__(self) -> None:
        violation = Violation(field="slot_id", description="is kept for claimants who must be seen on the day")
        super().__init__(
            "KEPT_FOR_EMERGENCIES",
            "the slot is kept for emergencies until two hours before: choose another",
            violations=[violation],
        )


@dataclass(frozen=True, kw_only=True)
class Breaks:
    """An assessor interviews for `longest_run` at most without a break of `length`."""

    longest_run: timedelta = timedelta(hours=3)
    length: timedelta = timedelta(minutes=15)

    def allow(self, wanted: Stretch | Slot, interviews: Iterable[Stretch]) -> bool:
        """Whether the assessor still has breaks with this interview beside the others, none of which overlaps it."""
        start, end = wanted.start_time, wanted.end_time
        in_order = sorted(interviews, key=lambda one: one.start_time)
        for before in reversed([one for one in in_order if one.end_time <= wanted.start_time]):
            if start - before.end_time >= self.length:
                break
            start = before.start_time
        for after in (one for one in in_order if one.start_time >= wanted.end_time):
            if after.start_time - end >= self.length:
                break
            end = after.end_time
        # One interview may be longer than a run: with the travel to a home visit, say.
        return end - start <= max(self.longest_run, wanted.end_time - wanted.start_time)


BREAKS = Breaks()

RELEASED = timedelta(hours=2)
"""A slot is kept for emergencies until so long before it starts; then anybody may take it."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits for a claimant at this moment; an emergency is seen on the day, in a kept slot too."""

    now: datetime
    is_emergency: bool = False
    breaks: Breaks = BREAKS

    def allow(self, slot: Slot, working_time: WorkingTime) -> bool:
        """Whether this free slot of the working time can be given to the claimant."""
        return not self._is_kept(slot, working_time) and self.breaks.allow(Stretch.around(slot), working_time.taken)

    def check(self, slot: Slot, working_time: WorkingTime) -> None:
        """Raises KeptForEmergencies, BreakNeeded."""
        if self._is_kept(slot, working_time):
            raise KeptForEmergencies
        if not self.breaks.allow(Stretch.around(slot), working_time.taken):
            raise BreakNeeded

    def _is_kept(self, slot: Slot, working_time: WorkingTime) -> bool:
        if self.is_emergency or slot.start_time - RELEASED <= self.now:
            return False
        return slot.start_time in working_time.shift.kept_starts
