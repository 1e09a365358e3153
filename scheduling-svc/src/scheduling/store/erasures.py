"""Forgets what is in plain text of an erased claim and says something of the person."""

from chassis.database import Connection

FORGET_NEEDS = "UPDATE appointments SET needs = '{}' WHERE claim_ref = %s"


def forget_claim(conn: Connection, claim_ref: str) -> None:
    """Forgets the needs that were stated for the claim's interviews. When and where they were stays, for the counts."""
    conn.execute(FORGET_NEEDS, [claim_ref])
