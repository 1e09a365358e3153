"""The details that go with an error: google.rpc.ErrorInfo always, google.rpc.BadRequest where fields are at fault.

A stale version also has cms.common.v1.RecordChanged where the service knows what changed.
"""

from google.protobuf.message import Message
from google.rpc import error_details_pb2

from chassis.conversions import timestamp
from chassis.enums import number_of
from chassis.errors import MOST_CHANGES, CmsError, StaleVersion
from cms.common.v1 import common_pb2

DOMAIN = "cms3"


def details_of(error: CmsError) -> list[Message]:
    """The detail messages of an error, the same by either door."""
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.field, description=violation.description
                    )
                    for violation in error.violations
                ]
            )
        )
    if isinstance(error, StaleVersion) and error.changes:
        details.append(_changed(error))
    return details


def _changed(error: StaleVersion) -> common_pb2.RecordChanged:
    named = error.changes[:MOST_CHANGES]
    return common_pb2.RecordChanged(
        changes=[
            common_pb2.RecordChanged.Change(
                field=change.field,
                by=change.by,
                roles=[number_of(common_pb2.Role, role) for role in change.roles],
                at=timestamp(change.at),
                version=change.version,
            )
            for change in named
        ],
        left_out=len(error.changes) - len(named),
    )
