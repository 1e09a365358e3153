"""Claims that may be of one person: found by name, birth date and postcode, and decided by the operator."""

from chassis import call, clock
from chassis.database import Connection
from chassis.errors import FailedPrecondition
from chassis.vault import Vault
from intake.domain import claim as claims
from intake.domain.catalogue import Catalogues
from intake.domain.claim import Claim, ClaimState, Withdrawal, WithdrawalCause, value_of
from intake.domain.interview import Answers
from intake.domain.likeness import sounds
from intake.service.access import hold_to_change
from intake.service.earlier import link_duplicate
from intake.service.events import announce
from intake.store.claims import save_withdrawal
from intake.store.duplicates import Sounds, keep_sounds, save_verdict

IDENTIFYING = frozenset({"surname", "date_of_birth", "address"})
"""The questions by which another claim of the person may be found."""
SAME_PERSON = "SAME_PERSON"


def look_for_duplicates(conn: Connection, claim: Claim, answers: Answers) -> None:
    """Keeps the sounds of the claimant's name, and the open claims for one of the schemes that may be of the same person."""
    found_by = sounds_of(call.current().vault, answers)
    keep_sounds(conn, claim.claim_ref, found_by, schemes=claim.schemes, at=clock.now())


def sounds_of(vault: Vault, answers: Answers) -> Sounds | None:
    """The sounds by which a claim with these answers is found; None before surname and birth date are known.

    Who has no fixed address yet is compared with others who have none.
    """
    surname, born, address = (value_of(answers, name) for name in ("surname", "date_of_birth", "address"))
    heard = sounds(str(surname)) if surname else frozenset()
    if not heard or not born:
        return None
    postcode = address.get("postcode") if isinstance(address, dict) else None
    person = f"{born}|{postcode or ''}"
    return Sounds(
        person=vault.lookup(f"born-at|{person}"),
        sounds=frozenset(vault.lookup(f"sound|{sound}|{person}") for sound in heard),
    )


def decide_duplicate(
    conn: Connection, catalogues: Catalogues, claim_ref: str, other_ref: str, *, verdict: str, reason: str, version: int
) -> Claim:
    """Records whether two claims are of one person.

    If they are, the draft in hand is withdrawn and the other goes on, where its answers can be confirmed.

    Raises NotFound, PermissionDenied, StaleVersion, and FailedPrecondition where no warning about the pair is open, or the
    claim that would end is no draft.
    """
    held = hold_to_change(conn, catalogues, claim_ref, version=version)
    by, at = call.current().identity.subject, clock.now()
    if verdict == SAME_PERSON:
        held.claim.expect_state(ClaimState.DRAFT, advice="withdraw one of the two claims")
    if not save_verdict(conn, held.cipher, other_ref, verdict=verdict, by=by, at=at, reason=reason):
        raise FailedPrecondition(
            "NO_WARNING", "no warning about these two claims is open", metadata={"claim_ref": claim_ref}
        )
    if verdict != SAME_PERSON:
        return held.claim
    withdrawal = Withdrawal(at=at, by=by, cause=WithdrawalCause.DUPLICATE, reason=reason)
    withdrawn, event = claims.withdraw(held.claim, withdrawal)
    save_withdrawal(conn, held.cipher, withdrawn, withdrawal)
    announce(conn, withdrawn, event)
    link_duplicate(conn, catalogues, other_ref, duplicate_ref=claim_ref)
    return withdrawn
