"""The claimants whom an office cannot see in time: a queue, whose demand is known as a distribution. Pure.

The calls of a day are counted as made at two moments, half of them at each. Every claimant takes the earliest slot that is
free; slots stand between the moments, and each moment has its own target. The state is the number of claimants who have
taken slots that are free now. Its distribution is carried from moment to moment exactly: no sample is drawn.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected
from scheduling.domain.working_time import LONDON, TARGET, london_day, target_due, working_days

MOMENTS = (time(11), time(15, 30))
"""The times at which the calls of a day count as made, in London, half of them at each."""
LIKELY = 0.5
"""A breach is expected on a day when it is at least this probable that one of its claimants cannot be seen in time."""
_RARE = 1e-7
"""States that are rarer than this are left out."""

Masses = list[float]
"""The probability of each number of claimants, from none on."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Calls that are made at a time: the demand, the slots to reach before the target, those until the next moment.

    `spare`: free slots of others, by the target, that nobody else is expected to take.
    """

    at: datetime
    due: datetime
    demand: Expected
    reachable: int
    until_next: int
    spare: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Results for a moment: claimants seen elsewhere, those not seen in time, and the own slots that pass unused.

    All are expected numbers; `certainty` is the probability that all its claimants are seen in time, and those of the
    day's moments before.
    """

    at: datetime
    elsewhere: float
    breaches: float
    unused: float
    certainty: float

    @property
    def overflow(self) -> float:
        """The claimants whom the office itself cannot see in time."""
        return self.elsewhere + self.breaches


def moments(
    days: Sequence[date],
    demand: Mapping[date, Expected],
    free: Sequence[datetime],
    *,
    nation: Nation,
    now: datetime,
    target: timedelta = TARGET,
) -> list[Moment]:
    """The moments of these working days that are still to come; `free` are the starts of free slots, in order."""
    times = [at for day in days for at in _moments_of(day) if at > now]
    ends = (
        [*times[1:], _moments_of(working_days(days[-1] + timedelta(days=1), nation, number=1)[0])[0]] if times else []
    )
    return [
        _moment(at, until, demand[london_day(at)].half(), free, due=target_due(at, nation, target=target))
        for at, until in zip(times, ends, strict=True)
    ]


def run(line: Sequence[Moment]) -> list[Outcome]:
    """The outcome of each moment, of which the first begins with nobody waiting."""
    return list(_outcomes(line))


def late(line: Iterable[Moment]) -> float:
    """The expected number of claimants of these moments who are not seen in time: as `run`, for less."""
    waiting: Masses = [1.0]
    found = 0.0
    for moment in line:
        calls = moment.demand.probabilities()
        found += _overflow(waiting, calls, moment)[1]
        waiting = _serve(_after(waiting, calls, moment), moment.until_next)
    return found


def by_day(outcomes: Sequence[Outcome]) -> dict[date, Outcome]:
    """The outcomes of each day together, dated at its last moment."""
    found: dict[date, Outcome] = {}
    for outcome in outcomes:
        day = london_day(outcome.at)
        found[day] = _together(found[day], outcome) if day in found else outcome
    return found


def _outcomes(line: Sequence[Moment]) -> Iterator[Outcome]:
    waiting: Masses = [1.0]
    in_time: Masses = waiting
    day: date | None = None
    for moment in line:
        if london_day(moment.at) != day:
            day, in_time = london_day(moment.at), waiting
        calls = moment.demand.probabilities()
        elsewhere, missed = _overflow(waiting, calls, moment)
        waiting = _after(waiting, calls, moment)
        in_time = _after(in_time, calls, moment, only_in_time=True)
        yield Outcome(
            at=moment.at,
            elsewhere=elsewhere,
            breaches=missed,
            unused=sum((moment.until_next - number) * mass for number, mass in enumerate(waiting[: moment.until_next])),
            certainty=sum(in_time),
        )
        waiting, in_time = _serve(waiting, moment.until_next), _serve(in_time, moment.until_next)


def _overflow(waiting: Masses, calls: Masses, moment: Moment) -> tuple[float, float]:
    """The expected number of calls that are seen elsewhere, and that of those who are late."""
    beyond = _beyond(calls)
    last = len(beyond) - 1
    elsewhere = missed = 0.0
    for number, mass in enumerate(waiting):
        room = max(0, moment.reachable - number)
        over, left = beyond[min(room, last)], beyond[min(room + moment.spare, last)]
        elsewhere += mass * (over - left)
        missed += mass * left
    return elsewhere, missed


def _beyond(calls: Masses) -> list[float]:
    """The expected number of calls beyond each number, from none on."""
    more = list(accumulate(reversed(calls)))[::-1]
    return [*list(accumulate(reversed(more[1:])))[::-1], 0.0]


def _after(waiting: Masses, calls: Masses, moment: Moment, *, only_in_time: bool = False) -> Masses:
    """The state after the calls, or the part of it in which none of them is late.

    Who is late takes the earliest slot of the office all the same.
    """
    after = [0.0] * (len(waiting) + len(calls))
    for number, mass in enumerate(waiting):
        if mass < _RARE:
            continue
        room = max(0, moment.reachable - number)
        beyond = room + moment.spare + 1
        seen = [*calls[:room], sum(calls[room:beyond])]
        taken = seen if only_in_time else seen + calls[beyond:]
        end = number + len(taken)
        after[number:end] = [before + mass * chance for before, chance in zip(after[number:end], taken, strict=True)]
    return after


def _serve(after: Masses, slots: int) -> Masses:
    """The state when so many slots have passed."""
    return [sum(after[: slots + 1]), *after[slots + 1 :]]


def _together(before: Outcome, after: Outcome) -> Outcome:
    return Outcome(
        at=after.at,
        elsewhere=before.elsewhere + after.elsewhere,
        breaches=before.breaches + after.breaches,
        unused=before.unused + after.unused,
        certainty=after.certainty,
    )


def _moments_of(day: date) -> list[datetime]:
    return [datetime.combine(day, at, tzinfo=LONDON).astimezone(UTC) for at in MOMENTS]


def _moment(at: datetime, until: datetime, demand: Expected, free: Sequence[datetime], *, due: datetime) -> Moment:
    passed = bisect_right(free, at)
    return Moment(
        at=at,
        due=due,
        demand=demand,
        reachable=bisect_right(free, due) - passed,
        until_next=bisect_right(free, until) - passed,
    )
