"""The method that says what would keep a claim's records from being sent."""

from typing import Any

from google.protobuf import json_format

from chassis import access_log, call, clock
from chassis.conversions import time_of
from chassis.enums import name_of, number_of
from chassis.postcodes import Postcodes
from cms.common.v1 import common_pb2
from cms.gateway.v1 import checks_pb2
from legacy_gateway import mapping
from legacy_gateway.clients import ClaimedFacts, Claims
from legacy_gateway.domain import Facts
from legacy_gateway.service.checks import RecordProblem, problems_of


class CheckMethods:
    """Checks records."""

    def __init__(self, intake: Claims, postcodes: Postcodes) -> None:
        self._intake = intake
        self._postcodes = postcodes

    def CheckRecord(self, request: checks_pb2.CheckRecordRequest) -> checks_pb2.CheckRecordResponse:
        """Lists what would keep the claim's records from being sent, by the request's facts or by those that intake has now."""
        given = _given(request.facts) if request.HasField("facts") else self._intake.claimed(request.claim_ref)
        problems = problems_of(self._postcodes, request.claim_ref, given)
        with call.current().database.transaction() as conn:
            access_log.record_access(conn, claim_ref=request.claim_ref)
        return checks_pb2.CheckRecordResponse(problems=[_problem(one) for one in problems])


def _given(told: checks_pb2.FactsToCheck) -> ClaimedFacts:
    answers: dict[str, Any] = {fact.name: json_format.MessageToDict(fact.value) for fact in told.facts}
    contact = time_of(told.first_contact_time, field="facts.first_contact_time")
    facts = Facts(
        answers={name: value for name, value in answers.items() if value is not None},
        contact_on=contact.astimezone(clock.LONDON).date(),
        evidence_on=None,
        operator="",
        operator_grade="",
    )
    schemes = tuple(name_of(common_pb2.Scheme, scheme, field="facts.schemes") for scheme in told.schemes)
    return ClaimedFacts(schemes=schemes, facts=facts)


def _problem(problem: RecordProblem) -> checks_pb2.RecordProblem:
    message = problem.message
    return checks_pb2.RecordProblem(
        system=number_of(common_pb2.System, problem.system),
        code=message.code,
        field=message.field,
        question_id=message.question_id,
        text=message.text,
        ask=words(code=message.code, question_id=message.question_id),
        needs_person=message.code == mapping.TOO_MUCH,
    )


def words(*, code: str, question_id: str) -> checks_pb2.Words:
    """The words in which to ask the claimant about a message with this code."""
    asked = mapping.what_to_ask(code=code, question_id=question_id)
    return checks_pb2.Words(en=asked.en, cy=asked.cy)
