"""A refusal as an exception, with what its details say."""

from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A field at fault: a path in the request (`answers[1].value`), or the id of a question (`children[1].name`)."""

    field: str
    description: str


class Refused(Exception):
    """A service refused a call, or did not answer.

    `reason` is stable, such as STALE_VERSION, and empty where no service answered; docs/api/errors.md lists every reason.
    `traceparent` is the call's W3C trace context, under which the platform's logs have it; empty where no service answered.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        *,
        metadata: dict[str, str],
        violations: tuple[Violation, ...],
        traceparent: str,
    ) -> None:
        super().__init__(f"{code.name} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.violations = violations
        self.traceparent = traceparent


def refusal_of(error: Any) -> Refused:
    """Reads what gRPC raises."""
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        detail.Unpack(info) or detail.Unpack(bad)
    return Refused(
        error.code(),
        info.reason,
        error.details() or "",
        metadata=dict(info.metadata),
        violations=tuple(Violation(field=fault.field, description=fault.description) for fault in bad.field_violations),
        traceparent=dict(error.trailing_metadata() or ()).get("traceparent", ""),
    )
