"""The slots of an assessor's rota, and the choice among free slots."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID, uuid5

from chassis.bank_holidays import Nation
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from scheduling.domain.offices import Assessor, Channel
from scheduling.domain.working_time import LONDON, is_working_day

SLOT_LENGTH = timedelta(minutes=45)
REACH_KM = 30.0
"""The greatest distance, as the crow flies, to which a claimant is sent to meet the target."""
_SLOTS = UUID("7f1c2a52-5c39-4d5e-8a57-0f2b8f6b7c11")
"""The namespace of slots' identities."""


class SlotUnknown(NotFound):
    """There is no such slot."""

    def __init__(self) -> None:
        super().__init__("SLOT_UNKNOWN", "there is no slot with this slot_id")


class SlotTaken(AlreadyExists):
    """Another appointment holds the slot."""

    def __init__(self) -> None:
        super().__init__("SLOT_TAKEN", "another appointment holds the slot: choose another")


class NoSlotFree(FailedPrecondition):
    """No slot is free within reach for the channel and the needs."""

    def __init__(self) -> None:
        super().__init__("NO_SLOT_FREE", "no office within reach has a free slot for this channel and these needs")


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A time at which an assessor can hold an interview. Times are UTC."""

    assessor_id: str
    office_code: str
    start_time: datetime
    end_time: datetime
    channel: Channel

    @property
    def slot_id(self) -> UUID:
        """Derived from the assessor and the start, so that opening a rota again opens no slot twice."""
        return uuid5(_SLOTS, f"{self.assessor_id} {self.start_time.astimezone(UTC).isoformat()}")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A free slot, and the distance of its office from the claimant in kilometres."""

    slot: Slot
    distance_km: float


def slots_of(
    assessor: Assessor, day: date, *, nation: Nation, slot_length: timedelta = SLOT_LENGTH
) -> tuple[Slot, ...]:
    """The slots of an assessor's rota on a day of Europe/London; none unless the office's nation works that day.

    A shift is cut into whole slots from its start; a remainder at its end gives no slot.
    """
    if not is_working_day(day, nation):
        return ()
    return tuple(
        Slot(
            assessor_id=assessor.assessor_id,
            office_code=assessor.office_code,
            start_time=start,
            end_time=start + slot_length,
            channel=shift.channel,
        )
        for shift in assessor.rota
        if shift.weekday == day.weekday()
        for start in _starts(_moment(day, shift.start), _moment(day, shift.end), slot_length)
    )


def choose_slot(candidates: Iterable[Candidate], due: datetime, *, reach_km: float = REACH_KM) -> Candidate | None:
    """The slot to take: the earliest of the nearest office that has one by `due`.

    An office other than the nearest counts only within `reach_km`. If none has a slot by `due`, it is the nearest
    office's earliest slot. None if nothing is free.
    """
    earliest = _earliest_of_each_office(candidates)
    for number, candidate in enumerate(earliest):
        near_enough = number == 0 or candidate.distance_km <= reach_km
        if near_enough and candidate.slot.start_time <= due:
            return candidate
    return earliest[0] if earliest else None


def _earliest_of_each_office(candidates: Iterable[Candidate]) -> list[Candidate]:
    """One candidate for each office, nearest office first."""
    ordered = sorted(candidates, key=lambda one: (*_office(one), one.slot.start_time, one.slot.assessor_id))
    return [next(of_office) for _, of_office in groupby(ordered, key=_office)]


def _office(candidate: Candidate) -> tuple[float, str]:
    return candidate.distance_km, candidate.slot.office_code


def _starts(start: datetime, end: datetime, length: timedelta) -> Iterator[datetime]:
    while start + length <= end:
        yield start
        start += length


def _moment(day: date, local: time) -> datetime:
    return datetime.combine(day, local, tzinfo=LONDON).astimezone(UTC)
