"""The bytes of a record: those of the first attempt, or new ones from intake's facts."""

from chassis.errors import CmsError
from chassis.postcodes import MalformedPostcode, Postcodes
from legacy_gateway import mapping
from legacy_gateway.domain import Facts, Leased
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import leases

__all__ = ["FactsAway", "new_payload", "sealed_payload"]


class FactsAway(Exception):
    """Intake does not give the facts now. `reason` is that of intake's error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sealed_payload(resources: Resources, leased: Leased) -> bytes | None:
    """The bytes of the first attempt; None where there was none."""
    if leased.sealed_payload is None:
        return None
    with resources.database.transaction() as conn:
        cipher = resources.vault.cipher(conn, leased.transfer.claim_ref)
        return leases.open_payload(leased.transfer, leased.sealed_payload, cipher)


def new_payload(resources: Resources, leased: Leased) -> bytes:
    """The record as it will be on every attempt. Raises FactsAway, and mapping.Unfit where no record can be made."""
    transfer = leased.transfer
    try:
        facts = resources.intake.facts(transfer.claim_ref, transfer.claim_version)
    except CmsError as error:
        raise FactsAway(error.reason) from error
    return mapping.build(transfer.system, transfer.phase, _case(resources, leased, facts))


def _case(resources: Resources, leased: Leased, facts: Facts) -> mapping.Case:
    transfer = leased.transfer
    return mapping.Case(
        claim_ref=transfer.claim_ref,
        action=transfer.action,
        office_code=leased.confirmation.office_code,
        assessor_id=leased.confirmation.assessor_id,
        facts=facts,
        authority_code=_authority_code(resources.postcodes, facts),
        first_phase_reference=leased.first_phase_reference,
        capital_limits=mapping.sources(transfer.system).capital_limits,
    )


def _authority_code(postcodes: Postcodes, facts: Facts) -> str | None:
    address = facts.answers.get("address")
    try:
        place = postcodes.find(address["postcode"]) if address else None
    except MalformedPostcode:
        return None
    return place.authority_code if place else None
