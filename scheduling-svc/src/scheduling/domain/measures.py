"""The measures of an office: its last week of bookings, and the days ahead of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from scheduling.domain.load import DayLoad

DAYS_AHEAD = 5
"""Working days for which a likely breach is told: time enough to open slots."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """The measures of an office.

    Of the next five working days: its slots, those that are taken, the claimants who will not be seen in time, and the
    highest probability of such a one on a day. Of the interviews booked in the week that was counted last: the share within
    the target, and the mean lead times, elapsed and working, in seconds; None where none was booked.
    """

    office_code: str
    measured_time: datetime
    capacity: int
    booked: int
    expected_breaches: float
    breach_probability: float
    within_target_ratio: float | None = None
    elapsed_seconds: float | None = None
    working_seconds: float | None = None

    @classmethod
    def of(cls, office_code: str, ahead: Iterable[DayLoad], *, at: datetime) -> "Measures":
        """The measures of the days ahead."""
        days = list(ahead)
        return cls(
            office_code=office_code,
            measured_time=at,
            capacity=sum(day.capacity for day in days),
            booked=sum(day.booked for day in days),
            expected_breaches=sum(day.late for day in days),
            breach_probability=max((day.breach_probability for day in days), default=0.0),
        )

    @property
    def utilisation(self) -> float | None:
        """The share of its slots that are taken; None without slots."""
        return self.booked / self.capacity if self.capacity else None
