"""The reason for offering a slot: one rule for every method that shows slots."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import LONDON

_NOON = 12

At = tuple[str, Channel]
"""The code of an office, and a channel."""


class OfferReason(StrEnum):
    """The reason for offering a slot. The contract says what each of them means."""

    NEAREST_OFFICE = "NEAREST_OFFICE"
    NEIGHBOUR_KEEPS_TARGET = "NEIGHBOUR_KEEPS_TARGET"
    TELEPHONE_KEEPS_TARGET = "TELEPHONE_KEEPS_TARGET"
    EARLIEST_AFTER_TARGET = "EARLIEST_AFTER_TARGET"
    WITHIN_REACH = "WITHIN_REACH"
    NEAREST_WITH_NEEDS = "NEAREST_WITH_NEEDS"
    BY_TELEPHONE = "BY_TELEPHONE"
    AFTER_TARGET = "AFTER_TARGET"
    BEHIND_NEXT_CALLERS = "BEHIND_NEXT_CALLERS"


@dataclass(frozen=True, kw_only=True)
class Words:
    """A text for a claimant, in English and in Welsh."""

    en: str
    cy: str


@dataclass(frozen=True, kw_only=True)
class FreeSlot:
    """A free slot, its office, and the moment by which it must start to keep the target there.

    `is_deferred`: sooner ones were left to others (`lateness.py`).
    """

    slot: Slot
    office: NearOffice
    due: datetime
    is_deferred: bool = False

    @property
    def within_target(self) -> bool:
        """Whether it keeps the target."""
        return self.slot.start_time <= self.due

    @property
    def place(self) -> At:
        """The office and the channel."""
        return self.slot.office_code, self.slot.channel

    @property
    def half_day(self) -> tuple[object, bool]:
        """The day in London, and whether it starts in the afternoon."""
        start = self.slot.start_time.astimezone(LONDON)
        return start.date(), start.hour >= _NOON


@dataclass(frozen=True, kw_only=True)
class Reasoned:
    """A free slot, and the reason for offering it."""

    free: FreeSlot
    reason: OfferReason


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """The facts beside a slot from which the reason for offering it follows.

    `channel` is the one that is wanted. `nearest` is the code of the nearest office, `home` that of the nearest one that can
    meet what the claimant needs. `earliest` has the start of the earliest free slot at each place.
    """

    channel: Channel
    nearest: str
    home: str
    home_keeps_target: bool
    target_can_be_kept: bool
    earliest: Mapping[At, datetime]

    def reasoned(self, free: FreeSlot) -> Reasoned:
        """The slot with its reason."""
        return Reasoned(free=free, reason=self._reason(free))

    def _reason(self, free: FreeSlot) -> OfferReason:
        if free.is_deferred:
            return OfferReason.BEHIND_NEXT_CALLERS
        if not free.within_target:
            is_earliest = free.slot.start_time == self.earliest.get(free.place)
            late = OfferReason.EARLIEST_AFTER_TARGET
            return late if is_earliest and not self.target_can_be_kept else OfferReason.AFTER_TARGET
        if free.slot.channel is not self.channel:
            return OfferReason.BY_TELEPHONE if self.home_keeps_target else OfferReason.TELEPHONE_KEEPS_TARGET
        if free.slot.office_code != self.home:
            return OfferReason.WITHIN_REACH if self.home_keeps_target else OfferReason.NEIGHBOUR_KEEPS_TARGET
        return OfferReason.NEAREST_OFFICE if self.home == self.nearest else OfferReason.NEAREST_WITH_NEEDS
