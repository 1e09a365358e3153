"""Since when waits measured by the database's clock can be trusted.

All replicas measure leases, and the wait after which an `N` is final, by the database's clock, because they share it.
If it were put forward, or the database moved to a server whose clock is ahead, waits would end early and a record that
is held could be sent again. So each process compares that clock with its machine's monotonic one, which nobody sets.
What it saw it keeps in the database: the monotonic clock goes on while the machine runs, so a process that starts goes
on from there, and a gateway that restarts often need not begin each wait anew.
"""

import threading
import time
from datetime import datetime

from chassis.database import Connection
from legacy_gateway.domain import ClockWatch
from legacy_gateway.store import clock_watches

_SAVE_SECONDS = 5.0


class DatabaseClock:
    """The database's clock as this machine has watched it. Threads share one."""

    def __init__(self, machine: str) -> None:
        """`machine` names the boot of this machine; with an empty name nothing is kept between processes."""
        self._machine = machine
        self._lock = threading.Lock()
        self._watch: ClockWatch | None = None
        self._save_at = 0.0

    def steady_since(self, conn: Connection) -> datetime:
        """Since when, by the database's clock, it is known to have run without a jump."""
        with self._lock:
            before = self._watch or self._seen_earlier(conn)
            asked = time.monotonic()
            now = clock_watches.database_time(conn)
            self._watch = ClockWatch.read(now, asked=asked, answered=time.monotonic(), before=before)
            if self._watch.steady_since == now or asked >= self._save_at:
                self._save(conn, self._watch)
            return self._watch.steady_since

    def _seen_earlier(self, conn: Connection) -> ClockWatch | None:
        return clock_watches.find(conn, self._machine) if self._machine else None

    def _save(self, conn: Connection, watch: ClockWatch) -> None:
        self._save_at = time.monotonic() + _SAVE_SECONDS
        if self._machine:
            clock_watches.save(conn, self._machine, watch)
