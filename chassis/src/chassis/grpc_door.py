"""The gRPC door: bytes in, bytes out, the chain between; with health, reflection and a graceful drain."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from chassis import requests
from chassis.chain import CONCURRENT_CALLS, Chain, Method
from chassis.details import details_of
from chassis.errors import CmsError

_LARGEST_BYTES = 1024 * 1024
"""Beyond this the library refuses a message itself, without the reason."""
_OPTIONS = (
    ("grpc.max_receive_message_length", _LARGEST_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_ms", 600_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    ("grpc.so_reuseport", 0),
)


class GrpcDoor:
    """A gRPC server for the services of a chain."""

    def __init__(self, chain: Chain, *, host: str, port: int) -> None:
        self._health = health.HealthServicer()
        self._server = grpc.server(
            ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="grpc"),
            options=_OPTIONS,
            maximum_concurrent_rpcs=CONCURRENT_CALLS * 2,
        )
        services = sorted({method.service for method in chain.methods.values()})
        self._server.add_generic_rpc_handlers([_handler_of(chain, service) for service in services])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self._names = ("", *services)
        self.port = self._server.add_insecure_port(f"{host}:{port}")

    def start(self) -> None:
        """Serves, and says that it does."""
        self._server.start()
        for name in self._names:
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, drain_seconds: float) -> None:
        """Refuses new calls, and lets those in flight finish for at most `drain_seconds`."""
        self._health.enter_graceful_shutdown()
        self._server.stop(drain_seconds).wait()


def _handler_of(chain: Chain, service: str) -> "grpc.GenericRpcHandler[bytes, bytes]":
    methods = [method for method in chain.methods.values() if method.service == service]
    return grpc.method_handlers_generic_handler(service, {method.name: _handler(chain, method) for method in methods})


def _handler(chain: Chain, method: Method) -> "grpc.RpcMethodHandler[bytes, bytes]":
    def unary(body: bytes, context: grpc.ServicerContext) -> bytes:
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        try:
            response = chain.handle(method, _reader(method, body), metadata, context.time_remaining())
        except CmsError as error:
            context.abort_with_status(rpc_status.to_status(_status(error)))
            raise
        return response.SerializeToString()

    return grpc.unary_unary_rpc_method_handler(unary)


def _reader(method: Method, body: bytes) -> Callable[[], Message]:
    def read() -> Message:
        method.expect_size(len(body))
        return requests.parse_binary(method.request, body)

    return read


def _status(error: CmsError) -> status_pb2.Status:
    packed = []
    for detail in details_of(error):
        wrapped = Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    return status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message, details=packed)
