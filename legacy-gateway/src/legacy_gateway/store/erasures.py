"""Forgets what lists would show of an erased claim and cannot be opened any more."""

from chassis.database import Connection

FORGET_MESSAGES = "UPDATE transfers SET messages = NULL WHERE claim_ref = %s AND messages IS NOT NULL"
FORGET_FACTS = "DELETE FROM kept_facts WHERE claim_ref = %s"


def forget_claim(conn: Connection, claim_ref: str) -> None:
    """Forgets what systems said of the claim's records, and facts that were kept. That a system holds a record stays known."""
    conn.execute(FORGET_MESSAGES, [claim_ref])
    conn.execute(FORGET_FACTS, [claim_ref])
