"""The diaries of assessors: what takes their time, and the time that is free.

Free time is not stored. It is computed from a shift, less what is taken of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import chain, groupby
from types import MappingProxyType
from uuid import UUID

from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SLOT_LENGTH, Slot
from scheduling.domain.travel import NO_TRAVEL


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of time: its end does not belong to it."""

    start_time: datetime
    end_time: datetime

    @classmethod
    def around(cls, slot: Slot) -> "Stretch":
        """The time that an interview takes of its assessor: with the ways of a home visit."""
        return cls(start_time=slot.leave_time, end_time=slot.return_time)

    def holds(self, other: "Stretch") -> bool:
        """Whether the other lies in this one."""
        return self.start_time <= other.start_time and other.end_time <= self.end_time

    def overlaps(self, other: "Stretch") -> bool:
        """Whether both have a moment in common."""
        return self.start_time < other.end_time and other.start_time < self.end_time


@dataclass(frozen=True, kw_only=True)
class DiaryEntry:
    """Time of an assessor that is taken for a claim: by a live appointment with the travel around it, or by a held slot.

    An appointment has its `appointment_id`; a hold has none, and is nobody's from `held_until` (real time) on.
    """

    assessor_id: str
    claim_ref: str
    start_time: datetime
    end_time: datetime
    appointment_id: UUID | None = None
    held_until: datetime | None = None

    @classmethod
    def of(cls, slot: Slot, *, claim_ref: str, appointment_id: UUID) -> "DiaryEntry":
        """The entry of an appointment in this slot, with the ways of a home visit."""
        return cls(
            assessor_id=slot.assessor_id,
            claim_ref=claim_ref,
            start_time=slot.leave_time,
            end_time=slot.return_time,
            appointment_id=appointment_id,
        )


@dataclass(frozen=True, kw_only=True)
class WorkingTime:
    """A shift, and what is taken of it: by the diary's entries and by absences."""

    shift: Shift
    taken: tuple[Stretch, ...] = ()
    """Interviews and holds in it and shortly before and after it, with the travel to them."""
    away: tuple[Stretch, ...] = ()
    """Absences of the assessor, and closures of the office."""

    def free(self, *, length: timedelta = SLOT_LENGTH, travel: timedelta = NO_TRAVEL) -> Iterator[Slot]:
        """Its free slots, soonest first. With `travel` there is time for it before and after, within the shift."""
        for slot in self.shift.slots(length=length):
            with_ways = replace(slot, travel=travel) if travel else slot
            if self.has_room(Stretch.around(with_ways)):
                yield with_ways

    def has_room(self, wanted: Stretch) -> bool:
        """Whether the stretch lies in the shift, and nothing of it is taken."""
        start, end = wanted.start_time, wanted.end_time
        within = self.shift.start_time <= start and end <= self.shift.end_time
        # As Stretch.overlaps, without a call for each: it is asked of every slot of a search.
        return within and not any(one.start_time < end and start < one.end_time for one in chain(self.taken, self.away))

    def gap(self, slot: Slot) -> Stretch:
        """The free time of the shift in which a free slot lies."""
        others = (*self.taken, *self.away)
        before = (one.end_time for one in others if one.end_time <= slot.start_time)
        after = (one.start_time for one in others if one.start_time >= slot.end_time)
        return Stretch(start_time=max((self.shift.start_time, *before)), end_time=min((self.shift.end_time, *after)))


Allow = Callable[[Slot, WorkingTime], bool]
"""Whether a free slot of a working time can be given."""


def free_slots(
    working_times: Iterable[WorkingTime],
    *,
    since: datetime,
    until: datetime | None = None,
    length: timedelta = SLOT_LENGTH,
    travel: Mapping[str, timedelta] = MappingProxyType({}),
    allow: Allow = lambda _slot, _working_time: True,
) -> Iterator[Slot]:
    """Free slots that start at `since` or later, and at `until` or earlier where that is given, and that `allow` allows.

    `working_times` come office by office, and in the order of their starts within an office; so do the slots, and of
    equal ones that of the first assessor by reference. No more of the working times is taken than is needed.
    `travel` is the way of home visits from each of the offices, by their codes.
    """
    for _, of_office in groupby(working_times, key=lambda one: one.shift.office_code):
        for slot in _soonest_first(of_office, length=length, travel=travel, allow=allow):
            if until is not None and slot.start_time > until:
                break
            if slot.start_time >= since:
                yield slot


def _soonest_first(
    working_times: Iterable[WorkingTime], *, length: timedelta, travel: Mapping[str, timedelta], allow: Allow
) -> Iterator[Slot]:
    """A slot is given once no shift that is still to come can have an earlier one."""
    waiting: list[tuple[datetime, str, Slot]] = []
    for working_time in working_times:
        while waiting and waiting[0][0] < working_time.shift.start_time:
            yield heappop(waiting)[-1]
        way = travel.get(working_time.shift.office_code, NO_TRAVEL)
        for slot in working_time.free(length=length, travel=way):
            if allow(slot, working_time):
                heappush(waiting, (slot.start_time, slot.assessor_id, slot))
    while waiting:
        yield heappop(waiting)[-1]
