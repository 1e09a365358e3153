"""Claims: submitting one, finding them, and the facts that other services may have."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chassis import access_log, call, clock, logs
from chassis.database import Connection
from chassis.errors import InvalidArgument, PermissionDenied, Violation
from chassis.vault import ClaimCipher
from intake import metrics
from intake.domain import claim as claims
from intake.domain import problems
from intake.domain.call import needs_in
from intake.domain.catalogue import Catalogues
from intake.domain.claim import FIRST_VERSION, Booking, Claim, Withdrawal, WithdrawalCause
from intake.domain.interview import Answers, evaluate, facts, record_forms
from intake.domain.search import Search
from intake.domain.values import JsonValue
from intake.service.access import BY_PURPOSE, cipher_of, entitlement, hold_to_change
from intake.service.counting import count_submission
from intake.service.events import announce
from intake.service.whereabouts import check_list, with_office_if_own
from intake.store.answers import load_answers
from intake.store.bindings import load_binding, load_bound_catalogues
from intake.store.calls import load_needs
from intake.store.claims import (
    ClaimFound,
    find_claims,
    load_claim,
    lock_claim,
    note_decided,
    save_booking,
    save_closing,
    save_evidence_complete,
    save_submission,
    save_withdrawal,
)


@dataclass(frozen=True, kw_only=True)
class ClaimShown:
    """A claim, with its answers and its withdrawal where the caller may see the claimant."""

    claim: Claim
    answers: Answers | None = None
    withdrawal: Withdrawal | None = None
    needs: tuple[str, ...] = ()
    """The needs that were stated in the calls about it, and in answers that the caller may see."""


@dataclass(frozen=True, kw_only=True)
class FactsShown:
    """The facts of a claim for one service, as they were at `version`."""

    claim: Claim
    version: int
    answers: Mapping[str, JsonValue]
    record_forms: Mapping[str, JsonValue]


def submit_claim(conn: Connection, catalogues: Catalogues, claim_ref: str, *, version: int) -> Claim:
    """Submits a claim in the caller's own call.

    Raises NotFound, PermissionDenied, StaleVersion, and what `domain.claim.submit` raises.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version)
    interview = evaluate(held.script, held.answers, language=held.language, contact_date=held.claim.contact_date)
    submitted, event = claims.submit(held.claim, interview, at=clock.now())
    save_submission(conn, submitted)
    announce(conn, submitted, event)
    questions_asked = metrics.QUESTIONS_ASKED.labels("+".join(submitted.schemes))
    conn.after_commit(lambda: questions_asked.observe(interview.asked))
    count_submission(conn, held.claim, held.script, held.answers)
    return submitted


def withdraw_claim(conn: Connection, catalogues: Catalogues, claim_ref: str, *, version: int, reason: str) -> Claim:
    """Withdraws a claim at the claimant's wish, in the caller's own call or by an assessor of its office.

    Raises NotFound, PermissionDenied, StaleVersion, and what `domain.claim.withdraw` raises.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version, by_purpose=frozenset({"ASSESSOR"}))
    by = call.current().identity.subject
    withdrawal = Withdrawal(at=clock.now(), by=by, cause=WithdrawalCause.CLAIMANT_ASKED, reason=reason)
    return _withdraw(conn, held.claim, held.cipher, withdrawal)


def withdraw_unless_answered(conn: Connection, claim_ref: str) -> None:
    """Withdraws a draft that never had an answer beyond those that its call was started with, after a wrong number."""
    by = call.current().identity.subject
    found, _ = lock_claim(conn, claim_ref, caller=by, version=FIRST_VERSION)
    if not found.claim.is_as_begun:
        return
    withdrawal = Withdrawal(at=clock.now(), by=by, cause=WithdrawalCause.WRONG_NUMBER, reason="")
    _withdraw(conn, found.claim, cipher_of(found), withdrawal)


def get_claim(conn: Connection, claim_ref: str) -> ClaimShown:
    """A claim. Raises NotFound."""
    shown = _shown(conn, load_claim(conn, claim_ref, caller=call.current().identity.subject))
    needs = load_needs(conn, claim_ref) | (needs_in(shown.answers) if shown.answers else frozenset())
    return replace(shown, needs=tuple(sorted(needs)))


def list_claims(conn: Connection, search: Search) -> list[ClaimShown]:
    """Claims that match, newest first. Raises PermissionDenied (`OTHER_OFFICE`) for a list of another office's claims."""
    check_list(search.office)
    return [_shown(conn, found) for found in find_claims(conn, search, caller=call.current().identity.subject)]


