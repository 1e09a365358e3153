"""An outage: the whole system is away for a while, as on a day on which it stays down."""

import threading
import time

from simulators.failures import FailurePlan
from simulators.record_link.failures import RecordLinkFailure


class Outage:
    """Whether the system is down. An outage ends with its time, or when its rule is removed from the plan."""

    def __init__(self, plan: FailurePlan[RecordLinkFailure], *, time_scale: float) -> None:
        self._plan = plan
        self._time_scale = time_scale
        self._lock = threading.Lock()
        self._rule: RecordLinkFailure | None = None
        self._until = 0.0

    def begin(self, rule: RecordLinkFailure) -> None:
        """Go down for the rule's seconds, scaled."""
        with self._lock:
            self._rule, self._until = rule, time.monotonic() + rule.seconds * self._time_scale

    def starts(self) -> bool:
        """Whether the system is down, or goes down at this contact."""
        if self.under_way():
            return True
        rule = self._plan.pick(lambda rule: rule.failure == "down" and not rule.dialogue and not rule.claim_ref)
        if rule is not None:
            self.begin(rule)
        return rule is not None

    def under_way(self) -> bool:
        """Whether the system is down."""
        with self._lock:
            rule, until = self._rule, self._until
        return rule is not None and time.monotonic() < until and self._plan.in_force(rule)
