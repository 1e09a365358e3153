"""Erasure of claims: the data key is destroyed, so that nothing that was sealed with it can be read again, by anybody."""

from collections.abc import Sequence

from chassis.database import Connection
from chassis.inbox import Event

# A trigger destroys the keys of the claims whose tombstones are written.
_FORGET = "INSERT INTO erased_claims (claim_ref) SELECT DISTINCT unnest(%s::text[]) ON CONFLICT DO NOTHING"


def forget(conn: Connection, claim_refs: Sequence[str]) -> None:
    """Destroys this service's data keys of the claims. No new key is made for them."""
    conn.execute(_FORGET, [list(claim_refs)])


def claim_erased(conn: Connection, event: Event) -> None:
    """Handles ClaimErased for a service that has nothing of the claim but what is sealed with its key."""
    forget(conn, [event.claim_ref])
