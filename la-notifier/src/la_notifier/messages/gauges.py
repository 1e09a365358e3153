"""The state of the messages to claimants, read from the database at each scrape."""

from datetime import timedelta

from chassis import clock
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge
from la_notifier.messages.store.counts import count_messages

ENDED_FOR = timedelta(hours=1)
"""Messages that ended are counted for this long, so that a scrape does not read all history."""


def _messages(conn: Connection) -> Samples:
    now = clock.now()
    return [
        (labels, float(count)) for labels, count in count_messages(conn, now=now, ended_since=now - ENDED_FOR).items()
    ]


MESSAGE_GAUGES = (
    StateGauge(
        name="notifier_messages",
        help="Messages to claimants by medium and state, of those that ended the last hour's; up to 10,000 each.",
        labels=("medium", "state"),
        read=_messages,
    ),
)
