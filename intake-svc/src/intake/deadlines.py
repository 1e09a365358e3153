"""How long a call or a claim may stay as it is, and who sees to it then. docs/states.md tells why."""

from datetime import timedelta

from chassis.deadlines import Deadline, within

DEADLINES = (
    Deadline(
        state="CALL_OPEN",
        owner="SUPPORT",  # the sweeper ends such a call: it must have stopped
        cut_off=within(timedelta(hours=12)),
        query="SELECT claim_ref AS reference, started AS since FROM calls WHERE ended IS NULL",
    ),
    Deadline(
        state="CALL_BACK",
        owner="OPERATOR",
        cut_off=within(timedelta(hours=1)),
        query="""
            SELECT claim_ref AS reference, call_back_time AS since FROM calls
            WHERE outcome = 'CALL_BACK' AND NOT EXISTS (
                SELECT 1 FROM calls AS later WHERE later.claim_ref = calls.claim_ref AND later.started > calls.started
            )
        """,
    ),
    Deadline(
        state="DRAFT",
        owner="SERVICE_MANAGER",
        cut_off=within(timedelta(days=14)),
        query="""
            SELECT claim_ref AS reference, first_contact_time AS since FROM claims
            WHERE state = 'DRAFT' AND NOT EXISTS (
                SELECT 1 FROM calls WHERE calls.claim_ref = claims.claim_ref AND calls.ended IS NULL
            )
        """,
    ),
)
