"""What other services reported: submissions, bookings, acceptances and refusals, in any order."""

from datetime import datetime

from assessment.domain.work import Appointment
from chassis.database import Connection

# The submission of a claim, whether or not its booking came first. A claim is submitted once.
RECORD_SUBMISSION = """
    INSERT INTO assessments (claim_ref, schemes, submit_time) VALUES (%s, %s, %s)
    ON CONFLICT (claim_ref) DO UPDATE SET schemes = excluded.schemes, submit_time = excluded.submit_time
    WHERE assessments.submit_time IS NULL
"""

# A booking, whether or not the submission came first; of two the later one stays.
RECORD_APPOINTMENT = """
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
RECORD_ACCEPTANCE = """
    INSERT INTO outcomes (claim_ref, system, accepted_time) VALUES (%s, %s, %s)
    ON CONFLICT (claim_ref, system) DO UPDATE
    SET accepted_time = greatest(outcomes.accepted_time, excluded.accepted_time)
"""

# A system's refusal; of two the later one stays.
RECORD_REFUSAL = """
    INSERT INTO outcomes (claim_ref, system, rejected_time, rejected_transfer_id, rejected_question_ids)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (claim_ref, system) DO UPDATE
    SET rejected_time = excluded.rejected_time, rejected_transfer_id = excluded.rejected_transfer_id,
        rejected_question_ids = excluded.rejected_question_ids
    WHERE outcomes.rejected_time IS NULL
        OR (outcomes.rejected_time, outcomes.rejected_transfer_id)
            < (excluded.rejected_time, excluded.rejected_transfer_id)
"""


def record_submission(conn: Connection, claim_ref: str, *, schemes: list[str], submit_time: datetime) -> None:
    """The claim is work from now on."""
    conn.execute(RECORD_SUBMISSION, [claim_ref, schemes, submit_time])


def record_appointment(conn: Connection, claim_ref: str, appointment: Appointment) -> None:
    """The claim's interview, unless a later booking is known."""
    conn.execute(
        RECORD_APPOINTMENT,
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
    conn.execute(RECORD_ACCEPTANCE, [claim_ref, system, accepted_time])


def record_refusal(
    conn: Connection, claim_ref: str, *, system: str, transfer_id: str, question_ids: list[str], rejected_time: datetime
) -> None:
    """The system refused a record, unless a later refusal is known."""
    conn.execute(RECORD_REFUSAL, [claim_ref, system, rejected_time, transfer_id, question_ids])
