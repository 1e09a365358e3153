"""Which versions are late, and of which of their states that was told."""

from datetime import datetime
from typing import LiteralString

from chassis.database import Connection, Row

MOST_AT_ONCE = 1000


def note_new(conn: Connection, query: LiteralString, *, state: str, cut_off: datetime) -> list[Row]:
    """Notes versions that are late in a state and were not noted, the oldest MOST_AT_ONCE.

    `query` is a deadline's. Rows of notice_id, version, authority_code, claim_ref and at_stake_on.
    """
    statement: LiteralString = f"""
        -- Versions that are late and of which nobody was told yet; each is told once for a state.
        WITH found AS (
            SELECT notice_id, version FROM ({query}) AS found
            WHERE since < %(cut_off)s AND NOT %(state)s = ANY(late_states)
            ORDER BY since LIMIT %(most)s
        )
        UPDATE notice_versions AS version SET late_states = version.late_states || %(state)s
        FROM found JOIN notices AS notice USING (notice_id)
        WHERE version.notice_id = found.notice_id AND version.version = found.version
            AND NOT %(state)s = ANY(version.late_states)
        RETURNING version.notice_id, version.version, notice.authority_code, notice.claim_ref, (
            SELECT min(due_on) FROM notice_clocks AS clock WHERE clock.notice_id = version.notice_id
        ) AS at_stake_on
    """  # noqa: S608 - of literals alone
    return conn.execute(statement, {"state": state, "cut_off": cut_off, "most": MOST_AT_ONCE}).fetchall()
