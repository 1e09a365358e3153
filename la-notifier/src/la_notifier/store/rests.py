"""Pauses of authorities that take no notices, or do not answer: until the end nothing is sent to them or asked."""

from datetime import datetime
from typing import Literal

from chassis.database import Connection

Act = Literal["SEND", "ASK"]

FAILED = """
    -- Counts one more failure in a row of an authority.
    INSERT INTO authority_rests (authority_code, act, failures, since, rests_until)
    VALUES (%(authority_code)s, %(act)s, 1, %(now)s, statement_timestamp())
    ON CONFLICT (authority_code, act) DO UPDATE SET failures = authority_rests.failures + 1
    RETURNING failures
"""

REST = """
    -- Leaves an authority alone for so many seconds.
    UPDATE authority_rests SET rests_until = statement_timestamp() + make_interval(secs => %s)
    WHERE authority_code = %s AND act = %s
"""

END_IDLE = """
    -- Forgets failures of authorities for which nothing is open any more: nobody tries them, so no answer would end them.
    DELETE FROM authority_rests AS rest
    WHERE act = 'SEND' AND NOT EXISTS (
        SELECT FROM notice_versions
        WHERE channel = 'API' AND authority = rest.authority_code AND state = 'WAITING'
    ) OR act = 'ASK' AND NOT EXISTS (
        SELECT FROM notice_versions
        WHERE channel = 'API' AND authority = rest.authority_code AND state IN ('SENT', 'RECEIVED')
    )
"""

END = """
    -- The authority answers.
    DELETE FROM authority_rests WHERE authority_code = %s AND act = %s
"""


def failed(conn: Connection, authority_code: str, act: Act, *, now: datetime) -> int:
    """Counts one more failure; returns how many there were in a row."""
    [row] = conn.execute(FAILED, {"authority_code": authority_code, "act": act, "now": now})
    failures: int = row["failures"]
    return failures


def rest(conn: Connection, authority_code: str, act: Act, *, seconds: float) -> None:
    """Leaves the authority alone for so long. It must have failed."""
    conn.execute(REST, [seconds, authority_code, act])


def end(conn: Connection, authority_code: str, act: Act) -> None:
    """The authority answers: what waits for it goes on."""
    conn.execute(END, [authority_code, act])


def end_idle(conn: Connection) -> None:
    """Forgets the failures of authorities for which nothing is open any more."""
    conn.execute(END_IDLE)
