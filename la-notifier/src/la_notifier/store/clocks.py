"""The clocks of one month that run: a row for each, until the authority has what it counts for.

The authority has a version once it says so itself: by a receipt, by RECEIVED or LOADED, in its file, or by a person's word. A
version that it refused afterwards counts no more. The claim is there with the first version of the kind CLAIM or a later one.
"""

from uuid import UUID

from chassis.database import Connection

START = """
    -- Starts the clocks of a notice that the authority does not have yet, or not again since it was withdrawn. A clock that
    -- runs keeps its day.
    INSERT INTO notice_clocks (notice_id, clock, authority_code, due_on)
    SELECT notice.notice_id, running.clock, notice.authority_code, running.due_on
    FROM notices AS notice
        JOIN notice_versions AS newest ON newest.notice_id = notice.notice_id AND NOT newest.followed
        CROSS JOIN LATERAL (VALUES
            ('INTENTION', (newest.first_contact_on + interval '1 month')::date),
            ('CLAIM', (notice.intention_on + interval '1 month')::date)
        ) AS running (clock, due_on)
    WHERE notice.notice_id = %s AND notice.wanted AND newest.kind <> 'WITHDRAWN' AND NOT EXISTS (
        SELECT FROM notice_versions AS told
        WHERE told.notice_id = notice.notice_id AND told.state <> 'REFUSED' AND told.version > (
                SELECT coalesce(max(ended.version), 0) FROM notice_versions AS ended
                WHERE ended.notice_id = notice.notice_id AND ended.kind = 'WITHDRAWN'
            )
            AND (told.received IS NOT NULL OR told.loaded IS NOT NULL OR told.receipt IS NOT NULL)
            AND (running.clock = 'INTENTION' OR EXISTS (
                SELECT FROM notice_versions AS claim
                WHERE claim.notice_id = told.notice_id AND claim.kind IN ('CLAIM', 'AWARD')
                    AND claim.version <= told.version
            ))
    )
    ON CONFLICT DO NOTHING
"""

STOP = """
    -- Stops the clocks of a notice whose authority has a version: that of the claim only if the version carries the claim.
    DELETE FROM notice_clocks
    WHERE notice_id = %(notice_id)s AND (clock = 'INTENTION' OR EXISTS (
        SELECT FROM notice_versions AS claim
        WHERE claim.notice_id = %(notice_id)s AND claim.kind IN ('CLAIM', 'AWARD') AND claim.version <= %(version)s
    ))
"""

STOP_ALL = """
    -- Stops the clocks of a notice that the authority needs no more.
    DELETE FROM notice_clocks WHERE notice_id = %s
"""


def start(conn: Connection, notice_id: UUID) -> None:
    """Starts the clocks of what the authority does not have yet; call it when a notice is made or wanted again."""
    conn.execute(START, [notice_id])


def stop(conn: Connection, notice_id: UUID, *, version: int) -> None:
    """Stops the clocks of what the authority has with this version."""
    conn.execute(STOP, {"notice_id": notice_id, "version": version})


def stop_all(conn: Connection, notice_id: UUID) -> None:
    """Stops both clocks: the authority needs the notice no more."""
    conn.execute(STOP_ALL, [notice_id])
