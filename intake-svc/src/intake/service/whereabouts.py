"""Where and when a claimant will be: their office, and who may see it."""

from dataclasses import replace

from chassis import access_log, call
from chassis.database import Connection
from chassis.errors import PermissionDenied
from intake.domain.claim import Claim
from intake.service.access import BY_PURPOSE, OF_DRAFTS, entitlement
from intake.store.claims import load_claim

SEES_WHEREABOUTS = BY_PURPOSE | {"SUPPORT"}
"""Roles that see it for a work item or an appointment: those that see answers, and support, which follows a claim's course."""

OF_EVERY_OFFICE = frozenset({"SERVICE_MANAGER"})
"""Roles that may list the claims of any office."""


def purpose(conn: Connection, claim_ref: str) -> str:
    """The purpose for which the caller may see it. Raises NotFound, and PermissionDenied as `access.hold` does."""
    found = load_claim(conn, claim_ref, caller=call.current().identity.subject)
    allowed = entitlement(found.claim, found.open_call, SEES_WHEREABOUTS, of_drafts=OF_DRAFTS | {"SUPPORT"})
    if isinstance(allowed, PermissionDenied):
        raise allowed
    return allowed


def check_list(office: str | None) -> None:
    """Raises PermissionDenied (`OTHER_OFFICE`) for a list of an office's claims that is not the caller's own."""
    caller = call.current().identity
    if office is None or caller.roles & OF_EVERY_OFFICE or _is_own(office):
        return
    raise PermissionDenied("OTHER_OFFICE", "only its assessors and service managers can list an office's claims")


def with_office_if_own(conn: Connection, claim: Claim) -> Claim:
    """The claim as it is shown to a caller who may not see the claimant: its office only where that is the caller's.

    Writes to the access log where the office is shown.
    """
    caller = call.current().identity
    if claim.office_code is None:
        return claim
    if not caller.roles & OF_EVERY_OFFICE and not _is_own(claim.office_code):
        return replace(claim, office_code=None)
    access_log.record_access(conn, claim_ref=claim.claim_ref, purpose=f"list of office {claim.office_code}")
    return claim


def _is_own(office: str) -> bool:
    caller = call.current().identity
    return caller.has("ASSESSOR") and caller.office == office
