"""The notices and referrals of a claim, as they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.database import Connection
from la_notifier.domain.date_of_claim import DateOfClaim
from la_notifier.domain.notices import NoticeSummary, Resend
from la_notifier.domain.reviews import Referral
from la_notifier.store import notices, referrals, resends


@dataclass(frozen=True, kw_only=True)
class NoticesOfClaim:
    """Every version of a claim's notices, without what they tell, its referrals, and what was sent again."""

    notices: Sequence[NoticeSummary]
    referrals: Sequence[Referral]
    dates_of_claim: Sequence[tuple[UUID, DateOfClaim]]
    resends: Sequence[Resend]


def notices_of_claim(conn: Connection, claim_ref: str) -> NoticesOfClaim:
    """The notices and referrals of a claim; empty where there are none."""
    return NoticesOfClaim(
        notices=notices.summaries_of(conn, claim_ref),
        referrals=referrals.referrals_of(conn, claim_ref),
        dates_of_claim=notices.dates_of_claim(conn, claim_ref),
        resends=resends.resends_of(conn, claim_ref),
    )
