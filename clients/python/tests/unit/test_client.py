import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis.certificate_authority import FRONTEND
from chassis.testing import secure_port, tls_files
from cms.intake.v1 import intake_pb2
from cms_client import Addresses, Certificate, CmsClient, Refused, Violation, answer, json_of

Respond = Callable[[intake_pb2.GetClaimRequest, grpc.ServicerContext], intake_pb2.GetClaimResponse]


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Intake:
    """A service that answers as a test says, and keeps what it was sent."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.metadata: list[dict[str, object]] = []
        self.seconds_left: list[float] = []

    def get_claim(
        self, request: intake_pb2.GetClaimRequest, context: grpc.ServicerContext
    ) -> intake_pb2.GetClaimResponse:
        """Serves GetClaim."""
        self.metadata.append(dict(context.invocation_metadata()))
        self.seconds_left.append(context.time_remaining())
        return self.respond(request, context)


def frontend() -> Certificate:
    """The certificate of a frontend."""
    files = tls_files(Path(tempfile.mkdtemp(prefix="cms3-tls-")), FRONTEND)
    return Certificate(certificate=files.certificate, key=files.key, authority=files.authority)


@contextmanager
def serving(servicer: Intake) -> Iterator[CmsClient]:
    """Serves it, and gives a client of it."""
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.get_claim,
        request_deserializer=intake_pb2.GetClaimRequest.FromString,
        response_serializer=intake_pb2.GetClaimResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(2))
    service = grpc.method_handlers_generic_handler("cms.intake.v1.IntakeService", {"GetClaim": handler})
    server.add_generic_rpc_handlers((service,))
    port = secure_port(server, "intake-svc")
    server.start()
    try:
        with CmsClient(Addresses(intake=f"127.0.0.1:{port}"), token=lambda: "abc", certificate=frontend()) as cms:
            yield cms
    finally:
        server.stop(None).wait()


def found(request: intake_pb2.GetClaimRequest, _context: grpc.ServicerContext) -> intake_pb2.GetClaimResponse:
    """Answers with the claim that was asked for."""
    return intake_pb2.GetClaimResponse(claim=intake_pb2.Claim(claim_ref=request.claim_ref))


def test_a_call_carries_the_token_and_a_deadline() -> None:
    servicer = Intake(found)

    with serving(servicer) as cms:
        claim = cms.intake.GetClaim(intake_pb2.GetClaimRequest(claim_ref="C7Q4M2X9KR0T")).claim

    assert claim.claim_ref == "C7Q4M2X9KR0T"
    assert servicer.metadata[0]["authorization"] == "Bearer abc"
    assert 5 < servicer.seconds_left[0] <= 10


def test_a_call_keeps_a_deadline_of_its_own() -> None:
    servicer = Intake(found)

    with serving(servicer) as cms:
        cms.intake.GetClaim(intake_pb2.GetClaimRequest(claim_ref="C7Q4M2X9KR0T"), timeout=2)

    assert servicer.seconds_left[0] <= 2


def refuse(_request: intake_pb2.GetClaimRequest, context: grpc.ServicerContext) -> intake_pb2.GetClaimResponse:
    """Refuses with details."""
    info, bad = AnyMessage(), AnyMessage()
    info.Pack(error_details_pb2.ErrorInfo(reason="INVALID_FIELDS", domain="cms3", metadata={"a": "b"}))
    violation = error_details_pb2.BadRequest.FieldViolation(field="claim_ref", description="is wrong")
    bad.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="invalid: claim_ref", details=[info, bad])
    told = rpc_status.to_status(status)
    context.set_trailing_metadata((*told.trailing_metadata, ("traceparent", TRACEPARENT)))
    context.abort(told.code, told.details)
    raise AssertionError("abort raises")


def test_a_refusal_has_its_reason_and_the_fields_at_fault() -> None:
    with serving(Intake(refuse)) as cms, pytest.raises(Refused) as refused:
        cms.intake.GetClaim(intake_pb2.GetClaimRequest(claim_ref="none"))

    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (refused.value.reason, refused.value.metadata) == ("INVALID_FIELDS", {"a": "b"})
    assert refused.value.violations == (Violation(field="claim_ref", description="is wrong"),)
    assert refused.value.traceparent == TRACEPARENT


def test_a_read_is_sent_again_after_an_error_that_passes() -> None:
    tries: list[str] = []

    def away_at_first(
        request: intake_pb2.GetClaimRequest, context: grpc.ServicerContext
    ) -> intake_pb2.GetClaimResponse:
        tries.append(request.claim_ref)
        if len(tries) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return found(request, context)

    with serving(Intake(away_at_first)) as cms:
        claim = cms.intake.GetClaim(intake_pb2.GetClaimRequest(claim_ref="C7Q4M2X9KR0T")).claim

    assert claim.claim_ref == "C7Q4M2X9KR0T"
    assert len(tries) == 2


def test_a_service_that_does_not_answer_is_a_refusal_without_a_reason() -> None:
    with (
        CmsClient(
            Addresses(intake="127.0.0.1:1"), token=lambda: "abc", certificate=frontend(), deadline_seconds=1
        ) as cms,
        pytest.raises(Refused) as refused,
    ):
        cms.intake.GetClaim(intake_pb2.GetClaimRequest(claim_ref="C7Q4M2X9KR0T"))

    assert refused.value.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
    assert (refused.value.reason, refused.value.traceparent) == ("", "")


@pytest.mark.parametrize("value", ["Abbot", False, 40, [], {"lines": ["1 Mill Lane"], "postcode": "NE1 8AX"}, None])
def test_an_answer_is_made_of_a_json_value_and_read_as_one(value: object) -> None:
    assert json_of(answer("any", value).value) == value


def test_an_answer_is_cleared_by_null() -> None:
    assert answer("surname", None).value.WhichOneof("kind") == "null_value"
