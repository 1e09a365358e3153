"""Counts for a scrape. Each stops at MOST_COUNTED, so that a scrape costs the same however much waits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chassis.database import Connection

MOST_COUNTED = 10_000

COUNT_OPEN = """
    -- How many versions are open, by channel and state.
    SELECT channel, state, (
        SELECT count(*) FROM (
            SELECT 1 FROM notice_versions AS version
            WHERE version.state = open.state AND version.channel = channels.channel
                AND (version.state IN ('WAITING', 'SENT', 'RECEIVED') OR (version.state = 'REFUSED' AND NOT version.followed))
            LIMIT %(most)s
        ) AS counted
    ) AS count
    FROM unnest(%(channels)s::text[]) AS channels (channel), unnest(%(states)s::text[]) AS open (state)
"""

COUNT_LOADED = """
    -- How many versions were loaded since a time, by channel.
    SELECT channel, count(*) AS count
    FROM (SELECT channel FROM notice_versions WHERE state = 'LOADED' AND loaded > %(since)s LIMIT %(most)s) AS counted
    GROUP BY channel
"""

COUNT_SUPERSEDED = """
    -- How many versions were superseded since a time, by channel.
    SELECT channel, count(*) AS count
    FROM (
        SELECT channel FROM notice_versions WHERE state = 'SUPERSEDED' AND superseded > %(since)s LIMIT %(most)s
    ) AS counted
    GROUP BY channel
"""

COUNT_REFERRALS = """
    -- How many matters there are for a processing officer, by reason.
    SELECT reason, (
        SELECT count(*) FROM (SELECT 1 FROM not_told WHERE not_told.reason = reasons.reason LIMIT %(most)s) AS counted
    ) AS count
    FROM unnest(%(reasons)s::text[]) AS reasons (reason)
"""

COUNT_REVIEWS = """
    -- How many claims are due for review.
    SELECT count(*) AS count FROM (SELECT 1 FROM looks LIMIT %(most)s) AS counted
"""

COUNT_FILES = """
    -- How many files are not acknowledged, by state.
    SELECT state, count(*) AS count
    FROM (SELECT state FROM files WHERE state <> 'ACKNOWLEDGED' LIMIT %(most)s) AS counted
    GROUP BY state
"""

COUNT_LETTERS = """
    -- How many letters wait to be printed, by recipient.
    SELECT recipient, (
        SELECT count(*) FROM (
            SELECT 1 FROM letters WHERE letters.recipient = recipients.recipient AND state = 'WAITING' LIMIT %(most)s
        ) AS counted
    ) AS count
    FROM unnest(%(recipients)s::text[]) AS recipients (recipient)
"""

COUNT_WORK_ITEMS = """
    -- How many work items are open, by kind.
    SELECT kind, count(*) AS count
    FROM (SELECT kind FROM work_items WHERE state = 'OPEN' LIMIT %(most)s) AS counted GROUP BY kind
"""

COUNT_RESTING = """
    -- How many authorities do not answer, by what is tried.
    SELECT act, count(*) AS count FROM authority_rests WHERE failures >= %(failures)s GROUP BY act
"""

_CHANNELS = ["API", "SFTP", "POST"]
_OPEN_STATES = ["WAITING", "SENT", "RECEIVED", "REFUSED"]


def count_notices(conn: Connection, *, ended_since: datetime) -> Mapping[tuple[str, str], int]:
    """The number of versions by channel and state; of those loaded or superseded, the ones since a time.

    A refused version that a later one followed has ended as well and is not counted.
    """
    asked = {"channels": _CHANNELS, "states": _OPEN_STATES, "since": ended_since, "most": MOST_COUNTED}
    counts = {(row["channel"], row["state"]): row["count"] for row in conn.execute(COUNT_OPEN, asked)}
    counts |= {(row["channel"], "LOADED"): row["count"] for row in conn.execute(COUNT_LOADED, asked)}
    counts |= {(row["channel"], "SUPERSEDED"): row["count"] for row in conn.execute(COUNT_SUPERSEDED, asked)}
    return {key: count for key, count in counts.items() if count}


def count_referrals(conn: Connection, reasons: Iterable[str]) -> Mapping[str, int]:
    """The number of referrals, by reason."""
    asked = {"reasons": list(reasons), "most": MOST_COUNTED}
    return {row["reason"]: row["count"] for row in conn.execute(COUNT_REFERRALS, asked) if row["count"]}


def count_reviews(conn: Connection) -> int:
    """The number of claims that are due for review."""
    rows: Sequence[Mapping[str, int]] = conn.execute(COUNT_REVIEWS, {"most": MOST_COUNTED}).fetchall()
    return rows[0]["count"]


def count_files(conn: Connection) -> Mapping[str, int]:
    """The number of files that are not acknowledged, by state."""
    return {row["state"]: row["count"] for row in conn.execute(COUNT_FILES, {"most": MOST_COUNTED})}


def count_letters(conn: Connection, recipients: Iterable[str]) -> Mapping[str, int]:
    """The number of letters that wait to be printed, by recipient."""
    asked = {"recipients": list(recipients), "most": MOST_COUNTED}
    return {row["recipient"]: row["count"] for row in conn.execute(COUNT_LETTERS, asked)}


def count_work_items(conn: Connection) -> Mapping[str, int]:
    """The number of open work items, by kind."""
    return {row["kind"]: row["count"] for row in conn.execute(COUNT_WORK_ITEMS, {"most": MOST_COUNTED})}


def count_resting(conn: Connection, *, failures: int) -> Mapping[str, int]:
    """The number of authorities that failed at least so often in a row, by what is tried: SEND or ASK."""
    return {row["act"]: row["count"] for row in conn.execute(COUNT_RESTING, {"failures": failures})}
