"""The versions that a person sent again, with the reason."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from la_notifier.domain.notices import Resend

SAVE_RESENDS = """
    -- Keeps who sends these versions again, and why.
    INSERT INTO resends (notice_id, version, reason, resent_by, resend_time)
    SELECT notice_id, version, %(reason)s, %(resent_by)s, %(resend_time)s
    FROM unnest(%(notice_ids)s::uuid[], %(versions)s::integer[]) AS again (notice_id, version)
"""

RESENDS_OF_CLAIM = """
    -- What was sent again of a claim, the first resending first.
    SELECT notice_id, version, reason, resent_by, resend_time FROM resends JOIN notices USING (notice_id)
    WHERE claim_ref = %s ORDER BY resend_time, notice_id
"""


def save_resends(
    conn: Connection, found: Sequence[tuple[UUID, int]], *, reason: str, resent_by: str, resend_time: datetime
) -> None:
    """Keeps that these versions, by notice and number, are sent again."""
    values = {
        "notice_ids": [notice_id for notice_id, _ in found],
        "versions": [version for _, version in found],
        "reason": reason,
        "resent_by": resent_by,
        "resend_time": resend_time,
    }
    conn.execute(SAVE_RESENDS, values)


def resends_of(conn: Connection, claim_ref: str) -> list[Resend]:
    """The resendings of a claim's notices, the first one first."""
    return [Resend(**row) for row in conn.execute(RESENDS_OF_CLAIM, [claim_ref])]
