"""Claims that an officer sent to another authority than their address gives."""

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.database import Connection
from la_notifier.domain.reviews import Redirect

REDIRECT_OF_CLAIM = """
    -- Where an officer sent a claim.
    SELECT authority_code, claim_version FROM redirects WHERE claim_ref = %s
"""

SAVE_REDIRECT = """
    -- Sends a claim to an authority, in place of an earlier redirect.
    INSERT INTO redirects (claim_ref, authority_code, claim_version, reason, redirected_by, redirected)
    VALUES (%(claim_ref)s, %(authority_code)s, %(claim_version)s, %(reason)s, %(redirected_by)s, %(redirected)s)
    ON CONFLICT (claim_ref) DO UPDATE SET authority_code = excluded.authority_code, claim_version = excluded.claim_version,
        reason = excluded.reason, redirected_by = excluded.redirected_by, redirected = excluded.redirected
"""

LEFT_BEHIND = """
    -- Claims of which something is open at authorities that are no more. One that was referred waits for an officer.
    SELECT DISTINCT notices.claim_ref FROM notices JOIN notice_versions AS version USING (notice_id)
    WHERE notices.authority_code = ANY(%(codes)s)
        AND (version.state IN ('WAITING', 'SENT', 'RECEIVED') OR (version.state = 'REFUSED' AND NOT version.followed))
        AND NOT EXISTS (SELECT 1 FROM not_told WHERE not_told.claim_ref = notices.claim_ref)
        AND NOT EXISTS (SELECT 1 FROM looks WHERE looks.claim_ref = notices.claim_ref)
    LIMIT %(limit)s
"""


def redirect_of(conn: Connection, claim_ref: str) -> Redirect | None:
    """The redirection of a claim by an officer; None where nobody redirected it."""
    row = conn.execute(REDIRECT_OF_CLAIM, [claim_ref]).fetchone()
    return Redirect(**row) if row else None


def save_redirect(conn: Connection, redirect: Mapping[str, Any]) -> None:
    """Sends a claim to an authority, with the columns of SAVE_REDIRECT."""
    conn.execute(SAVE_REDIRECT, redirect)


def left_behind(conn: Connection, codes: Sequence[str], *, limit: int) -> Sequence[str]:
    """Claims, at most so many, of which something is open at these authorities."""
    rows = conn.execute(LEFT_BEHIND, {"codes": list(codes), "limit": limit})
    return [row["claim_ref"] for row in rows]
