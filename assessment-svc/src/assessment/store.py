"""All SQL of the assessment service. Nothing here holds what a claimant told us."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from assessment.domain.assessments import Assessment, AssessmentState
from assessment.domain.items import Checked, Evidence, Item, ItemStatus
from assessment.domain.work import Appointment, Place, WorkFilter, WorkItem
from chassis.database import Connection, Row

# One submitted claim's assessment, for those who show it.
_READ = "SELECT * FROM assessments WHERE claim_ref = %s AND submit_time IS NOT NULL"

# The same, and whoever else would change it waits.
_LOCK = _READ + " FOR UPDATE"

# The items of an assessment.
_ITEMS = "SELECT * FROM items WHERE claim_ref = %s"

# What an assessor's act changed of the assessment itself.
_SAVE = """
    UPDATE assessments
    SET state = %(state)s, version = %(version)s, claim_version = %(claim_version)s,
        confirmed_schemes = %(confirmed_schemes)s, confirmed_by = %(confirmed_by)s, confirmed_time = %(confirmed_time)s
    WHERE claim_ref = %(claim_ref)s
"""

# Items, new or changed.
_SAVE_ITEMS = """
    INSERT INTO items (claim_ref, fact, answered_version, status, evidence_kind, seen_on, checked_by, checked_time)
    SELECT %(claim_ref)s, * FROM unnest(
        %(fact)s::text[], %(answered_version)s::integer[], %(status)s::text[], %(evidence_kind)s::text[],
        %(seen_on)s::date[], %(checked_by)s::text[], %(checked_time)s::timestamptz[]
    )
    ON CONFLICT (claim_ref, fact) DO UPDATE
    SET answered_version = excluded.answered_version, status = excluded.status, evidence_kind = excluded.evidence_kind,
        seen_on = excluded.seen_on, checked_by = excluded.checked_by, checked_time = excluded.checked_time
"""

# Items whose facts are no longer there.
_DELETE_ITEMS = "DELETE FROM items WHERE claim_ref = %s AND fact = ANY(%s)"

# The submission of a claim, whether or not its booking came first. A claim is submitted once.
_RECORD_SUBMISSION = """
    INSERT INTO assessments (claim_ref, schemes, submit_time) VALUES (%s, %s, %s)
    ON CONFLICT (claim_ref) DO UPDATE SET schemes = excluded.schemes, submit_time = excluded.submit_time
    WHERE assessments.submit_time IS NULL
"""

# A booking, whether or not the submission came first; of two the later one stays.
_RECORD_APPOINTMENT = """
    INSERT INTO assessments (claim_ref, appointment_id, office_code, assessor_id, start_time, channel, booked_time)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET appointment_id = excluded.appointment_id, office_code = excluded.office_code,
        assessor_id = excluded.assessor_id, start_time = excluded.start_time, channel = excluded.channel,
        booked_time = excluded.booked_time
    WHERE assessments.booked_time IS NULL
        OR (assessments.booked_time, assessments.appointment_id) < (excluded.booked_time, excluded.appointment_id)
"""

# A system's acceptance; of two the later time stays.
_RECORD_ACCEPTANCE = """
    INSERT INTO outcomes (claim_ref, system, accepted_time) VALUES (%s, %s, %s)
    ON CONFLICT (claim_ref, system) DO UPDATE
    SET accepted_time = greatest(outcomes.accepted_time, excluded.accepted_time)
"""

# A system's refusal; of two the later one stays.
_RECORD_REFUSAL = """
    INSERT INTO outcomes (claim_ref, system, rejected_time, rejected_transfer_id, rejected_question_ids)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (claim_ref, system) DO UPDATE
    SET rejected_time = excluded.rejected_time, rejected_transfer_id = excluded.rejected_transfer_id,
        rejected_question_ids = excluded.rejected_question_ids
    WHERE outcomes.rejected_time IS NULL
        OR (outcomes.rejected_time, outcomes.rejected_transfer_id)
            < (excluded.rejected_time, excluded.rejected_transfer_id)
