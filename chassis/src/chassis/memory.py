"""What a service has read and need not read again: versions of records, which never change once they are committed.

The truth stays in PostgreSQL. What is remembered tells nobody who may see it, and not which version stands: both are read
with each call. It is forgotten after a while, and all of it with every new connection to the server: after a failover a
version may be another than the one that was lost with the old server, and nobody sees the new server but by a connection
made since.
"""

import time
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

MOST = 128
LONGEST_SECONDS = 600.0
"""What is remembered may be what a claimant told us: it is kept no longer than a call takes, and not for many."""


class _Kept(NamedTuple):
    version: int
    value: Any
    since: float


class Memory:
    """The records that were remembered last, each at one version."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[str, _Kept] = OrderedDict()
        self.epoch = 0
        """How often everything was forgotten."""

    def recall(self, record: str, *, version: int) -> Any:
        """What is remembered of a record at a version; None where that is nothing."""
        kept = self._held.get(record)
        return kept.value if kept is not None and kept.version == version else None

    def remember(self, record: str, value: object, *, version: int, epoch: int) -> None:
        """Remembers what was learnt of a record in an epoch, unless all of that was forgotten since."""
        with self._lock:
            if epoch != self.epoch:
                return
            self._held[record] = _Kept(version, value, time.monotonic())
            self._held.move_to_end(record)
            if len(self._held) > MOST:
                self._held.popitem(last=False)

    def forget_all(self) -> None:
        """Forgets everything, also what somebody is about to remember."""
        with self._lock:
            self.epoch += 1
            self._held.clear()

    def forget_old(self) -> bool:
        """Forgets what was remembered too long ago; for a worker: gives False, for there is no more to do."""
        with self._lock:
            while self._held:
                record, kept = next(iter(self._held.items()))
                if time.monotonic() - kept.since < LONGEST_SECONDS:
                    break
                del self._held[record]
        return False
