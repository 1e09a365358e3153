"""Crisis loans that were asked for in a call. A claim asks once, so that a repeated event changes nothing."""

from datetime import datetime

from chassis.database import Connection

KEEP_REQUEST = """
    INSERT INTO crisis_loan_requests (claim_ref, claim_version, request_time) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""


def keep_request(conn: Connection, claim_ref: str, *, version: int, request_time: datetime) -> None:
    """Keeps that a crisis loan was asked for, with the claim's version that has its facts."""
    conn.execute(KEEP_REQUEST, [claim_ref, version, request_time])
