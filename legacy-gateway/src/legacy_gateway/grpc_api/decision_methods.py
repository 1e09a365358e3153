"""The methods of decisions: what waits for one, what was decided, and the record that it is decided on."""

from collections.abc import Sequence
from datetime import datetime

from chassis import call, clock
from chassis.conversions import date_message, day_of, time_of, timestamp
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Text, Violation
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from cms.common.v1 import common_pb2
from cms.gateway.v1 import decisions_pb2
from legacy_gateway.domain import RefusalMessage, System
from legacy_gateway.domain.decisions import (
    ComparedField,
    Decision,
    DecisionBasis,
    DecisionOutcome,
    Undecided,
    UndecidedPlace,
)
from legacy_gateway.service import decisions
from legacy_gateway.service.accepted import Desk

_PAGE_SIZE, _LARGEST_PAGE = 50, 200
_NEGATIVE = Text(en="must not be negative", cy="ni chaiff fod yn negyddol")
_SCHEMES: Sequence[str] = [
    value.name.removeprefix("SCHEME_") for value in common_pb2.Scheme.DESCRIPTOR.values if value.number
]


class DecisionMethods:
    """The methods by which processing officers make decisions and see what they need for them."""

    def __init__(self, accepted: Desk) -> None:
        self._accepted = accepted

    def ListUndecided(self, request: decisions_pb2.ListUndecidedRequest) -> decisions_pb2.ListUndecidedResponse:
        """Claims that wait for a decision, those first that were accepted first."""
        schemes = [_scheme(request.scheme)] if request.scheme else _SCHEMES
        older_than = time_of(request.older_than, field="older_than") if request.HasField("older_than") else None
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        place = place_of(request, datetime, str, str)
        after = place and UndecidedPlace(accepted_time=place[0], claim_ref=place[1], scheme=place[2])
        with call.current().database.transaction() as conn:
            page = decisions.list_undecided(conn, schemes, older_than=older_than, after=after or None, limit=limit)
        now, end = clock.now(), page.end
        return decisions_pb2.ListUndecidedResponse(
            claims=[_undecided(one, now) for one in page.claims],
            next_page_token=token_of(request, end.accepted_time, end.claim_ref, end.scheme) if end else "",
        )

    def RecordDecision(self, request: decisions_pb2.RecordDecisionRequest) -> decisions_pb2.RecordDecisionResponse:
        """Records a decision, or corrects one."""
        decision = _read(request)
        return run_once(
            request,
            lambda conn: decisions.record_decision(conn, decision),
            lambda recorded: decisions_pb2.RecordDecisionResponse(decision=_decision(recorded)),
        )

    def GetDecisions(self, request: decisions_pb2.GetDecisionsRequest) -> decisions_pb2.GetDecisionsResponse:
        """Every version of the decisions on a claim."""
        with call.current().database.transaction() as conn:
            found = decisions.decisions_of(conn, request.claim_ref)
        return decisions_pb2.GetDecisionsResponse(decisions=[_decision(decision) for decision in found])

    def GetAcceptedRecord(
        self, request: decisions_pb2.GetAcceptedRecordRequest
    ) -> decisions_pb2.GetAcceptedRecordResponse:
        """The accepted record beside today's facts, differences first."""
        system = System(name_of(common_pb2.System, request.system, field="system"))
        compared = self._accepted.compare(call.current().database, request.claim_ref, system)
        return decisions_pb2.GetAcceptedRecordResponse(
            fields=[_field(field) for field in compared.fields],
            phases=[
                decisions_pb2.AcceptedPhase(
                    phase=record.phase,
                    transfer_id=record.transfer_id,
                    legacy_ref=record.legacy_ref,
                    claim_version=record.claim_version,
                )
                for record in compared.records
            ],
            problems=[_problem(problem) for problem in compared.problems],
        )


def _read(request: decisions_pb2.RecordDecisionRequest) -> Decision:
    if request.version < 0:
        raise InvalidArgument.of(Violation.of("version", _NEGATIVE))
    basis = name_of(decisions_pb2.DecisionBasis, request.basis, field="basis") if request.basis else None
    return Decision(
        claim_ref=request.claim_ref,
        scheme=_scheme(request.scheme),
        version=request.version + 1,
        outcome=DecisionOutcome(name_of(decisions_pb2.DecisionOutcome, request.outcome, field="outcome")),
        basis=DecisionBasis(basis) if basis else None,
        from_day=day_of(getattr(request, "from"), field="from"),
        to_day=day_of(request.to, field="to") if request.HasField("to") else None,
        decided_by=call.current().identity.subject,
        decided_time=clock.now(),
    )


def _scheme(number: int) -> str:
    return name_of(common_pb2.Scheme, number, field="scheme")


def _undecided(one: Undecided, now: datetime) -> decisions_pb2.UndecidedClaim:
    return decisions_pb2.UndecidedClaim(
        claim_ref=one.claim_ref,
        scheme=number_of(common_pb2.Scheme, one.scheme),
        system=number_of(common_pb2.System, one.system),
        legacy_ref=one.legacy_ref,
        confirmed_time=timestamp(one.confirmed_time),
        accepted_time=timestamp(one.accepted_time),
        deadline_time=timestamp(one.deadline_time),
        late=now > one.deadline_time,
    )


def _decision(decision: Decision) -> decisions_pb2.Decision:
    message = decisions_pb2.Decision(
        claim_ref=decision.claim_ref,
        scheme=number_of(common_pb2.Scheme, decision.scheme),
        version=decision.version,
        outcome=number_of(decisions_pb2.DecisionOutcome, decision.outcome),
        to=date_message(decision.to_day) if decision.to_day else None,
        by=decision.decided_by,
        decided_time=timestamp(decision.decided_time),
    )
    getattr(message, "from").CopyFrom(date_message(decision.from_day))  # the contract's name is a keyword of Python
    if decision.basis:
        message.basis = number_of(decisions_pb2.DecisionBasis, decision.basis)
    return message


def _field(field: ComparedField) -> decisions_pb2.RecordField:
    return decisions_pb2.RecordField(
        phase=field.phase,
        field=field.field,
        question_id=field.question_id,
        accepted="" if field.withheld else field.accepted,
        today="" if field.withheld else field.today,
        differs=field.differs,
        withheld=field.withheld,
    )


def _problem(problem: RefusalMessage) -> decisions_pb2.TodaysProblem:
    return decisions_pb2.TodaysProblem(
        code=problem.code, field=problem.field, text=problem.text, question_id=problem.question_id
    )
