"""The slots of offices by desk and day, counted from their working times. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from scheduling.domain.diary import Stretch, WorkingTime
from scheduling.domain.limits import Limits
from scheduling.domain.load import DeskKey
from scheduling.domain.working_time import london_day


@dataclass(frozen=True, kw_only=True)
class Supply:
    """A desk's slots by day, those of them that are taken, and the starts of those to come that a usual call can take.

    Slots that are kept for emergencies, or needed for a break, are neither taken nor free.
    """

    capacity: dict[date, int] = field(default_factory=dict)
    booked: dict[date, int] = field(default_factory=dict)
    free: list[datetime] = field(default_factory=list)

    def add(self, working_time: WorkingTime, *, now: datetime) -> None:
        """Counts the slots of a shift."""
        day, limits = london_day(working_time.shift.start_time), Limits(now=now)
        for slot in working_time.shift.slots():
            self.capacity[day] = self.capacity.get(day, 0) + 1
            if not working_time.has_room(Stretch(start_time=slot.start_time, end_time=slot.end_time)):
                self.booked[day] = self.booked.get(day, 0) + 1
            elif slot.start_time > now and limits.allow(slot, working_time):
                self.free.append(slot.start_time)


def supplies(working_times: Iterable[WorkingTime], *, now: datetime) -> dict[DeskKey, Supply]:
    """The supply of each desk that has a shift."""
    found: dict[DeskKey, Supply] = {}
    for one in working_times:
        key = DeskKey(office_code=one.shift.office_code, channel=one.shift.channel)
        found.setdefault(key, Supply()).add(one, now=now)
    return found
