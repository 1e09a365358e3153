"""The call that is being handled: its caller, method, purpose and deadline."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from google.protobuf.message import Message

from chassis.database import Database
from chassis.errors import DeadlineExceeded
from chassis.identity import Identity
from chassis.vault import Vault


@dataclass(kw_only=True)
class Call:
    """One call through either door. `deadline` is on time.monotonic()'s scale; `accesses` counts access log rows."""

    method: str
    response: type[Message]
    identity: Identity
    database: Database
    vault: Vault
    deadline: float
    purpose: str = ""
    claim_ref: str = ""
    accesses: int = 0

    def remaining_seconds(self) -> float:
        """Seconds until the deadline. Raises DeadlineExceeded if it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("DEADLINE", "the call's deadline has passed")
        return left


def within_deadline(seconds: float) -> float:
    """Returns `seconds`, or less if the current call ends sooner. Raises DeadlineExceeded if its deadline has passed."""
    present = _current.get(None)
    return seconds if present is None else min(seconds, present.remaining_seconds())


_current: ContextVar[Call] = ContextVar("call")


def current() -> Call:
    """Returns this thread's call. LookupError outside a call."""
    return _current.get()


@contextmanager
def entered(call: Call) -> Iterator[Call]:
    """Makes this the call of this thread."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
