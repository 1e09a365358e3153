"""The other services that scheduling asks."""

from datetime import UTC
from typing import Protocol

import grpc

from chassis import call, remote
from chassis.errors import FailedPrecondition, PermissionDenied, Unauthenticated, Unavailable
from chassis.identity import ServiceToken
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from scheduling.domain.claims import Claim

_LONGEST_SECONDS = 2.0
_OPEN = {intake_pb2.CLAIM_STATE_DRAFT, intake_pb2.CLAIM_STATE_SUBMITTED}


class Intake(Protocol):
    """What scheduling needs of intake."""

    def claim(self, claim_ref: str) -> Claim:
        """The claim as it is now. Raises NotFound where there is none, Unavailable where intake is away."""
        ...


class IntakeService:
    """Intake over gRPC, asked as scheduling itself: then it shows nothing of the claimant."""

    def __init__(self, channel: grpc.Channel, token: ServiceToken) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)
        self._token = token

    def claim(self, claim_ref: str) -> Claim:
        """As the protocol says; within the current call's deadline, and two seconds at most."""
        found = self._get_claim(claim_ref)
        if not found.HasField("first_contact_time"):
            raise FailedPrecondition("NO_FIRST_CONTACT", "the claim has no first contact to count the target from")
        return Claim(
            claim_ref=found.claim_ref,
            is_open=found.state in _OPEN,
            first_contact_time=found.first_contact_time.ToDatetime(UTC),
        )

    def _get_claim(self, claim_ref: str) -> intake_pb2.Claim:
        try:
            response = remote.invoke(
                self._stub.GetClaim,
                intake_pb2.GetClaimRequest(claim_ref=claim_ref),
                token=self._token.read(),
                timeout_seconds=min(_LONGEST_SECONDS, call.current().remaining_seconds()),
            )
        except (Unauthenticated, PermissionDenied) as refused:
            # The caller's own token is good, so it must not be told that it is not.
            raise Unavailable("INTAKE_REFUSES", "intake does not accept this service's token") from refused
        return response.claim
