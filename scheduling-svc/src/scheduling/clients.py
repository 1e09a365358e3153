"""The calls to intake."""

from typing import Protocol

import grpc

from chassis import remote
from chassis.conversions import time_of
from chassis.entitlement import Entitlement
from chassis.enums import name_of
from chassis.errors import FailedPrecondition
from chassis.identity import ServiceTokens
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from scheduling.domain.claims import Claim
from scheduling.domain.offices import Need

_LONGEST_SECONDS = 2.0
_NEEDS = {
    intake_pb2.CALL_NEED_INTERPRETER: Need.INTERPRETER,
    intake_pb2.CALL_NEED_TEXTPHONE: Need.TEXTPHONE,
}
"""The needs of a caller that an interview has too."""
_OPEN = {intake_pb2.CLAIM_STATE_DRAFT, intake_pb2.CLAIM_STATE_SUBMITTED}


class Intake(Protocol):
    """Intake, called for the caller."""

    def claim(self, claim_ref: str) -> Claim:
        """The claim as it is now. Raises NotFound if there is none, Unavailable if intake is away."""
        ...

    def purpose(self, claim_ref: str) -> str:
        """The purpose of seeing where and when the claimant will be. Raises as `claim` does, and PermissionDenied."""
        ...


class IntakeService:
    """Intake over gRPC, within two seconds and the call's deadline."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)
        self._entitlement = Entitlement(channel, tokens)

    def purpose(self, claim_ref: str) -> str:
        """See Intake."""
        return self._entitlement.purpose(claim_ref)

    def claim(self, claim_ref: str) -> Claim:
        """See Intake. Nothing that intake shows of the claimant is kept."""
        response = remote.invoke_for_caller(
            self._stub.GetClaim,
            intake_pb2.GetClaimRequest(claim_ref=claim_ref),
            service="intake-svc",
            tokens=self._tokens,
            timeout_seconds=_LONGEST_SECONDS,
        )
        found = response.claim
        if not found.HasField("first_contact_time"):
            raise FailedPrecondition("NO_FIRST_CONTACT", "the claim has no first contact to count the target from")
        return Claim(
            claim_ref=found.claim_ref,
            schemes=tuple(name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in found.schemes),
            is_open=found.state in _OPEN,
            first_contact_time=time_of(found.first_contact_time, field="first_contact_time"),
            needs=frozenset(_NEEDS[need] for need in found.needs if need in _NEEDS),
        )
