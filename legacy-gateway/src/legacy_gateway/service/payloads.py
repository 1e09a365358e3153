"""The bytes of a record: those of the first attempt, or new ones from intake's facts."""

from dataclasses import dataclass

from chassis.database import Connection
from chassis.errors import CmsError
from chassis.postcodes import MalformedPostcode, Postcodes
from legacy_gateway import mapping
from legacy_gateway.domain import Facts, Leased, Transfer
from legacy_gateway.service.resources import Resources
from legacy_gateway.store import kept_facts, leases


class FactsAway(Exception):
    """Intake does not give the facts now. `reason` is that of intake's error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record's bytes, the same on every attempt. `new_facts` are those that intake gave for them just now."""

    payload: bytes
    new_facts: Facts | None = None


def record_of(resources: Resources, leased: Leased) -> Record:
    """The record of the first attempt, or a new one. Raises FactsAway, and mapping.Unfit where none can be made."""
    if leased.sealed_payload is not None:
        return Record(payload=_opened(resources, leased, leased.sealed_payload))
    kept = _kept_facts(resources, leased.transfer)
    facts = kept or _asked_facts(resources, leased.transfer)
    payload = mapping.build(leased.transfer.system, leased.transfer.phase, _case(resources, leased, facts))
    return Record(payload=payload, new_facts=None if kept else facts)


def keep_for_next_phase(conn: Connection, resources: Resources, transfer: Transfer, record: Record) -> None:
    """Keeps the facts while a later phase needs them, so that intake is asked once for a claim's version."""
    if transfer.is_last_phase:
        kept_facts.forget(conn, transfer)
    elif record.new_facts is not None:
        kept_facts.keep(conn, resources.vault, transfer, record.new_facts)


def _opened(resources: Resources, leased: Leased, sealed: bytes) -> bytes:
    with resources.database.transaction() as conn:
        cipher = resources.vault.cipher(conn, leased.transfer.claim_ref)
        return leases.open_payload(leased.transfer, sealed, cipher)


def _kept_facts(resources: Resources, transfer: Transfer) -> Facts | None:
    if transfer.phase == 1:
        return None
    with resources.database.transaction() as conn:
        return kept_facts.find(conn, resources.vault, transfer)


def _asked_facts(resources: Resources, transfer: Transfer) -> Facts:
    try:
        return resources.intake.facts(transfer.claim_ref, transfer.claim_version)
    except CmsError as error:
        raise FactsAway(error.reason) from error


def _case(resources: Resources, leased: Leased, facts: Facts) -> mapping.Case:
    transfer = leased.transfer
    return mapping.Case(
        claim_ref=transfer.claim_ref,
        action=transfer.action,
        office_code=leased.confirmation.office_code,
        assessor_id=leased.confirmation.assessor_id,
        facts=facts,
        authority_code=authority_code(resources.postcodes, facts),
        first_phase_reference=leased.first_phase_reference,
        transfer_id=transfer.transfer_id,
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
