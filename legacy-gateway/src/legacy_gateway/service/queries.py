"""Transfers as staff see them."""

from chassis import access_log
from chassis.database import Connection
from chassis.vault import Vault
from legacy_gateway.domain import ShownTransfer
from legacy_gateway.store import transfers


def transfers_of(conn: Connection, vault: Vault, claim_ref: str) -> list[ShownTransfer]:
    """Every transfer of a claim with its messages; if there are any, the access log is written first."""
    shown = transfers.of_claim(conn, vault, claim_ref)
    if any(transfer.messages for transfer in shown):
        access_log.record_access(conn, claim_ref=claim_ref)
    return shown
