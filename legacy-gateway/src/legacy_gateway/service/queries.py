"""Transfers as staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis import access_log
from chassis.database import Connection
from chassis.vault import Vault
from legacy_gateway.domain import ShownTransfer, UncarriedScheme, WithdrawnRecord
from legacy_gateway.store import transfers, uncarried, withdrawals


@dataclass(frozen=True, kw_only=True)
class ShownClaim:
    """A claim as staff see it: its transfers, the schemes that wait for a system, and what is held although it is withdrawn."""

    transfers: Sequence[ShownTransfer]
    uncarried: Sequence[UncarriedScheme]
    withdraw_time: datetime | None
    withdrawn_records: Sequence[WithdrawnRecord]


def show_claim(conn: Connection, vault: Vault, claim_ref: str) -> ShownClaim:
    """A claim's transfers, and what else the gateway knows of it; nothing of a claim that it never heard of."""
    return ShownClaim(
        transfers=transfers_of(conn, vault, claim_ref),
        uncarried=uncarried.of_claim(conn, claim_ref),
        withdraw_time=withdrawals.withdraw_time_of(conn, claim_ref),
        withdrawn_records=withdrawals.records_of(conn, claim_ref),
    )


def transfers_of(conn: Connection, vault: Vault, claim_ref: str) -> list[ShownTransfer]:
    """Every transfer of a claim with its messages; if there are any, the access log is written first."""
    shown = transfers.of_claim(conn, vault, claim_ref)
    if any(transfer.messages for transfer in shown):
        access_log.record_access(conn, claim_ref=claim_ref)
    return shown
