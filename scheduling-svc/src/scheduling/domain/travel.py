"""The way to a home visit: how long it takes, and how far an office goes.

A visit has the way before it and the way back after it in the diary, both from the office. So between two visits there is
time for the way by the office, and the straight way from one claimant to the other is never longer. Where claimants live need
not be kept for that.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from chassis.errors import FailedPrecondition, InvalidArgument, Violation

NO_TRAVEL = timedelta()
_ROUNDED_TO = 5
"""Minutes to which a way is rounded up."""


class OutOfReach(FailedPrecondition):
    """No office visits a claimant who lives there, or not the office of the slot."""

    def __init__(self) -> None:
        violation = Violation(field="postcode", description="is too far away from the office for a home visit")
        super().__init__(
            "OUT_OF_REACH",
            "the claimant lives too far away for a home visit: offer an interview by telephone or at the office",
            violations=[violation],
        )


class PostcodeNeeded(InvalidArgument):
    """A home visit is booked, and nobody said where the claimant lives."""

    FAULT = Violation(field="postcode", description="is required for a home visit")

    def __init__(self) -> None:
        super().__init__("INVALID_FIELDS", "invalid: postcode", violations=[self.FAULT])


@dataclass(frozen=True, kw_only=True)
class Travel:
    """How assessors of an office travel. The figures are assumptions (data/travel.csv).

    `detour` is the length of the way by road over that of the straight line. `arrival_minutes` are for parking and finding
    the door. A way of more than `longest_minutes` is not made.
    """

    kilometres_per_hour: float = 35.0
    detour: float = 1.3
    arrival_minutes: int = 5
    longest_minutes: int = 45

    def time(self, distance_km: float) -> timedelta:
        """The time of a way, of kilometres as the crow flies; rounded up to five minutes."""
        minutes = self.arrival_minutes + 60 * distance_km * self.detour / self.kilometres_per_hour
        return timedelta(minutes=_ROUNDED_TO * ceil(minutes / _ROUNDED_TO))

    def is_within_reach(self, time: timedelta) -> bool:
        """Whether a way that takes so long is made."""
        return time <= timedelta(minutes=self.longest_minutes)


USUAL_TRAVEL = Travel()
