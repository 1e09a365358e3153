"""One function a use case, on the connection that it is given."""

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from chassis import clock, outbox
from chassis.database import Connection, Row
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2
from legacy_gateway.domain import Message, State, Step, System, Transfer, Waits, worst
from legacy_gateway.store import claims, leases, transfers
from legacy_gateway.store.leases import Leased
from legacy_gateway.store.transfers import Confirmation


def waits(scale: float) -> Waits:
    """The waits of now, with a jitter of a quarter either way."""
    return Waits(scale=scale, spread=random.uniform(0.75, 1.25))  # noqa: S311


def confirm(conn: Connection, confirmation: Confirmation, systems: list[System]) -> None:
    """Starts the transfers of a confirmed claim; again is as once. An amendment heard of earlier makes a held change."""
    amended = claims.note_amendment(conn, confirmation.claim_ref, version=0)
    for system in systems:
        claims.add_new(conn, confirmation, system)
    if amended:
        _hold_change(conn, confirmation.claim_ref, version=amended)


def amend(conn: Connection, claim_ref: str, *, version: int) -> None:
    """Remembers an amendment; of a claim that was confirmed before it, it makes a held change.

    Where the record before it was refused it is the correction, and goes at once.
    """
    newest = claims.note_amendment(conn, claim_ref, version=version)
    _hold_change(conn, claim_ref, version=newest)
    claims.send_corrected(conn, claim_ref)


def _hold_change(conn: Connection, claim_ref: str, *, version: int) -> None:
    for held in claims.newest(conn, claim_ref):
        if held.claim_version >= version:
            continue
        if held.is_open_change:
            claims.move_change_on(conn, held, claim_version=version)
        else:
            claims.add_change(conn, held, claim_version=version)


def settle(conn: Connection, vault: Vault, transfer: Transfer, *, token: uuid.UUID, step: Step) -> None:
    """Stores what a step brought, with what follows from it: the next phase becomes due, or the others are told.

    What is refused is corrected already where the claim was amended meanwhile. Raises leases.LeaseLost.
    """
    if step.state is State.REJECTED:
        # An amendment that comes at this moment must find it refused, or be found by it.
        claims.note_amendment(conn, transfer.claim_ref, version=0)
    leases.settle(conn, vault, transfer, token=token, step=step)
    if step.state is State.REJECTED:
        _tell_rejected(conn, transfer, step.messages)
        claims.send_corrected(conn, transfer.claim_ref)
    elif step.state is State.ACCEPTED and transfer.is_last_phase:
        _tell_accepted(conn, transfer, step.legacy_ref)
    elif step.state is State.ACCEPTED:
        leases.release_next_phase(conn, transfer)


def _tell_accepted(conn: Connection, transfer: Transfer, legacy_ref: str) -> None:
    event = events_pb2.TransferAccepted(
        system=common_pb2.System.Value(f"SYSTEM_{transfer.system}"),
        transfer_id=transfer.transfer_id,
        legacy_ref=legacy_ref,
    )
    outbox.append(conn, claim_ref=transfer.claim_ref, version=transfer.claim_version, event=event)


def _tell_rejected(conn: Connection, transfer: Transfer, messages: tuple[Message, ...]) -> None:
    event = events_pb2.TransferRejected(
        system=common_pb2.System.Value(f"SYSTEM_{transfer.system}"),
        transfer_id=transfer.transfer_id,
        question_ids=sorted({message.question_id for message in messages if message.question_id}),
    )
    outbox.append(conn, claim_ref=transfer.claim_ref, version=transfer.claim_version, event=event)


def sweep(
    conn: Connection, vault: Vault, *, scale: float, lease_seconds: float, even_since: datetime
) -> list[Transfer]:
    """Makes UNKNOWN of every transfer whose sender did not come back within its lease, and gives them.

    Never WAITING: the record may be held. The lease outlives the sender's own time-out, at which it closes its
    connection, and a sender that died has had it closed by its machine; when that was is not known here, so the wait
    before an `N` is final begins now, which is later than either. A sender that was stopped and not ended may have its
    connection open still; it sends nothing more when it comes back (`send_by`), and what it had sent shows when asked.
    """
    swept = leases.expired(conn, seconds=lease_seconds, even_since=even_since)
    for transfer, token in swept:
        settle(conn, vault, transfer, token=token, step=transfer.lease_expired(waits(scale)))
    return [transfer for transfer, _ in swept]


def completion_seconds(leased: Leased) -> float:
    """Seconds on the platform's clock from the confirmation until now."""
    return (clock.now() - leased.confirmation.confirmed_time).total_seconds()


def standing(rows: Iterable[Row]) -> dict[str, State]:
    """Where a claim stands with each system: the worst of its transfers, those left out that were corrected."""
    states: dict[str, list[State]] = defaultdict(list)
    for row in rows:
        if not row["corrected"]:
            states[row["system"]].append(State(row["state"]))
    return {system: worst(of_system) for system, of_system in states.items()}


def transfers_of(conn: Connection, vault: Vault, claim_ref: str) -> list[tuple[Row, list[Message]]]:
    """Every transfer of a claim with its messages."""
    rows = transfers.of_claim(conn, claim_ref)
    if not rows:
        return []
    cipher = vault.cipher(conn, claim_ref)
    return [(row, transfers.open_messages(row, cipher)) for row in rows]
