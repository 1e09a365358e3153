"""The call that is being handled: who makes it, by which method, for what purpose, until when."""

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
        """Seconds until the deadline. Raises DeadlineExceeded when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("DEADLINE", "the call's deadline has passed")
        return left


def within_deadline(seconds: float) -> float:
    """`seconds`, or what is left of the present call where that is less. Raises DeadlineExceeded where nothing is."""
    present = _current.get(None)
    return seconds if present is None else min(seconds, present.remaining_seconds())


_current: ContextVar[Call] = ContextVar("call")


def current() -> Call:
    """The call of this thread. LookupError outside of a call."""
    return _current.get()


@contextmanager
def entered(call: Call) -> Iterator[Call]:
    """Makes this the call of this thread."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
