"""Checks of a claim's records before anything is sent: they are made as they would be, and the edit rules run on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chassis.postcodes import Postcodes
from legacy_gateway import mapping
from legacy_gateway.clients import ClaimedFacts
from legacy_gateway.domain import Action, RefusalMessage, System
from legacy_gateway.service.payloads import authority_code

_ANY_OFFICE, _ANYBODY, _ANY_REFERENCE, _ANY_TRANSFER = "000000", "ANYBODY", "000000000000", "0" * 26
"""Stand for the values that the office, the assessor, the system and the gateway supply at confirmation and sending."""


@dataclass(frozen=True, kw_only=True)
class RecordProblem:
    """Something that keeps a record from being sent to its system."""

    system: System
    message: RefusalMessage


def problems_of(postcodes: Postcodes, claim_ref: str, claimed: ClaimedFacts) -> Sequence[RecordProblem]:
    """The problems that would keep the records of these facts from being sent, each once."""
    case = mapping.Case(
        claim_ref=claim_ref,
        action=Action.NEW,
        office_code=_ANY_OFFICE,
        assessor_id=_ANYBODY,
        facts=claimed.facts,
        authority_code=authority_code(postcodes, claimed.facts),
        first_phase_reference=_ANY_REFERENCE,
        transfer_id=_ANY_TRANSFER,
    )
    return tuple(dict.fromkeys(_problems(claimed.schemes, case)))


def _problems(schemes: Sequence[str], case: mapping.Case) -> Iterator[RecordProblem]:
    for system in mapping.systems_of(schemes):
        for phase in mapping.sources(system).phases:
            messages = mapping.check(system, phase.number, case)
            yield from (RecordProblem(system=system, message=message) for message in messages)
