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


def show_claim(conn: Connection, vault: Vault, claim_ref: str, *, purpose: str) -> ShownClaim:
    """A claim's transfers, and what else the gateway knows of it; nothing of a claim that it never heard of.

    The access log is written first, with the purpose that entitles the caller.
    """
    access_log.record_access(conn, claim_ref=claim_ref, purpose=purpose)
    return ShownClaim(
        transfers=transfers.of_claim(conn, vault, claim_ref),
        uncarried=uncarried.of_claim(conn, claim_ref),
        withdraw_time=withdrawals.withdraw_time_of(conn, claim_ref),
        withdrawn_records=withdrawals.records_of(conn, claim_ref),
    )
