"""The month passes under one policy: calls, cancellations, absences and interviews in the order of their times."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from scheduling.domain.offices import Channel
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import london_day
from tests.schedule.month.diaries import Diaries
from tests.schedule.month.world import Absence, Claimant, World, moment

CALLS_AGAIN = time(10)
"""A claimant who missed an interview calls at this time on the next day."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The first interview that a claimant was to come to: when, how, and how far from home; nothing where none was free."""

    claimant: Claimant
    slot: Slot | None
    distance_km: float = 0.0
    moves: int = 0

    @property
    def within_target(self) -> bool:
        """Whether it began by its due time."""
        return self.slot is not None and self.slot.start_time <= self.claimant.due

    @property
    def by_telephone(self) -> bool:
        """Whether it was held by telephone."""
        return self.slot is not None and self.slot.channel is Channel.TELEPHONE


class Policy(Protocol):
    """The way in which slots are given out."""

    def choose(self, claimant: Claimant, *, since: datetime) -> Slot | None:
        """The slot for somebody who calls."""
        ...

    def displaced(self, month: "Month", numbers: Sequence[int], *, now: datetime) -> None:
        """Sees to those whose assessor is away: `month.move` gives each another slot."""
        ...

    def freed(self, month: "Month", slot: Slot, *, now: datetime) -> None:
        """A slot became free."""
        ...


class Month:
    """A month under one policy."""

    def __init__(self, world: World, kind: Callable[[World, Diaries], Policy]) -> None:
        self.claimants = {one.number: one for one in world.claimants}
        self.booked: dict[int, Slot] = {}
        self.outcomes: dict[int, Outcome] = {}
        self._diaries = Diaries(world.shifts)
        self._policy = kind(world, self._diaries)
        self._world = world
        self._of_assessor: dict[str, set[int]] = defaultdict(set)
        self._late: set[int] = set()
        self._moves: dict[int, int] = defaultdict(int)
        self._order = count()
        self._events: list[tuple[datetime, int, Callable[[datetime], None]]] = []

    def pass_by(self) -> list[Outcome]:
        """Lets it pass; gives what became of every claimant who did not cancel."""
        for absence in self._world.absences:
            self._at(absence.told, self._absent(absence))
        for claimant in self._world.claimants:
            self._at(claimant.first_contact, self._calls(claimant))
        while self._events:
            now, _, happen = heappop(self._events)
            happen(now)
        return list(self.outcomes.values())

    def move(self, number: int, slot: Slot | None, *, now: datetime) -> None:
        """Gives a claimant another slot in the place of the own one, which is then free; without one, nothing is left."""
        before = self._leave(number)
        self._moves[number] += 1
        self._give(number, slot, now)
        self._free(before, now)

    def late(self) -> Iterator[int]:
        """Those with an interview after their target, not begun, who would come sooner."""
        return (number for number in self._late if self.claimants[number].would_come_sooner)

    def _at(self, moment: datetime, happen: Callable[[datetime], None]) -> None:
        heappush(self._events, (moment, next(self._order), happen))

    def _calls(self, claimant: Claimant) -> Callable[[datetime], None]:
        def happen(now: datetime) -> None:
            self._give(claimant.number, self._policy.choose(claimant, since=now + timedelta.resolution), now)

        return happen

    def _absent(self, absence: Absence) -> Callable[[datetime], None]:
        def happen(now: datetime) -> None:
            self._diaries.away(absence.assessor_id, since=now, last=absence.last)
            displaced = [
                number
                for number in self._of_assessor[absence.assessor_id]
                if self.booked[number].start_time > now and london_day(self.booked[number].start_time) <= absence.last
            ]
            displaced.sort(key=lambda number: (self.booked[number].start_time, number))
            self._policy.displaced(self, displaced, now=now)

        return happen

    def _give(self, number: int, slot: Slot | None, now: datetime) -> None:
        claimant = self.claimants[number]
        if slot is None:
            self.outcomes.setdefault(number, Outcome(claimant=claimant, slot=None))
            return
        self._diaries.take(slot)
        self.booked[number] = slot
        self._of_assessor[slot.assessor_id].add(number)
        if slot.start_time > claimant.due and number not in self.outcomes:
            self._late.add(number)
        if claimant.cancels is not None and number not in self.outcomes:
            self._at(now + claimant.cancels * (slot.start_time - now), self._cancels(number, slot))
        self._at(slot.start_time, self._begins(number, slot))

    def _leave(self, number: int) -> Slot:
        slot = self.booked.pop(number)
        self._of_assessor[slot.assessor_id].discard(number)
        self._late.discard(number)
        return slot

    def _free(self, slot: Slot, now: datetime) -> None:
        self._diaries.release(slot)
        if self._diaries.is_free(slot):
            self._policy.freed(self, slot, now=now)

    def _cancels(self, number: int, slot: Slot) -> Callable[[datetime], None]:
        def happen(now: datetime) -> None:
            if self.booked.get(number) == slot and slot.start_time > now:
                self._free(self._leave(number), now)

        return happen

    def _begins(self, number: int, slot: Slot) -> Callable[[datetime], None]:
        def happen(now: datetime) -> None:
            if self.booked.get(number) != slot:
                return
            self._leave(number)
            claimant = self.claimants[number]
            if number in self.outcomes:
                return
            distance = next(km for km, code in claimant.near if code == slot.office_code)
            self.outcomes[number] = Outcome(
                claimant=claimant, slot=slot, distance_km=distance, moves=self._moves[number]
            )
            if claimant.stays_away:
                again = replace(claimant, missed=now)
                self._at(moment(london_day(now) + timedelta(days=1), CALLS_AGAIN), self._calls(again))

        return happen
