"""The stalls that have been published. A stall is a transfer's stay in a state beyond its deadline."""

from datetime import datetime
from typing import LiteralString

from chassis.database import Connection, Row

MOST_AT_ONCE = 2000


def note_new(conn: Connection, query: LiteralString, *, state: str, cut_off: datetime) -> list[Row]:
    """Notes the oldest stalls that were not noted, MOST_AT_ONCE at most: rows of transfer_id, claim_ref, version and system.

    `query` is a deadline's, and gives `transfer_id` and `since`.
    """
    statement: LiteralString = f"""
        -- Stalls of which nobody was told yet; each is told once.
        WITH noted AS (
            INSERT INTO stalls (transfer_id, state, since)
            SELECT transfer_id, %(state)s, since FROM ({query}) AS found
            WHERE since < %(cut_off)s AND NOT EXISTS (
                SELECT FROM stalls
                WHERE stalls.transfer_id = found.transfer_id AND stalls.state = %(state)s AND stalls.since = found.since
            )
            ORDER BY since LIMIT %(most)s
            ON CONFLICT DO NOTHING
            RETURNING transfer_id
        )
        SELECT transfer_id, claim_ref, claim_version, system FROM noted JOIN transfers USING (transfer_id)
    """  # noqa: S608 - of literals alone
    return conn.execute(statement, {"state": state, "cut_off": cut_off, "most": MOST_AT_ONCE}).fetchall()
