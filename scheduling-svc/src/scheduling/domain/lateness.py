"""The slots for a claimant for whom the target cannot be kept: times that others do not need to be seen in time. Pure.

A slot soon after the target of one claimant is within the target of those who call next. Where there are fewer slots than
callers, taking it makes the next one late, who makes the next one late: in the end everybody waits just too long. So such a
claimant is put behind the time that the next callers need. All of them together wait as long as before: the slots are the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from chassis.bank_holidays import Nation
from scheduling.domain.demand import Expected
from scheduling.domain.working_time import ONE_DAY, london_day, target_due, working_days

DEFERRED = 2
"""A late claimant is seen so many targets after their own, or as soon after that as there is a slot."""
LATEST = 4
"""Nobody is put back further: where nothing is free until so many targets after their own, they are seen as soon as can be."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Starts of slots: after a moment, and until another one where that is given; `is_deferred`: sooner ones are left out."""

    after: datetime
    until: datetime | None = None
    is_deferred: bool = False

    @property
    def first(self) -> datetime:
        """The first moment in it."""
        return self.after + timedelta.resolution


@dataclass(frozen=True, kw_only=True)
class NextCallers:
    """Those who call within a target after a claimant: the span in which their targets end, the working days of their calls."""

    span: Span
    days: tuple[date, ...]

    def need(self, free: int, demand: Iterable[Expected]) -> bool:
        """Whether they are expected to take all of so many free slots of the span; `demand` has each of the days."""
        return free <= sum(one.mean for one in demand)


def next_callers(due: datetime, nation: Nation, *, now: datetime, target: timedelta) -> NextCallers:
    """The callers after one whose interview is due at this moment at an office of the nation."""
    days = working_days(london_day(now) + ONE_DAY, nation, number=ceil(target / ONE_DAY))
    after = max(due, now)
    return NextCallers(span=Span(after=after, until=target_due(after, nation, target=target)), days=tuple(days))


def later(due: datetime, nation: Nation, *, target: timedelta, is_deferred: bool) -> tuple[Span, ...]:
    """The times after the target in the order in which they are tried; soonest first within each."""
    if not is_deferred:
        return (Span(after=due),)
    deferred, latest = (target_due(due, nation, target=number * target) for number in (DEFERRED, LATEST))
    return Span(after=deferred, until=latest, is_deferred=True), Span(after=due, until=deferred), Span(after=latest)
