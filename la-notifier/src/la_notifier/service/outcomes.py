"""The outcomes of a review, each saved in one transaction if the review's lease is still held."""

import uuid
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from chassis import clock
from chassis.authorities import Authority
from chassis.database import Connection, Row
from chassis.vault import ClaimCipher, Vault
from la_notifier.data import date_of_claim_rules, disclosure
from la_notifier.domain.awards import Award
from la_notifier.domain.content import NewVersion, content_of, next_version, withdrawn_version
from la_notifier.domain.date_of_claim import DateOfClaim, date_of_claim
from la_notifier.domain.disclosure import Content
from la_notifier.domain.facts import ClaimFacts, sought
from la_notifier.domain.notices import NoticeKind
from la_notifier.domain.reviews import ReferralReason, Review
from la_notifier.service import bodies
from la_notifier.service.authorities import is_abolished
from la_notifier.store import notices, referrals, reviews


def save_notice(
    conn: Connection,
    vault: Vault,
    review: Review,
    *,
    facts: ClaimFacts,
    authority: Authority,
    intention_on: date,
    award: Award | None,
) -> None:
    """Makes the next version for the authority where it needs one, and withdraws the notice from all other authorities."""
    if not reviews.hold(conn, review):
        return
    others = {row["authority_code"]: row for row in notices.notices_of(conn, review.claim_ref)}
    notice_id = _wanted_notice(conn, review, authority, intention_on, known=others.pop(authority.code, None))
    cipher = vault.cipher(conn, review.claim_ref)
    content = content_of(disclosure(), facts, authority_code=authority.code, intention_on=intention_on, award=award)
    previous = notices.versions_of(conn, notice_id)
    if new := next_version(facts, content, previous, _newest_content(conn, cipher, notice_id)):
        _add_version(conn, cipher, notice_id, authority.channel.name, facts=facts, new=new)
    notices.set_date_of_claim(conn, notice_id, _date_of_claim(facts, intention_on, award))
    _withdraw(conn, cipher, others.values(), facts)
    _refer(conn, review, reason=None, intention_on=intention_on)
    reviews.finish(conn, review)


def _date_of_claim(facts: ClaimFacts, intention_on: date, award: Award | None) -> DateOfClaim | None:
    """None where only council tax benefit is sought: the rules are those of housing benefit."""
    if sought(facts) == "CTB":
        return None
    return date_of_claim(
        date_of_claim_rules(),
        intention_on=intention_on,
        first_contact_on=facts.first_contact_on,
        claim_on=facts.claim_on,
        award=award,
    )


def save_unplaced(
    conn: Connection,
    vault: Vault,
    review: Review,
    *,
    facts: ClaimFacts,
    reason: ReferralReason,
    intention_on: date | None,
) -> None:
    """Refers a claim for whose address no authority was found. The day of the intention is kept.

    A notice that went out already stays: the address may be a slip, and a withdrawal would cost the date of claim. Only a
    place outside Great Britain is no authority's for certain.
    """
    if not reviews.hold(conn, review):
        return
    if reason is ReferralReason.NORTHERN_IRELAND:
        _withdraw(conn, vault.cipher(conn, review.claim_ref), notices.notices_of(conn, review.claim_ref), facts)
    _refer(conn, review, reason=reason, intention_on=intention_on)
    reviews.finish(conn, review)


def save_withdrawn(conn: Connection, vault: Vault, review: Review, *, facts: ClaimFacts) -> None:
    """Withdraws the claim's notices: the claim is withdrawn, or nothing is sought any more.

    Every authority that may have been told gets a version that says so, no other any. Nothing is left for an officer: what
    they were asked about ended with the claim.
    """
    if not reviews.hold(conn, review):
        return
    _withdraw(conn, vault.cipher(conn, review.claim_ref), notices.notices_of(conn, review.claim_ref), facts)
    _refer(conn, review, reason=None, intention_on=None)
    reviews.finish(conn, review)


