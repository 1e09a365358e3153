"""Claims: submitting one, finding them, and the facts that other services may have."""

from collections.abc import Mapping

from msgspec import Struct

from chassis import access_log, call, clock
from chassis.database import Connection
from chassis.errors import InvalidArgument, PermissionDenied, Violation
from intake import metrics
from intake.domain import claim as claims
from intake.domain.claim import Claim
from intake.domain.interview import Answers, evaluate, facts, record_forms
from intake.domain.values import JsonValue
from intake.service import script_in_use
from intake.service.access import BY_PURPOSE, entitlement, hold_to_change
from intake.service.events import announce
from intake.store.answers import load_answers, recall_interview, remember_interview
from intake.store.claims import OpenCall, Search, find_claims, load_claim, save_submission


class ClaimShown(Struct, frozen=True, kw_only=True):
    """A claim, with the answers that tell who claims where the caller may see them."""

    claim: Claim
    answers: Answers | None = None


class FactsShown(Struct, frozen=True, kw_only=True):
    """The facts of a claim for one service, as they were at `version`."""

    claim: Claim
    version: int
    answers: Mapping[str, JsonValue]
    record_forms: Mapping[str, JsonValue]


def submit_claim(conn: Connection, claim_ref: str, *, version: int) -> Claim:
    """Completes a claim in the caller's own call.

    Raises NotFound, PermissionDenied, StaleVersion, and what `domain.claim.submit` raises.
    """
    held = hold_to_change(conn, claim_ref, version=version)
    interview = evaluate(script_in_use(), held.answers, language=held.language, before=held.before)
    submitted, event = claims.submit(held.claim, interview, at=clock.now())
    save_submission(conn, submitted)
    remember_interview(conn, claim_ref, interview, version=submitted.version)
    announce(conn, submitted, event)
    questions_asked = metrics.QUESTIONS_ASKED.labels("+".join(submitted.schemes))
    conn.after_commit(lambda: questions_asked.observe(interview.asked))
    return submitted


def get_claim(conn: Connection, claim_ref: str) -> ClaimShown:
    """A claim. Raises NotFound."""
    claim, open_call = load_claim(conn, claim_ref, caller=call.current().identity.subject)
    return _shown(conn, claim, open_call)


def list_claims(conn: Connection, search: Search) -> list[ClaimShown]:
    """Claims that match, newest first."""
    found = find_claims(conn, search, caller=call.current().identity.subject)
    return [_shown(conn, claim, open_call) for claim, open_call in found]


def get_claim_facts(conn: Connection, claim_ref: str, *, version: int | None) -> FactsShown:
    """What the calling service may know, as it is or as it was at a version.

    Raises NotFound, and InvalidArgument for a version that the claim has not had.
    """
    service = call.current().identity.subject
    claim, _ = load_claim(conn, claim_ref, caller=service)
    if version is not None and not 0 < version <= claim.version:
        raise InvalidArgument.of(Violation(field="version", description="is not a version that the claim has had"))
    as_of = version or claim.version
    answers = load_answers(conn, call.current().vault, claim_ref, version=as_of)
    access_log.record_access(conn, claim_ref=claim_ref)
    shown = recall_interview(conn, claim_ref, version=as_of)
    told = facts(script_in_use(), answers, service, known=shown.known if shown else None)
    return FactsShown(claim=claim, version=as_of, answers=told, record_forms=record_forms(answers, told))


def _shown(conn: Connection, claim: Claim, open_call: OpenCall | None) -> ClaimShown:
    purpose = entitlement(claim, open_call, BY_PURPOSE)
    if isinstance(purpose, PermissionDenied):
        return ClaimShown(claim=claim)
    access_log.record_access(conn, claim_ref=claim.claim_ref, purpose=purpose)
    answers = load_answers(conn, call.current().vault, claim.claim_ref, version=claim.version)
    return ClaimShown(claim=claim, answers=answers)
