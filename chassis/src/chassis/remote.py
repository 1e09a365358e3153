"""Calls to other services: each has a deadline, passes the trace on, and raises errors of our own tree."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import call, errors, tracing
from chassis.errors import CmsError, Violation
from chassis.identity import ServiceTokens
from chassis.tls import Certificate, Material, RenewedChannel, secured

Response = TypeVar("Response", bound=Message)

_BY_CODE: dict[str, type[CmsError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidArgument,
        errors.Unauthenticated,
        errors.PermissionDenied,
        errors.NotFound,
        errors.AlreadyExists,
        errors.FailedPrecondition,
        errors.ResourceExhausted,
        errors.DeadlineExceeded,
        errors.Unavailable,
    )
}
_LARGEST_RESPONSE_BYTES = 4 * 1024 * 1024
_BROKEN_OFF = ("CANCELLED", "UNKNOWN")
"""The library's codes for a call whose server ended or connection broke: done or not is not known. No service sends them."""


_OPTIONS = (
    ("grpc.max_receive_message_length", _LARGEST_RESPONSE_BYTES),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.compression_enabled_algorithms_bitset", 1),  # none: processors are dearer here than the network
    ("grpc.enable_retries", 0),
)


def channel(address: str, *, service: str, certificate: Certificate) -> grpc.Channel:
    """Returns a channel to the service of this name. It connects at first use, and again whenever the service returns.

    Whoever else is at the address is not called. The caller proves by its certificate who it is.
    """

    def make(material: Material) -> grpc.Channel:
        return secured(address, service=service, material=material, options=_OPTIONS)

    return RenewedChannel(certificate, make)


def invoke(
    method: Callable[..., Response],
    request: Message,
    *,
    token: str,
    timeout_seconds: float,
    purpose: str = "",
    on_behalf_of: str = "",
) -> Response:
    """Calls a stub's method with this service's own `token`, for itself or for a person whose token is `on_behalf_of`.

    Raises the error that the other service raised.
    Inside a call the other service gets no more time than the call has left.
    """
    metadata = [("authorization", f"Bearer {token}"), ("traceparent", tracing.child_of(tracing.current()))]
    if on_behalf_of:
        metadata.append(("cms-on-behalf-of", on_behalf_of))
    if purpose:
        metadata.append(("cms-purpose", purpose))
    try:
        return method(request, timeout=call.within_deadline(timeout_seconds), metadata=tuple(metadata))
    except grpc.RpcError as error:
        raise error_of(error) from None


def invoke_for_caller(
    method: Callable[..., Response],
    request: Message,
    *,
    service: str,
    tokens: ServiceTokens,
    timeout_seconds: float,
    purpose: str = "",
) -> Response:
    """Calls a stub's method of a service for the person whose call is being handled. See `invoke`.

    The contract must name this service in the method's `delegated_to`.
    """
    return invoke(
        method,
        request,
        token=tokens.to(service),
        timeout_seconds=timeout_seconds,
        purpose=purpose,
        on_behalf_of=call.current().identity.token,
    )


def error_of(error: Any) -> CmsError:
    """Returns our error for a gRPC error, with its reason, fields and metadata."""
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        detail.Unpack(info) or detail.Unpack(bad)
    code = error.code().name
    violations = [Violation(field=fault.field, description=fault.description) for fault in bad.field_violations]
    if code == "ABORTED" and "current_version" in info.metadata:
        return errors.StaleVersion(
            given=int(info.metadata["given_version"]), current=int(info.metadata["current_version"])
        )
    kind = errors.Unavailable if code in _BROKEN_OFF else _BY_CODE.get(code, errors.Internal)
    # Without a reason the text is the library's, with addresses of this platform in it.
    message = (error.details() or code) if info.reason else "a service that this one needs did not answer"
    return kind(info.reason or code, message, violations=violations, metadata=dict(info.metadata))
