"""Deadlines of work, each with its owner; docs/states.md has the reasons."""

from datetime import timedelta

from assessment.domain.work import BOOKING_AWAITED_FOR
from chassis.bank_holidays import Nation
from chassis.deadlines import Deadline, within, within_the_day, within_working_days

DEADLINES = (
    Deadline(
        state="UNBOOKED",
        owner="SERVICE_MANAGER",
        cut_off=within(BOOKING_AWAITED_FOR),
        query="""
            SELECT claim_ref AS reference, submit_time AS since FROM assessments
            WHERE office_code IS NULL AND submit_time IS NOT NULL AND needs_interview
                AND assessor_state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING')
        """,
    ),
    Deadline(
        state="UNSUBMITTED",  # the interview has come and the claim has not
        owner="OPERATOR",
        cut_off=within(timedelta()),
        query="""
            SELECT claim_ref AS reference, start_time AS since FROM assessments
            WHERE state = 'READY' AND submit_time IS NULL AND start_time IS NOT NULL
        """,
    ),
    Deadline(
        state="READY",
        owner="ASSESSOR",
        cut_off=within(timedelta(hours=4)),
        query="""
            SELECT claim_ref AS reference, greatest(start_time, submit_time) AS since FROM assessments
            WHERE missed_time IS NULL AND assessor_state = 'READY' AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING')
                AND submit_time IS NOT NULL AND start_time IS NOT NULL
        """,
    ),
    Deadline(
        state="IN_PROGRESS",
        owner="ASSESSOR",
        cut_off=within(timedelta(days=2)),
        query="""
            SELECT claim_ref AS reference, greatest(start_time, submit_time) AS since FROM assessments
            WHERE assessor_state = 'IN_PROGRESS' AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING')
                AND submit_time IS NOT NULL AND missed_time IS NULL
        """,
    ),
    Deadline(
        state="EVIDENCE_OUTSTANDING",  # the day on which the evidence was due is over: a person decides what follows
        owner="ASSESSOR",
        cut_off=within(timedelta()),
        query="""
            SELECT claim_ref AS reference, (evidence_due_on + 1)::timestamp AT TIME ZONE 'Europe/London' AS since
            FROM assessments
            WHERE state = 'EVIDENCE_OUTSTANDING' AND assessor_state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING')
        """,
    ),
    Deadline(
        state="MISSED",  # the claimant did not come: a second interview is booked, or a person closes the claim
        owner="ASSESSOR",
        cut_off=within_working_days(1, Nation.ENGLAND),
        query="""
            SELECT claim_ref AS reference, missed_time AS since FROM assessments
            WHERE missed_time IS NOT NULL AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING')
                AND assessor_state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING')
        """,
    ),
    Deadline(
        state="BUNDLE_OUT",  # claims that were taken along and are not back: what was found is lost, or it must be given up
        owner="ASSESSOR",
        cut_off=within(timedelta()),
        query="""
            SELECT claim_ref AS reference, return_by AS since FROM bundles JOIN bundle_claims USING (bundle_id)
            WHERE bundles.state = 'TAKEN'
        """,
    ),
    Deadline(
        state="CRISIS_LOAN",  # it is decided on the day on which it was asked for, with or without an interview
        owner="ASSESSOR",
        cut_off=within_the_day(),
        query="""
            SELECT claim_ref AS reference, submit_time AS since FROM assessments
            WHERE 'CRISIS_LOAN' = ANY(schemes) AND NOT 'CRISIS_LOAN' = ANY(confirmed_schemes || closed_schemes)
                AND state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING') AND submit_time IS NOT NULL
        """,
    ),
    Deadline(
        state="INTERIM_PAYMENT",  # the claim is late: somebody considers a payment before the claimant has to ask
        owner="PROCESSING_OFFICER",
        cut_off=within_working_days(1, Nation.ENGLAND),
        query="""
            SELECT claim_ref AS reference, since_time AS since FROM interim_payments JOIN assessments USING (claim_ref)
            WHERE interim_payments.state = 'OPEN' AND submit_time IS NOT NULL AND assessments.state <> 'CLOSED'
                AND EXISTS (
                    SELECT 1 FROM unnest(schemes) AS claimed (scheme)
                    WHERE claimed.scheme = ANY(ARRAY['INCOME_SUPPORT', 'JOBSEEKERS_ALLOWANCE', 'INCAPACITY_BENEFIT'])
                        AND NOT claimed.scheme = ANY(closed_schemes) AND NOT EXISTS (
                            SELECT 1 FROM decisions
                            WHERE decisions.claim_ref = assessments.claim_ref AND decisions.scheme = claimed.scheme
                        )
                )
        """,
    ),
    Deadline(
        state="CHILD_MAINTENANCE",  # there is no interview: a caseworker confirms it
        owner="CASEWORKER",
        cut_off=within(timedelta(days=2)),
        query="""
            SELECT claim_ref AS reference, submit_time AS since FROM assessments
            WHERE caseworker_state IN ('READY', 'IN_PROGRESS', 'EVIDENCE_OUTSTANDING') AND submit_time IS NOT NULL
        """,
    ),
    Deadline(
        state="REFUSED",  # a paying system rejected the record: its questions must be corrected
        owner="ASSESSOR",
        cut_off=within(timedelta(days=1)),
        query="""
            SELECT claim_ref AS reference, rejected_time AS since FROM outcomes
            WHERE rejected_time IS NOT NULL AND (accepted_time IS NULL OR accepted_time < rejected_time)
                AND NOT EXISTS (
                    SELECT 1 FROM assessments WHERE assessments.claim_ref = outcomes.claim_ref AND state = 'CLOSED'
                )
        """,
    ),
)
