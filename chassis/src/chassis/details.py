"""The details that go with an error: google.rpc.ErrorInfo always, google.rpc.BadRequest where fields are at fault."""

from google.protobuf.message import Message
from google.rpc import error_details_pb2

from chassis.errors import CmsError

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
    return details
