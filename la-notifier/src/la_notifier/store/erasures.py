"""Forgets what lists would show of an erased claim and cannot be opened any more."""

from datetime import datetime

from chassis.database import Connection

# Nobody needs to answer for a claim that nobody can read.
FORGET_WORDS = """
    UPDATE work_items SET words = NULL, answer = NULL WHERE claim_ref = %s AND (words IS NOT NULL OR answer IS NOT NULL)
"""
FORGET_LETTERS = """
    UPDATE letters SET state = CASE state WHEN 'WAITING' THEN 'CANCELLED' ELSE state END, content = NULL
    WHERE claim_ref = %s AND content IS NOT NULL
"""
# Nothing is written to the claimant any more.
DROP_MESSAGES = """
    UPDATE messages SET state = CASE WHEN ended IS NULL THEN 'DROPPED' ELSE state END, content = NULL, lease = NULL,
        leased_until = NULL, ended = coalesce(ended, %s)
    WHERE claim_ref = %s AND (ended IS NULL OR content IS NOT NULL)
"""


def forget_claim(conn: Connection, claim_ref: str, *, at: datetime) -> None:
    """Forgets messages, letters, and what councils and officers wrote. That a council was told stays known."""
    conn.execute(FORGET_WORDS, [claim_ref])
    conn.execute(DROP_MESSAGES, [at, claim_ref])
    conn.execute(FORGET_LETTERS, [claim_ref])
