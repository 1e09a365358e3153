"""The append-only log of who was shown what a claimant told us, and of who was refused."""

from typing import Literal

from chassis import call, clock, tracing
from chassis.call import Call
from chassis.database import Connection

_INSERT = """
    INSERT INTO access_log (at, subject, roles, office, method, claim_ref, purpose, outcome, reason, traceparent)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def record_access(conn: Connection, *, claim_ref: str, purpose: str | None = None) -> None:
    """Writes that the current call is shown the claim's answers.

    The row is committed with the transaction, so before the response leaves; if it cannot be, there is no response.
    `purpose` is what entitles the caller (an open call); otherwise what the caller named by `cms-purpose`.
    """
    current = call.current()
    _insert(conn, current, claim_ref=claim_ref, purpose=purpose or current.purpose, outcome="SHOWN")
    current.accesses += 1


def record_denial(refused: Call, *, reason: str) -> None:
    """Writes, in a transaction of its own, that a caller was refused."""
    with refused.database.transaction() as conn:
        _insert(conn, refused, claim_ref=refused.claim_ref, purpose=refused.purpose, outcome="DENIED", reason=reason)


def _insert(
    conn: Connection,
    current: Call,
    *,
    claim_ref: str,
    purpose: str,
    outcome: Literal["SHOWN", "DENIED"],
    reason: str | None = None,
) -> None:
    caller = current.identity
    conn.execute(
        _INSERT,
        [
            clock.now(),
            caller.subject,
            sorted(caller.roles),
            caller.office,
            current.method,
            claim_ref or None,
            purpose,
            outcome,
            reason,
            tracing.current(),
        ],
    )
