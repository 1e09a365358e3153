"""Every error carries its reason; one about fields names each."""

import pytest
from google.rpc import error_details_pb2

from chassis import errors
from chassis.details import details_of
from chassis.errors import CmsError, InvalidArgument, StaleVersion, Violation


def test_an_error_carries_its_reason_and_references() -> None:
    [info] = details_of(errors.NotFound("NO_CLAIM", "no such claim", metadata={"claim_ref": "C0000000000A"}))

    assert info == error_details_pb2.ErrorInfo(reason="NO_CLAIM", domain="cms3", metadata={"claim_ref": "C0000000000A"})


def test_fields_at_fault_are_each_described() -> None:
    error = InvalidArgument.of(
        Violation(field="nino", description="is not a NINO"), Violation(field="born", description="is in the future")
    )

    _, bad = details_of(error)

    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [(fault.field, fault.description) for fault in bad.field_violations] == [
        ("nino", "is not a NINO"),
        ("born", "is in the future"),
    ]
    assert error.message == "invalid: born, nino"


def test_a_stale_version_tells_both_versions() -> None:
    [info] = details_of(StaleVersion(given=3, current=5))

    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert dict(info.metadata) == {"given_version": "3", "current_version": "5"}


@pytest.mark.parametrize(
    ("kind", "passes"),
    [
        (errors.InvalidArgument, False),
        (errors.PermissionDenied, False),
        (errors.NotFound, False),
        (errors.AlreadyExists, False),
        (errors.FailedPrecondition, False),
        (errors.ResourceExhausted, True),
        (errors.DeadlineExceeded, True),
        (errors.Unavailable, True),
        (errors.Internal, True),
    ],
)
def test_an_error_says_whether_it_will_pass(kind: type[CmsError], passes: bool) -> None:  # noqa: FBT001
    assert kind("REASON", "text").will_pass is passes
