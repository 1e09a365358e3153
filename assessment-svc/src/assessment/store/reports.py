"""Reports of other services, in whatever order they arrive."""

from datetime import datetime

from assessment.domain.reports import (
    Acceptance,
    Appointment,
    Attendance,
    Clocks,
    Decision,
    Rejection,
    Submission,
    Withdrawal,
)
from chassis.database import Connection

# The submission of a claim, before or after its booking. A claim is submitted once.
RECORD_SUBMISSION = """
    INSERT INTO assessments (claim_ref, schemes, submit_time, first_contact_time)
    VALUES (%(claim_ref)s, %(schemes)s, %(submit_time)s, %(first_contact_time)s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET schemes = excluded.schemes, submit_time = excluded.submit_time,
        first_contact_time = excluded.first_contact_time
    WHERE assessments.submit_time IS NULL
"""

# A booking, before or after the submission. Of two bookings the later one is kept.
RECORD_APPOINTMENT = """
    INSERT INTO assessments (claim_ref, appointment_id, office_code, assessor_id, start_time, channel, booked_time)
    VALUES (
        %(claim_ref)s, %(appointment_id)s, %(office_code)s, %(assessor_id)s, %(start_time)s, %(channel)s, %(booked_time)s
    )
    ON CONFLICT (claim_ref) DO UPDATE
    SET appointment_id = excluded.appointment_id, office_code = excluded.office_code,
        assessor_id = excluded.assessor_id, start_time = excluded.start_time, channel = excluded.channel,
        booked_time = excluded.booked_time
    WHERE (
        assessments.booked_time IS NULL
        OR (assessments.booked_time, assessments.appointment_id) < (excluded.booked_time, excluded.appointment_id)
    ) AND (assessments.cancelled_time IS NULL OR assessments.cancelled_time < excluded.booked_time)
"""

# A cancellation, before or after the booking that it ends. A later booking stays.
RECORD_CANCELLATION = """
    INSERT INTO assessments (claim_ref, cancelled_time) VALUES (%(claim_ref)s, %(cancelled_time)s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET appointment_id = NULL, office_code = NULL, assessor_id = NULL, start_time = NULL, channel = NULL,
        booked_time = NULL, cancelled_time = greatest(assessments.cancelled_time, excluded.cancelled_time)
    WHERE assessments.booked_time IS NULL OR assessments.booked_time < excluded.cancelled_time
"""

# The claim of which something is heard, so that its news are taken one after the other even where it is not known yet.
KNOW = "INSERT INTO assessments (claim_ref) VALUES (%s) ON CONFLICT DO NOTHING"

# What became of an interview. Of two reports the later one is kept.
RECORD_ATTENDANCE = """
    INSERT INTO attendances (appointment_id, claim_ref, outcome, start_time, heard_time)
    VALUES (%(appointment_id)s, %(claim_ref)s, %(outcome)s, %(start_time)s, %(heard_time)s)
    ON CONFLICT (claim_ref, appointment_id) DO UPDATE
    SET outcome = excluded.outcome, start_time = excluded.start_time, heard_time = excluded.heard_time
    WHERE attendances.heard_time < excluded.heard_time
"""

# What the claim shows of its interviews: how many were missed, and what became of the one that it has now.
SHOW_ATTENDANCE = """
    UPDATE assessments SET
        missed = (SELECT count(*) FROM attendances WHERE claim_ref = %(claim_ref)s AND outcome = 'MISSED'),
        missed_time = (
            SELECT start_time FROM attendances
            WHERE claim_ref = %(claim_ref)s AND appointment_id = assessments.appointment_id AND outcome = 'MISSED'
        ),
        attended_time = (
            SELECT start_time FROM attendances
            WHERE claim_ref = %(claim_ref)s AND appointment_id = assessments.appointment_id AND outcome = 'ATTENDED'
        )
    WHERE claim_ref = %(claim_ref)s
"""

# The first decision on a scheme.
RECORD_DECISION = """
    INSERT INTO decisions (claim_ref, scheme, decided_time) VALUES (%(claim_ref)s, %(scheme)s, %(decided_time)s)
    ON CONFLICT (claim_ref, scheme) DO NOTHING
"""

# A decision that was heard of after a correction of it.
DECIDED_EARLIER = """
    UPDATE decisions SET decided_time = %(decided_time)s
    WHERE claim_ref = %(claim_ref)s AND scheme = %(scheme)s AND decided_time > %(decided_time)s
"""

DECIDED = "SELECT scheme, decided_time FROM decisions WHERE claim_ref = %s"

# Of a claim that an earlier release took up, first contact is not known here: its submission is taken for it.
CLOCKS = """
    SELECT coalesce(first_contact_time, submit_time) AS first_contact_time, evidence_complete_time
    FROM assessments WHERE claim_ref = %s
"""

