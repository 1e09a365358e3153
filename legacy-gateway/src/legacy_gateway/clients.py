"""Clients of the services and systems that this one calls: intake for facts, JSAPS to hold records."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

import grpc
from google.protobuf import json_format

from chassis import clock, remote
from chassis.identity import ServiceToken
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from legacy_gateway import mapping
from legacy_gateway.domain import Facts, Result, System, SystemAnswer
from legacy_gateway.link import Completion, LinkPool, NothingSent, OutcomeUnknown, Reply, ask, withdraw

_FACTS_SECONDS = 4.0

_RESULTS: Mapping[Completion, tuple[Result, str]] = {
    Completion.ACCEPTED: (Result.HELD, "NONE"),
    Completion.DUPLICATE: (Result.HELD, "NONE"),
    Completion.CONFLICT: (Result.CONFLICT, "OTHER_PAYLOAD"),
    Completion.REJECTED: (Result.REFUSED, "EDIT_RULE"),
    Completion.SYSTEM_ERROR: (Result.SYSTEM_ERROR, "SYSTEM_ERROR"),
    Completion.BUSY: (Result.BUSY, "BUSY"),
    Completion.NOT_KNOWN: (Result.NOT_KNOWN, "NONE"),
}


class Intake(Protocol):
    """Gives the facts of claims."""

    def facts(self, claim_ref: str, version: int) -> Facts:
        """The facts as they were at this version of the claim. Raises a CmsError if they cannot be had."""


class PayingSystem(Protocol):
    """A system that holds records. No method raises when the connection or the system fails."""

    def send(self, dialogue: str, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:
        """Sends a record once, and no byte after `send_by` (monotonic). NO_REPLY: it may be held; the connection is closed."""

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Asks what became of a record."""

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        """Withdraws a first phase that is to be given up. HELD: the system did so, now or before. It may be repeated."""


class IntakeClient:
    """intake-svc, called as this service."""

    def __init__(self, channel: grpc.Channel, token: ServiceToken) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)
        self._token = token

    def facts(self, claim_ref: str, version: int) -> Facts:
        """The facts as they were at this version of the claim. Raises a CmsError if they cannot be had."""
        request = intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref, version=version)
        response = remote.invoke(
            self._stub.GetClaimFacts,
            request,
            token=self._token.read(),
            timeout_seconds=_FACTS_SECONDS,
            purpose=f"transfer {claim_ref}",
        )
        return facts_of(response.facts)


def facts_of(facts: intake_pb2.ClaimFacts) -> Facts:
    """Facts as the records need them. Where the claimant agreed to another form of an answer, that form is used."""
    answers: dict[str, Any] = json_format.MessageToDict(facts.answers) | json_format.MessageToDict(facts.record_forms)
    return Facts(
        answers=answers,
        contact_on=_london_day(facts.first_contact_time.ToDatetime(UTC)),
        evidence_on=_london_day(facts.evidence_complete_time.ToDatetime(UTC))
        if facts.HasField("evidence_complete_time")
        else None,
        operator=facts.operator,
        operator_grade=facts.operator_grade,
    )


def _london_day(moment: datetime) -> date:
    return moment.astimezone(clock.LONDON).date()


class RecordLinkSystem:
    """A system on the record link."""

    def __init__(self, system: System, pool: LinkPool) -> None:
        self._system = system
        self._pool = pool

    def send(self, dialogue: str, transfer_id: str, payload: bytes, *, send_by: float) -> SystemAnswer:
        """Sends a record once, and no byte after `send_by` (monotonic). NO_REPLY: it may be held; the connection is closed."""
        try:
            return self._answer(self._pool.call(dialogue, transfer_id, payload, sent_at=clock.now(), send_by=send_by))
        except (NothingSent, OutcomeUnknown) as failure:
            return _no_answer(failure)

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Asks what became of a record (ENQ01)."""
        try:
            return self._answer(ask(self._pool, transfer_id, sent_at=clock.now()))
        except (NothingSent, OutcomeUnknown) as failure:
            return _no_answer(failure)

    def withdraw(self, transfer_id: str) -> SystemAnswer:
        """Withdraws a first phase (CN504)."""
        try:
            return self._answer(withdraw(self._pool, transfer_id, sent_at=clock.now()))
        except (NothingSent, OutcomeUnknown) as failure:
            return _no_answer(failure)

    def _answer(self, reply: Reply) -> SystemAnswer:
        result, reason = _RESULTS[reply.completion]
        return SystemAnswer(
            result=result,
            reason=reason,
            legacy_ref=reply.legacy_ref,
            retry_after_seconds=float(reply.retry_after_seconds),
            messages=tuple(
                mapping.refusal_message(self._system, code=one.code, field=one.field) for one in reply.messages
            ),
        )


def _no_answer(failure: NothingSent | OutcomeUnknown) -> SystemAnswer:
    result = Result.NOT_SENT if isinstance(failure, NothingSent) else Result.NO_REPLY
    return SystemAnswer(result=result, reason=failure.fault)
