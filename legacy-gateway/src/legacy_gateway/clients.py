"""Clients of the services that this one calls: intake for facts, assessment-svc for what was confirmed.

The systems that pay have a package of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import grpc
from google.protobuf import json_format

from chassis import clock, remote
from chassis.enums import name_of
from chassis.errors import NotFound
from chassis.identity import ServiceTokens
from cms.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from legacy_gateway.domain import Facts
from legacy_gateway.domain.trust import SchemeConfirmation

_FACTS_SECONDS = 4.0
_CONFIRMATIONS_SECONDS = 4.0


class Intake(Protocol):
    """Gives the facts of claims, and their states."""

    def facts(self, claim_ref: str, version: int) -> Facts:
        """The facts as they were at this version of the claim. Raises a CmsError if they cannot be had."""

    def state(self, claim_ref: str) -> str:
        """The state of the claim as it is now (`WITHDRAWN`). Raises a CmsError if it cannot be had."""


@dataclass(frozen=True, kw_only=True)
class ClaimedFacts:
    """The schemes of a claim, and its facts."""

    schemes: tuple[str, ...]
    facts: Facts


class Claims(Protocol):
    """Gives claims as they are now."""

    def claimed(self, claim_ref: str) -> ClaimedFacts:
        """The schemes and the facts of the claim. Raises a CmsError if they cannot be had."""


class Assessment(Protocol):
    """Tells what was confirmed of claims."""

    def confirmations(self, claim_ref: str) -> Sequence[SchemeConfirmation]:
        """The confirmations of a claim; none where assessment-svc does not know it. Raises CmsError if it cannot be asked."""


class AssessmentClient:
    """assessment-svc, called as this service."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = assessment_pb2_grpc.AssessmentServiceStub(channel)
        self._tokens = tokens

    def confirmations(self, claim_ref: str) -> Sequence[SchemeConfirmation]:
        """The confirmations of a claim; none where assessment-svc does not know it. Raises CmsError if it cannot be asked."""
        request = assessment_pb2.GetConfirmationsRequest(claim_ref=claim_ref)
        try:
            response = remote.invoke(
                self._stub.GetConfirmations,
                request,
                token=self._tokens.to("assessment-svc"),
                timeout_seconds=_CONFIRMATIONS_SECONDS,
                purpose=f"transfer {claim_ref}",
            )
        except NotFound:
            return []
        return [confirmation_of(one) for one in response.confirmations]


def confirmation_of(given: assessment_pb2.Confirmation) -> SchemeConfirmation:
    """A confirmation as assessment-svc gives it."""
    return SchemeConfirmation(
        scheme=name_of(common_pb2.Scheme, given.scheme, field="scheme"),
        claim_version=given.claim_version,
        office_code=given.office_code,
        assessor_id=given.assessor_id,
        loan_amount=given.loan_amount,
    )


class IntakeClient:
    """intake-svc, called as this service."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)
        self._tokens = tokens

    def facts(self, claim_ref: str, version: int) -> Facts:
        """The facts as they were at this version of the claim. Raises a CmsError if they cannot be had."""
        request = intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref, version=version)
        return facts_of(self._get(request, purpose=f"transfer {claim_ref}"))

    def state(self, claim_ref: str) -> str:
        """The state of the claim as it is now (`WITHDRAWN`). Raises a CmsError if it cannot be had."""
        told = self._get(intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref), purpose=f"withdrawal {claim_ref}")
        return facts_of(told).claim_state

    def claimed(self, claim_ref: str) -> ClaimedFacts:
        """The schemes and the facts of the claim as it is now. Raises a CmsError if they cannot be had."""
        told = self._get(intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref), purpose=f"check {claim_ref}")
        schemes = tuple(name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in told.schemes)
        return ClaimedFacts(schemes=schemes, facts=facts_of(told))

    def _get(self, request: intake_pb2.GetClaimFactsRequest, *, purpose: str) -> intake_pb2.ClaimFacts:
        response = remote.invoke(
            self._stub.GetClaimFacts,
            request,
            token=self._tokens.to("intake-svc"),
            timeout_seconds=_FACTS_SECONDS,
            purpose=purpose,
        )
        return response.facts


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
        claim_state=name_of(intake_pb2.ClaimState, facts.state, field="state") if facts.state else "",
    )


def _london_day(moment: datetime) -> date:
    return moment.astimezone(clock.LONDON).date()
