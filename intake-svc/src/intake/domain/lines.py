"""The counts of the telephone switch, and the operators that they call for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.errors import Text
from intake.domain import problems
from intake.domain.erlang import operators_needed

QUARTER = timedelta(minutes=15)
MOST_OFFERED = 20_000
"""In a quarter of an hour. The worst that the country ever had would have been 8,300 by phone."""
LONGEST_PERIOD = timedelta(days=7)
MEASURED = timedelta(days=7)
"""The present handling time is that of calls which ended within this time."""
FIXED_SCRIPT_SECONDS = 3600
"""The fixed script was planned for 20 minutes and took up to an hour."""


@dataclass(frozen=True, kw_only=True)
class LineCounts:
    """Calls of the quarter of an hour that began at `start`."""

    start: datetime
    offered: int
    answered: int
    abandoned: int
    answered_within_target: int

    def problems(self, *, now: datetime) -> Iterator[tuple[str, Text]]:
        """Returns the counts that cannot be, by field."""
        if self.start.timestamp() % QUARTER.total_seconds():
            yield "start", problems.NOT_A_QUARTER
        elif self.start + QUARTER > now:
            yield "start", problems.NOT_OVER
        for field in ("offered", "answered", "abandoned", "answered_within_target"):
            if not 0 <= getattr(self, field) <= MOST_OFFERED:
                yield field, problems.NOT_A_COUNT.of(most=MOST_OFFERED)
        if self.answered + self.abandoned > self.offered:
            yield "offered", problems.TOO_FEW_OFFERED
        if self.answered_within_target > self.answered:
            yield "answered_within_target", problems.MORE_THAN_ANSWERED


@dataclass(frozen=True, kw_only=True)
class HandlingTime:
    """How long a call keeps an operator on average, in seconds; zeros where no call was measured."""

    calls: int
    talk: float
    hold: float
    wrap_up: float

    @property
    def seconds(self) -> float:
        """Talk, hold and wrap-up together."""
        return self.talk + self.hold + self.wrap_up


@dataclass(frozen=True, kw_only=True)
class ServiceTarget:
    """The share of calls that are to be answered within a time."""

    share: float
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Staffing:
    """A quarter of an hour with the operators that it needs; `needed` is None while no handling time is known."""

    counts: LineCounts
    needed: int | None
    needed_by_fixed_script: int


def staffing(counts: LineCounts, handling: HandlingTime, target: ServiceTarget) -> Staffing:
    """The operators that a quarter of an hour needs for the target."""

    def needed(seconds: float) -> int:
        return operators_needed(
            calls=counts.offered,
            in_seconds=int(QUARTER.total_seconds()),
            handling_seconds=seconds,
            share=target.share,
            within_seconds=target.seconds,
        )

    return Staffing(
        counts=counts,
        needed=needed(handling.seconds) if handling.calls else None,
        needed_by_fixed_script=needed(FIXED_SCRIPT_SECONDS),
    )
