"""The search for free slots: the claimant's wish, the page, and the offers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

from chassis.errors import InvalidArgument, Violation
from scheduling.domain.claims import Claim
from scheduling.domain.lateness import Span
from scheduling.domain.offices import Channel, NearOffice, Need, Office, asked_skills, left_to_assessor
from scheduling.domain.reasons import Reasoned
from scheduling.domain.slots import Slot


class PageUnknown(InvalidArgument):
    """The page token names an office that is not among those of this search."""

    def __init__(self) -> None:
        violation = Violation(field="page_token", description="is not of this search")
        super().__init__("INVALID_FIELDS", "invalid: page_token", violations=[violation])


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The claimant's needs of the interview, and offices to choose from: nearest first, one at least."""

    offices: Sequence[NearOffice]
    channel: Channel
    needs: frozenset[Need]
    schemes: frozenset[str] = frozenset()
    """The claimed schemes, by their names in the contract: the assessor must know all of them."""
    language: str = ""
    """The language, by its code, that the assessor must speak; empty where none is named."""
    travel: timedelta | None = None
    """The way to a home visit, where it is known and not the place."""
    spill_over: Channel | None = None
    """The channel that will do where no office within reach keeps the target."""

    def for_claim(self, claim: Claim) -> Self:
        """The wish with what is known of the claim: its needs and its schemes."""
        return replace(self, needs=self.needs | claim.needs, schemes=claim.interviewed)

    @property
    def ways(self) -> Mapping[str, timedelta]:
        """The way to a home visit from each of the offices, by their codes; empty in other channels."""
        if self.channel is not Channel.HOME_VISIT:
            return {}
        return {near.office.code: near.travel if self.travel is None else self.travel for near in self.offices}

    def left_to_assessor(self, office: Office) -> frozenset[str]:
        """The needs that this office leaves to the assessor, and the schemes that the assessor must know, by codes."""
        left = left_to_assessor(self.needs, office=office, channel=self.channel)
        return asked_skills(left, language=self.language) | self.schemes


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place behind a slot in a list of slots."""

    office_code: str
    start_time: datetime
    assessor_id: str

    def is_before(self, slot: Slot) -> bool:
        """Whether the slot, of the same office, comes after the place."""
        return (self.start_time, self.assessor_id) < (slot.start_time, slot.assessor_id)


@dataclass(frozen=True, kw_only=True)
class Page:
    """The part of the free slots that is asked for: from `since` to `until`, after the slot that was seen last."""

    since: datetime | None
    until: datetime | None
    size: int
    after: Place | None


@dataclass(frozen=True, kw_only=True)
class OfficeSearched:
    """An office to search, and the needs that it leaves to the assessor."""

    code: str
    needs: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Search:
    """The free time to look for: offices, nearest first.

    A slot starts at `since` or later and at `until` or earlier, where that is given. Slots that are held for `claim_ref`
    are free to it.
    """

    offices: Sequence[OfficeSearched]
    channel: Channel
    since: datetime
    until: datetime | None = None
    claim_ref: str = ""

    def at(self, offices: Sequence[OfficeSearched]) -> Self:
        """The same search at these offices alone."""
        return replace(self, offices=offices)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of free slots: those of the nearest office first, soonest first within an office. `more`: a page follows.

    The earliest is of all pages, not of this one: the earliest one of the nearest office that has one within the target.
    """

    slots: Sequence[Reasoned]
    more: bool
    earliest_within_target: Reasoned | None


class FreeTime(Protocol):
    """The free slots of some offices, those of the nearest first and soonest first within an office."""

    def __call__(self, *, since: datetime, until: datetime | None = None) -> Iterator[Slot]:
        """Those that start at `since` or later, and at `until` or earlier where that is given."""
        ...


def in_order_of_preference(
    free: FreeTime,
    *,
    since: datetime,
    due: datetime,
    spill_over: FreeTime | None = None,
    later: Callable[[], Iterable[Span]] | None = None,
) -> Iterator[Slot]:
    """Free slots in the order in which they are tried for who wants the earliest.

    First those that start by `due`, the nearest office's before the others', and those of `spill_over`, of another channel,
    that do; then those of the times after it (`later`, asked only then; all of them where it is not given), the nearest
    office's before the others'.
    """
    yield from free(since=since, until=due)
    if spill_over is not None:
        yield from spill_over(since=since, until=due)
    for span in later() if later else (Span(after=due),):
        if span.until is None or since <= span.until:
            yield from free(since=max(since, span.first), until=span.until)
