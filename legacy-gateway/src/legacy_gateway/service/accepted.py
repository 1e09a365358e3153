"""The record that a system has accepted, field by field, beside what a record of today's facts would hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chassis import access_log
from chassis.database import Connection, Database
from chassis.errors import NotFound
from chassis.postcodes import Postcodes
from chassis.vault import Vault
from legacy_gateway import mapping
from legacy_gateway.clients import Intake
from legacy_gateway.domain import Confirmation, Facts, RefusalMessage, System, Transfer
from legacy_gateway.domain.decisions import AcceptedRecord, ComparedField
from legacy_gateway.mapping import showing
from legacy_gateway.service.payloads import authority_code
from legacy_gateway.store import decisions, leases, transfers

NEWEST = 0
"""Asks intake for the facts as they are now."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The accepted phases, their fields with those that differ first, and what is wrong with a record of today's facts."""

    records: Sequence[AcceptedRecord]
    fields: Sequence[ComparedField]
    problems: Sequence[RefusalMessage]


@dataclass(frozen=True, kw_only=True)
class _Accepted:
    transfer: Transfer
    confirmation: Confirmation
    record: AcceptedRecord


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The resources that are needed to show an accepted record."""

    vault: Vault
    intake: Intake
    postcodes: Postcodes

    def compare(self, database: Database, claim_ref: str, system: System) -> Compared:
        """The accepted record beside today's facts. The access log is written before anything is read.

        Raises NotFound where the system holds nothing of the claim, and intake's errors.
        """
        with database.transaction() as conn:
            accepted = self._accepted(conn, claim_ref, system)
        facts = self.intake.facts(claim_ref, NEWEST)
        cases = [self._case(one, accepted[0], facts) for one in accepted]
        found = [
            field for one, case in zip(accepted, cases, strict=True) for field in _compared(system, one.record, case)
        ]
        return Compared(
            records=[one.record for one in accepted],
            fields=sorted(found, key=lambda field: not field.differs),
            problems=[
                problem
                for one, case in zip(accepted, cases, strict=True)
                for problem in _problems(system, one.record.phase, case)
            ],
        )

    def _accepted(self, conn: Connection, claim_ref: str, system: System) -> Sequence[_Accepted]:
        rows = decisions.accepted(conn, claim_ref, system)
        if not rows:
            raise NotFound(
                "NOTHING_ACCEPTED", "the system holds nothing of this claim", metadata={"claim_ref": claim_ref}
            )
        access_log.record_access(conn, claim_ref=claim_ref, purpose=f"decision {system}")
        cipher = self.vault.cipher(conn, claim_ref)
        found = []
        for row in rows:
            transfer = transfers.transfer_of(row)
            record = AcceptedRecord(
                transfer_id=transfer.transfer_id,
                phase=transfer.phase,
                legacy_ref=row["legacy_ref"],
                claim_version=transfer.claim_version,
                payload=leases.open_payload(transfer, row["payload"], cipher),
            )
            confirmation = transfers.confirmation_of(claim_ref, row)
            found.append(_Accepted(transfer=transfer, confirmation=confirmation, record=record))
        return found

    def _case(self, accepted: _Accepted, first: _Accepted, facts: Facts) -> mapping.Case:
        transfer, confirmation = accepted.transfer, accepted.confirmation
        return mapping.Case(
            claim_ref=transfer.claim_ref,
            action=transfer.action,
            office_code=confirmation.office_code,
            assessor_id=confirmation.assessor_id,
            facts=facts,
            authority_code=authority_code(self.postcodes, facts),
            first_phase_reference=first.record.legacy_ref if transfer.phase > 1 else "",
            transfer_id=transfer.transfer_id,
        )


def _compared(system: System, record: AcceptedRecord, case: mapping.Case) -> Iterator[ComparedField]:
    accepted = showing.texts(system, record.phase, record.payload)
    today = showing.todays(system, record.phase, case)
    for name in dict.fromkeys([*accepted, *today]):
        yield ComparedField(
            phase=record.phase,
            field=name,
            question_id=showing.question_behind(system, record.phase, name),
            accepted=accepted.get(name, ""),
            today=today.get(name, ""),
            withheld=showing.is_withheld(system, record.phase, name),
        )


def _problems(system: System, phase: int, case: mapping.Case) -> Sequence[RefusalMessage]:
    try:
        mapping.build(system, phase, case)
    except mapping.Unfit as unfit:
        return unfit.messages
    return ()
