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
        self._free: dict[Key, list[tuple[Slot, WorkingTime]]] = {}
        """The free slots of a desk and day, soonest first, each with its working time; absent where they changed."""
        self._days: dict[tuple[str, Channel], list[date]] = defaultdict(list)
        self._of_assessor: dict[tuple[str, date], list[tuple[Key, tuple[str, datetime]]]] = defaultdict(list)
        for shift in sorted(shifts, key=lambda one: one.start_time):
            key = (shift.office_code, shift.channel, london_day(shift.start_time))
            if key not in self._working:
                self._days[key[:2]].append(key[2])
            where = (shift.assessor_id, shift.start_time)
            self._working[key][where] = WorkingTime(shift=shift)
            self._of_assessor[shift.assessor_id, key[2]].append((key, where))

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
        first, last = london_day(since), london_day(until) if until else date.max
        for day in self._days.get((office_code, channel), ()):
            key = (office_code, channel, day)
            if first <= day <= last:
                for slot, working_time in self._of_day(key):
                    in_time = since <= slot.start_time and (until is None or slot.start_time <= until)
                    if in_time and (limits is None or limits.allow(slot, working_time)):
                        yield slot

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
        self._working[key][where] = after
        self._free.pop(key, None)

    def _of_day(self, key: Key) -> list[tuple[Slot, WorkingTime]]:
        """The free slots of a desk and day. They are asked for far more often than they change."""
        if key not in self._free:
            of_day = self._working[key]
            shifts = {one.shift.assessor_id: one for one in of_day.values()}
            start = min(one.shift.start_time for one in of_day.values())
            self._free[key] = [(slot, shifts[slot.assessor_id]) for slot in free_slots(of_day.values(), since=start)]
        return self._free[key]

    def _place(self, slot: Slot) -> tuple[Key, tuple[str, datetime]]:
        places = self._of_assessor[slot.assessor_id, london_day(slot.start_time)]
        return next(
            (key, where) for key, where in places if self._working[key][where].shift.slot_at(slot.start_time) == slot
        )
