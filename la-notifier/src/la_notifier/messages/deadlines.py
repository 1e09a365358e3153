"""The deadline and owner of every open state of a message to a claimant."""

from datetime import timedelta
from typing import LiteralString

from chassis.deadlines import Deadline, within
from la_notifier.messages.store import overdue


def _within(state: str, owner: str, query: LiteralString, length: timedelta) -> Deadline:
    return Deadline(state=state, owner=owner, cut_off=within(length), query=query)


MESSAGE_DEADLINES = (
    _within("MESSAGE_DUE", "SUPPORT", overdue.TO_WRITE, timedelta(minutes=10)),
    _within("MESSAGE_WAITING", "SUPPORT", overdue.TO_SEND, timedelta(hours=1)),
    _within("MESSAGE_SENDING", "SUPPORT", overdue.UNKNOWN, timedelta(hours=1)),
    # Notify tries to deliver a text for three days.
    _within("MESSAGE_SENT", "SUPPORT", overdue.AT_NOTIFY, timedelta(days=4)),
    _within("MESSAGE_UNREACHABLE", "PROCESSING_OFFICER", overdue.UNREACHABLE, timedelta(hours=4)),
)
