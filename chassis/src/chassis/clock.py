"""The platform's clock: real time plus an offset that tests and demonstrations set.

Everything of the domain is dated by `now()`. Leases, back-off, tokens and time-outs use real time instead.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class _Offset:
    """The number of seconds in the offset file, read again whenever the file changes."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._seconds = 0.0

    def seconds(self) -> float:
        if self.file is None:
            return 0.0
        try:
            status = os.stat(self.file)  # noqa: PTH116 - called for every time that is written
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._seconds = float(self.file.read_text() or 0)
                self._stamp = stamp
        except FileNotFoundError:
            self._stamp, self._seconds = None, 0.0
        return self._seconds


_offset = _Offset()
_steady: ContextVar[float | None] = ContextVar("steady_offset", default=None)


def configure(offset_file: Path | None) -> None:
    """Names the file that holds the offset in seconds; without one the clock is the real one."""
    _offset.file = offset_file
    _offset._stamp = None
    _offset._seconds = 0.0


@contextmanager
def steady() -> Iterator[None]:
    """Keeps the offset fixed for this thread within the block, so that the file is read once."""
    token = _steady.set(_offset.seconds())
    try:
        yield
    finally:
        _steady.reset(token)


def offset() -> timedelta:
    """How far the platform's clock is ahead of the real one."""
    held = _steady.get()
    return timedelta(seconds=_offset.seconds() if held is None else held)


def now() -> datetime:
    """The platform's time, UTC with its time zone."""
    return datetime.now(UTC) + offset()


def as_shown(real: datetime | None) -> datetime | None:
    """A moment of real time, when a lease or a wait ends, as people see it: on the platform's clock."""
    return real + offset() if real else None


def today() -> date:
    """The platform's day in Europe/London."""
    return now().astimezone(LONDON).date()


def advance(by: timedelta) -> timedelta:
    """Moves the clock for all readers of the file; returns the whole offset. ValueError without a file."""
    if _offset.file is None:
        raise ValueError("no offset file is set: the clock cannot be moved")
    total = offset() + by
    scratch = _offset.file.with_suffix(".new")
    scratch.write_text(str(total.total_seconds()))
    scratch.replace(_offset.file)
    return total
