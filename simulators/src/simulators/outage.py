"""An outage: the whole system is away for a while, as on a day on which it stays down."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from simulators.failures import FailurePlan, FailureRule

Rule = TypeVar("Rule", bound=FailureRule)


class Outage(Generic[Rule]):
    """Whether the system is down. An outage ends with its time, or when its rule is removed from the plan."""

    def __init__(self, plan: FailurePlan[Rule], *, orders: Callable[[Rule], bool], time_scale: float = 1.0) -> None:
        self._plan = plan
        self._orders = orders
        self._time_scale = time_scale
        self._lock = threading.Lock()
        self._rule: Rule | None = None
        self._until = 0.0

    def begin(self, rule: Rule) -> None:
        """Go down for the rule's seconds, scaled."""
        with self._lock:
            self._rule, self._until = rule, time.monotonic() + rule.seconds * self._time_scale

    def starts(self) -> bool:
        """Whether the system is down, or goes down at this contact: by a rule that orders an outage."""
        if self.under_way():
            return True
        rule = self._plan.pick(self._orders)
        if rule is not None:
            self.begin(rule)
        return rule is not None

    def under_way(self) -> bool:
        """Whether the system is down."""
        with self._lock:
            rule, until = self._rule, self._until
        return rule is not None and time.monotonic() < until and self._plan.in_force(rule)
