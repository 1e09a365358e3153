"""Reviewing a claim: what do its facts, as they are now, call for?

A review has three steps: the claim is taken under a lease, intake is asked outside of any transaction, and the outcome is saved
in one transaction if the lease is still held.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import cast

from chassis import clock, crash, logs
from chassis.conversions import time_of
from chassis.database import Connection, Database
from chassis.enums import name_of
from chassis.inbox import Event
from chassis.postcodes import Postcodes
from chassis.vault import Vault
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from la_notifier.clients import Claims, Decisions
from la_notifier.domain.awards import Award, award_of, withdrawn
from la_notifier.domain.facts import ClaimFacts, missing_facts, sought
from la_notifier.domain.notices import Waits
from la_notifier.domain.reviews import HeardEvent, ReferralReason, Review
from la_notifier.service import failures
from la_notifier.service.authorities import authority_or_reason
from la_notifier.service.outcomes import save_notice, save_unplaced, save_withdrawn, wait_for_facts
from la_notifier.store import reviews as store

LEASE_SECONDS = 60.0
"""Longer than the calls to intake of one review can take."""


def hear(conn: Connection, event: Event) -> None:
    """Keeps an event of a claim and makes the claim due for review."""
    heard = HeardEvent(event_id=event.event_id, version=event.version, occurred_time=event.occurred_time)
    store.want_review(conn, claim_ref=event.claim_ref, heard=heard)


def hear_decision(conn: Connection, event: Event) -> None:
    """Remembers that the claim was decided and makes it due for review. What was decided the review asks of the gateway."""
    store.hear_decision(conn, event.claim_ref)
    store.want_review_of_known(conn, event.claim_ref)


def hear_closing(conn: Connection, event: Event) -> None:
    """Remembers the schemes that ended without a decision and makes the claim due for review."""
    message = cast(assessment_events.AssessmentClosed, event.message)
    day = time_of(message.close_time, field="close_time").astimezone(clock.LONDON).date()
    for scheme in message.schemes:
        store.hear_closing(conn, event.claim_ref, name_of(common_pb2.Scheme, scheme, field="schemes"), day)
    store.want_review_of_known(conn, event.claim_ref)


class Reviewer:
    """Reviews the claims of which an event was heard."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        claims: Claims,
        decisions: Decisions,
        postcodes: Postcodes,
        *,
        waits: Callable[[], Waits],
    ) -> None:
        self._database = database
        self._vault = vault
        self._claims = claims
        self._decisions = decisions
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
        elif sought(facts):
            self._tell_authority(review, facts)
        else:
            with self._database.transaction() as conn:
                save_withdrawn(conn, self._vault, review, facts=facts)

    def _tell_authority(self, review: Review, facts: ClaimFacts) -> None:
        found = authority_or_reason(self._postcodes, facts, redirected_to(self._claims, review, facts))
        intention_on = intention_day(self._claims, review, facts) or clock.today()
        if isinstance(found, ReferralReason):
            with self._database.transaction() as conn:
                save_unplaced(conn, self._vault, review, facts=facts, reason=found, intention_on=intention_on)
            return
        award = self._award(review)
        with self._database.transaction() as conn:
            save_notice(conn, self._vault, review, facts=facts, authority=found, intention_on=intention_on, award=award)

    def _award(self, review: Review) -> Award | None:
        decided = self._decisions.decisions(review.claim_ref) if review.is_decided else ()
        known = {decision.scheme for decision in decided}
        ended = [withdrawn(scheme, day) for scheme, day in review.ended if scheme not in known]
        return award_of([*decided, *ended])

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


def redirected_to(claims: Claims, review: Review, facts: ClaimFacts) -> str | None:
    """The authority to which an officer sent the claim, as long as it has the address that it had then."""
    redirect = review.redirect
    if redirect is None:
        return None
    then = claims.facts(review.claim_ref, redirect.claim_version)
    return redirect.authority_code if then.place == facts.place else None


def intention_day(claims: Claims, review: Review, facts: ClaimFacts) -> date | None:
    """The day (Europe/London) of the intention: once known it stays, whichever authority gets the next notice.

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
