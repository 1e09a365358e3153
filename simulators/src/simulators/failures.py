"""Failures that can be switched on while a stand-in runs: by rate and seed, by target, and by count."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class FailureRule(BaseModel):
    """One failure as it was ordered: it fires at `rate` of what it applies to, `count` times at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure: str
    rate: float = Field(default=1.0, gt=0, le=1)
    seed: int = 0
    count: int | None = Field(default=None, ge=1)
    claim_ref: str | None = None
    seconds: float = Field(default=1.0, ge=0, le=86_400)
    """How long, for the failures that take time."""
    retry_after: int = Field(default=1, ge=0, le=86_400)
    """Seconds, for the failures that say when to come again."""

    def chance(self) -> float:
        """How likely it is to fire on what it applies to."""
        return self.rate


Rule = TypeVar("Rule", bound=FailureRule)


class _Armed(Generic[Rule]):
    """A rule with its own random numbers and how often it has fired."""

    def __init__(self, number: int, rule: Rule) -> None:
        self.number = number
        self.rule = rule
        self.fired = 0
        self._random = random.Random(rule.seed)

    @property
    def remaining(self) -> int | None:
        return None if self.rule.count is None else self.rule.count - self.fired

    def fires(self) -> bool:
        if self.remaining == 0 or self._random.random() >= self.rule.chance():
            return False
        self.fired += 1
        return True


class FailurePlan(Generic[Rule]):
    """The failures in force. The first that applies and fires is the one that happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed[Rule]] = []
        self._counts: Counter[str] = Counter()
        self._attempts = self._failed = 0
        self._numbers = 0

    def add(self, rules: Sequence[Rule]) -> None:
        """Put these behind those in force."""
        with self._lock:
            self._arm(rules)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Put these in the place of those in force; what has fired stays counted."""
        with self._lock:
            self._armed = []
            self._arm(rules)

    def pick(self, applies: Callable[[Rule], bool]) -> Rule | None:
        """The failure that is to happen now, if any."""
        with self._lock:
            for armed in self._armed:
                if applies(armed.rule) and armed.fires():
                    self._counts[armed.rule.failure] += 1
                    return armed.rule
        return None

    def in_force(self, rule: Rule) -> bool:
        """Whether this very rule has not been removed."""
        with self._lock:
            return any(armed.rule is rule for armed in self._armed)

    def listing(self) -> list[dict[str, Any]]:
        """The rules in force, each with its number, how often it fired, and how often it still may."""
        with self._lock:
            return [
                {
                    "id": armed.number,
                    **armed.rule.model_dump(exclude_none=True),
                    "fired": armed.fired,
                    "remaining": armed.remaining,
                }
                for armed in self._armed
            ]

    def counts(self) -> dict[str, int]:
        """How often each failure has happened since the start."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def attempted(self, *, failed: bool) -> None:
        """Count an attempt of somebody to have a record held."""
        with self._lock:
            self._attempts += 1
            self._failed += failed

    def attempts(self) -> dict[str, int]:
        """How many attempts there were since the start, and how many of them failed."""
        with self._lock:
            return {"attempts": self._attempts, "failed": self._failed}

    def _arm(self, rules: Sequence[Rule]) -> None:
        for rule in rules:
            self._numbers += 1
            self._armed.append(_Armed(self._numbers, rule))
