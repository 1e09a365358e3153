"""Reports of other services, which arrive in any order and may be repeated."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from assessment import metrics
from assessment.domain.reports import (
    Acceptance,
    Appointment,
    Attendance,
    Decision,
    Rejection,
    Submission,
    Withdrawal,
)
from assessment.service import disputes
from assessment.store import assessments, interim_payments, reports
from chassis.database import Connection


def take_submission(conn: Connection, claim_ref: str, submission: Submission) -> None:
    """Makes the claim work, whether or not its booking was heard of first."""
    reports.record_submission(conn, claim_ref, submission)
    interim_payments.take_back_needless(conn, claim_ref)


def take_booking(conn: Connection, claim_ref: str, appointment: Appointment) -> None:
    """Gives the claim its interview, whether or not its submission was heard of first. The latest booking or move counts."""
    reports.record_appointment(conn, claim_ref, appointment)
    reports.show_attendance(conn, claim_ref)


def take_cancellation(conn: Connection, claim_ref: str, cancelled_time: datetime) -> None:
    """Takes the claim's interview away: it is unbooked until another is heard of."""
    reports.record_cancellation(conn, claim_ref, cancelled_time)


def take_attendance(conn: Connection, claim_ref: str, attendance: Attendance) -> None:
    """Notes whether the claimant came, also if the booking or a second one was heard of first."""
    reports.record_attendance(conn, claim_ref, attendance)
    reports.show_attendance(conn, claim_ref)


def take_decision(conn: Connection, claim_ref: str, decision: Decision) -> None:
    """Stops the clocks of a scheme with its first decision, and measures them."""
    if not reports.record_decision(conn, claim_ref, decision):
        return
    interim_payments.take_back_needless(conn, claim_ref)
    clocks = reports.clocks_of(conn, claim_ref)
    begun = {
        metrics.FIRST_CONTACT_TO_DECISION: clocks.first_contact_time,
        metrics.EVIDENCE_COMPLETE_TO_DECISION: clocks.evidence_complete_time,
    }
    for histogram, since in begun.items():
        if since is not None:
            taken = (decision.decided_time - since).total_seconds()
            conn.after_commit(partial(histogram.labels(decision.scheme).observe, taken))


def take_acceptance(conn: Connection, claim_ref: str, acceptance: Acceptance) -> None:
    """Lists the system among those that hold the claim."""
    reports.record_acceptance(conn, claim_ref, acceptance)


def take_rejection(conn: Connection, claim_ref: str, rejection: Rejection) -> None:
    """Lists the rejection's questions as to be corrected, until the system accepts. The latest rejection counts."""
    reports.record_rejection(conn, claim_ref, rejection)


def take_withdrawal(conn: Connection, claim_ref: str, withdrawal: Withdrawal) -> None:
    """Closes the claim's work, whether or not its submission was heard of first; it stays closed when that comes."""
    reports.record_withdrawal(conn, claim_ref, withdrawal)
    interim_payments.take_back_needless(conn, claim_ref)


def reopen_items(conn: Connection, claim_ref: str, *, changed: Sequence[str], claim_version: int) -> None:
    """Unchecks the items whose facts were amended. See Assessment.amended."""
    before = assessments.lock_assessment(conn, claim_ref)
    if before is not None:
        after = before.amended(changed, claim_version=claim_version)
        assessments.save_assessment(conn, before, after)
        disputes.end_settled(conn, before, after, by=None)
