"""Confirmations of schemes, each as it was made."""

from datetime import datetime

from assessment.domain.assessments import AssessmentConfirmed, Confirmation
from chassis.database import Connection

ADD = """
    -- A scheme is confirmed once.
    INSERT INTO confirmations (claim_ref, scheme, claim_version, office_code, assessor_id, confirm_time)
    SELECT %(claim_ref)s, scheme, %(claim_version)s, %(office_code)s, %(assessor_id)s, %(confirm_time)s
    FROM unnest(%(schemes)s::text[]) AS scheme
"""

OF_CLAIM = """
    -- Every confirmed scheme of a submitted claim, in the order of confirmation; one row without a scheme where none is. A
    -- scheme that an earlier release confirmed has no row of its own: there the assessment tells.
    SELECT scheme, coalesce(made.claim_version, assessments.claim_version) AS claim_version,
        coalesce(made.office_code, assessments.office_code, '') AS office_code,
        coalesce(made.assessor_id, assessments.confirmed_by) AS assessor_id,
        coalesce(made.confirm_time, assessments.confirmed_time) AS confirm_time
    FROM assessments
    LEFT JOIN LATERAL unnest(confirmed_schemes) WITH ORDINALITY AS confirmed (scheme, place) ON true
    LEFT JOIN confirmations AS made USING (claim_ref, scheme)
    WHERE claim_ref = %s AND submit_time IS NOT NULL
    ORDER BY place
"""


def add(conn: Connection, event: AssessmentConfirmed, *, confirm_time: datetime) -> None:
    """Keeps the confirmation of the event's schemes."""
    values = {
        "claim_ref": event.claim_ref,
        "schemes": list(event.schemes),
        "claim_version": event.claim_version,
        "office_code": event.office_code,
        "assessor_id": event.assessor_id,
        "confirm_time": confirm_time,
    }
    conn.execute(ADD, values)


def of_claim(conn: Connection, claim_ref: str) -> list[Confirmation] | None:
    """The confirmations of a claim; None where no such claim was submitted."""
    rows = conn.execute(OF_CLAIM, [claim_ref]).fetchall()
    if not rows:
        return None
    return [Confirmation(**row) for row in rows if row["scheme"] is not None]
