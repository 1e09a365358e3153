"""The diaries of a policy: shifts, and what is taken of them, by the domain's own rules."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from scheduling.domain.diary import Stretch, WorkingTime, free_slots
from scheduling.domain.limits import Limits
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import ONE_DAY, london_day

Key = tuple[str, Channel, date]


class Diaries:
    """The free time of every assessor. Days on which nobody is free are passed over without a look."""

    def __init__(self, shifts: Iterable[Shift]) -> None:
        self._working: dict[Key, dict[tuple[str, datetime], WorkingTime]] = defaultdict(dict)
        self._left: dict[Key, int] = defaultdict(int)
        self._full: set[tuple[str, datetime]] = set()
        """The shifts of which nothing is free."""
        self._days: dict[tuple[str, Channel], list[date]] = defaultdict(list)
        self._of_assessor: dict[tuple[str, date], list[tuple[Key, tuple[str, datetime]]]] = defaultdict(list)
        for shift in sorted(shifts, key=lambda one: one.start_time):
            key = (shift.office_code, shift.channel, london_day(shift.start_time))
            if key not in self._working:
                self._days[key[:2]].append(key[2])
            where = (shift.assessor_id, shift.start_time)
            self._working[key][where] = WorkingTime(shift=shift)
            self._of_assessor[shift.assessor_id, key[2]].append((key, where))
            self._left[key] += sum(1 for _ in shift.slots())

    def free(
        self,
        office_code: str,
        channel: Channel,
        *,
        since: datetime,
        until: datetime | None = None,
        limits: Limits | None = None,
    ) -> Iterator[Slot]:
        """The free slots of an office in one channel, soonest first; with limits, those that these allow."""
        allow = limits.allow if limits else _anything
        first, last = london_day(since), london_day(until) if until else date.max
        for day in self._days.get((office_code, channel), ()):
            key = (office_code, channel, day)
            if first <= day <= last and self._left[key]:
                with_room = (one for where, one in self._working[key].items() if where not in self._full)
                yield from free_slots(with_room, since=since, until=until, allow=allow)

    def is_free(self, slot: Slot) -> bool:
        """Whether it can be taken."""
        return slot in self.free(slot.office_code, slot.channel, since=slot.start_time, until=slot.start_time)

    def take(self, slot: Slot) -> None:
        """Takes a free slot."""
        self._change(slot, taken=True)

    def release(self, slot: Slot) -> None:
        """Frees a slot that was taken."""
        self._change(slot, taken=False)

    def away(self, assessor_id: str, *, since: datetime, last: date) -> None:
        """Nothing more is booked with the assessor from then until the end of the last day."""
        day = london_day(since)
        while day <= last:
            for key, where in self._of_assessor.get((assessor_id, day), ()):
                self._close(key, where)
            day += ONE_DAY

    def _close(self, key: Key, where: tuple[str, datetime]) -> None:
        before = self._working[key][where]
        whole = Stretch(start_time=before.shift.start_time, end_time=before.shift.end_time)
        self._put(key, where, replace(before, taken=(*before.taken, whole)))

    def _change(self, slot: Slot, *, taken: bool) -> None:
        key, where = self._place(slot)
        before = self._working[key][where]
        stretch = Stretch(start_time=slot.start_time, end_time=slot.end_time)
        others = tuple(one for one in before.taken if one != stretch)
        self._put(key, where, replace(before, taken=(*others, stretch) if taken else others))

    def _put(self, key: Key, where: tuple[str, datetime], after: WorkingTime) -> None:
        left = sum(1 for _ in after.free())
        self._left[key] += left - sum(1 for _ in self._working[key][where].free())
        self._working[key][where] = after
        (self._full.discard if left else self._full.add)(where)

    def _place(self, slot: Slot) -> tuple[Key, tuple[str, datetime]]:
        places = self._of_assessor[slot.assessor_id, london_day(slot.start_time)]
        return next(
            (key, where) for key, where in places if self._working[key][where].shift.slot_at(slot.start_time) == slot
        )


def _anything(slot: Slot, working_time: WorkingTime) -> bool:
    """Without limits every free slot can be given."""
    return True
