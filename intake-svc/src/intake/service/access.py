"""Who may read or write a claim's answers, and under what purpose that is written to the access log."""

from dataclasses import dataclass

from chassis import call
from chassis.database import Connection
from chassis.errors import PermissionDenied
from chassis.vault import ClaimCipher
from intake.domain.call import Security
from intake.domain.claim import Claim
from intake.domain.interview import Answers
from intake.store.answers import open_answers
from intake.store.claims import OpenCall, load_claim, load_claim_to_change

BY_CALL = frozenset({"OPERATOR", "CASEWORKER"})
"""Roles that see a claim's answers in their own open call on it, with security passed."""

BY_PURPOSE = frozenset({"ASSESSOR", "PROCESSING_OFFICER", "SERVICE_MANAGER"})
"""Roles that see a claim's answers for an appointment or a work item, which the call's metadata names."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A claim that the caller may read or write, in the language in which that caller works on it."""

    claim: Claim
    language: str
    purpose: str
    cipher: ClaimCipher


@dataclass(frozen=True, kw_only=True)
class HeldToChange(Held):
    """A claim that nobody else can change now, with its answers at the version that the caller has read."""

    answers: Answers


def hold(conn: Connection, claim_ref: str, *, by_purpose: frozenset[str]) -> Held:
    """A claim whose answers the caller may have; `by_purpose` are the roles to which a purpose is enough here.

    Raises NotFound, and PermissionDenied (`CALL_REQUIRED`, `PURPOSE_REQUIRED`).
    """
    current = call.current()
    claim, open_call = load_claim(conn, claim_ref, caller=current.identity.subject)
    purpose = _entitlement(open_call, claim_ref, by_purpose)
    return Held(
        claim=claim,
        language=_language(open_call, claim),
        purpose=purpose,
        cipher=current.vault.cipher(conn, claim_ref),
    )


def hold_to_change(
    conn: Connection, claim_ref: str, *, version: int, by_purpose: frozenset[str] = frozenset()
) -> HeldToChange:
    """As `hold`, of a claim that is to be changed from `version`. Raises StaleVersion as well."""
    current = call.current()
    claim, open_call, sealed = load_claim_to_change(conn, claim_ref, caller=current.identity.subject, version=version)
    purpose = _entitlement(open_call, claim_ref, by_purpose)
    claim.expect_version(version)
    cipher = current.vault.cipher_of(claim_ref, sealed.data_key)
    return HeldToChange(
        claim=claim,
        language=_language(open_call, claim),
        purpose=purpose,
        cipher=cipher,
        answers=open_answers(cipher, sealed.answers),
    )


def _language(open_call: OpenCall | None, claim: Claim) -> str:
    return open_call.language if open_call else claim.language


def _entitlement(open_call: OpenCall | None, claim_ref: str, by_purpose: frozenset[str]) -> str:
    purpose = purpose_of(open_call, by_purpose)
    if purpose is None:
        raise _refusal(claim_ref, by_purpose)
    return purpose


def purpose_of(open_call: OpenCall | None, by_purpose: frozenset[str]) -> str | None:
    """What entitles the caller to a claim's answers; None where nothing does."""
    current = call.current()
    if open_call and open_call.security is Security.PASSED and current.identity.roles & BY_CALL:
        return f"call {open_call.call_id}"
    return current.purpose.strip() or None if current.identity.roles & by_purpose else None


def _refusal(claim_ref: str, by_purpose: frozenset[str]) -> PermissionDenied:
    metadata = {"claim_ref": claim_ref}
    if call.current().identity.roles & by_purpose:
        advice = "name the appointment or work item in the metadata cms-purpose"
        return PermissionDenied("PURPOSE_REQUIRED", advice, metadata=metadata)
    advice = "it needs your own open call on the claim, with security passed"
    return PermissionDenied("CALL_REQUIRED", advice, metadata=metadata)
