"""Erasure of a claim, once intake has erased it."""

from chassis import clock, erasure
from chassis.database import Connection
from la_notifier.store import erasures


def erase_claim(conn: Connection, claim_ref: str) -> None:
    """Destroys the claim's key here, and forgets letters about it, and what councils wrote."""
    erasures.forget_claim(conn, claim_ref, at=clock.now())
    erasure.forget(conn, [claim_ref])
