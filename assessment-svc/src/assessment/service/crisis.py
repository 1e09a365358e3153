"""Crisis loans: what is known of an application, and the decision, which starts the transfer or closes the scheme."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from google.protobuf import json_format

from assessment.clients import Interview
from assessment.domain.assessments import Assessment
from assessment.domain.crisis import Application, LoanDecided, LoanDecision, NoCrisisLoan
from assessment.domain.schemes import CRISIS_LOAN
from assessment.domain.states import ClosedReason
from assessment.service import assessing, closing, emergencies
from assessment.service.reading import Permitted, permitted
from assessment.store import assessments, crisis_loans
from chassis import access_log, call, clock, outside
from chassis.database import Connection

_PENCE = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class Loan:
    """An application with what was decided on it; `applied_time` is the claim's first contact."""

    assessment: Assessment
    application: Application
    submit_time: datetime
    decided: LoanDecided | None


def crisis_loan(conn: Connection, claim_ref: str, interview: Interview) -> Loan:
    """The application as it is now; the reading is logged. Raises NoCrisisLoan, and as `permitted` does."""
    work = permitted(assessments.read_assessment(conn, claim_ref), claim_ref)
    _check_asked_for(work)
    access_log.record_access(conn, claim_ref=claim_ref, purpose=work.purpose)
    return Loan(
        assessment=work.assessment,
        application=_application(conn, work.assessment, interview),
        submit_time=crisis_loans.applied(conn, claim_ref).submit_time,
        decided=crisis_loans.of_claim(conn, call.current().vault, claim_ref),
    )


def decide_crisis_loan(
    conn: Connection, claim_ref: str, interview: Interview, *, decision: LoanDecision, version: int
) -> Permitted:
    """Keeps the decision. An offer confirms the scheme, and the gateway hears of it; a refusal closes it, and intake hears.

    Raises NoCrisisLoan, LoanNotPossible naming the facts, InvalidArgument naming `amount`, and as Assessment.confirm or
    Assessment.close does.
    """

    def decide(work: Permitted) -> Assessment:
        work.assessment.check_open(version, desks=work.desks)
        _check_asked_for(work)
        if decision.amount is None:
            after = closing.close(
                conn, work, schemes=[CRISIS_LOAN], reason=ClosedReason.LOAN_REFUSED, duplicate_of=None, version=version
            )
        else:
            work.assessment.check_undecided(CRISIS_LOAN)
            _application(conn, work.assessment, interview).check(decision.amount)
            after = assessing.confirm(conn, work, interview, schemes=(CRISIS_LOAN,))
        _keep(conn, work, decision, version=after.version)
        return after

    return assessing.change(conn, claim_ref, interview, decide)


def _keep(conn: Connection, work: Permitted, decision: LoanDecision, *, version: int) -> None:
    caller = call.current()
    decided = LoanDecided(
        decision=decision,
        office_code=caller.identity.office or work.assessment.office_code or "",
        decided_by=caller.identity.subject,
        decided_time=clock.now(),
    )
    crisis_loans.add(conn, caller.vault, work.assessment.claim_ref, decided, version=version)
    emergencies.count_crisis_loan(conn, decided.office_code, refused=decision.amount is None)


def _check_asked_for(work: Permitted) -> None:
    if CRISIS_LOAN not in work.assessment.schemes:
        raise NoCrisisLoan(work.assessment.claim_ref)


def _application(conn: Connection, assessment: Assessment, interview: Interview) -> Application:
    applied_on = crisis_loans.applied(conn, assessment.claim_ref).applied_time.astimezone(clock.LONDON).date()
    awards = _text(interview, "awards_in_year")
    born = _text(interview, "date_of_birth")
    return Application(
        applied_on=applied_on,
        cap=Decimal(outside.edit_rules().limit("crisis_loan_debt_cap").on(applied_on)) / _PENCE,
        born=None if born is None else date.fromisoformat(born),
        reason=_text(interview, "crisis_reason"),
        interim_considered=_answer(interview, "interim_considered") is True,
        asked=_amount(interview, "amount"),
        owed=_amount(interview, "existing_debt"),
        awards_in_year=None if awards is None else int(Decimal(awards)),
        has_interview=assessment.appointment_id is not None,
    )


def _answer(interview: Interview, fact: str) -> Any:
    """The answer; None where there is none, or the claimant could not give it."""
    question = interview.questions.get(fact)
    given = None if question is None else json_format.MessageToDict(question.answer)
    return None if isinstance(given, dict) else given


def _text(interview: Interview, fact: str) -> str | None:
    given = _answer(interview, fact)
    return None if given is None else str(given)


def _amount(interview: Interview, fact: str) -> Decimal | None:
    given = _text(interview, fact)
    try:
        return None if given is None else Decimal(given)
    except InvalidOperation:
        return None
