"""Reviewing a claim: what do its facts, as they are now, call for?

A review has three steps: the claim is taken under a lease, intake is asked outside of any transaction, and the outcome is saved
in one transaction if the lease is still held.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

from chassis import clock, crash, logs
from chassis.database import Connection, Database
from chassis.inbox import Event
from chassis.postcodes import Postcodes
from chassis.vault import Vault
from la_notifier.clients import Claims
from la_notifier.domain.authorities import Authority
from la_notifier.domain.content import Content, PreviousVersion, content_of, is_news, next_kind
from la_notifier.domain.facts import ClaimFacts, missing_facts, sought
from la_notifier.domain.notices import NoticeKind, NoticeState, Waits
from la_notifier.domain.reviews import HeardEvent, ReferralReason, Review
from la_notifier.service import bodies, failures
from la_notifier.service.authorities import authority_or_reason
from la_notifier.store import notices, referrals
from la_notifier.store import reviews as store

LEASE_SECONDS = 60.0
"""Longer than the calls to intake of one review can take."""


def hear(conn: Connection, event: Event) -> None:
    """Keeps an event of a claim and makes the claim due for review."""
    heard = HeardEvent(event_id=event.event_id, version=event.version, occurred_time=event.occurred_time)
    store.want_review(conn, claim_ref=event.claim_ref, heard=heard)


class Reviewer:
    """Reviews the claims of which an event was heard."""

    def __init__(
        self, database: Database, vault: Vault, claims: Claims, postcodes: Postcodes, *, waits: Callable[[], Waits]
    ) -> None:
        self._database = database
        self._vault = vault
        self._claims = claims
        self._postcodes = postcodes
        self._waits = waits

    def review_next(self) -> bool:
        """Reviews the claim that is due for longest; returns whether there was one. A review that fails is put off."""
        with self._database.transaction() as conn:
            review = store.take_review(conn, seconds=LEASE_SECONDS)
        if review is None:
            return False
        crash.point("review.after_lease")
        try:
            self._review(review)
        except Exception as error:
            self._put_off(review, error)
        return True

    def _review(self, review: Review) -> None:
        facts = self._claims.facts(review.claim_ref)
        if missing := missing_facts(facts):
            self._wait_for_facts(review, facts, missing)
        elif not sought(facts):
            with self._database.transaction() as conn:
                save_no_notice(conn, self._vault, review, reason=None, intention_on=None)
        else:
            self._tell_authority(review, facts)

    def _tell_authority(self, review: Review, facts: ClaimFacts) -> None:
        found = authority_or_reason(self._postcodes, facts.postcode)
        intention_on = intention_day(self._claims, review, facts) or clock.today()
        with self._database.transaction() as conn:
            if isinstance(found, ReferralReason):
                save_no_notice(conn, self._vault, review, reason=found, intention_on=intention_on)
            else:
                save_notice(conn, self._vault, review, facts=facts, authority=found, intention_on=intention_on)

    def _wait_for_facts(self, review: Review, facts: ClaimFacts, missing: Sequence[str]) -> None:
        intention_on = intention_day(self._claims, review, facts)
        seconds = self._waits().before_retry(review.attempts)
        with self._database.transaction() as conn:
            wait_for_facts(conn, review, intention_on=intention_on, seconds=seconds)
        logs.get().info("review put off, facts are missing", claim_ref=review.claim_ref, fields=list(missing))

    def _put_off(self, review: Review, error: Exception) -> None:
        seconds = self._waits().before_retry(review.attempts)
        with self._database.transaction() as conn:
            store.put_off(conn, review, seconds=seconds)
        failures.report("review", error, claim_ref=review.claim_ref)


def intention_day(claims: Claims, review: Review, facts: ClaimFacts) -> date | None:
    """The day (Europe/London) of the intention: once known it stays, whichever authority is told next.

    Before that it is the day of the first event whose facts held the intention; None where none did. Raises CmsError where
    intake cannot be asked.
    """
    if review.intention_on is not None:
        return review.intention_on
    if sought(facts) and all(_day(heard) == clock.today() for heard in review.heard):
        return clock.today()  # whichever event it was
    for heard in review.heard:
        then = facts if heard.version >= facts.version else claims.facts(review.claim_ref, heard.version)
        if sought(then):
            return _day(heard)
    return None


def _day(heard: HeardEvent) -> date:
    return heard.occurred_time.astimezone(clock.LONDON).date()


def save_notice(
    conn: Connection, vault: Vault, review: Review, *, facts: ClaimFacts, authority: Authority, intention_on: date
) -> None:
    """Makes the next version for the authority, if there is news for it; what other authorities were told is left behind."""
    if not store.hold(conn, review):
        return
    others = {row["authority_code"]: row for row in notices.notices_of(conn, review.claim_ref)}
    known = others.pop(authority.code, None)
    notice_id = known["notice_id"] if known else _new_notice(conn, review, authority, intention_on)
    previous = _previous_versions(conn, vault, review.claim_ref, notice_id) if known else []
    if known and not known["wanted"]:
        notices.set_wanted(conn, notice_id, wanted=True)
    content = content_of(facts, authority_code=authority.code, intention_on=intention_on)
    if is_news(content, previous):
        kind = next_kind(facts, previous)
        _add_version(
            conn,
            vault,
            notice_id,
            version=len(previous) + 1,
            kind=kind,
            facts=facts,
            channel=authority.channel.name,
            content=content,
        )
    left = {code: row["notice_id"] for code, row in others.items()}
    _leave(conn, vault, review, notice_ids=left, reason=ReferralReason.MOVED_AWAY, intention_on=intention_on)
    store.finish(conn, review)


def save_no_notice(
    conn: Connection, vault: Vault, review: Review, *, reason: ReferralReason | None, intention_on: date | None
) -> None:
    """Saves that no authority is to be told: nothing is sought (`reason` is None), or no authority was found.

    The day of the intention is kept: a wrong address must not cost the date of claim.
    """
    if not store.hold(conn, review):
        return
    left = {row["authority_code"]: row["notice_id"] for row in notices.notices_of(conn, review.claim_ref)}
    left_for = ReferralReason.MOVED_AWAY if reason else ReferralReason.NO_LONGER_SOUGHT
    _leave(conn, vault, review, notice_ids=left, reason=left_for, intention_on=intention_on, unplaced=reason)
    store.finish(conn, review)


def wait_for_facts(conn: Connection, review: Review, *, intention_on: date | None, seconds: float) -> None:
    """Leaves all notices as they are, refers the claim, and makes it due again after so many seconds: facts are missing.

    An answer of a draft makes no event, so only another review shows that the facts are there again.
    """
    if not store.hold(conn, review):
        return
    stays = [
        (referral.authority_code, referral.reason)
        for referral in referrals.referrals_of(conn, review.claim_ref)
        if referral.authority_code
    ]
    reasons = [*stays, ("", ReferralReason.FACTS_MISSING)]
    referrals.save_referrals(conn, review.claim_ref, reasons=reasons, now=clock.now(), intention_on=intention_on)
    store.forget_heard(conn, review)
    store.put_off(conn, review, seconds=seconds)


def _new_notice(conn: Connection, review: Review, authority: Authority, intention_on: date) -> UUID:
    notice_id = uuid.uuid4()
    notices.add_notice(
        conn, notice_id=notice_id, claim_ref=review.claim_ref, authority=authority, intention_on=intention_on
    )
    return notice_id


def _add_version(
    conn: Connection,
    vault: Vault,
    notice_id: UUID,
    *,
    version: int,
    kind: NoticeKind,
    facts: ClaimFacts,
    channel: str,
    content: Content,
) -> None:
    cipher = vault.cipher(conn, facts.claim_ref)
    columns = {
        "notice_id": notice_id,
        "version": version,
        "channel": channel,
        "kind": kind,
        "body": bodies.seal(cipher, notice_id, version=version, kind=kind, content=content),
        "first_contact_time": facts.first_contact_time,
        "first_contact_on": facts.first_contact_on,
        "proof_due_on": content["proof_due_on"],
        "created": clock.now(),
    }
    notices.add_version(conn, columns)


def _leave(
    conn: Connection,
    vault: Vault,
    review: Review,
    *,
    notice_ids: Mapping[str, UUID],
    reason: ReferralReason,
    intention_on: date | None,
    unplaced: ReferralReason | None = None,
) -> None:
    """Gives up what waits for these authorities, and refers those that may hold a notice already."""
    now = clock.now()
    reasons = [("", unplaced)] if unplaced else []
    for code, notice_id in notice_ids.items():
        notices.set_wanted(conn, notice_id, wanted=False)
        notices.give_up(conn, notice_id, now=now)
        if any(version.counts_as_told for version in _previous_versions(conn, vault, review.claim_ref, notice_id)):
            reasons.append((code, reason))
    referrals.save_referrals(conn, review.claim_ref, reasons=reasons, now=now, intention_on=intention_on)


def _previous_versions(conn: Connection, vault: Vault, claim_ref: str, notice_id: UUID) -> list[PreviousVersion]:
    cipher = vault.cipher(conn, claim_ref)
    return [
        PreviousVersion(
            version=row["version"],
            kind=NoticeKind(row["kind"]),
            state=NoticeState(row["state"]),
            may_be_held=row["may_be_held"],
            content=bodies.open_content(cipher, row["body"], notice_id, version=row["version"]),
        )
        for row in notices.versions_of(conn, notice_id)
    ]
