"""The records that a claim would send, for a check of them at the end of an interview."""

from chassis import call
from chassis.database import Connection
from intake.clients import ClaimToCheck, Gateway
from intake.domain.interview import facts, record_forms
from intake.domain.record_check import RecordCheck
from intake.service.interviews import InterviewShown
from intake.store.claims import load_claim

_CONSUMER = "legacy-gateway"


def claim_to_check(conn: Connection, shown: InterviewShown) -> ClaimToCheck:
    """The facts of an interview as it stands that the gateway may have. The caller is entitled to the interview."""
    claim = load_claim(conn, shown.claim_ref, caller=call.current().identity.subject).claim
    answers = {state.question.id: state.answer for state in shown.interview.questions if state.answer}
    known = facts(shown.interview.script, answers, _CONSUMER, contact_date=claim.contact_date)
    return ClaimToCheck(
        claim_ref=claim.claim_ref,
        schemes=claim.schemes,
        first_contact_time=claim.first_contact_time,
        facts=known | record_forms(answers, known),
    )


def check_records(gateway: Gateway, claim: ClaimToCheck, shown: InterviewShown) -> RecordCheck:
    """Checks whether the records could be sent, as to questions that were asked. It calls out: not within a transaction."""
    asked = {state.question.id for state in shown.interview.questions if state.answer}
    return gateway.check(claim).of_answered(asked)
