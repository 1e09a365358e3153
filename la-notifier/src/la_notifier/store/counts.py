"""What is counted at each scrape: it reads what is open and little more."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Connection, Row

# Versions that are not at their end, and those that came to it since a time. The channel is looked up for each of them:
# a join may read all notices there ever were.
_COUNT_NOTICES = """
    SELECT (SELECT channel FROM notices WHERE notices.notice_id = found.notice_id), state, count(*) AS count
    FROM (
        SELECT notice_id, state FROM notice_versions
        WHERE state IN ('WAITING', 'SENT', 'RECEIVED') OR (state = 'REFUSED' AND NOT followed)
        UNION ALL
        SELECT notice_id, state FROM notice_versions WHERE state = 'LOADED' AND loaded > %(ended_since)s
        UNION ALL
        SELECT notice_id, state FROM notice_versions WHERE state = 'SUPERSEDED' AND superseded > %(ended_since)s
    ) AS found
    GROUP BY channel, state
"""
_COUNT_NOT_TOLD = "SELECT reason, count(*) AS count FROM not_told GROUP BY reason"
_COUNT_LOOKS = "SELECT count(*) AS count FROM looks"


def count_notices(conn: Connection, *, ended_since: datetime) -> Sequence[Row]:
    """How many versions there are by channel and state, of those loaded or superseded the ones since a time.

    A refused version that a later one followed is at its end as well, and not counted.
    """
    return conn.execute(_COUNT_NOTICES, {"ended_since": ended_since}).fetchall()


def count_not_told(conn: Connection) -> Sequence[Row]:
    """How many rows there are for a person, by reason."""
    return conn.execute(_COUNT_NOT_TOLD).fetchall()


def count_looks(conn: Connection) -> int:
    """How many claims wait to be looked at."""
    row = conn.execute(_COUNT_LOOKS).fetchone()
    return int(row["count"]) if row else 0
