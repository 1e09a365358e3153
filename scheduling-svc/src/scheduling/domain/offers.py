"""The slots that an operator offers in a call: the first good one and three alternatives, each with its reason."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from scheduling.domain.diary import Stretch
from scheduling.domain.offices import Channel, Need
from scheduling.domain.reasons import At, FreeSlot, Grounds, Reasoned

OFFERED_AT_ONCE = 4
"""The first good slot, and three alternatives."""
OF_ONE_PLACE = 2
"""So many offers are of the same office and channel, as long as there are others."""
HELD_FOR = timedelta(minutes=10)
"""An offered slot is held for its claim for so long, by real time."""

NOT_BY_TELEPHONE = frozenset({Need.HEARING_LOOP, Need.SIGN_LANGUAGE})
"""A claimant with one of these needs is offered a telephone interview, or moved to one, only where they ask for it."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The free slots to choose from, and the wish.

    `channel` is the one that is wanted; slots of another one are spill-over. `nearest` is the code of the nearest office,
    `home` that of the nearest one that meets the claimant's needs, whether or not it has a free slot.
    """

    free: Sequence[FreeSlot]
    channel: Channel
    nearest: str
    home: str

    def offers(self, number: int = OFFERED_AT_ONCE) -> list[Reasoned]:
        """The best free slot first, then alternatives to it, `number` at most.

        Alternatives are at another half-day or another place than those before them, and no more than OF_ONE_PLACE are of
        one place, unless there are too few of that kind.
        """
        ranked = sorted(self.free, key=self._rank)
        chosen = list(_varied(ranked, number))
        for free in ranked:
            if len(chosen) < number and free not in chosen and _is_apart(free, chosen):
                chosen.append(free)
        return list(map(self._grounds.reasoned, chosen))

    def first(self) -> Reasoned | None:
        """The slot that is booked without asking; None if nothing is free."""
        return next(iter(self.offers(1)), None)

    def reasoned(self) -> list[Reasoned]:
        """Every free slot in the order in which it was given, with its reason."""
        return list(map(self._grounds.reasoned, self.free))

    def _rank(self, free: FreeSlot) -> tuple[object, ...]:
        """In time before late; the nearest office, its neighbours by distance, and then the telephone; soonest first.

        Where nothing keeps the target, the distance of a neighbour counts less than the day.
        """
        slot, spill = free.slot, self._spill(free)
        where = (spill, free.office.distance_km) if free.within_target else (min(spill, 1),)
        return (
            not free.within_target,
            *where,
            slot.start_time,
            free.office.distance_km,
            spill,
            *free.place,
            slot.assessor_id,
        )

    def _spill(self, free: FreeSlot) -> int:
        """0 at home, 1 at a neighbour, 2 by another channel than the one that is wanted."""
        if free.slot.channel is not self.channel:
            return 2
        return 0 if free.slot.office_code == self.home else 1

    @property
    def _grounds(self) -> Grounds:
        in_time = [free for free in self.free if free.within_target]
        earliest: dict[At, datetime] = {}
        for free in self.free:
            start = free.slot.start_time
            earliest[free.place] = min(start, earliest.get(free.place, start))
        return Grounds(
            channel=self.channel,
            nearest=self.nearest,
            home=self.home,
            home_keeps_target=any(self._spill(free) == 0 for free in in_time),
            target_can_be_kept=bool(in_time),
            earliest=earliest,
        )


def channels_for(wanted: Channel | None, needs: Collection[Need]) -> tuple[Channel, ...]:
    """The channels to search: the one that the claimant wants, or else the office and the telephone beside it."""
    if wanted is not None:
        return (wanted,)
    if NOT_BY_TELEPHONE & frozenset(needs):
        return (Channel.OFFICE,)
    return (Channel.OFFICE, Channel.TELEPHONE)


def _varied(ranked: Iterable[FreeSlot], number: int) -> Iterator[FreeSlot]:
    seen: set[object] = set()
    places: list[object] = []
    taken: list[FreeSlot] = []
    for free in ranked:
        if len(places) == number:
            return
        when_and_where = (*free.place, *free.half_day)
        if when_and_where not in seen and places.count(free.place) < OF_ONE_PLACE and _is_apart(free, taken):
            seen.add(when_and_where)
            places.append(free.place)
            taken.append(free)
            yield free


def _is_apart(free: FreeSlot, others: Iterable[FreeSlot]) -> bool:
    """Whether the slot can be held beside the others: two home visits of an assessor may need the same time for their ways."""
    around, who = Stretch.around(free.slot), free.slot.assessor_id
    return not any(
        (one.place, one.slot.assessor_id) == (free.place, who) and around.overlaps(Stretch.around(one.slot))
        for one in others
    )


def first_of_half_days(free: Iterable[FreeSlot]) -> Iterator[FreeSlot]:
    """The first slot of every half-day, of slots that come soonest first."""
    for _, of_half_day in groupby(free, key=lambda one: one.half_day):
        yield next(of_half_day)
