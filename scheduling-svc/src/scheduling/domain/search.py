"""The search for free slots: the claimant's wish, the page, and the offers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from chassis.errors import InvalidArgument, Violation
from scheduling.domain.offices import Channel, NearOffice, Need
from scheduling.domain.slots import Slot


class PageUnknown(InvalidArgument):
    """The page token names no slot, or one that this search does not find."""

    def __init__(self) -> None:
        violation = Violation(field="page_token", description="is not of this search")
        super().__init__("INVALID_FIELDS", "invalid: page_token", violations=[violation])


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The claimant's needs of the interview, and offices to choose from: nearest first, one at least."""

    offices: Sequence[NearOffice]
    channel: Channel
    needs: frozenset[Need]


@dataclass(frozen=True, kw_only=True)
class Page:
    """The part of the free slots that is asked for: from `since` to `until`, after the slot that was seen last."""

    since: datetime | None
    until: datetime | None
    size: int
    after: UUID | None


@dataclass(frozen=True, kw_only=True)
class Search:
    """The free slots to look for.

    `offices` are codes, nearest first; `assessors` are those who meet the claimant's needs. A slot starts at `since` or
    later and at `until` or earlier, where that is given.
    """

    offices: Sequence[str]
    assessors: Sequence[str]
    channel: Channel
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A free slot, and whether it starts within the target counted from now."""

    slot: Slot
    office: NearOffice
    within_target: bool


@dataclass(frozen=True, kw_only=True)
class Offers:
    """A page of free slots, soonest first. `more`: a page follows. The earliest is of all pages, not of this one."""

    offers: Sequence[Offer]
    more: bool
    earliest_within_target: Offer | None

    @classmethod
    def of(cls, found: Sequence[Offer], *, size: int, earliest: Iterable[Offer]) -> Self:
        """A page of this size, with one offer more where a page follows; `earliest` is the earliest of each office."""
        return cls(
            offers=found[:size],
            more=len(found) > size,
            earliest_within_target=min(
                (offer for offer in earliest if offer.within_target),
                key=lambda offer: (offer.slot.start_time, offer.office.distance_km),
                default=None,
            ),
        )
