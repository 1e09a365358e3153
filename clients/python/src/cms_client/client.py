"""One object with a stub of every service."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from cms.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from cms.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from cms.notifier.v1 import notifier_pb2, notifier_pb2_grpc
from cms.operations.v1 import operations_pb2, operations_pb2_grpc
from cms.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc
from cms_client.certificate import Certificate
from cms_client.refusal import refusal_of
from cms_client.repeats import service_config

DEADLINE_SECONDS = 10.0
_OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["OperationsService"]


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The host and port of each service's gRPC door. The defaults are those of `make run`."""

    intake: str = "127.0.0.1:50051"
    scheduling: str = "127.0.0.1:50052"
    assessment: str = "127.0.0.1:50053"
    gateway: str = "127.0.0.1:50054"
    notifier: str = "127.0.0.1:50055"


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The stubs of OperationsService at each service: it lists the work that is left to people."""

    intake: operations_pb2_grpc.OperationsServiceStub
    scheduling: operations_pb2_grpc.OperationsServiceStub
    assessment: operations_pb2_grpc.OperationsServiceStub
    gateway: operations_pb2_grpc.OperationsServiceStub
    notifier: operations_pb2_grpc.OperationsServiceStub


class CmsClient:
    """Stubs of every service. Methods raise `Refused`.

    `token` gives the bearer token of each call, `certificate` proves who calls. `deadline_seconds` is that of calls which name
    none.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        token: Callable[[], str],
        certificate: Certificate,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._channels: list[grpc.Channel] = []
        credentials = certificate.credentials()

        def to(address: str, name: str, service: ServiceDescriptor) -> grpc.Channel:
            options = [
                ("grpc.service_config", service_config([service, _OPERATIONS])),
                ("grpc.ssl_target_name_override", name),  # the service is believed by its name, wherever it is
            ]
            plain = grpc.secure_channel(address, credentials, options)
            self._channels.append(plain)
            return grpc.intercept_channel(plain, _EveryCall(token, deadline_seconds))

        intake = to(addresses.intake, "intake-svc", intake_pb2.DESCRIPTOR.services_by_name["IntakeService"])
        scheduling = to(
            addresses.scheduling, "scheduling-svc", scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"]
        )
        assessment = to(
            addresses.assessment, "assessment-svc", assessment_pb2.DESCRIPTOR.services_by_name["AssessmentService"]
        )
        gateway = to(
            addresses.gateway, "legacy-gateway", gateway_pb2.DESCRIPTOR.services_by_name["LegacyGatewayService"]
        )
        notifier = to(addresses.notifier, "la-notifier", notifier_pb2.DESCRIPTOR.services_by_name["LaNotifierService"])
        self.intake = intake_pb2_grpc.IntakeServiceStub(intake)
        self.scheduling = scheduling_pb2_grpc.SchedulingServiceStub(scheduling)
        self.assessment = assessment_pb2_grpc.AssessmentServiceStub(assessment)
        self.gateway = gateway_pb2_grpc.LegacyGatewayServiceStub(gateway)
        self.notifier = notifier_pb2_grpc.LaNotifierServiceStub(notifier)
        self.operations = Operations(
            intake=operations_pb2_grpc.OperationsServiceStub(intake),
            scheduling=operations_pb2_grpc.OperationsServiceStub(scheduling),
            assessment=operations_pb2_grpc.OperationsServiceStub(assessment),
            gateway=operations_pb2_grpc.OperationsServiceStub(gateway),
            notifier=operations_pb2_grpc.OperationsServiceStub(notifier),
        )

    def __enter__(self) -> "CmsClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        for channel in self._channels:
            channel.close()


@dataclass(frozen=True)
class _Details(grpc.ClientCallDetails):
    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class _EveryCall(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg] # only its stubs are generic
    """Gives a call its token and deadline, and raises a refusal as `Refused`."""

    def __init__(self, token: Callable[[], str], deadline_seconds: float) -> None:
        self._token = token
        self._deadline_seconds = deadline_seconds

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """See grpc.UnaryUnaryClientInterceptor."""
        given = client_call_details
        details = _Details(
            given.method,
            self._deadline_seconds if given.timeout is None else given.timeout,
            [*(given.metadata or ()), ("authorization", f"Bearer {self._token()}")],
            given.credentials,
            given.wait_for_ready,
            given.compression,
        )
        call = continuation(details, request)
        try:
            call.result()
        except grpc.RpcError as error:
            raise refusal_of(error) from error
        return call
