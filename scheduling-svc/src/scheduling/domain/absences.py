"""Times in which no interview is held: an assessor is away, or an office is closed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from chassis.errors import FailedPrecondition, InvalidArgument, Violation
from scheduling.domain.diary import Stretch

LONGEST = timedelta(days=366)
"""An absence or a closure ends within a year of now."""


class NotAbsent(FailedPrecondition):
    """The assessor is not absent then or later."""

    def __init__(self) -> None:
        super().__init__("NOT_ABSENT", "no absence of the assessor ends after that time")


class NotClosed(FailedPrecondition):
    """The office is not closed then or later."""

    def __init__(self) -> None:
        super().__init__("NOT_CLOSED", "no closure of the office ends after that time")


@dataclass(frozen=True, kw_only=True)
class Away(Stretch):
    """An absence of the assessor, or a closure of the office, that `of` names. `recorded_by` is a member of staff."""

    identity: UUID
    of: str
    recorded_by: str
    recorded_time: datetime

    @classmethod
    def recorded(
        cls, *, identity: UUID, of: str, start_time: datetime, end_time: datetime, recorded_by: str, now: datetime
    ) -> Self:
        """One that is recorded now. Raises InvalidArgument, naming the fields `from` and `until`."""
        faults = list(_faults(start_time, end_time, now))
        if faults:
            raise InvalidArgument.of(*faults)
        return cls(
            identity=identity,
            of=of,
            start_time=start_time,
            end_time=end_time,
            recorded_by=recorded_by,
            recorded_time=now,
        )

    def ended(self, at: datetime) -> Self | None:
        """It ends at this time instead; None where it had not begun by then, and does not take place."""
        return replace(self, end_time=at) if self.start_time < at else None


def unbroken(away: Iterable[Away], moment: datetime, *, or_next: bool) -> list[Away]:
    """The unbroken time away in which the moment lies; with `or_next`, where it lies in none, the next after it.

    `away` end after the moment, in the order of their starts. What is planned for later, after some work, stays.
    """
    found = list[Away]()
    until = datetime.max.replace(tzinfo=UTC) if or_next else moment
    for one in away:
        if one.start_time > until:
            break
        until = max(one.end_time, until) if found else one.end_time
        found.append(one)
    return found


def _faults(start_time: datetime, end_time: datetime, now: datetime) -> Iterator[Violation]:
    if start_time < now - LONGEST:
        yield Violation(field="from", description="is more than a year ago")
    if end_time <= start_time:
        yield Violation(field="until", description="is not after from")
    elif end_time <= now:
        yield Violation(field="until", description="is past")
    elif end_time > now + LONGEST:
        yield Violation(field="until", description="is more than a year ahead")
