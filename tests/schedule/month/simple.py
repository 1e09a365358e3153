"""Three simple policies, as offices had them: what the platform's search is measured against."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil

from scheduling.domain.slots import REACH_KM, Slot
from scheduling.domain.working_time import london_day
from tests.schedule.month.diaries import Diaries
from tests.schedule.month.passing import Month
from tests.schedule.month.world import Claimant, World

NOTICE = timedelta(hours=2)
"""Nobody comes sooner than this after being told of another time: by the platform's rule, and by these policies too."""


class OwnOffice:
    """First come, first served: the earliest slot of the claimant's own office."""

    name = "own office only, first come first served"

    def __init__(self, world: World, diaries: Diaries) -> None:
        self._diaries = diaries

    def choose(self, claimant: Claimant, *, since: datetime) -> Slot | None:
        """The slot that this claimant gets; None where none is free."""
        return self._earliest(claimant, claimant.near[0][1], since=since)

    def displaced(self, month: Month, numbers: Sequence[int], *, now: datetime) -> None:
        """Those whose assessor is away are booked again, one after the other."""
        for number in numbers:
            month.move(number, self.choose(month.claimants[number], since=now + NOTICE), now=now)

    def freed(self, month: Month, slot: Slot, *, now: datetime) -> None:
        """Nobody is told: who calls next may get it."""

    def _earliest(
        self, claimant: Claimant, office_code: str, *, since: datetime, until: datetime | None = None
    ) -> Slot | None:
        """The earliest slot of an office, in the channel that the claimant wants."""
        return next(self._diaries.free(office_code, claimant.wanted, since=since, until=until), None)


class OfficeAndNeighbours(OwnOffice):
    """The own office where it keeps the target, else the nearest office within 30 km that does, else the own office."""

    name = "own office and neighbours"

    def choose(self, claimant: Claimant, *, since: datetime) -> Slot | None:
        """The slot that this claimant gets; None where none is free."""
        for distance, code in claimant.near:
            if distance > REACH_KM and code != claimant.near[0][1]:
                break
            found = self._earliest(claimant, code, since=since, until=claimant.due)
            if found is not None:
                return found
        return super().choose(claimant, since=since)


class FixedSlots(OwnOffice):
    """The own office, which gives out the same number of appointments every day: its usual calls and a fifth more."""

    name = "fixed slots a day"

    def __init__(self, world: World, diaries: Diaries) -> None:
        super().__init__(world, diaries)
        self._number: Mapping[str, int] = {code: ceil(1.2 * calls) for code, calls in world.usual.items()}
        self._given: Counter[tuple[str, date]] = Counter()

    def choose(self, claimant: Claimant, *, since: datetime) -> Slot | None:
        """The slot that this claimant gets; None where none is free."""
        code = claimant.near[0][1]
        for slot in self._in_order(claimant, code, since):
            day = (code, london_day(slot.start_time))
            if self._given[day] < self._number[code]:
                self._given[day] += 1
                return slot
        return None

    def freed(self, month: Month, slot: Slot, *, now: datetime) -> None:
        """The day can give out one more."""
        self._given[slot.office_code, london_day(slot.start_time)] -= 1

    def _in_order(self, claimant: Claimant, code: str, since: datetime) -> Iterator[Slot]:
        """The earliest slot, and then that of each later day."""
        slot = self._earliest(claimant, code, since=since)
        while slot is not None:
            yield slot
            slot = self._earliest(claimant, code, since=_next_day(slot.start_time))


def _next_day(moment: datetime) -> datetime:
    return moment.replace(hour=23, minute=59)
