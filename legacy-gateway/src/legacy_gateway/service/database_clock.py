"""Whether waits measured by the database's clock can be believed.

All replicas measure leases, and the wait after which an `N` is final, by the database's clock, because they share it.
If it were put forward, or the database moved to a server whose clock is ahead, waits would end early and a record that
is held could be sent again. So each process compares that clock with its own monotonic one, which nobody sets.
"""

import threading
import time
from datetime import datetime

from chassis.database import Connection
from legacy_gateway.store import leases

_JUMP_SECONDS = 0.1
"""More than two clocks drift apart between two readings, and far less than any wait that matters."""


class DatabaseClock:
    """The database's clock as this process has watched it. Threads share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead: tuple[float, float] | None = None
        self._since: datetime | None = None

    def steady_since(self, conn: Connection) -> datetime:
        """Since when, by the database's clock, it has run without a jump: the first reading, or the one after a jump."""
        before = time.monotonic()
        now = leases.database_time(conn)
        after = time.monotonic()
        with self._lock:
            return self._steady_since(now, before=before, after=after)

    def _steady_since(self, now: datetime, *, before: float, after: float) -> datetime:
        least, most = now.timestamp() - after, now.timestamp() - before
        jumped = self._ahead is None or least > self._ahead[1] + _JUMP_SECONDS or most < self._ahead[0] - _JUMP_SECONDS
        self._ahead = least, most
        if self._since is None or jumped:
            self._since = now
        return self._since
