"""Erasure of a claim, once intake has erased it."""

from chassis import erasure
from chassis.database import Connection
from scheduling.store import erasures


def erase_claim(conn: Connection, claim_ref: str) -> None:
    """Destroys the claim's key here, and forgets the needs of its interviews."""
    erasures.forget_claim(conn, claim_ref)
    erasure.forget(conn, [claim_ref])
