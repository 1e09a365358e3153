"""The list of work and its counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

from assessment.domain.reports import Appointment
from assessment.domain.schemes import Desk
from assessment.domain.states import AssessmentState
from assessment.domain.work import Place, WorkFilter, WorkItem
from chassis.database import Connection, Row

_PARTS: LiteralString = """
    unnest(%(states)s::text[], %(dones)s::boolean[], %(after_times)s::timestamptz[], %(after_refs)s::text[])
        AS part (state, done, time, ref)
"""


def _page_of(work: LiteralString) -> LiteralString:
    return f"""
        SELECT page.*,
            ARRAY(
                SELECT system FROM outcomes
                WHERE outcomes.claim_ref = page.claim_ref AND accepted_time IS NOT NULL
                ORDER BY system
            ) AS accepted_by,
            ARRAY(
                SELECT DISTINCT question_id FROM outcomes, unnest(rejected_question_ids) AS question_id
                WHERE outcomes.claim_ref = page.claim_ref
                    AND (accepted_time IS NULL OR accepted_time < rejected_time)
                ORDER BY question_id
            ) AS rejected_question_ids
        FROM (
            SELECT work.*, part.state AS part_state, part.done FROM {_PARTS} {work}
            ORDER BY part.done, submit_time, work.claim_ref LIMIT %(limit)s
        ) AS page
        ORDER BY done, submit_time, claim_ref
    """  # noqa: S608 - made of constants alone


# A page of an office's work: open work before work that is done, the oldest submission first. Each state is read
# separately in the order of an index, so that no more rows are read than are shown.
WORK_OF_OFFICE = _page_of("""
    CROSS JOIN LATERAL (
        (
            SELECT * FROM assessments
            WHERE submit_time IS NOT NULL AND office_code = %(office)s
                AND assessor_state = part.state AND (submit_time, claim_ref) > (part.time, part.ref)
            ORDER BY submit_time, claim_ref LIMIT %(limit)s
        ) UNION ALL (
            SELECT * FROM assessments
            WHERE submit_time IS NOT NULL AND office_code IS NULL AND %(with_unbooked)s
                AND assessor_state = part.state AND (submit_time, claim_ref) > (part.time, part.ref)
            ORDER BY submit_time, claim_ref LIMIT %(limit)s
        )
    ) AS work
""")

# The same for one assessor of the office.
WORK_OF_ASSESSOR = _page_of("""
    CROSS JOIN LATERAL (
        SELECT * FROM assessments
        WHERE submit_time IS NOT NULL AND office_code = %(office)s AND assessor_id = %(assessor)s
            AND assessor_state = part.state AND (submit_time, claim_ref) > (part.time, part.ref)
        ORDER BY submit_time, claim_ref LIMIT %(limit)s
    ) AS work
""")

# The same for one day's interviews, which are few enough to be sorted.
WORK_OF_DAY = _page_of("""
    JOIN assessments AS work ON work.assessor_state = part.state
    WHERE submit_time IS NOT NULL AND office_code = %(office)s
        AND start_time >= %(starts_from)s AND start_time < %(starts_before)s
        AND (%(assessor)s::text IS NULL OR assessor_id = %(assessor)s)
        AND (submit_time, claim_ref) > (part.time, part.ref)
""")

# The work of caseworkers, wherever the claimant lives.
WORK_OF_CASEWORKERS = _page_of("""
    CROSS JOIN LATERAL (
        SELECT * FROM assessments
        WHERE submit_time IS NOT NULL AND caseworker_state = part.state AND (submit_time, claim_ref) > (part.time, part.ref)
        ORDER BY submit_time, claim_ref LIMIT %(limit)s
    ) AS work
""")

# Claims that nobody booked in time.
COUNT_UNBOOKED = """
    SELECT count(*) AS count FROM assessments
    WHERE office_code IS NULL AND submit_time IS NOT NULL AND submit_time <= %s
        AND assessor_state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING') AND needs_interview
"""

# Open work by state.
COUNT_BY_STATE = """
    SELECT state, count(*) AS count FROM assessments
    WHERE submit_time IS NOT NULL AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING') GROUP BY state
"""


def list_work(conn: Connection, wanted: WorkFilter, *, after: Place | None, limit: int) -> list[WorkItem]:
    """At most `limit` work items after the place: open work before work that is done, the oldest submission first."""
    rows = conn.execute(statement_of(wanted), parameters_of(wanted, after=after, limit=limit))
    return [_work_item(row) for row in rows]


def statement_of(wanted: WorkFilter) -> LiteralString:
    """The statement that reads the fewest rows for this filter."""
    if wanted.desk is Desk.CASEWORKER:
        return WORK_OF_CASEWORKERS
    if wanted.starts_from is not None:
        return WORK_OF_DAY
    return WORK_OF_OFFICE if wanted.assessor is None else WORK_OF_ASSESSOR


def parameters_of(wanted: WorkFilter, *, after: Place | None, limit: int) -> Row:
    """The parameters of that statement."""
    starts = wanted.starts(after)
    return vars(wanted) | {
        "states": [state.value for state in starts],
        "dones": [place.done for place in starts.values()],
        "after_times": [place.submit_time for place in starts.values()],
        "after_refs": [place.claim_ref for place in starts.values()],
        "limit": limit,
    }


def count_unbooked(conn: Connection, *, submitted_before: datetime) -> int:
    """The number of claims submitted by then that have no interview."""
    row = conn.execute(COUNT_UNBOOKED, [submitted_before]).fetchone()
    return int(row["count"]) if row else 0


def count_by_state(conn: Connection) -> Mapping[AssessmentState, int]:
    """The number of work items that are READY or IN_PROGRESS; a state without any is absent."""
    return {AssessmentState(row["state"]): int(row["count"]) for row in conn.execute(COUNT_BY_STATE)}


def _work_item(row: Row) -> WorkItem:
    return WorkItem(
        claim_ref=row["claim_ref"],
        state=AssessmentState(row["part_state"]),
        version=row["version"],
        schemes=tuple(row["schemes"]),
        confirmed_schemes=tuple(row["confirmed_schemes"]),
        closed_reason=row["closed_reason"],
        submit_time=row["submit_time"],
        appointment=_appointment(row) if row["appointment_id"] else None,
        accepted_by=tuple(row["accepted_by"]),
        rejected_question_ids=tuple(row["rejected_question_ids"]),
    )


def _appointment(row: Row) -> Appointment:
    return Appointment(
        appointment_id=row["appointment_id"],
        office_code=row["office_code"],
        assessor_id=row["assessor_id"],
        start_time=row["start_time"],
        channel=row["channel"],
        booked_time=row["booked_time"],
    )
