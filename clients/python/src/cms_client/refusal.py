"""A refusal as an exception, with what its details say."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from cms.common.v1 import common_pb2


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A field at fault: a path in the request (`answers[1].value`), or the id of a question (`children[1].name`)."""

    field: str
    description: str


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """The last change of a field of a record: who made it, in which roles, and when. It holds no value."""

    field: str
    by: str
    roles: tuple[str, ...]
    at: datetime
    version: int


class Refused(Exception):
    """A service refused a call, or did not answer.

    `reason` is stable, such as STALE_VERSION, and empty where no service answered; docs/api/errors.md lists every reason.
    `changes` name what changed since the version that a stale request named.
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
        changes: tuple[FieldChange, ...] = (),
        traceparent: str,
    ) -> None:
        super().__init__(f"{code.name} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.violations = violations
        self.changes = changes
        self.traceparent = traceparent


def refusal_of(error: Any) -> Refused:
    """Reads what gRPC raises."""
    status = rpc_status.from_call(error)
    info, bad, changed = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), common_pb2.RecordChanged()
    for detail in status.details if status else ():
        detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(changed)
    return Refused(
        error.code(),
        info.reason,
        error.details() or "",
        metadata=dict(info.metadata),
        violations=tuple(Violation(field=fault.field, description=fault.description) for fault in bad.field_violations),
        changes=tuple(_change(change) for change in changed.changes),
        traceparent=dict(error.trailing_metadata() or ()).get("traceparent", ""),
    )


def _change(change: common_pb2.RecordChanged.Change) -> FieldChange:
    roles = tuple(common_pb2.Role.Name(role).removeprefix("ROLE_") for role in change.roles)
    at = change.at.ToDatetime(tzinfo=UTC)
    return FieldChange(field=change.field, by=change.by, roles=roles, at=at, version=change.version)
