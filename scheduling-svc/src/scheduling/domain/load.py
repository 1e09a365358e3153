"""The load of offices: capacity, booked and expected demand by day, and the claimants who will not be seen in time. Pure.

A desk is an office and a channel. Whom a desk cannot see in time goes to the same channel of the offices within reach, as a
booking of the earliest slot does, as far as those have slots that nobody there is expected to take.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import prod

from chassis.bank_holidays import Nation
from scheduling.domain import breaches
from scheduling.domain.breaches import LIKELY, Moment, Outcome
from scheduling.domain.demand import Expected
from scheduling.domain.offices import Channel
from scheduling.domain.working_time import TARGET, london_day

_NOT_WORTH_A_SLOT = 0.001
"""An expected overflow below this looks for no slot elsewhere."""


@dataclass(frozen=True, kw_only=True, order=True)
class DeskKey:
    """An office and a channel."""

    office_code: str
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The slots of a desk and the demand to come to it, by day.

    `capacity` and `booked` count slots. `free` are the starts of the slots that can be booked, in order, those after the last
    day too, which its calls can still take. `demand` has each working day of the desk's nation.
    """

    key: DeskKey
    nation: Nation
    capacity: Mapping[date, int]
    booked: Mapping[date, int]
    free: Sequence[datetime]
    demand: Mapping[date, Expected]

    def line(self, *, now: datetime, target: timedelta) -> list[Moment]:
        """The moments of its days."""
        days = sorted(self.demand)
        return breaches.moments(days, self.demand, self.free, nation=self.nation, now=now, target=target)


@dataclass(frozen=True, kw_only=True)
class DayLoad:
    """A desk's day: slots, and expected numbers of claimants who call on that day.

    `free` are the slots that can be booked.

    `elsewhere` are those whom only another office within reach can see in time, `late` those whom nobody can.
    """

    day: date
    capacity: int
    booked: int
    demand: float
    free: int = 0
    elsewhere: float = 0.0
    late: float = 0.0
    certainty: float = 1.0

    @property
    def breach_probability(self) -> float:
        """The probability that one claimant at least cannot be seen in time."""
        return 1.0 - self.certainty

    @property
    def breach_expected(self) -> bool:
        """Whether that is likely."""
        return self.breach_probability >= LIKELY


def together(days: Sequence[DayLoad]) -> DayLoad:
    """The load of several desks on one day: one of them at least. Their claimants do not depend on each other."""
    return DayLoad(
        day=days[0].day,
        capacity=sum(one.capacity for one in days),
        booked=sum(one.booked for one in days),
        demand=sum(one.demand for one in days),
        free=sum(one.free for one in days),
        elsewhere=sum(one.elsewhere for one in days),
        late=sum(one.late for one in days),
        certainty=prod(one.certainty for one in days),
    )


Lines = Mapping[DeskKey, Sequence[Moment]]
Outcomes = dict[DeskKey, list[Outcome]]


@dataclass(frozen=True, kw_only=True)
class Load:
    """The moments of every desk with what others can spare, and their outcomes."""

    desks: Mapping[DeskKey, Desk]
    lines: Lines
    outcomes: Outcomes

    def days(self, key: DeskKey) -> list[DayLoad]:
        """The load of a desk on each day that has a slot or a demand, in order."""
        desk, outcomes = self.desks[key], breaches.by_day(self.outcomes[key])
        days, free = sorted({*desk.capacity, *desk.demand}), Counter(map(london_day, desk.free))
        return [replace(_day_load(desk, day, outcomes.get(day)), free=free[day]) for day in days]


def load_of(
    desks: Iterable[Desk], near: Mapping[str, Sequence[str]], *, now: datetime, target: timedelta = TARGET
) -> Load:
    """The load of these desks. `near` has for each office those within reach, nearest first, itself left out."""
    by_key = {desk.key: desk for desk in desks}
    lines = {key: desk.line(now=now, target=target) for key, desk in by_key.items()}
    alone = {key: breaches.run(line) for key, line in lines.items()}
    shared = with_spare(lines, alone, near)
    outcomes = {key: alone[key] if shared[key] is lines[key] else breaches.run(shared[key]) for key in lines}
    return Load(desks=by_key, lines=shared, outcomes=outcomes)


def with_spare(lines: Lines, outcomes: Outcomes, near: Mapping[str, Sequence[str]]) -> dict[DeskKey, Sequence[Moment]]:
    """The moments with the slots that others can spare them; a desk without overflow keeps its own list.

    Who calls first is served first. A slot that a desk is expected to take is spared to no other.
    """
    unused = {key: {one.at: one.unused for one in of_desk} for key, of_desk in outcomes.items()}
    found = dict(lines)
    for key, index in _overflows(outcomes):
        moment = found[key][index]
        others = [unused[other] for other in _neighbours(key, near) if other in unused]
        cells = [(cell, at) for cell in others for at in cell if moment.at <= at < moment.due]
        spare = int(sum(cell[at] for cell, at in cells))
        if spare:
            found[key] = [*found[key][:index], replace(moment, spare=spare), *found[key][index + 1 :]]
            _take(cells, outcomes[key][index].overflow)
    return found


def _overflows(outcomes: Outcomes) -> list[tuple[DeskKey, int]]:
    """The desk and the place of each moment with an overflow, in the order in which the calls are made."""
    over = [
        (outcome.at, key, index)
        for key, of_desk in outcomes.items()
        for index, outcome in enumerate(of_desk)
        if outcome.overflow >= _NOT_WORTH_A_SLOT
    ]
    return [(key, index) for _, key, index in sorted(over)]


def _take(cells: Sequence[tuple[dict[datetime, float], datetime]], number: float) -> None:
    for cell, at in cells:
        taken = min(number, cell[at])
        cell[at] -= taken
        number -= taken


def _neighbours(key: DeskKey, near: Mapping[str, Sequence[str]]) -> list[DeskKey]:
    return [DeskKey(office_code=code, channel=key.channel) for code in near.get(key.office_code, ())]


def _day_load(desk: Desk, day: date, outcome: Outcome | None) -> DayLoad:
    demand = desk.demand.get(day)
    found = DayLoad(
        day=day,
        capacity=desk.capacity.get(day, 0),
        booked=desk.booked.get(day, 0),
        demand=demand.mean if demand else 0.0,
    )
    if outcome is None:
        return found
    return replace(found, elsewhere=outcome.elsewhere, late=outcome.breaches, certainty=outcome.certainty)
