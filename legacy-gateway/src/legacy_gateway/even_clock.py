"""Whether waits by the database's clock can be believed.

All replicas measure leases, and the wait after which an "N" is final, by the database's clock, because they share it.
Were it put forward, or the database moved to a server whose clock is ahead, waits would end early and a record that is
held could be sent again. So a process holds that clock against its own, which nobody sets.
"""

import threading
import time
from datetime import datetime

from chassis.database import Connection
from legacy_gateway.store import leases

_STEP_SECONDS = 0.1
"""More than clocks drift apart between two readings; far less than any wait that matters."""


class EvenClock:
    """The database's clock as this process has watched it. Shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead: tuple[float, float] | None = None
        self._since: datetime | None = None

    def read(self, conn: Connection) -> datetime:
        """Since when, by the database's clock, it is known to have run evenly: the first reading, or that after a step."""
        before = time.monotonic()
        now = leases.database_time(conn)
        after = time.monotonic()
        with self._lock:
            return self._even_since(now, before=before, after=after)

    def _even_since(self, now: datetime, *, before: float, after: float) -> datetime:
        least, most = now.timestamp() - after, now.timestamp() - before
        stepped = self._ahead is None or least > self._ahead[1] + _STEP_SECONDS or most < self._ahead[0] - _STEP_SECONDS
        self._ahead = least, most
        if self._since is None or stepped:
            self._since = now
        return self._since
