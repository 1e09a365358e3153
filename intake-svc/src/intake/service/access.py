"""Decides whether a caller may read or write a claim's answers, and the purpose that the access log is to name."""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from chassis import call, purposes
from chassis.database import Connection
from chassis.errors import PermissionDenied
from chassis.vault import ClaimCipher
from intake.domain.call import OpenCall, Security
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Claim, ClaimState
from intake.domain.earlier import EarlierClaim
from intake.domain.interview import Answers
from intake.domain.script import Script
from intake.store.answers import load_changes, opened_answers
from intake.store.claims import ClaimFound, load_claim, lock_claim

BY_CALL = frozenset({"OPERATOR", "CASEWORKER"})
"""Roles that see a claim's answers in their own open call on it, with security passed."""

BY_PURPOSE = frozenset({"ASSESSOR", "CASEWORKER", "PROCESSING_OFFICER", "SERVICE_MANAGER"})
"""Roles that see a claim's answers for an appointment or a work item, which the call's metadata names."""

OF_DRAFTS = frozenset({"SERVICE_MANAGER"})
"""The roles of `BY_PURPOSE` whose work a draft can be. For the others it becomes work when it is submitted."""

BY_OFFICE = frozenset({"ASSESSOR"})
"""The roles of `BY_PURPOSE` that can see only claims whose latest appointment is at their own office."""

BY_SCHEME = {"CASEWORKER": "CHILD_MAINTENANCE"}
"""The roles of `BY_PURPOSE` that can see only claims for one scheme, wherever the claimant lives."""

WITHOUT_APPOINTMENT = "CRISIS_LOAN"
"""A claim for this scheme is decided on the same day: until it has an appointment, every office can see it."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A claim that the caller may read or write, with its own script, in the language in which that caller works on it."""

    claim: Claim
    script: Script
    cipher: ClaimCipher
    language: str
    purpose: str
    earlier: EarlierClaim | None
    """The earlier claim of the person to which it is linked."""


@dataclass(frozen=True, kw_only=True)
class HeldToChange(Held):
    """A claim that nobody else can change now, with its answers at the version that the caller has read."""

    answers: Answers


def hold(conn: Connection, catalogues: Catalogues, claim_ref: str, *, by_purpose: frozenset[str]) -> Held:
    """A claim whose answers the caller may have; roles in `by_purpose` need only name a purpose.

    Raises NotFound, and PermissionDenied (`CALL_REQUIRED`, `PURPOSE_REQUIRED`, `PURPOSE_NOT_YOURS`, `OFFICE_REQUIRED`,
    `NO_APPOINTMENT`, `OTHER_OFFICE`).
    """
    return _held(catalogues, load_claim(conn, claim_ref, caller=call.current().identity.subject), by_purpose)


def hold_to_change(
    conn: Connection,
    catalogues: Catalogues,
    claim_ref: str,
    *,
    version: int,
    by_purpose: frozenset[str] = frozenset(),
) -> HeldToChange:
    """Does what `hold` does, for a claim that is to be changed from `version`.

    Raises StaleVersion as well, which names what has changed since that version.
    """
    found, rows = lock_claim(conn, claim_ref, caller=call.current().identity.subject, version=version)
    held = _held(catalogues, found, by_purpose)
    if version != held.claim.version:
        held.claim.expect_version(version, load_changes(conn, claim_ref, since=version))
    return HeldToChange(
        claim=held.claim,
        script=held.script,
        cipher=held.cipher,
        language=held.language,
        purpose=held.purpose,
        earlier=held.earlier,
        answers=opened_answers(held.cipher, rows),
    )


def cipher_of(found: ClaimFound) -> ClaimCipher:
    """The cipher of a claim's answers."""
    return call.current().vault.cipher_of(found.claim.claim_ref, found.data_key)


def script_of(catalogues: Catalogues, claim: Claim) -> Script:
    """The script of a claim: of its own catalogue, for its schemes."""
    return catalogues[claim.catalogue].script_for(claim.schemes)


def _held(catalogues: Catalogues, found: ClaimFound, by_purpose: frozenset[str]) -> Held:
    purpose = entitlement(found.claim, found.open_call, by_purpose)
    if isinstance(purpose, PermissionDenied):
        raise purpose
    language = found.open_call.language if found.open_call else found.claim.language
    return Held(
        claim=found.claim,
        script=script_of(catalogues, found.claim),
        cipher=cipher_of(found),
        language=language,
        purpose=purpose,
        earlier=found.earlier,
    )


def entitlement(
    claim: Claim, open_call: OpenCall | None, by_purpose: Set[str], *, of_drafts: Set[str] = OF_DRAFTS
) -> str | PermissionDenied:
    """The purpose for which the caller may have the claim's answers, or the refusal."""
    current = call.current()
    if open_call and open_call.security is Security.PASSED and current.identity.roles & BY_CALL:
        return f"call {open_call.call_id}"
    roles = {role for role in current.identity.roles & by_purpose if BY_SCHEME.get(role) in (None, *claim.schemes)}
    if not roles:
        return _refusal(claim, "CALL_REQUIRED", "this needs your own open call on the claim, with security passed")
    if not current.purpose:
        return _refusal(claim, "PURPOSE_REQUIRED", "name the appointment or work item in the metadata cms-purpose")
    if roles <= BY_OFFICE and (refused := _other_office(claim, current.identity.office)):
        return refused
    if current.purpose not in _own_work(claim, is_work=bool(roles & of_drafts) or claim.state is not ClaimState.DRAFT):
        return _refusal(
            claim, "PURPOSE_NOT_YOURS", "cms-purpose names no appointment or work item of yours on the claim"
        )
    return current.purpose


def _own_work(claim: Claim, *, is_work: bool) -> Iterator[str]:
    """The purposes that the caller can have of seeing the claim, if it is work of their roles: that, or their appointment."""
    if not is_work:
        return
    yield purposes.work_item(claim.claim_ref)
    if claim.assessor_id is not None and claim.assessor_id == call.current().identity.subject:
        yield f"appointment {claim.appointment_id}"


def _other_office(claim: Claim, office: str | None) -> PermissionDenied | None:
    if office is None:
        return _refusal(claim, "OFFICE_REQUIRED", "the token names no office")
    if claim.office_code is None and WITHOUT_APPOINTMENT in claim.schemes:
        return None
    if claim.office_code is None:
        return _refusal(claim, "NO_APPOINTMENT", "the claim has no appointment yet, and so no office")
    if claim.office_code != office:
        return _refusal(claim, "OTHER_OFFICE", "the claim's appointment is at another office")
    return None


def _refusal(claim: Claim, reason: str, message: str) -> PermissionDenied:
    return PermissionDenied(reason, message, metadata={"claim_ref": claim.claim_ref})
