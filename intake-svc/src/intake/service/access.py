"""Who may read or write a claim's answers, and under what purpose that is written to the access log."""

from msgspec import Struct

from chassis import call
from chassis.database import Connection
from chassis.errors import PermissionDenied
from chassis.vault import ClaimCipher
from intake.domain.call import Security
from intake.domain.claim import Claim
from intake.domain.interview import Answers, Interview
from intake.store.answers import open_answers
from intake.store.claims import OpenCall, load_claim, load_claim_to_change

BY_CALL = frozenset({"OPERATOR", "CASEWORKER"})
"""Roles that see a claim's answers in their own open call on it, with security passed."""

BY_PURPOSE = frozenset({"ASSESSOR", "PROCESSING_OFFICER", "SERVICE_MANAGER"})
"""Roles that see a claim's answers for an appointment or a work item, which the call's metadata names."""

BY_OFFICE = frozenset({"ASSESSOR"})
"""Of these roles, those that see the claims of their own office alone: of the claim's latest appointment."""


class Held(Struct, frozen=True, kw_only=True):
    """A claim that the caller may read or write, in the language in which that caller works on it."""

    claim: Claim
    language: str
    purpose: str


class HeldToChange(Held, frozen=True, kw_only=True):
    """A claim that nobody else can change now, with its answers at the version that the caller has read."""

    cipher: ClaimCipher
    answers: Answers
    before: Interview | None
    """The interview as it stands, where this process remembers it."""


def hold(conn: Connection, claim_ref: str, *, by_purpose: frozenset[str]) -> Held:
    """A claim whose answers the caller may have; `by_purpose` are the roles to which a purpose is enough here.

    Raises NotFound, and PermissionDenied (`CALL_REQUIRED`, `PURPOSE_REQUIRED`, `OFFICE_REQUIRED`, `NO_APPOINTMENT`,
    `OTHER_OFFICE`).
    """
    current = call.current()
    claim, open_call = load_claim(conn, claim_ref, caller=current.identity.subject)
    purpose = _purpose(claim, open_call, by_purpose)
    return Held(claim=claim, language=_language(open_call, claim), purpose=purpose)


def hold_to_change(
    conn: Connection, claim_ref: str, *, version: int, by_purpose: frozenset[str] = frozenset()
) -> HeldToChange:
    """As `hold`, of a claim that is to be changed from `version`. Raises StaleVersion as well."""
    current = call.current()
    claim, open_call, sealed = load_claim_to_change(conn, claim_ref, caller=current.identity.subject, version=version)
    purpose = _purpose(claim, open_call, by_purpose)
    claim.expect_version(version)
    cipher = current.vault.cipher_of(claim_ref, sealed.data_key)
    return HeldToChange(
        claim=claim,
        language=_language(open_call, claim),
        purpose=purpose,
        cipher=cipher,
        answers=sealed.remembered.answers if sealed.remembered else open_answers(cipher, sealed.answers),
        before=sealed.remembered,
    )


def _language(open_call: OpenCall | None, claim: Claim) -> str:
    return open_call.language if open_call else claim.language


def _purpose(claim: Claim, open_call: OpenCall | None, by_purpose: frozenset[str]) -> str:
    purpose = entitlement(claim, open_call, by_purpose)
    if isinstance(purpose, PermissionDenied):
        raise purpose
    return purpose


def entitlement(claim: Claim, open_call: OpenCall | None, by_purpose: frozenset[str]) -> str | PermissionDenied:
    """The purpose for which the caller may have the claim's answers, or why they may not."""
    current = call.current()
    if open_call and open_call.security is Security.PASSED and current.identity.roles & BY_CALL:
        return f"call {open_call.call_id}"
    roles = current.identity.roles & by_purpose
    purpose = current.purpose.strip()
    if not roles:
        return _refusal(claim, "CALL_REQUIRED", "it needs your own open call on the claim, with security passed")
    if not purpose:
        return _refusal(claim, "PURPOSE_REQUIRED", "name the appointment or work item in the metadata cms-purpose")
    if roles <= BY_OFFICE:
        return _other_office(claim, current.identity.office) or purpose
    return purpose


def _other_office(claim: Claim, office: str | None) -> PermissionDenied | None:
    if office is None:
        return _refusal(claim, "OFFICE_REQUIRED", "the token names no office")
    if claim.office_code is None:
        return _refusal(claim, "NO_APPOINTMENT", "no appointment of the claim is known yet, and so no office")
    if claim.office_code != office:
        return _refusal(claim, "OTHER_OFFICE", "the claim's appointment is another office's")
    return None


def _refusal(claim: Claim, reason: str, message: str) -> PermissionDenied:
    return PermissionDenied(reason, message, metadata={"claim_ref": claim.claim_ref})