def _refer(conn: Connection, review: Review, *, reason: ReferralReason | None, intention_on: date | None) -> None:
    """Makes this the claim's only referral; None ends them all."""
    reasons = [("", reason)] if reason else []
    referrals.save_referrals(conn, review.claim_ref, reasons=reasons, now=clock.now(), intention_on=intention_on)


def _withdraw(conn: Connection, cipher: ClaimCipher, left: Iterable[Row], facts: ClaimFacts) -> None:
    for notice in left:
        _withdraw_from(conn, cipher, notice, facts)


def _withdraw_from(conn: Connection, cipher: ClaimCipher, notice: Row, facts: ClaimFacts) -> None:
    """Tells one authority that the notice is withdrawn, if it may hold it; gives up what waits if it does not.

    One that was merged away cannot be told: its successor has what it held, and gets a notice of its own.
    """
    notice_id, previous = notice["notice_id"], notices.versions_of(conn, notice["notice_id"])
    notices.set_date_of_claim(conn, notice_id, None)
    if is_abolished(notice["authority_code"]):
        notices.set_wanted(conn, notice_id, wanted=False)
        notices.abandon(conn, notice_id, now=clock.now())
    elif new := withdrawn_version(disclosure(), previous, _newest_content(conn, cipher, notice_id)):
        notices.set_wanted(conn, notice_id, wanted=True)
        _add_version(conn, cipher, notice_id, notice["channel"], facts=facts, new=new)
    elif previous and previous[-1].kind is not NoticeKind.WITHDRAWN:
        notices.set_wanted(conn, notice_id, wanted=False)
        notices.give_up(conn, notice_id, now=clock.now())


def wait_for_facts(conn: Connection, review: Review, *, intention_on: date | None, seconds: float) -> None:
    """Leaves all notices as they are, refers the claim, and makes it due again after so many seconds: facts are missing.

    An answer of a draft makes no event, so only another review shows that the facts are there again.
    """
    if not reviews.hold(conn, review):
        return
    stays = [
        (referral.authority_code, referral.reason)
        for referral in referrals.referrals_of(conn, review.claim_ref)
        if referral.authority_code
    ]
    reasons = [*stays, ("", ReferralReason.FACTS_MISSING)]
    referrals.save_referrals(conn, review.claim_ref, reasons=reasons, now=clock.now(), intention_on=intention_on)
    reviews.forget_heard(conn, review)
    reviews.put_off(conn, review, seconds=seconds)


def _wanted_notice(
    conn: Connection, review: Review, authority: Authority, intention_on: date, *, known: Row | None
) -> UUID:
    """The notice for the authority, made where there is none, and wanted (again)."""
    if known is None:
        notice_id = uuid.uuid4()
        notices.add_notice(
            conn, notice_id=notice_id, claim_ref=review.claim_ref, authority=authority, intention_on=intention_on
        )
        return notice_id
    found: UUID = known["notice_id"]
    if not known["wanted"]:
        notices.set_wanted(conn, found, wanted=True)
    return found


def _newest_content(conn: Connection, cipher: ClaimCipher, notice_id: UUID) -> Content | None:
    row = notices.newest_body(conn, notice_id)
    return bodies.open_content(cipher, row["body"], notice_id, version=row["version"]) if row else None


def _add_version(
    conn: Connection, cipher: ClaimCipher, notice_id: UUID, channel: str, *, facts: ClaimFacts, new: NewVersion
) -> None:
    columns = {
        "notice_id": notice_id,
        "version": new.version,
        "channel": channel,
        "kind": new.kind,
        "body": bodies.seal(cipher, notice_id, new),
        "first_contact_time": facts.first_contact_time,
        "first_contact_on": facts.first_contact_on,
        "proof_due_on": new.content["proof_due_on"],
        "created": clock.now(),
    }
    notices.add_version(conn, columns)
