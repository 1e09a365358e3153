"""Referrals to a processing officer.

The table keeps the name `not_told`: the last release's code must run on the new schema.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from chassis.database import Connection, Row
from la_notifier.domain.reviews import Referral, ReferralReason

DROP_REFERRALS = """
    -- Ends the referrals of a claim but for those that still hold, which keep their age.
    DELETE FROM not_told WHERE claim_ref = %s AND NOT (authority_code || ' ' || reason = ANY(%s))
"""

ADD_REFERRAL = """
    -- A further referral of a claim.
    INSERT INTO not_told (claim_ref, authority_code, reason, since, intention_on) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""

REFERRALS_OF_CLAIM = """
    -- The referrals of a claim.
    SELECT authority_code, reason, since FROM not_told WHERE claim_ref = %s ORDER BY authority_code
"""


def save_referrals(
    conn: Connection,
    claim_ref: str,
    *,
    reasons: Iterable[tuple[str, ReferralReason]],
    now: datetime,
    intention_on: date | None,
) -> None:
    """Makes these, each with its authority's code or "", all the referrals of a claim."""
    wanted = list(reasons)
    conn.execute(DROP_REFERRALS, [claim_ref, [f"{code} {reason}" for code, reason in wanted]])
    for code, reason in wanted:
        conn.execute(ADD_REFERRAL, [claim_ref, code, reason, now, intention_on])


def referrals_of(conn: Connection, claim_ref: str) -> Sequence[Referral]:
    """The referrals of a claim, by authority."""
    return [_referral_of(row) for row in conn.execute(REFERRALS_OF_CLAIM, [claim_ref])]


def _referral_of(row: Row) -> Referral:
    return Referral(**row | {"reason": ReferralReason(row["reason"])})
