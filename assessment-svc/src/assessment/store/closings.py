"""Schemes that were closed without a confirmation."""

from assessment.domain.assessments import SchemesClosed
from chassis.database import Connection

ADD = """
    -- A scheme is closed once.
    INSERT INTO closings (claim_ref, scheme, reason, duplicate_of, closed_by, closed_time)
    SELECT %(claim_ref)s, scheme, %(reason)s, %(duplicate_of)s, %(closed_by)s, %(closed_time)s
    FROM unnest(%(schemes)s::text[]) AS scheme
"""


def add(conn: Connection, event: SchemesClosed) -> None:
    """Keeps the closing of the event's schemes."""
    values = {
        "claim_ref": event.claim_ref,
        "schemes": list(event.schemes),
        "reason": event.reason.value,
        "duplicate_of": event.duplicate_of,
        "closed_by": event.closed.by,
        "closed_time": event.closed.at,
    }
    conn.execute(ADD, values)
