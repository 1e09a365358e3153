"""W3C trace context, carried through calls and events, so that a log line leads to its cause."""

import random
import re
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_current: ContextVar[str] = ContextVar("traceparent", default="")


def new_traceparent() -> str:
    """The root of a new trace."""
    return f"00-{_hex(16)}-{_hex(8)}-01"


def _hex(size: int) -> str:
    return random.randbytes(size).hex()  # noqa: S311 - tells traces apart and keeps nothing safe


def child_of(traceparent: str | None) -> str:
    """A new span in the caller's trace; a new trace if the caller's header is absent or malformed."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match is None:
        return new_traceparent()
    return f"00-{match[1]}-{_hex(8)}-{match[2]}"


def current() -> str:
    """The current traceparent; empty outside calls and events."""
    return _current.get()


def enter(traceparent: str) -> None:
    """Sets this thread's traceparent."""
    _current.set(traceparent)


def trace_id() -> str:
    """The trace's id alone, for logs."""
    return current()[3:35]
