"""The ledger: append-only JSON lines, each on disk before anybody is told of it.

Whoever finds lines waiting writes and flushes them all: one flush serves every thread that waits (group commit).
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simulators.errors import LedgerError


class Ledger:
    """One file, one process. Entries are numbered from 1 in `sequence`; a torn last line was never told and is cut.

    Raises LedgerError when another process has the file, when an earlier line cannot be read, and for ever after a
    failed write: what memory holds is then ahead of the disk, so nothing may be acknowledged.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("ab")
        try:
            self._take()
            self._enqueued = self._durable = _repair(path)
        except BaseException:
            self._file.close()
            raise
        _flush_folder(path.parent)
        self._condition = threading.Condition()
        self._pending: list[bytes] = []
        self._flushing = False
        self._broken = False

    @property
    def next_sequence(self) -> int:
        """The number that the next entry gets. The caller serialises its own reading and appending."""
        return self._enqueued + 1

    @property
    def broken(self) -> bool:
        """Whether a write has failed."""
        return self._broken

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry on disk, oldest first."""
        with self._path.open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Put an entry in the queue; it is on disk only when `settle` has returned."""
        with self._condition:
            self._refuse_when_broken()
            self._enqueued += 1
            line = json.dumps({"sequence": self._enqueued, **entry}, separators=(",", ":"))
            self._pending.append(line.encode() + b"\n")

    def settle(self) -> None:
        """Return when everything appended until now is on disk."""
        with self._condition:
            target = self._enqueued
            while self._durable < target:
                self._refuse_when_broken()
                if self._flushing:
                    self._condition.wait()
                else:
                    self._flush_pending()

    def close(self) -> None:
        """Write what waits and let go of the file."""
        try:
            if not self._broken:
                self.settle()
        finally:
            with self._condition:
                self._broken = True
                self._file.close()

    def _take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerError("another process has this ledger open") from error

    def _refuse_when_broken(self) -> None:
        if self._broken:
            raise LedgerError("the ledger can no longer be written")

    def _flush_pending(self) -> None:
        """Called with the lock, which is let go while the disk works."""
        batch, self._pending = self._pending, []
        reached = self._enqueued
        self._flushing = True
        self._condition.release()
        written = False
        try:
            self._file.write(b"".join(batch))
            self._file.flush()
            os.fsync(self._file.fileno())
            written = True
        except OSError as error:
            raise LedgerError("the ledger could not be written") from error
        finally:
            self._condition.acquire()
            self._flushing = False
            self._broken = self._broken or not written
            self._durable = reached if written else self._durable
            self._condition.notify_all()


def _repair(path: Path) -> int:
    """Cut a torn last line and count the entries."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    for number, line in enumerate(content[:whole].splitlines(), start=1):
        try:
            sequence = json.loads(line)["sequence"]
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(f"line {number} of the ledger cannot be read") from error
        if sequence != number:
            raise LedgerError(f"line {number} of the ledger is out of sequence")
    return content[:whole].count(b"\n")


def _flush_folder(folder: Path) -> None:
    """A new file is there after a crash only when its folder was flushed too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
