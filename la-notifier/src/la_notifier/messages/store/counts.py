"""Counts of messages for a scrape. Each stops at MOST_COUNTED, so that a scrape costs the same however much waits."""

from collections.abc import Mapping
from datetime import datetime

from chassis.database import Connection

MOST_COUNTED = 10_000

COUNT_TO_WRITE = """
    -- How many messages are due to be written, or reach nobody.
    SELECT '' AS medium, state, count(*) AS count FROM (
        SELECT state FROM messages WHERE state IN ('DUE', 'UNREACHABLE') AND due_time <= %(now)s LIMIT %(most)s
    ) AS counted
    GROUP BY state
"""

COUNT_TO_SEND = """
    -- How many messages wait to be sent, by medium.
    SELECT medium, 'WAITING' AS state, count(*) AS count
    FROM (SELECT medium FROM messages WHERE state = 'WAITING' LIMIT %(most)s) AS counted
    GROUP BY medium
"""

COUNT_AT_NOTIFY = """
    -- How many messages Notify has or may have, by medium.
    SELECT medium, state, count(*) AS count
    FROM (SELECT medium, state FROM messages WHERE state IN ('SENDING', 'SENT') LIMIT %(most)s) AS counted
    GROUP BY medium, state
"""

COUNT_ENDED = """
    -- How many messages ended since a time, by medium and state.
    SELECT coalesce(medium, '') AS medium, state, count(*) AS count
    FROM (SELECT medium, state FROM messages WHERE ended > %(since)s LIMIT %(most)s) AS counted
    GROUP BY 1, state
"""


def count_messages(conn: Connection, *, now: datetime, ended_since: datetime) -> Mapping[tuple[str, str], int]:
    """The number of messages by medium and state; of those that ended, the ones since a time. DUE has no medium."""
    asked = {"now": now, "since": ended_since, "most": MOST_COUNTED}
    queries = (COUNT_TO_WRITE, COUNT_TO_SEND, COUNT_AT_NOTIFY, COUNT_ENDED)
    rows = [row for query in queries for row in conn.execute(query, asked)]
    return {(row["medium"], row["state"]): row["count"] for row in rows}
