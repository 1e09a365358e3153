"""Queries of `la_notifier.deadlines`. Each gives `reference`, the claim, and `since`, the moment from which it is counted."""

from typing import LiteralString

# The claim is looked up row by row. A join could make PostgreSQL read every notice there ever was, because it cannot know how
# few versions are open.
_VERSION: LiteralString = """
    SELECT (SELECT claim_ref FROM notices WHERE notices.notice_id = version.notice_id) AS reference,
        version.authority AS authority_code, version.notice_id, version.version, version.late_states
"""

REVIEW_DUE = "SELECT claim_ref AS reference, min(occurred_time) AS since FROM heard_events GROUP BY claim_ref"

RECEIVED: LiteralString = f"{_VERSION}, sent AS since FROM notice_versions AS version WHERE state = 'RECEIVED'"

REFUSED: LiteralString = f"""
    {_VERSION}, created AS since FROM notice_versions AS version WHERE state = 'REFUSED' AND NOT followed
"""

# The last release's code ends versions and does not know the column.
DISPUTED: LiteralString = f"""
    {_VERSION}, disputed AS since FROM notice_versions AS version
    WHERE disputed IS NOT NULL AND state IN ('WAITING', 'SENT', 'RECEIVED')
"""

AUTHORITY_AWAY = "SELECT authority_code AS reference, since FROM authority_rests"

WORK_ITEM = "SELECT claim_ref AS reference, deadline AS since FROM work_items WHERE state = 'OPEN'"

REFERRED = "SELECT claim_ref AS reference, since, authority_code FROM not_told"

FILE_BUILT = """
    SELECT 'HB.' || authority_code || '.' || lpad(sequence::text, 6, '0') AS reference, created AS since, authority_code
    FROM files WHERE state = 'BUILT'
"""

FILE_SENT = """
    SELECT 'HB.' || authority_code || '.' || lpad(sequence::text, 6, '0') AS reference, sent AS since, authority_code
    FROM files WHERE state = 'SENT'
"""

# A letter about a notice is late with its version.
LETTER_WAITING = """
    SELECT claim_ref AS reference, created AS since FROM letters WHERE state = 'WAITING' AND recipient = 'CLAIMANT'
"""


def waiting(channel: LiteralString) -> LiteralString:
    """The versions that wait to be sent on a channel, with `authority_code`."""
    return _versions(channel, "WAITING", "created")


def sent(channel: LiteralString) -> LiteralString:
    """The versions of a channel that were sent and not received yet, with `authority_code`."""
    return _versions(channel, "SENT", "sent")


def of_scotland(query: LiteralString) -> LiteralString:
    """Those of a query's rows whose authority is in Scotland."""
    return f"SELECT * FROM ({query}) AS found WHERE left(authority_code, 1) = 'S'"  # noqa: S608


def of_other_nations(query: LiteralString) -> LiteralString:
    """Those of a query's rows whose authority is not in Scotland."""
    return f"SELECT * FROM ({query}) AS found WHERE left(authority_code, 1) <> 'S'"  # noqa: S608


def _versions(channel: LiteralString, state: LiteralString, since: LiteralString) -> LiteralString:
    return f"""
        {_VERSION}, {since} AS since FROM notice_versions AS version
        WHERE state = '{state}' AND channel = '{channel}'
    """
