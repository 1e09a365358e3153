"""Whether a system is sent anything: its breaker, the drain after an outage, and a hold that somebody ordered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis import backoff
from chassis.errors import FailedPrecondition
from legacy_gateway.domain.systems import System

OPENS_AFTER = 20
"""Attempts in a row without any readable reply. A system that answers with an error is sick, and not away."""
_FIRST_PROBE_SECONDS = 2.0
_LONGEST_PROBE_SECONDS = 60.0
FIRST_LET_GO = 3
DOUBLING_SECONDS = 2.0
DRAIN_SECONDS = 14.0
"""A drain lets three transfers go at once, and twice as many in all with every two seconds. After seven doublings that would be
133 in a second, more than any system takes: the drain is over."""


class Breaker(StrEnum):
    """Whether a system's breaker lets transfers through, by the contract's names."""

    CLOSED = "CLOSED"
    DRAINING = "DRAINING"
    OPEN = "OPEN"


class Condition(StrEnum):
    """How a system does, by the contract's names."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    HELD = "HELD"


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Somebody's order to send a system nothing. `until` is when it ends by itself. Times are the platform's."""

    reason: str
    since: datetime
    until: datetime | None
    held_by: str


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gate between the waiting transfers and a system."""

    breaker: Breaker
    unanswered: int
    hold: Hold | None

    @property
    def condition(self) -> Condition:
        """HELD where somebody said so, DOWN while the breaker is open, DEGRADED while the last attempts have no reply."""
        if self.hold is not None:
            return Condition.HELD
        if self.breaker is Breaker.OPEN:
            return Condition.DOWN
        if self.breaker is Breaker.DRAINING or self.unanswered:
            return Condition.DEGRADED
        return Condition.UP

    @property
    def is_shut(self) -> bool:
        """Whether nothing at all is to be sent."""
        return self.hold is not None or self.breaker is Breaker.OPEN


@dataclass(frozen=True, kw_only=True)
class SystemCounts:
    """The transfers of a system: those to be sent, being sent or unknown, and of this London day those with a final answer.

    `oldest` is when the oldest of those under way was made, on the platform's clock.
    """

    system: System
    waiting: int = 0
    oldest: datetime | None = None
    accepted: int = 0
    rejected: int = 0


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """A system as staff see it. `oldest_seconds` is the age of the oldest transfer under way."""

    counts: SystemCounts
    gate: Gate
    oldest_seconds: float


def probe_wait(probes: int, *, scale: float, spread: float) -> float:
    """Seconds until the next probe, after so many that had no reply. `spread` is the jitter, about 1."""
    wait = backoff.seconds(probes + 1, first=_FIRST_PROBE_SECONDS, longest=_LONGEST_PROBE_SECONDS, jitter=spread)
    return wait * scale


def check_until(until: datetime | None, *, now: datetime) -> None:
    """FailedPrecondition where a hold would have ended before it began."""
    if until is not None and until <= now:
        raise FailedPrecondition(
            "HOLD_IS_OVER",
            "until is not later than the platform's clock: the hold would end before it begins",
            metadata={"field": "until", "until": until.isoformat(), "now": now.isoformat()},
        )


class NotHeld(FailedPrecondition):
    """The system is not held."""

    def __init__(self, system: str) -> None:
        super().__init__("SYSTEM_NOT_HELD", f"{system} is not held", metadata={"system": system})


class NotFed(FailedPrecondition):
    """This release sends nothing to the system."""

    def __init__(self, system: str) -> None:
        super().__init__("SYSTEM_NOT_FED", f"nothing is sent to {system} yet", metadata={"system": system})
