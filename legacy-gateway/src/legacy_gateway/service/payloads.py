"""The bytes of a record: those of the first attempt, or new ones from intake's facts."""

from dataclasses import dataclass

from chassis.database import Connection
from chassis.errors import CmsError
from chassis.postcodes import MalformedPostcode, Postcodes
from legacy_gateway import mapping
from legacy_gateway.domain import Facts, Leased, Transfer, trust
from legacy_gateway.domain.trust import Basis, SchemeConfirmation
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import kept_facts, leases


class FactsAway(Exception):
    """The owners of the claim do not answer now, or it is withdrawn. `reason` is of a closed list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record's bytes, the same on every attempt. `basis`: what they were made of, if just now; `asked`: for them alone."""

    payload: bytes
    basis: Basis | None = None
    asked: bool = False


def record_of(resources: Resources, leased: Leased) -> Record:
    """The record of the first attempt, or a new one.

    Raises FactsAway, Unvouched where the owners do not stand for it, and mapping.Unfit where none can be made.
    """
    if leased.sealed_payload is not None:
        return Record(payload=_opened(resources, leased, leased.sealed_payload))
    kept = _kept(resources, leased.transfer) if leased.has_kept_facts else None
    basis = kept or _asked(resources, leased.transfer)
    payload = mapping.build(leased.transfer.system, leased.transfer.phase, _case(resources, leased, basis))
    return Record(payload=payload, basis=basis, asked=kept is None)


def keep_for_others(
    conn: Connection, resources: Resources, transfer: Transfer, record: Record, *, is_needed_elsewhere: bool
) -> None:
    """Keeps the basis while another record of the claim's version is to be made of it, so that its owners are asked once.

    `is_needed_elsewhere`: one for another system.
    """
    if record.basis is None:
        return
    if not record.asked:
        if transfer.is_last_phase:
            kept_facts.forget(conn, transfer)
    elif not transfer.is_last_phase or is_needed_elsewhere:
        kept_facts.keep(conn, resources.vault, transfer, record.basis)


def _opened(resources: Resources, leased: Leased, sealed: bytes) -> bytes:
    with resources.database.transaction() as conn:
        cipher = resources.vault.cipher(conn, leased.transfer.claim_ref)
        return leases.open_payload(leased.transfer, sealed, cipher)


def _kept(resources: Resources, transfer: Transfer) -> Basis | None:
    """The basis of an earlier record. A decided amount is asked for all the same: it may be younger."""
    with resources.database.transaction() as conn:
        kept = kept_facts.find(conn, resources.vault, transfer)
    if kept is None or not transfer.rules.pays_decided_amount:
        return kept
    try:
        return _basis(kept.facts, _confirmation(resources, transfer))
    except CmsError as error:
        raise FactsAway(error.reason) from error


def _asked(resources: Resources, transfer: Transfer) -> Basis:
    """The basis, asked of its owners: assessment-svc confirms the claim, intake that it is submitted, and gives its facts."""
    try:
        confirmation = _confirmation(resources, transfer)
        facts = resources.intake.facts(transfer.claim_ref, transfer.claim_version)
        trust.check_submitted(facts.claim_state)
    except (CmsError, trust.Withdrawn) as error:
        raise FactsAway(error.reason) from error
    return _basis(facts, confirmation)


def _confirmation(resources: Resources, transfer: Transfer) -> SchemeConfirmation:
    return trust.confirmation_for(transfer, resources.assessment.confirmations(transfer.claim_ref))


def _basis(facts: Facts, confirmation: SchemeConfirmation) -> Basis:
    return Basis(
        facts=facts,
        office_code=confirmation.office_code,
        assessor_id=confirmation.assessor_id,
        loan_amount=confirmation.loan_amount,
    )


def _case(resources: Resources, leased: Leased, basis: Basis) -> mapping.Case:
    transfer = leased.transfer
    return mapping.Case(
        claim_ref=transfer.claim_ref,
        action=transfer.action,
        office_code=basis.office_code or leased.confirmation.office_code,
        assessor_id=basis.assessor_id,
        facts=basis.facts,
        authority_code=authority_code(resources.postcodes, basis.facts),
        first_phase_reference=leased.first_phase_reference,
        transfer_id=transfer.transfer_id,
        loan_amount=basis.loan_amount,
    )


def authority_code(postcodes: Postcodes, facts: Facts) -> str | None:
    """The council that the claimant named where the postcode alone does not tell, otherwise the postcode's."""
    if chosen := facts.answers.get("council"):
        return str(chosen)
    address = facts.answers.get("address")
    try:
        place = postcodes.find(address["postcode"]) if address else None
    except MalformedPostcode:
        return None
    return place.authority_code if place else None
