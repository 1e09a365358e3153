"""Entitlement to see where and when a claimant will be, and who is told of the claim: intake decides it.

Intake knows the caller's open call on the claim, and whose work or appointment `cms-purpose` names. The services that show an
appointment, a notice or a transfer ask it for the caller, outside any transaction.
"""

import grpc

from chassis import call, remote
from chassis.identity import ServiceTokens
from cms.intake.v1 import intake_pb2, intake_pb2_grpc

_LONGEST_SECONDS = 2.0


class Entitlement:
    """Intake, asked for the caller of the current call."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)

    def purpose(self, claim_ref: str) -> str:
        """Returns the purpose for the access log: the caller's open call, work item or appointment; a service's own work.

        Raises NotFound, PermissionDenied as intake does for answers, and Unavailable if intake is away.
        """
        current = call.current()
        if current.identity.has("SERVICE"):
            return current.purpose or f"own work of {current.identity.subject}"
        response = remote.invoke_for_caller(
            self._stub.CheckEntitlement,
            intake_pb2.CheckEntitlementRequest(claim_ref=claim_ref),
            service="intake-svc",
            tokens=self._tokens,
            timeout_seconds=_LONGEST_SECONDS,
            purpose=current.purpose,
        )
        return response.purpose
