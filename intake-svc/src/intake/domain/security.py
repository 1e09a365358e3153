"""Failures at security questions: how long the next try waits, and when only a manager can open it again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.errors import FailedPrecondition, PermissionDenied, ResourceExhausted

FIRST_WAIT = timedelta(minutes=1)
"""After the first failure that is not free; it doubles with each further one."""
DAY = timedelta(hours=24)


class Kind(StrEnum):
    """The side by which failures count."""

    CLAIM = "CLAIM"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """`free` failures have no wait; the failure that is number `most` locks. They are forgotten after `kept`, if at all."""

    free: int
    most: int
    kept: timedelta | None = None


ALLOWANCES = {
    # A call has three tries: two calls whose callers mix up their dates, and no more until somebody has looked.
    Kind.CLAIM: Allowance(free=2, most=6),
    # An operator hears wrong answers of many callers in a day; each such call is one or two failures, seldom three.
    Kind.OPERATOR: Allowance(free=8, most=15, kept=DAY),
}


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The failures about one claim since it was last passed, or of one operator in a day. Times are real time."""

    kind: Kind
    name: str
    """The claim's reference, or the operator."""
    failures: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None
    locked_time: datetime | None = None
    version: int = 1

    def expect_open(self, *, now: datetime) -> None:
        """Raises PermissionDenied (`SECURITY_LOCKED`), and ResourceExhausted (`SECURITY_WAIT`) which says until when."""
        if self.locked_time:
            raise PermissionDenied(
                "SECURITY_LOCKED",
                "too many wrong answers to security questions: a service manager has to lift the lock",
                metadata={"kind": self.kind},
            )
        again = self.open_again
        if again and now < again:
            raise ResourceExhausted(
                "SECURITY_WAIT",
                "wrong answers to security questions: the next try has to wait",
                metadata={"kind": self.kind, "retry_time": again.isoformat(timespec="seconds")},
            )

    @property
    def open_again(self) -> datetime | None:
        """The time from which another try is taken; None for at once."""
        counted = self.failures - ALLOWANCES[self.kind].free
        if counted <= 0 or self.last_time is None:
            return None
        return self.last_time + FIRST_WAIT * (1 << (counted - 1))

    def after(self, *, passed: bool, now: datetime) -> "Failures":
        """The failures after a try. A claim's are over once it is passed; an operator's are not, who could pass their own."""
        if not passed:
            return self._failed(now)
        return self if self.kind is Kind.OPERATOR else self._none()

    def lifted(self, *, by: str) -> "Failures":
        """The failures once the lock is lifted.

        Raises FailedPrecondition where there is none, PermissionDenied for one's own.
        """
        if self.locked_time is None:
            raise FailedPrecondition("NOT_LOCKED", "there is no lock to lift")
        if self.kind is Kind.OPERATOR and self.name == by:
            raise PermissionDenied("OWN_LOCK", "somebody else has to lift a manager's own lock")
        return replace(self._none(), version=self.version + 1)

    def _failed(self, now: datetime) -> "Failures":
        allowance = ALLOWANCES[self.kind]
        over = allowance.kept and self.first_time and now - self.first_time > allowance.kept
        failures = 1 if over else self.failures + 1
        return replace(
            self,
            failures=failures,
            first_time=now if over or self.first_time is None else self.first_time,
            last_time=now,
            locked_time=now if failures >= allowance.most else None,
        )

    def _none(self) -> "Failures":
        return replace(self, failures=0, first_time=None, last_time=None, locked_time=None)
