"""The messages of a claim, as they are shown."""

from collections.abc import Sequence

from chassis.database import Connection
from la_notifier.messages.domain.message import MessageSummary
from la_notifier.messages.store import messages

MOST_SHOWN = 200


def messages_of_claim(conn: Connection, claim_ref: str) -> Sequence[MessageSummary]:
    """The newest messages of a claim, without what they say; empty where there are none."""
    return messages.summaries_of(conn, claim_ref, most=MOST_SHOWN)
