"""Whether the database's clock has jumped, by comparison with a clock that nobody sets."""

from dataclasses import dataclass
from datetime import datetime

JUMP_SECONDS = 0.1
"""More than two clocks drift apart between two readings, and far less than any wait that matters."""


@dataclass(frozen=True, kw_only=True)
class ClockWatch:
    """How far the database's clock is ahead of a machine's monotonic one, between two bounds in seconds.

    `steady_since`: since when, by the database's clock, it is known to have run without a jump.
    """

    ahead_least: float
    ahead_most: float
    steady_since: datetime

    @classmethod
    def read(cls, now: datetime, *, asked: float, answered: float, before: "ClockWatch | None") -> "ClockWatch":
        """A reading of the database's clock that was asked for and answered at these monotonic times, after `before`."""
        least, most = now.timestamp() - answered, now.timestamp() - asked
        steady = before is not None and before._agrees(least, most)
        return cls(ahead_least=least, ahead_most=most, steady_since=before.steady_since if before and steady else now)

    def _agrees(self, least: float, most: float) -> bool:
        return least <= self.ahead_most + JUMP_SECONDS and most >= self.ahead_least - JUMP_SECONDS
