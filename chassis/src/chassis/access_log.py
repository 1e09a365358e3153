"""The append-only log of callers who were shown a claimant's answers, and of callers who were refused.

A row's time (`written_time`) is the database's; `at` is the platform's. `chassis.seals` chains the rows.
"""

from typing import Literal

import psycopg
from prometheus_client import Counter

from chassis import call, clock, logs, metrics, tracing
from chassis.call import Call
from chassis.database import Connection
from chassis.errors import Unavailable

_UNWRITTEN = Counter(
    "chassis_access_log_failures_total",
    "Rows of the access log that could not be written.",
    registry=metrics.REGISTRY,
)

_INSERT = """
    INSERT INTO access_log (at, subject, roles, office, method, claim_ref, purpose, outcome, reason, traceparent)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def record_access(conn: Connection, *, claim_ref: str, purpose: str | None = None) -> None:
    """Writes that the current call is shown the claim's answers; the row commits before the response leaves.

    `purpose` is what entitles the caller (an open call); by default what the caller named by `cms-purpose`.
    Raises Unavailable (`ACCESS_LOG_AWAY`) if the row cannot be written: then nothing is shown.
    """
    current = call.current()
    try:
        _insert(conn, current, claim_ref=claim_ref, purpose=purpose or current.purpose, outcome="SHOWN")
    except psycopg.Error as error:
        raise unwritten(error) from error
    current.accesses += 1


def record_denial(refused: Call, *, reason: str) -> None:
    """Writes, in a transaction of its own, that a caller was refused."""
    with refused.database.transaction() as conn:
        _insert(conn, refused, claim_ref=refused.claim_ref, purpose=refused.purpose, outcome="DENIED", reason=reason)


def unwritten(error: Exception) -> Unavailable:
    """Counts and logs a row that could not be written; returns the error for a caller who was to be shown something."""
    _UNWRITTEN.inc()
    logs.get().error("access log not written", error=type(error).__name__)
    return Unavailable("ACCESS_LOG_AWAY", "the access log cannot be written, so nothing is shown: try again")


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
