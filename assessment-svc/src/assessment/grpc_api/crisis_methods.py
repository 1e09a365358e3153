"""The methods of crisis loans."""

from datetime import datetime, time, timedelta

from assessment.clients import Intake
from assessment.domain.crisis import LoanDecided, LoanDecision, LoanOutcome
from assessment.grpc_api.messages import respond_once
from assessment.service import crisis, reading
from chassis import call, clock
from chassis.conversions import timestamp
from chassis.enums import name_of, number_of
from cms.assessment.v1 import crisis_pb2


class CrisisMethods:
    """Shows applications and decides them."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def GetCrisisLoan(self, request: crisis_pb2.GetCrisisLoanRequest) -> crisis_pb2.GetCrisisLoanResponse:
        """The application, with what stands in the way of an offer."""
        interview = reading.read_interview(self._intake, request.claim_ref)
        with call.current().database.transaction() as conn:
            found = crisis.crisis_loan(conn, request.claim_ref, interview)
        return crisis_pb2.GetCrisisLoanResponse(crisis_loan=_loan(found))

    def DecideCrisisLoan(self, request: crisis_pb2.DecideCrisisLoanRequest) -> crisis_pb2.DecideCrisisLoanResponse:
        """Decides the application."""
        outcome = LoanOutcome(name_of(crisis_pb2.LoanOutcome, request.outcome, field="outcome"))
        decision = LoanDecision.of(outcome, amount=request.amount, reason=request.reason)
        interview = reading.read_interview(self._intake, request.claim_ref)
        return respond_once(
            request,
            crisis_pb2.DecideCrisisLoanResponse,
            interview,
            lambda conn: crisis.decide_crisis_loan(
                conn, request.claim_ref, interview, decision=decision, version=request.version
            ),
        )


def _loan(loan: crisis.Loan) -> crisis_pb2.CrisisLoan:
    application = loan.application
    return crisis_pb2.CrisisLoan(
        claim_ref=loan.assessment.claim_ref,
        asked=_pounds(application.asked),
        owed=_pounds(application.owed),
        most=_pounds(application.most),
        obstacles=[
            crisis_pb2.LoanObstacle(fact=found.field, text=found.description) for found in application.obstacles()
        ],
        due_time=timestamp(_end_of_day(loan.submit_time)),
        decision=_decided(loan.decided) if loan.decided else None,
        version=loan.assessment.version,
    )


def _decided(decided: LoanDecided) -> crisis_pb2.LoanDecision:
    return crisis_pb2.LoanDecision(
        outcome=number_of(crisis_pb2.LoanOutcome, decided.decision.outcome),
        amount=_pounds(decided.decision.amount),
        reason=decided.decision.reason,
        decided_by=decided.decided_by,
        office_code=decided.office_code,
        decide_time=timestamp(decided.decided_time),
    )


def _pounds(amount: object) -> str:
    return "" if amount is None else f"{amount:.2f}"


def _end_of_day(moment: datetime) -> datetime:
    day = moment.astimezone(clock.LONDON).date() + timedelta(days=1)
    return datetime.combine(day, time(), tzinfo=clock.LONDON)
