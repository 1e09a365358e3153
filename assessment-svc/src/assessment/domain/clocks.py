"""The two clocks of a claim, and their targets by scheme. Days are London's, working days those of England and Wales.

A target is counted in whole working days after the day on which its clock began, to the end of the last of them; half a day
more ends at noon of the next one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from chassis.bank_holidays import Nation, is_bank_holiday

_LONDON = ZoneInfo("Europe/London")
_DAY = timedelta(days=1)
_SATURDAY = 5
_DAYS_KEPT = 4096
_MOST_COUNTED = 260
"""Working days after which a clock is not counted on: a year's."""


class Clock(StrEnum):
    """The moment from which a clock counts. Both clocks stop with the decision on the scheme."""

    FIRST_CONTACT = "FIRST_CONTACT"
    EVIDENCE_COMPLETE = "EVIDENCE_COMPLETE"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The working days that a scheme may take by a clock, for claims whose first contact was on `starts` or later."""

    scheme: str
    clock: Clock
    starts: date
    working_days: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A clock of a scheme: since when it runs, when it stopped, the working days so far, and when its target passes."""

    scheme: str
    clock: Clock
    since: datetime
    stopped: datetime | None
    working_days: int
    target_time: datetime | None


class Targets:
    """The dated targets."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets: dict[tuple[str, Clock], Sequence[Target]] = {}
        for target in sorted(targets, key=lambda one: one.starts):
            key = target.scheme, target.clock
            self._targets[key] = [*self._targets.get(key, ()), target]

    def of(self, scheme: str, clock: Clock, *, on: date) -> float | None:
        """The working days for claims of that day; of a day before all targets, the first one's. None: there is no target."""
        known = self._targets.get((scheme, clock), ())
        in_force = [target for target in known if target.starts <= on]
        chosen = in_force[-1:] or known[:1]
        return chosen[0].working_days if chosen else None

    def read(
        self,
        schemes: Iterable[str],
        *,
        first_contact: datetime | None,
        evidence_complete: datetime | None,
        decided: Mapping[str, datetime],
        now: datetime,
    ) -> list[Reading]:
        """The clocks of these schemes that have begun, by scheme. `decided`: when a scheme was decided."""
        if first_contact is None:
            return []
        begun = {Clock.FIRST_CONTACT: first_contact, Clock.EVIDENCE_COMPLETE: evidence_complete}
        return [
            self._reading(scheme, clock, since=since, claimed=first_contact, stopped=decided.get(scheme), now=now)
            for scheme in schemes
            for clock, since in begun.items()
            if since is not None
        ]

    def _reading(
        self, scheme: str, clock: Clock, *, since: datetime, claimed: datetime, stopped: datetime | None, now: datetime
    ) -> Reading:
        days = self.of(scheme, clock, on=_london_day(claimed))
        return Reading(
            scheme=scheme,
            clock=clock,
            since=since,
            stopped=stopped,
            working_days=working_days_between(_london_day(since), _london_day(stopped or now)),
            target_time=None if days is None else end_of(_london_day(since), days),
        )


@lru_cache(maxsize=_DAYS_KEPT)
def working_days_between(first: date, last: date) -> int:
    """The working days after the first day, up to the last one itself; 260 at most."""
    found, day = 0, first
    while day < last and found < _MOST_COUNTED:
        day += _DAY
        found += _works(day)
    return found


@lru_cache(maxsize=_DAYS_KEPT)
def end_of(first: date, working_days: float) -> datetime:
    """When so many working days after the first day are over: a midnight in London, or a noon for half a day."""
    whole, day = int(working_days), first
    for _ in range(whole):
        day = _next_working_day(day)
    if working_days == whole:
        return _at(day + _DAY, time())
    return _at(_next_working_day(day), time(12))


def _next_working_day(day: date) -> date:
    day += _DAY
    while not _works(day):
        day += _DAY
    return day


def _works(day: date) -> bool:
    return day.weekday() < _SATURDAY and not is_bank_holiday(day, Nation.ENGLAND)


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, tzinfo=_LONDON)


def _london_day(moment: datetime) -> date:
    return moment.astimezone(_LONDON).date()