# A system's acceptance. Of two the later time is kept.
RECORD_ACCEPTANCE = """
    INSERT INTO outcomes (claim_ref, system, accepted_time) VALUES (%(claim_ref)s, %(system)s, %(accepted_time)s)
    ON CONFLICT (claim_ref, system) DO UPDATE
    SET accepted_time = greatest(outcomes.accepted_time, excluded.accepted_time)
"""

# A system's rejection. Of two the later one is kept.
RECORD_REJECTION = """
    INSERT INTO outcomes (claim_ref, system, rejected_time, rejected_transfer_id, rejected_question_ids)
    VALUES (%(claim_ref)s, %(system)s, %(rejected_time)s, %(transfer_id)s, %(question_ids)s)
    ON CONFLICT (claim_ref, system) DO UPDATE
    SET rejected_time = excluded.rejected_time, rejected_transfer_id = excluded.rejected_transfer_id,
        rejected_question_ids = excluded.rejected_question_ids
    WHERE outcomes.rejected_time IS NULL
        OR (outcomes.rejected_time, outcomes.rejected_transfer_id)
            < (excluded.rejected_time, excluded.rejected_transfer_id)
"""

# The end of a claim's work, before or after its submission. What was confirmed stays on record.
RECORD_WITHDRAWAL = """
    INSERT INTO assessments (claim_ref, state, closed_reason, closed_time)
    VALUES (%(claim_ref)s, 'CLOSED', 'WITHDRAWN', %(withdraw_time)s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET state = excluded.state, closed_reason = excluded.closed_reason, closed_time = excluded.closed_time
    WHERE assessments.state <> 'CLOSED'
"""


def record_submission(conn: Connection, claim_ref: str, submission: Submission) -> None:
    """Records the claim's submission, unless it was recorded before."""
    conn.execute(RECORD_SUBMISSION, vars(submission) | {"claim_ref": claim_ref})


def record_appointment(conn: Connection, claim_ref: str, appointment: Appointment) -> None:
    """Records the claim's interview, unless a later booking is known."""
    conn.execute(RECORD_APPOINTMENT, vars(appointment) | {"claim_ref": claim_ref})


def record_cancellation(conn: Connection, claim_ref: str, cancelled_time: datetime) -> None:
    """Takes the claim's interview away, unless a later booking is known."""
    conn.execute(RECORD_CANCELLATION, {"claim_ref": claim_ref, "cancelled_time": cancelled_time})


def record_attendance(conn: Connection, claim_ref: str, attendance: Attendance) -> None:
    """Records what became of an interview, unless a later report is known.

    A booking of the claim that another replica is taking just now is waited for, or waits: the later of the two shows both.
    """
    conn.execute(KNOW, [claim_ref])
    conn.execute(RECORD_ATTENDANCE, vars(attendance) | {"claim_ref": claim_ref, "outcome": attendance.outcome.value})


def show_attendance(conn: Connection, claim_ref: str) -> None:
    """Works out what the claim shows of its interviews, from all that was recorded."""
    conn.execute(SHOW_ATTENDANCE, {"claim_ref": claim_ref})


def record_decision(conn: Connection, claim_ref: str, decision: Decision) -> bool:
    """Records the decision on a scheme; False where one was known. Of two the earlier one is kept."""
    values = vars(decision) | {"claim_ref": claim_ref}
    if conn.execute(RECORD_DECISION, values).rowcount == 1:
        return True
    conn.execute(DECIDED_EARLIER, values)
    return False


def clocks_of(conn: Connection, claim_ref: str) -> Clocks:
    """When the two clocks of the claim began."""
    row = conn.execute(CLOCKS, [claim_ref]).fetchone()
    return Clocks(**row) if row else Clocks()


def decided(conn: Connection, claim_ref: str) -> dict[str, datetime]:
    """When each scheme of the claim was first decided; those that are not are absent."""
    return {row["scheme"]: row["decided_time"] for row in conn.execute(DECIDED, [claim_ref])}


def record_acceptance(conn: Connection, claim_ref: str, acceptance: Acceptance) -> None:
    """Records that the system holds the claim."""
    conn.execute(RECORD_ACCEPTANCE, vars(acceptance) | {"claim_ref": claim_ref})


def record_rejection(conn: Connection, claim_ref: str, rejection: Rejection) -> None:
    """Records that the system rejected a record, unless a later rejection is known."""
    conn.execute(RECORD_REJECTION, vars(rejection) | {"claim_ref": claim_ref})


def record_withdrawal(conn: Connection, claim_ref: str, withdrawal: Withdrawal) -> None:
    """Closes the claim's work, unless it is closed."""
    conn.execute(RECORD_WITHDRAWAL, vars(withdrawal) | {"claim_ref": claim_ref})
