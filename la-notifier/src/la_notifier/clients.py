"""Intake, which knows the facts of a claim, and the gateway, which knows what was decided."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date
from typing import Protocol

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock, remote
from chassis.conversions import day_of
from chassis.entitlement import Entitlement
from chassis.enums import name_of
from chassis.identity import ServiceTokens
from cms.common.v1 import common_pb2
from cms.gateway.v1 import decisions_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from la_notifier.domain.awards import AwardBasis, AwardOutcome, Decision
from la_notifier.domain.facts import ClaimFacts

_INTAKE_SECONDS = 5.0
_GATEWAY_SECONDS = 5.0


class Claims(Protocol):
    """The source of the facts of claims."""

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """The claim at this version; as it is now for 0. Raises CmsError."""

    def purpose(self, claim_ref: str) -> str:
        """The purpose for which the caller of the current call may see who is told of the claim. Raises CmsError."""


class Decisions(Protocol):
    """The source of decisions on claims."""

    def decisions(self, claim_ref: str) -> Sequence[Decision]:
        """The newest decision on each scheme of the claim. Raises CmsError."""


class IntakeClaims:
    """Intake over gRPC, called with the identity of the service itself; about entitlement, for the caller."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)
        self._tokens = tokens
        self._entitlement = Entitlement(channel, tokens)

    def purpose(self, claim_ref: str) -> str:
        """The purpose for which the caller of the current call may see who is told of the claim. Raises CmsError."""
        return self._entitlement.purpose(claim_ref)

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """The claim at this version; as it is now for 0. Raises CmsError."""
        request = intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref, version=version)
        response = remote.invoke(
            self._stub.GetClaimFacts, request, token=self._tokens.to("intake-svc"), timeout_seconds=_INTAKE_SECONDS
        )
        return facts_of(response.facts)


class GatewayDecisions:
    """legacy-gateway over gRPC, called with the identity of the service itself."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = gateway_pb2_grpc.LegacyGatewayServiceStub(channel)
        self._tokens = tokens

    def decisions(self, claim_ref: str) -> Sequence[Decision]:
        """The newest decision on each scheme of the claim. Raises CmsError."""
        request = decisions_pb2.GetDecisionsRequest(claim_ref=claim_ref)
        response = remote.invoke(
            self._stub.GetDecisions, request, token=self._tokens.to("legacy-gateway"), timeout_seconds=_GATEWAY_SECONDS
        )
        return newest_of(response.decisions)


def newest_of(versions: Iterable[decisions_pb2.Decision]) -> Sequence[Decision]:
    """The decisions of the domain: of each scheme the one with the highest version."""
    newest: dict[int, decisions_pb2.Decision] = {}
    for one in versions:
        if one.scheme not in newest or one.version > newest[one.scheme].version:
            newest[one.scheme] = one
    return [_decision(one) for one in newest.values()]


def _decision(one: decisions_pb2.Decision) -> Decision:
    has_basis = one.basis != decisions_pb2.DECISION_BASIS_UNSPECIFIED
    return Decision(
        scheme=common_pb2.Scheme.Name(one.scheme).removeprefix("SCHEME_"),
        outcome=AwardOutcome(name_of(decisions_pb2.DecisionOutcome, one.outcome, field="outcome")),
        basis=AwardBasis(name_of(decisions_pb2.DecisionBasis, one.basis, field="basis")) if has_basis else None,
        from_day=day_of(getattr(one, "from"), field="from"),
        to_day=day_of(one.to, field="to") if one.HasField("to") else None,
    )


def facts_of(facts: intake_pb2.ClaimFacts) -> ClaimFacts:
    """The domain's facts from intake's message."""
    answers = MessageToDict(facts.answers)
    return ClaimFacts(
        claim_ref=facts.claim_ref,
        version=facts.version,
        withdrawn=facts.state == intake_pb2.CLAIM_STATE_WITHDRAWN,
        schemes=tuple(common_pb2.Scheme.Name(scheme).removeprefix("SCHEME_") for scheme in facts.schemes),
        language=answers.get("language") or common_pb2.Language.Name(facts.language).removeprefix("LANGUAGE_"),
        first_contact_time=facts.first_contact_time.ToDatetime(UTC),
        first_contact_on=_day(facts.first_contact_time),
        claim_on=_day(facts.submit_time) if facts.HasField("submit_time") else None,
        answers=answers,
    )


def _day(time: Timestamp) -> date:
    return time.ToDatetime(UTC).astimezone(clock.LONDON).date()
