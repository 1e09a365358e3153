"""The record link: one record out, one reply back, over a TCP connection that carries many."""

from legacy_gateway.link.connection import LinkConnection, NothingSent, OutcomeUnknown
from legacy_gateway.link.dialogues import ENQUIRY_DIALOGUE, ListAway, ask, pages_of_day, withdraw
from legacy_gateway.link.frames import (
    LONGEST_FRAME,
    Completion,
    LinkMessage,
    Reply,
    read_reply,
    request_frame,
    sequence_after,
)
from legacy_gateway.link.line import Fault
from legacy_gateway.link.pool import MOST_CONNECTIONS, LinkPool

__all__ = [
    "ENQUIRY_DIALOGUE",
    "LONGEST_FRAME",
    "MOST_CONNECTIONS",
    "Completion",
    "Fault",
    "LinkConnection",
    "LinkMessage",
    "LinkPool",
    "ListAway",
    "NothingSent",
    "OutcomeUnknown",
    "Reply",
    "ask",
    "pages_of_day",
    "read_reply",
    "request_frame",
    "sequence_after",
    "withdraw",
]
