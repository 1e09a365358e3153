"""The services that know whom a message goes to and what it is about. Each is asked when a message is written.

An event only says that there is something to tell: what it is, its owner says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

import grpc
from google.protobuf.json_format import MessageToDict

from chassis import remote
from chassis.conversions import day_of
from chassis.enums import name_of
from chassis.identity import ServiceTokens
from cms.assessment.v1 import assessment_pb2_grpc, evidence_pb2
from cms.common.v1 import common_pb2
from cms.gateway.v1 import decisions_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2, scheduling_pb2_grpc
from la_notifier.messages.domain.contact import Contact, contact_of

_SECONDS = 5.0
_WORDS = {"EN": ("; or ", " (if it applies to you)"), "CY": ("; neu ", " (os yw'n berthnasol i chi)")}


@dataclass(frozen=True, kw_only=True)
class Claimant:
    """How a claimant is written to, and what they claim."""

    contact: Contact
    schemes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """An interview as it stands now."""

    is_cancelled: bool
    starts: datetime
    version: int
    arranged_version: int
    """The version since which time, place and way are what they are: a later one changed the assessor alone."""
    channel: str
    office: str


@dataclass(frozen=True, kw_only=True)
class Outstanding:
    """The evidence that is awaited, as the claimant reads it, and until when."""

    documents: tuple[str, ...]
    due_on: date | None


class Claimants(Protocol):
    """The source of claimants."""

    def claimant(self, claim_ref: str) -> Claimant:
        """The claimant of a claim, as it is now. Raises CmsError."""


class Appointments(Protocol):
    """The source of appointments."""

    def appointment(self, appointment_id: str) -> Appointment:
        """An appointment as it stands now. Raises CmsError."""


class Evidence(Protocol):
    """The source of what is awaited from claimants."""

    def outstanding(self, claim_ref: str, language: str) -> Outstanding:
        """The evidence of a claim that is still awaited. Raises CmsError."""

    def needed(self, claim_ref: str, language: str) -> tuple[str, ...]:
        """The evidence that the claim still needs: a line for each, in the claimant's language. Raises CmsError."""


class Outcomes(Protocol):
    """The source of decisions."""

    def outcome(self, claim_ref: str, scheme: str, version: int) -> str:
        """The outcome of a decision on a scheme, AWARDED or DISALLOWED; empty where another version stands. Raises CmsError."""


class IntakeClaimants:
    """Intake over gRPC, called with the identity of the service itself."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)
        self._tokens = tokens

    def claimant(self, claim_ref: str) -> Claimant:
        """The claimant of a claim, as it is now. Raises CmsError."""
        request = intake_pb2.GetClaimFactsRequest(claim_ref=claim_ref, for_messages=True)
        response = remote.invoke(
            self._stub.GetClaimFacts, request, token=self._tokens.to("intake-svc"), timeout_seconds=_SECONDS
        )
        return claimant_of(response.facts)


def claimant_of(facts: intake_pb2.ClaimFacts) -> Claimant:
    """The claimant from intake's message."""
    contact = contact_of(
        facts.claim_ref,
        MessageToDict(facts.answers),
        withdrawn=facts.state == intake_pb2.CLAIM_STATE_WITHDRAWN,
        language=name_of(common_pb2.Language, facts.language, field="language"),
    )
    schemes = tuple(name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in facts.schemes)
    return Claimant(contact=contact, schemes=schemes)


class SchedulingAppointments:
    """scheduling-svc over gRPC, called with the identity of the service itself."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = scheduling_pb2_grpc.SchedulingServiceStub(channel)
        self._tokens = tokens

    def appointment(self, appointment_id: str) -> Appointment:
        """An appointment as it stands now. Raises CmsError."""
        request = scheduling_pb2.GetAppointmentRequest(appointment_id=appointment_id)
        response = remote.invoke(
            self._stub.GetAppointment, request, token=self._tokens.to("scheduling-svc"), timeout_seconds=_SECONDS
        )
        return appointment_of(response.appointment)


def appointment_of(given: appointments_pb2.Appointment) -> Appointment:
    """The appointment from scheduling's message."""
    return Appointment(
        is_cancelled=given.state == appointments_pb2.APPOINTMENT_STATE_CANCELLED,
        starts=given.start_time.ToDatetime(UTC),
        version=given.version,
        arranged_version=given.arranged_version or given.version,  # the last release says nothing of it
        channel=name_of(common_pb2.Channel, given.channel, field="channel"),
        office=given.office.name,
    )