def get_claim_facts(
    conn: Connection, catalogues: Catalogues, claim_ref: str, *, version: int | None, for_messages: bool = False
) -> FactsShown:
    """The facts that the calling service may know, now or at a version, as the claim's own catalogue has them.

    With `for_messages`, instead, those that it may know to write to the claimant. Raises NotFound, and InvalidArgument for a
    version that the claim has not had.
    """
    service = call.current().identity.subject
    found = load_claim(conn, claim_ref, caller=service)
    claim = found.claim
    if version is not None and not 0 < version <= claim.version:
        raise InvalidArgument.of(Violation.of("version", problems.NOT_A_VERSION))
    as_of = version or claim.version
    answers = load_answers(conn, cipher_of(found), version=as_of)
    access_log.record_access(conn, claim_ref=claim_ref)
    binding = load_binding(conn, claim_ref, version=as_of)
    script = catalogues[binding.catalogue].script_for(binding.schemes)
    reader = f"{service}/messages" if for_messages else service
    seen = facts(script, answers, reader, contact_date=claim.contact_date)
    shown = replace(claim, schemes=binding.schemes, catalogue=binding.catalogue)
    return FactsShown(claim=shown, version=as_of, answers=seen, record_forms=record_forms(answers, seen))


def refuse_absent_catalogues(conn: Connection, catalogues: Catalogues) -> None:
    """Raises ScriptError where claims are bound to catalogues that this release does not have."""
    catalogues.refuse_absent(load_bound_catalogues(conn))


def record_booking(conn: Connection, claim_ref: str, booking: Booking) -> None:
    """Records the office of the claim's latest appointment. Raises NotFound."""
    save_booking(conn, claim_ref, booking)


def record_end(conn: Connection, claim_ref: str, scheme: str) -> None:
    """Notes that a scheme of a claim is decided, or was closed without a decision; closes the claim with the last.

    Raises NotFound.
    """
    found, _ = lock_claim(conn, claim_ref, caller="", version=0)
    ended = claims.decide(found.claim, note_decided(conn, claim_ref, scheme))
    if ended != found.claim:
        save_closing(conn, ended, at=clock.now())
        logs.get().info("claim closed", claim_ref=claim_ref)


def record_evidence_complete(conn: Connection, claim_ref: str, *, at: datetime) -> None:
    """Notes when all evidence of a claim was in; of two times the later one stays. Raises NotFound."""
    save_evidence_complete(conn, claim_ref, at=at)


def _withdraw(conn: Connection, claim: Claim, cipher: ClaimCipher, withdrawal: Withdrawal) -> Claim:
    withdrawn, event = claims.withdraw(claim, withdrawal)
    save_withdrawal(conn, cipher, withdrawn, withdrawal)
    announce(conn, withdrawn, event)
    return withdrawn


def _shown(conn: Connection, found: ClaimFound) -> ClaimShown:
    claim = found.claim
    purpose = entitlement(claim, found.open_call, BY_PURPOSE)
    if isinstance(purpose, PermissionDenied) or found.erased:
        return ClaimShown(claim=with_office_if_own(conn, claim))
    access_log.record_access(conn, claim_ref=claim.claim_ref, purpose=purpose)
    cipher = cipher_of(found)
    answers = load_answers(conn, cipher, version=claim.version)
    return ClaimShown(claim=claim, answers=answers, withdrawal=found.withdrawal(cipher))
