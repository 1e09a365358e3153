"""Storing the result of a step, with its consequences."""

from datetime import datetime
from uuid import UUID

from chassis import logs, outbox
from chassis.database import Connection
from chassis.enums import number_of
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2
from legacy_gateway.domain import RefusalMessage, State, Step, Transfer
from legacy_gateway.service import changes
from legacy_gateway.service.decisions import await_decision
from legacy_gateway.store import batches, claims, desk, kept_facts, leases
from legacy_gateway.store.batches import BatchLine


def settle(conn: Connection, vault: Vault, transfer: Transfer, *, token: UUID, step: Step, reason: str) -> None:
    """Stores the result of a step, with its consequences: the next phase is due, events go out, others are woken.

    `reason` is of a closed list, and stands in the transfer's history. If the claim was amended meanwhile, a refused record
    is corrected at once. Raises LeaseLost.
    """
    _see_amendments(conn, transfer, step)
    confirmed_time = leases.settle(conn, vault, transfer, token=token, step=step, reason=reason)
    _follow_up(conn, transfer, step, confirmed_time=confirmed_time)


def settle_line(conn: Connection, vault: Vault, line: BatchLine, step: Step, *, reason: str) -> None:
    """Stores what became of a transfer in a file, with the same consequences. Raises LeaseLost."""
    _see_amendments(conn, line.transfer, step)
    batches.settle_line(conn, vault, line, step, reason=reason)
    _follow_up(conn, line.transfer, step, confirmed_time=line.confirmed_time)


def _see_amendments(conn: Connection, transfer: Transfer, step: Step) -> None:
    if step.state is State.REJECTED:
        # An amendment at this moment must either see the refusal or be seen by it.
        claims.note_amendment(conn, transfer.claim_ref, version=0)


def _follow_up(conn: Connection, transfer: Transfer, step: Step, *, confirmed_time: datetime) -> None:
    if step.system_works:
        leases.wake(conn, transfer.system)
    if step.state in {State.REJECTED, State.CLERICAL}:
        kept_facts.forget(conn, transfer)
    if step.state is State.REJECTED:
        desk.keep_causes(conn, transfer, step.messages)
        _tell_rejected(conn, transfer, step.messages)
        changes.take_turn(conn, transfer.claim_ref, transfer.system)
    elif step.state is State.ACCEPTED and transfer.is_last_phase:
        _tell_accepted(conn, transfer, step.legacy_ref)
        await_decision(conn, transfer, step.legacy_ref, confirmed_time=confirmed_time)
    elif step.state is State.ACCEPTED:
        leases.release_next_phase(conn, transfer)


def log_step(transfer: Transfer, state: State, reason: str) -> None:
    """Logs the new state of a transfer."""
    logs.get().info(
        "transfer settled",
        transfer_id=transfer.transfer_id,
        claim_ref=transfer.claim_ref,
        system=transfer.system,
        phase=transfer.phase,
        state=state,
        reason=reason,
    )


def _tell_accepted(conn: Connection, transfer: Transfer, legacy_ref: str) -> None:
    event = events_pb2.TransferAccepted(
        system=number_of(common_pb2.System, transfer.system),
        transfer_id=transfer.transfer_id,
        legacy_ref=legacy_ref,
    )
    outbox.append(conn, claim_ref=transfer.claim_ref, version=transfer.claim_version, event=event)


def _tell_rejected(conn: Connection, transfer: Transfer, messages: tuple[RefusalMessage, ...]) -> None:
    event = events_pb2.TransferRejected(
        system=number_of(common_pb2.System, transfer.system),
        transfer_id=transfer.transfer_id,
        question_ids=sorted({message.question_id for message in messages if message.question_id}),
    )
    outbox.append(conn, claim_ref=transfer.claim_ref, version=transfer.claim_version, event=event)
