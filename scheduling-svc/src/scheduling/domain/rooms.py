"""Rooms: an assessor who interviews at an office has one of its rooms for the whole shift.

So an office never holds more interviews at once than it has rooms, and whoever searches, books or replans need not count.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from chassis.errors import FailedPrecondition, Violation
from scheduling.domain.diary import Stretch
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.domain.working_time import london_day


class NoRoomFree(FailedPrecondition):
    """Other assessors have all rooms of the office at the time of a shift."""

    def __init__(self) -> None:
        violation = Violation(field="shifts", description="one is at a time at which every room of the office is taken")
        super().__init__(
            "NO_ROOM_FREE",
            "every room of the office is taken at that time: publish the shift at another time or by telephone",
            violations=[violation],
        )


@dataclass(frozen=True, kw_only=True)
class RoomTaken(Stretch):
    """A time for which an assessor has a room, by its number from 1 on."""

    room: int


def with_rooms(shifts: Iterable[Shift], taken: Iterable[RoomTaken], *, rooms: int) -> list[Shift]:
    """The shifts, those at the office with a room each: the same one on a day, where one is free for all of it.

    `shifts` are one assessor's, in order. `taken` is what others have of the office's rooms. Raises NoRoomFree.
    """
    others = list(taken)
    placed: list[Shift] = []
    for _, of_day in groupby(shifts, key=lambda one: london_day(one.start_time)):
        placed += _placed(list(of_day), others, rooms)
    return placed


def _placed(of_day: Sequence[Shift], taken: Collection[RoomTaken], rooms: int) -> Iterator[Shift]:
    inside = [shift for shift in of_day if shift.channel is Channel.OFFICE]
    all_day = next(_free(inside, taken, rooms), None)
    for shift in of_day:
        if shift.channel is not Channel.OFFICE:
            yield shift
            continue
        room = all_day or next(_free([shift], taken, rooms), None)
        if room is None:
            raise NoRoomFree
        yield replace(shift, room=room)


def _free(shifts: Sequence[Shift], taken: Iterable[RoomTaken], rooms: int) -> Iterator[int]:
    """The rooms that are free for all of these shifts, the first number first."""
    wanted = [Stretch(start_time=shift.start_time, end_time=shift.end_time) for shift in shifts]
    in_use = {one.room for one in taken if any(one.overlaps(stretch) for stretch in wanted)}
    return (room for room in range(1, rooms + 1) if room not in in_use)
