"""Notices that went to the wrong authority: one that an officer redirects, and those of authorities that were merged away.

What follows from either is a review: docs/adr/0058.
"""

from dataclasses import dataclass
from uuid import UUID

from chassis import clock
from chassis.authorities import Authority, AuthorityTable
from chassis.database import Connection, Database
from chassis.errors import FailedPrecondition, NotFound
from la_notifier.clients import Claims
from la_notifier.domain.facts import sought
from la_notifier.domain.notices import NoticeKind
from la_notifier.domain.reviews import RedirectReason
from la_notifier.service.authorities import authority_in_force
from la_notifier.store import notices, redirects, reviews

_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class WrongNotice:
    """A notice that an officer sends elsewhere, and its claim as intake has it now."""

    notice_id: UUID
    claim_ref: str
    claim_version: int
    is_sought: bool


def wrong_notice(database: Database, claims: Claims, notice_id: UUID) -> WrongNotice:
    """The notice with what intake says of its claim. Raises NotFound (`NOTICE_UNKNOWN`), or CmsError of intake."""
    with database.transaction() as conn:
        found = notices.notice(conn, notice_id)
    if found is None:
        raise NotFound("NOTICE_UNKNOWN", "there is no such notice")
    facts = claims.facts(found["claim_ref"])
    return WrongNotice(
        notice_id=notice_id,
        claim_ref=found["claim_ref"],
        claim_version=facts.version,
        is_sought=sought(facts) is not None,
    )


def redirect(
    conn: Connection, wrong: WrongNotice, authority_code: str, *, reason: RedirectReason, redirected_by: str
) -> Authority:
    """Sends the claim to this authority, until its address changes, and makes it due for review.

    Raises AuthorityUnknown, AuthorityAbolished or OutsideGreatBritain for an authority that cannot be told, and
    FailedPrecondition where nothing is sought any more, the notice is withdrawn, or it is that authority's already.
    """
    authority = authority_in_force(authority_code)
    found = notices.notice(conn, wrong.notice_id)
    if found is None or found["kind"] == NoticeKind.WITHDRAWN or not wrong.is_sought:
        raise FailedPrecondition("NOTICE_WITHDRAWN", "the notice is withdrawn: there is nothing to send elsewhere")
    if found["authority_code"] == authority.code:
        raise FailedPrecondition("SAME_AUTHORITY", f"the notice is for {authority.name} already")
    columns = {
        "claim_ref": wrong.claim_ref,
        "authority_code": authority.code,
        "claim_version": wrong.claim_version,
        "reason": reason,
        "redirected_by": redirected_by,
        "redirected": clock.now(),
    }
    redirects.save_redirect(conn, columns)
    reviews.want_review_of_known(conn, wrong.claim_ref)
    return authority


class Successions:
    """Has claims reviewed of which something is open at an authority that was merged away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def follow_next(self) -> bool:
        """Makes some of them due for review; returns whether there are more."""
        ended = AuthorityTable.load().ended(clock.today())
        with self._database.transaction() as conn:
            left = redirects.left_behind(conn, sorted(ended), limit=_AT_ONCE)
            for claim_ref in left:
                reviews.want_review_of_known(conn, claim_ref)
        return len(left) == _AT_ONCE
