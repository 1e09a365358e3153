"""Requests that a door refuses before they become calls: every one is counted, and some are logged each second.

What becomes a call is counted and logged by the chain.
"""

import threading
import time
from typing import Any

from prometheus_client import Counter

from chassis import logs, metrics
from chassis.errors import CmsError

_REFUSALS = Counter(
    "chassis_refusals_total",
    "Requests that a door refused before they became calls, by reason.",
    ["door", "reason"],
    registry=metrics.REGISTRY,
)
_LINES_EACH_SECOND = 10


def note(error: CmsError, *, door: str) -> None:
    """Counts a refusal, and logs it with the present trace. `count` in a line says for how many it stands."""
    _REFUSALS.labels(door, error.reason).inc()
    log("request refused", door=door, code=error.code, reason=error.reason)


def log(event: str, **fields: Any) -> None:
    """Logs what anybody can bring about without a token: some lines each second, whose `count` says for how many they stand."""
    stands_for = _lines.take()
    if stands_for:
        logs.get().info(event, **fields, count=stands_for)


class _Lines:
    """Bounds the lines: an attack must not fill the disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._written = 0
        self._left_out = 0

    def take(self) -> int:
        """Returns for how many refusals a line may now be written; 0 if for none."""
        with self._lock:
            second = int(time.monotonic())
            if second != self._second:
                self._second, self._written = second, 0
            if self._written == _LINES_EACH_SECOND:
                self._left_out += 1
                return 0
            self._written += 1
            stands_for, self._left_out = self._left_out + 1, 0
            return stands_for


_lines = _Lines()
