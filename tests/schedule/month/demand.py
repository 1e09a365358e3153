"""The demand that the platform measures while the month passes, by the service's own reckoning."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Common, Expected, History
from scheduling.domain.load import DeskKey
from scheduling.domain.working_time import ONE_DAY, london_day
from tests.schedule.month.world import Claimant


class MeasuredDemand:
    """Calls by desk and day; a day counts once it is over, and nothing is known before the first."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, datetime | None]] = set()
        self._counts: dict[DeskKey, Counter[date]] = defaultdict(Counter)
        self._nations: dict[DeskKey, Nation] = {}
        self._first: date | None = None
        self._learnt_for: date | None = None
        self._common: Common | None = None
        self._levels: dict[DeskKey, float] = {}

    def count(self, claimant: Claimant, *, now: datetime) -> None:
        """Counts a claimant on the day of the first call, and once more for a further interview after a missed one."""
        if (claimant.number, claimant.missed) not in self._seen:
            self._seen.add((claimant.number, claimant.missed))
            day = london_day(now)
            self._first = self._first or day
            self._counts[desk_of(claimant)][day] += 1
            self._nations[desk_of(claimant)] = claimant.office.nation

    def expected(self, desk: DeskKey, days: Sequence[date], *, now: datetime) -> list[Expected] | None:
        """The demand of a desk on these days, from what was counted until yesterday; None where nothing was."""
        self._learn(london_day(now))
        level = self._levels.get(desk)
        if self._common is None or level is None:
            return None
        learnt = self._common.learnt(weeks=0)
        return [learnt.expected(day, nation=self._nations[desk], level=level) for day in days]

    def _learn(self, today: date) -> None:
        if self._learnt_for == today or self._first is None or self._first == today:
            return
        self._learnt_for = today
        histories = {
            desk: History.of(
                {day: number for day, number in counts.items() if day < today},
                nation=self._nations[desk],
                first=self._first,
                last=today - ONE_DAY,
            )
            for desk, counts in self._counts.items()
        }
        self._common = Common.of(histories.values())
        self._levels = {desk: self._common.level(history) for desk, history in histories.items()}


def desk_of(claimant: Claimant) -> DeskKey:
    """The desk to which the claimant's demand counts: the nearest office, and the channel that is wanted."""
    return DeskKey(office_code=claimant.near[0][1], channel=claimant.wanted)
