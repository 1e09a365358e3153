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


def _shown(page: LiteralString, *, order: LiteralString) -> LiteralString:
    return f"""
        SELECT page.*,
            ARRAY(SELECT scheme FROM decisions WHERE decisions.claim_ref = page.claim_ref ORDER BY scheme) AS decided_schemes,
            ARRAY(
                SELECT decided_time FROM decisions WHERE decisions.claim_ref = page.claim_ref ORDER BY scheme
            ) AS decided_times,
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
        FROM ({page}) AS page
        ORDER BY {order}
    """  # noqa: S608 - made of constants alone


def _page_of(work: LiteralString) -> LiteralString:
    page: LiteralString = f"""
        SELECT work.*, part.state AS part_state, part.done FROM {_PARTS} {work}
        ORDER BY part.done, submit_time, work.claim_ref LIMIT %(limit)s
    """  # noqa: S608 - made of constants alone
    return _shown(page, order="done, submit_time, claim_ref")


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

# One day's interviews of an office in their order, whatever the state of the work.
WORK_OF_DAY = _shown(
    """
        SELECT *, assessor_state AS part_state FROM assessments
        WHERE submit_time IS NOT NULL AND office_code = %(office)s AND assessor_state = ANY(%(states)s)
            AND start_time >= %(starts_from)s AND start_time < %(starts_before)s
            AND (start_time, claim_ref) > (%(after_time)s, %(after_ref)s)
            AND (%(assessor)s::text IS NULL OR assessor_id = %(assessor)s)
        ORDER BY start_time, claim_ref LIMIT %(limit)s
    """,
    order="start_time, claim_ref",
)

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
    """At most `limit` work items after the place: a day's in the order of interviews, others open work first."""
    rows = conn.execute(statement_of(wanted), parameters_of(wanted, after=after, limit=limit))
    return [_work_item(row) for row in rows]


def statement_of(wanted: WorkFilter) -> LiteralString:
    """The statement that reads the fewest rows for this filter."""
    if wanted.desk is Desk.CASEWORKER:
        return WORK_OF_CASEWORKERS
    if wanted.by_interview:
        return WORK_OF_DAY
    return WORK_OF_OFFICE if wanted.assessor is None else WORK_OF_ASSESSOR


def parameters_of(wanted: WorkFilter, *, after: Place | None, limit: int) -> Row:
    """The parameters of that statement."""
    if wanted.by_interview:
        last = after or Place(done=False)
        states = [wanted.state] if wanted.state else list(AssessmentState)
        return vars(wanted) | {"states": states, "after_time": last.time, "after_ref": last.claim_ref, "limit": limit}
    starts = wanted.starts(after)
    return vars(wanted) | {
        "states": [state.value for state in starts],
        "dones": [place.done for place in starts.values()],
        "after_times": [place.time for place in starts.values()],
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
        closed_schemes=tuple(row["closed_schemes"]),
        closed_reason=row["closed_reason"],
        submit_time=row["submit_time"],
        appointment=_appointment(row) if row["appointment_id"] else None,
        accepted_by=tuple(row["accepted_by"]),
        rejected_question_ids=tuple(row["rejected_question_ids"]),
        first_contact_time=row["first_contact_time"] or row["submit_time"],
        evidence_complete_time=row["evidence_complete_time"],
        evidence_due_on=row["evidence_due_on"],
        decided=dict(zip(row["decided_schemes"], row["decided_times"], strict=True)),
        missed=row["missed"],
        missed_time=row["missed_time"],
        attended_time=row["attended_time"],
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