"""

# Which work is wanted, and from which place on.
_WANTED = """
    submit_time IS NOT NULL
    AND (%(assessor)s::text IS NULL OR assessor_id = %(assessor)s)
    AND (%(starts_from)s::timestamptz IS NULL OR start_time >= %(starts_from)s)
    AND (%(starts_before)s::timestamptz IS NULL OR start_time < %(starts_before)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND ((state = 'CONFIRMED'), submit_time, claim_ref)
        > (%(after_done)s, %(after_time)s::timestamptz, %(after_ref)s)
    ORDER BY (state = 'CONFIRMED'), submit_time, claim_ref
    LIMIT %(limit)s
"""

# A page of an office's work: what is open before what is confirmed, the oldest submission first. What has no office is
# read apart, so that both come from the index in this order and no more is read than is shown.
_WORK = f"""
    SELECT work.*,
        ARRAY(
            SELECT system FROM outcomes
            WHERE outcomes.claim_ref = work.claim_ref AND accepted_time IS NOT NULL
            ORDER BY system
        ) AS accepted_by,
        ARRAY(
            SELECT DISTINCT question_id FROM outcomes, unnest(rejected_question_ids) AS question_id
            WHERE outcomes.claim_ref = work.claim_ref
                AND (accepted_time IS NULL OR accepted_time < rejected_time)
            ORDER BY question_id
        ) AS rejected_question_ids
    FROM (
        (SELECT * FROM assessments WHERE office_code = %(office)s AND {_WANTED})
        UNION ALL
        (SELECT * FROM assessments WHERE office_code IS NULL AND %(with_unbooked)s AND {_WANTED})
    ) AS work
    ORDER BY (state = 'CONFIRMED'), submit_time, claim_ref
    LIMIT %(limit)s
"""  # noqa: S608 - made of constants alone

# Claims that nobody booked in time.
_COUNT_UNBOOKED = """
    SELECT count(*) AS count FROM assessments
    WHERE appointment_id IS NULL AND submit_time <= %s AND state <> 'CONFIRMED'
"""

# Open work by state.
_COUNT_BY_STATE = """
    SELECT state, count(*) AS count FROM assessments
    WHERE submit_time IS NOT NULL AND state <> 'CONFIRMED' GROUP BY state
"""


def read_assessment(conn: Connection, claim_ref: str) -> Assessment | None:
    """The assessment of a submitted claim; None where there is none."""
    return _find(conn, _READ, claim_ref)


def lock_assessment(conn: Connection, claim_ref: str) -> Assessment | None:
    """The same, locked until the transaction ends."""
    return _find(conn, _LOCK, claim_ref)


def _find(conn: Connection, query: LiteralString, claim_ref: str) -> Assessment | None:
    # Behind the lock: the items are looked for once it is held.
    with conn.pipeline():
        found = conn.execute(query, [claim_ref])
        items = conn.execute(_ITEMS, [claim_ref])
    row = found.fetchone()
    return _assessment(row, items.fetchall()) if row else None


def save_assessment(conn: Connection, before: Assessment, after: Assessment) -> None:
    """Writes what changed. `before` must be as it was locked in this transaction."""
    if after == before:
        return
    gone = [fact for fact in before.items if fact not in after.items]
    changed = [item for fact, item in after.items.items() if before.items.get(fact) != item]
    with conn.pipeline():
        conn.execute(_SAVE, _row(after))
        if gone:
            conn.execute(_DELETE_ITEMS, [after.claim_ref, gone])
        if changed:
            conn.execute(_SAVE_ITEMS, _columns(changed) | {"claim_ref": after.claim_ref})


def record_submission(conn: Connection, claim_ref: str, *, schemes: list[str], submit_time: datetime) -> None:
    """The claim is work from now on."""
    conn.execute(_RECORD_SUBMISSION, [claim_ref, schemes, submit_time])


def record_appointment(conn: Connection, claim_ref: str, appointment: Appointment) -> None:
    """The claim's interview, unless a later booking is known."""
    conn.execute(
        _RECORD_APPOINTMENT,
        [
            claim_ref,
            appointment.appointment_id,
            appointment.office_code,
            appointment.assessor_id,
            appointment.start_time,
            appointment.channel,
            appointment.booked_time,
        ],
    )


def record_acceptance(conn: Connection, claim_ref: str, *, system: str, accepted_time: datetime) -> None:
    """The system holds the claim."""
    conn.execute(_RECORD_ACCEPTANCE, [claim_ref, system, accepted_time])


def record_refusal(
    conn: Connection, claim_ref: str, *, system: str, transfer_id: str, question_ids: list[str], rejected_time: datetime
) -> None:
    """The system refused a record, unless a later refusal is known."""
    conn.execute(_RECORD_REFUSAL, [claim_ref, system, rejected_time, transfer_id, question_ids])


def list_work(conn: Connection, wanted: WorkFilter, *, after: Place | None, limit: int) -> list[WorkItem]:
    """At most `limit` work items behind the place, those that wait longest first."""
    return [_work_item(row) for row in conn.execute(_WORK, _parameters(wanted, after=after, limit=limit))]


def _parameters(wanted: WorkFilter, *, after: Place | None, limit: int) -> Row:
    return vars(wanted) | {
        "after_done": bool(after and after.done),
        "after_time": after.submit_time if after else "-infinity",
        "after_ref": after.claim_ref if after else "",
        "limit": limit,
    }


def count_unbooked(conn: Connection, *, submitted_before: datetime) -> int:
    """How many claims submitted by then have no interview."""
    row = conn.execute(_COUNT_UNBOOKED, [submitted_before]).fetchone()
    return int(row["count"]) if row else 0


def count_by_state(conn: Connection) -> Mapping[AssessmentState, int]:
    """How many work items are in each state but CONFIRMED; a state without any is absent."""
    return {AssessmentState(row["state"]): int(row["count"]) for row in conn.execute(_COUNT_BY_STATE)}


def _assessment(row: Row, item_rows: list[Row]) -> Assessment:
    items = [_item(found) for found in item_rows]
    return Assessment(
        claim_ref=row["claim_ref"],
        state=AssessmentState(row["state"]),
        version=row["version"],
        claim_version=row["claim_version"],
        schemes=tuple(row["schemes"]),
        confirmed_schemes=tuple(row["confirmed_schemes"]),
        confirmed=_checked(row["confirmed_by"], row["confirmed_time"]),
        appointment_id=row["appointment_id"],
        office_code=row["office_code"],
        items={item.fact: item for item in items},
    )


def _row(assessment: Assessment) -> Row:
    confirmed = assessment.confirmed
    return {
        "claim_ref": assessment.claim_ref,
        "state": assessment.state,
        "version": assessment.version,
        "claim_version": assessment.claim_version,
        "confirmed_schemes": list(assessment.confirmed_schemes),
        "confirmed_by": confirmed.by if confirmed else None,
        "confirmed_time": confirmed.at if confirmed else None,
    }


def _item(row: Row) -> Item:
    kind = row["evidence_kind"]
    return Item(
        fact=row["fact"],
        answered_version=row["answered_version"],
        status=ItemStatus(row["status"]),
        evidence=Evidence(kind=kind, seen_on=row["seen_on"]) if kind else None,
        checked=_checked(row["checked_by"], row["checked_time"]),
    )


def _columns(items: Sequence[Item]) -> Row:
    rows = [_item_row(item) for item in items]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _item_row(item: Item) -> Row:
    return {
        "fact": item.fact,
        "answered_version": item.answered_version,
        "status": item.status.value,
        "evidence_kind": item.evidence.kind if item.evidence else None,
        "seen_on": item.evidence.seen_on if item.evidence else None,
        "checked_by": item.checked.by if item.checked else None,
        "checked_time": item.checked.at if item.checked else None,
    }


def _checked(by: str | None, at: datetime | None) -> Checked | None:
    return Checked(by=by, at=at) if by and at else None


def _work_item(row: Row) -> WorkItem:
    return WorkItem(
        claim_ref=row["claim_ref"],
        state=AssessmentState(row["state"]),
        version=row["version"],
        schemes=tuple(row["schemes"]),
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