class AssessmentEvidence:
    """assessment-svc over gRPC, called with the identity of the service itself."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = assessment_pb2_grpc.AssessmentServiceStub(channel)
        self._tokens = tokens

    def outstanding(self, claim_ref: str, language: str) -> Outstanding:
        """The evidence of a claim that is still awaited. Raises CmsError."""
        request = evidence_pb2.GetEvidenceRequest(claim_ref=claim_ref)
        response = remote.invoke(
            self._stub.GetEvidence, request, token=self._tokens.to("assessment-svc"), timeout_seconds=_SECONDS
        )
        return outstanding_of(response.evidence, language)

    def needed(self, claim_ref: str, language: str) -> tuple[str, ...]:
        """The evidence that the claim still needs: a line for each, in the claimant's language. Raises CmsError."""
        request = evidence_pb2.GetEvidenceRequest(claim_ref=claim_ref)
        response = remote.invoke(
            self._stub.GetEvidence, request, token=self._tokens.to("assessment-svc"), timeout_seconds=_SECONDS
        )
        return needed_of(response.evidence, language)


def needed_of(given: evidence_pb2.ClaimEvidence, language: str) -> tuple[str, ...]:
    """The evidence needed, from assessment's message: what is to be proved, and the documents of which one will do."""
    spoken = language.lower()
    joiner, condition = _WORDS[language]
    lines = []
    for need in given.needs:
        if not need.met:
            kinds = joiner.join(str(getattr(kind.name, spoken)) for kind in need.kinds)
            lines.append(f"{getattr(need.name, spoken)}{condition if need.if_it_applies else ''}: {kinds}")
    return tuple(lines)


def outstanding_of(given: evidence_pb2.ClaimEvidence, language: str) -> Outstanding:
    """The evidence awaited, from assessment's message: each document once and in the claimant's language."""
    awaited = [document for document in given.documents if document.state == evidence_pb2.EVIDENCE_STATE_REQUESTED]
    names = (str(getattr(document.kind.name, language.lower())) for document in awaited)
    due_on = day_of(given.due_on, field="due_on") if given.HasField("due_on") else None
    return Outstanding(documents=tuple(dict.fromkeys(names)), due_on=due_on)


class GatewayOutcomes:
    """legacy-gateway over gRPC, called with the identity of the service itself."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._stub = gateway_pb2_grpc.LegacyGatewayServiceStub(channel)
        self._tokens = tokens

    def outcome(self, claim_ref: str, scheme: str, version: int) -> str:
        """The outcome of a decision on a scheme, AWARDED or DISALLOWED; empty where another version stands. Raises CmsError."""
        request = decisions_pb2.GetDecisionsRequest(claim_ref=claim_ref)
        response = remote.invoke(
            self._stub.GetDecisions, request, token=self._tokens.to("legacy-gateway"), timeout_seconds=_SECONDS
        )
        return outcome_of(response.decisions, scheme, version)


def outcome_of(decisions: Iterable[decisions_pb2.Decision], scheme: str, version: int) -> str:
    """The outcome of this version of the decision on a scheme, where it is the newest; else empty."""
    versions = {one.version: one for one in decisions if common_pb2.Scheme.Name(one.scheme) == f"SCHEME_{scheme}"}
    if not versions or max(versions) != version:
        return ""
    return name_of(decisions_pb2.DecisionOutcome, versions[version].outcome, field="outcome")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The owners of what messages tell."""

    claimants: Claimants
    appointments: Appointments
    evidence: Evidence
    decisions: Outcomes
