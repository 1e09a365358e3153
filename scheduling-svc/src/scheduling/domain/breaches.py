"""The claimants whom an office cannot see in time: a queue, whose demand is known as a distribution. Pure.

The calls of a day are counted as made at two moments, half of them at each. Every claimant takes the earliest slot that is
free; slots stand between the moments, and each moment has its own target. The state is the number of claimants who have
taken slots that are free now. Its distribution is carried from moment to moment exactly: no sample is drawn.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import mul

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected
from scheduling.domain.working_time import LONDON, TARGET, target_due, working_days

MOMENTS = (time(11), time(15, 30))
"""The times at which the calls of a day count as made, in London, half of them at each."""
LIKELY = 0.5
"""A breach is expected on a day when it is at least this probable that one of its claimants cannot be seen in time."""
_RARE = 1e-7
"""States that are rarer than this are left out."""
_KEPT = 1024
"""Distributions of calls that are kept: the same ones come again for each remedy that is tried."""

Masses = Sequence[float]
"""The probability of each number of claimants, from none on."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Calls that are made at a time: the demand, the slots to reach before the target, those until the next moment.

    `day` is that of London, `until` the time of the next moment. `spare`: free slots of others, by the target, that nobody
    else is expected to take.
    """

    day: date
    at: datetime
    due: datetime
    until: datetime
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

    day: date
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
    return [
        _moment(one, demand[one.day].half(), free) for one in _times(tuple(days), nation=nation, now=now, target=target)
    ]


def changed(
    line: Iterable[Moment], *, opened: Iterable[datetime] = (), closed: Iterable[datetime] = ()
) -> Iterator[Moment]:
    """The moments with more free slots, and without some that they have: the starts of both."""
    more, fewer = sorted(opened), sorted(closed)

    def change(since: datetime, until: datetime) -> int:
        return (bisect_right(more, until) - bisect_right(more, since)) - (
            bisect_right(fewer, until) - bisect_right(fewer, since)
        )

    for one in line:
        yield replace(
            one,
            reachable=one.reachable + change(one.at, one.due),
            until_next=one.until_next + change(one.at, one.until),
        )


def run(line: Sequence[Moment]) -> list[Outcome]:
    """The outcome of each moment, of which the first begins with nobody waiting."""
    return list(_outcomes(line))


def late(line: Iterable[Moment]) -> float:
    """The expected number of claimants of these moments who are not seen in time: as `run`, for less."""
    moments_until = list(line)
    waiting: Masses = [1.0]
    found = 0.0
    for moment, most in zip(moments_until, _most_that_matter(moments_until), strict=True):
        calls = _calls(moment.demand)
        found += _expected_beyond(waiting, calls, moment.reachable, spare=moment.spare)
        waiting = _serve(_after(waiting, calls, moment, most), moment.until_next)
    return found


def by_day(outcomes: Sequence[Outcome]) -> dict[date, Outcome]:
    """The outcomes of each day together, dated at its last moment."""
    found: dict[date, Outcome] = {}
    for outcome in outcomes:
        found[outcome.day] = _together(found[outcome.day], outcome) if outcome.day in found else outcome
    return found


@dataclass(frozen=True, kw_only=True)
class _Calls:
    """The calls of a moment: the probability of each number, and the expected number beyond each number."""

    chances: Masses
    beyond: Sequence[float]


@lru_cache(maxsize=_KEPT)
def _calls(demand: Expected) -> _Calls:
    chances = demand.probabilities()
    more = list(accumulate(reversed(chances)))[::-1]
    return _Calls(chances=chances, beyond=[*list(accumulate(reversed(more[1:])))[::-1], 0.0])


def _outcomes(line: Sequence[Moment]) -> Iterator[Outcome]:
    waiting: Masses = [1.0]
    in_time: Masses = waiting
    day: date | None = None
    for moment, most in zip(line, _most_that_matter(line), strict=True):
        if moment.day != day:
            day, in_time = moment.day, waiting
        calls = _calls(moment.demand)
        overflow = _expected_beyond(waiting, calls, moment.reachable)
        missed = _expected_beyond(waiting, calls, moment.reachable, spare=moment.spare)
        waiting, in_time = _after(waiting, calls, moment, most), _in_time_after(in_time, calls, moment)
        yield Outcome(
            day=moment.day,
            at=moment.at,
            elsewhere=overflow - missed,
            breaches=missed,
            unused=sum((moment.until_next - number) * mass for number, mass in enumerate(waiting[: moment.until_next])),
            certainty=sum(in_time),
        )
        waiting, in_time = _serve(waiting, moment.until_next), _serve(in_time, moment.until_next)


def _most_that_matter(line: Sequence[Moment]) -> list[int]:
    """For each moment the number of waiting claimants beyond which one more changes nothing at it or later.

    They hold every slot that a later caller could reach.
    """
    found: list[int] = []
    for moment in reversed(line):
        later = moment.until_next + found[-1] if found else moment.until_next
        found.append(max(moment.reachable, later))
    return found[::-1]


def _expected_beyond(waiting: Masses, calls: _Calls, reachable: int, *, spare: int = 0) -> float:
    """The expected number of calls beyond the slots that are left to them, and `spare` others."""
    top = min(reachable, len(waiting) - 1)
    # Those who wait for fewer slots than there are, the most first: each leaves one slot fewer to the calls.
    with_room: float = sum(map(mul, waiting[top::-1], calls.beyond[reachable - top + spare :]))
    without = calls.beyond[spare] if spare < len(calls.beyond) else 0.0
    return with_room + sum(waiting[reachable + 1 :]) * without


def _after(waiting: Masses, calls: _Calls, moment: Moment, most: int) -> Masses:
    """The state after the calls. Who is late takes the earliest slot of the office all the same."""
    full, spare = moment.reachable, moment.spare
    if not spare:
        return _at_most(_sums(waiting, calls.chances), most)
    after = _sums(waiting[: full + 1], calls.chances)
    # From there on so many calls are seen elsewhere, and add nobody to those who wait.
    after = [*after[:full], sum(after[full : full + spare + 1]), *after[full + spare + 1 :]]
    if len(waiting) > full + 1:
        own = [sum(calls.chances[: spare + 1]), *calls.chances[spare + 1 :]]
        others = [0.0] * (full + 1) + _sums(waiting[full + 1 :], own)
        short, long = sorted((after, others), key=len)
        after = [one + other for one, other in zip(short, long, strict=False)] + long[len(short) :]
    return _at_most(after, most)


def _in_time_after(waiting: Masses, calls: _Calls, moment: Moment) -> Masses:
    """The part of the state after the calls in which none of them is late."""
    full, spare = moment.reachable, moment.spare
    after = _sums(waiting[: full + 1], calls.chances)
    in_time = [*after[:full], sum(after[full : full + spare + 1])] if len(after) > full else after
    # Where nobody of those who wait leaves room, only others can see the calls.
    none_late = sum(calls.chances[: spare + 1])
    return [*in_time, *(mass * none_late for mass in waiting[full + 1 :])]


def _sums(one: Masses, other: Masses) -> list[float]:
    """The distribution of the sum of two numbers."""
    short, long = sorted((one, other), key=len)
    found = [0.0] * (len(short) + len(long) - 1)
    for number, mass in enumerate(short):
        if mass > 0.0:
            end = number + len(long)
            found[number:end] = [before + mass * chance for before, chance in zip(found[number:end], long, strict=True)]
    return found


def _at_most(state: list[float], most: int) -> Masses:
    """The state with all beyond a number counted as that number, and without rare states at its end."""
    if len(state) > most + 1:
        state[most:] = [sum(state[most:])]
    while len(state) > 1 and state[-1] < _RARE:
        state.pop()
    return state


def _serve(after: Masses, slots: int) -> Masses:
    """The state when so many slots have passed."""
    return [sum(after[: slots + 1]), *after[slots + 1 :]]


def _together(before: Outcome, after: Outcome) -> Outcome:
    return Outcome(
        day=after.day,
        at=after.at,
        elsewhere=before.elsewhere + after.elsewhere,
        breaches=before.breaches + after.breaches,
        unused=before.unused + after.unused,
        certainty=after.certainty,
    )


@dataclass(frozen=True, kw_only=True)
class _Time:
    """A moment's times: its day in London, until when its calls must be seen, and when the next moment is."""

    day: date
    at: datetime
    due: datetime
    until: datetime


@lru_cache(maxsize=16)
def _times(days: Sequence[date], *, nation: Nation, now: datetime, target: timedelta) -> Sequence[_Time]:
    """The times of the moments that are still to come: the same for every office of a nation."""
    if not days:
        return ()
    after = working_days(days[-1] + timedelta(days=1), nation, number=1)[0]
    every = [(day, at) for day in (*days, after) for at in _moments_of(day)]
    return tuple(
        _Time(day=day, at=at, due=target_due(at, nation, target=target), until=until)
        for (day, at), (_, until) in pairwise(every[: 1 + len(days) * len(MOMENTS)])
        if at > now
    )


def _moments_of(day: date) -> list[datetime]:
    return [datetime.combine(day, at, tzinfo=LONDON).astimezone(UTC) for at in MOMENTS]


def _moment(one: _Time, demand: Expected, free: Sequence[datetime]) -> Moment:
    passed = bisect_right(free, one.at)
    return Moment(
        day=one.day,
        at=one.at,
        due=one.due,
        until=one.until,
        demand=demand,
        reachable=bisect_right(free, one.due) - passed,
        until_next=bisect_right(free, one.until) - passed,
    )
