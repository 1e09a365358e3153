"""What a service has saved and need not read again: versions of records, which never change once they are committed.

The truth stays in PostgreSQL. What is remembered tells nobody who may see it, and not which version stands: both are read
with each call. It is recalled for the server alone at which it was committed: after a failover to another a version may be
another than the one that was lost with the old server.
"""

import time
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

MOST = 128
LONGEST_SECONDS = 600.0
"""What is remembered may be what a claimant told us: it is kept for no longer than a while, and not of many."""


class _Kept(NamedTuple):
    server: str
    version: int
    value: Any
    until: float


class Memory:
    """The records that were remembered last, each at one version."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[str, _Kept] = OrderedDict()

    def recall(self, record: str, *, version: int, server: str) -> Any:
        """What is remembered of a record, at a version that was committed at this server; None where that is nothing."""
        kept = self._held.get(record)
        if kept is None or (kept.version, kept.server) != (version, server) or kept.until <= time.monotonic():
            return None
        return kept.value

    def remember(self, record: str, value: object, *, version: int, server: str) -> None:
        """Remembers what was committed of a record, in place of what was remembered of it before."""
        with self._lock:
            self._held[record] = _Kept(server, version, value, time.monotonic() + LONGEST_SECONDS)
            self._held.move_to_end(record)
            if len(self._held) > MOST:
                self._held.popitem(last=False)

    def forget_old(self) -> bool:
        """Forgets what was remembered too long ago; for a worker: gives False, for there is no more to do."""
        with self._lock:
            while self._held and next(iter(self._held.values())).until <= time.monotonic():
                self._held.popitem(last=False)
        return False
