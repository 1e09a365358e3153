"""Scheduling's client of intake against a gRPC server that answers as intake's contract says."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis import call, remote
from chassis.call import Call
from chassis.database import Database
from chassis.errors import CmsError, FailedPrecondition, NotFound, PermissionDenied, Unauthenticated, Unavailable
from chassis.identity import Identity, ServiceTokens
from chassis.testing import Tokens, certificate_of, free_port, secure_port
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2
from scheduling.clients import IntakeService
from scheduling.domain.claims import Claim
from scheduling.domain.offices import Need

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Answers:
    """Answers GetClaim with the claim, or refuses with a reason; intake's other methods are not called."""

    def __init__(self) -> None:
        self.claim: intake_pb2.Claim | None = None
        self.refusal = ("NOT_FOUND", "CLAIM_UNKNOWN")
        self.metadata: dict[str, str | bytes] = {}

    def GetClaim(self, _request: Any, context: Any) -> intake_pb2.GetClaimResponse:
        self.metadata = dict(context.invocation_metadata())
        if self.claim is None:
            detail = Packed()
            detail.Pack(error_details_pb2.ErrorInfo(reason=self.refusal[1], domain="cms3"))
            code = code_pb2.Code.Value(self.refusal[0])
            context.abort_with_status(
                rpc_status.to_status(status_pb2.Status(code=code, message="no", details=[detail]))
            )
        return intake_pb2.GetClaimResponse(claim=self.claim)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def address(answers: Answers) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(
        answers.GetClaim,
        request_deserializer=intake_pb2.GetClaimRequest.FromString,
        response_serializer=intake_pb2.GetClaimResponse.SerializeToString,
    )
    service = grpc.method_handlers_generic_handler("cms.intake.v1.IntakeService", {"GetClaim": handler})
    server.add_generic_rpc_handlers((service,))
    port = secure_port(server, "intake-svc")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def own(tokens: Tokens) -> ServiceTokens:
    return ServiceTokens(tokens.service_file("scheduling-svc"))


@pytest.fixture
def intake(address: str, own: ServiceTokens) -> Iterator[IntakeService]:
    with remote.channel(address, service="intake-svc", certificate=certificate_of("scheduling-svc")) as channel:
        yield IntakeService(channel, own)


@pytest.fixture(autouse=True)
def in_a_call(database: Database, vault: Vault) -> Iterator[None]:
    """The operator's call that is being handled."""
    operator = Identity(subject="OP000001", roles=frozenset({"OPERATOR"}), token="the-operators-own")
    handled = Call(
        method="/test",
        response=intake_pb2.GetClaimResponse,
        identity=operator,
        database=database,
        vault=vault,
        deadline=time.monotonic() + 5,
    )
    with call.entered(handled):
        yield


def claim(state: "intake_pb2.ClaimState.ValueType") -> intake_pb2.Claim:
    found = intake_pb2.Claim(claim_ref="C1", schemes=[common_pb2.SCHEME_CRISIS_LOAN], state=state)
    found.first_contact_time.FromDatetime(NINE)
    return found


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (intake_pb2.CLAIM_STATE_DRAFT, True),
        (intake_pb2.CLAIM_STATE_SUBMITTED, True),
        (intake_pb2.CLAIM_STATE_WITHDRAWN, False),
        (intake_pb2.CLAIM_STATE_CLOSED, False),
    ],
)
def test_a_claim_is_open_until_it_is_withdrawn_or_closed(
    intake: IntakeService,
    answers: Answers,
    state: "intake_pb2.ClaimState.ValueType",
    is_open: bool,  # noqa: FBT001 - of the table above
    own: ServiceTokens,
) -> None:
    answers.claim = claim(state)

    found = intake.claim("C1")

    assert found == Claim(claim_ref="C1", schemes=("CRISIS_LOAN",), is_open=is_open, first_contact_time=NINE)
    assert answers.metadata["authorization"] == f"Bearer {own.to('intake-svc')}"
    assert answers.metadata["cms-on-behalf-of"] == "the-operators-own"


def test_the_needs_of_a_caller_become_those_of_the_interview(intake: IntakeService, answers: Answers) -> None:
    answers.claim = claim(intake_pb2.CLAIM_STATE_DRAFT)
    stated = (intake_pb2.CALL_NEED_INTERPRETER, intake_pb2.CALL_NEED_TEXTPHONE, intake_pb2.CALL_NEED_MORE_TIME)
    answers.claim.needs.extend(stated)

    assert intake.claim("C1").needs == {Need.INTERPRETER, Need.TEXTPHONE}


def test_a_claim_without_first_contact_cannot_be_booked(intake: IntakeService, answers: Answers) -> None:
    answers.claim = intake_pb2.Claim(claim_ref="C1", state=intake_pb2.CLAIM_STATE_DRAFT)

    with pytest.raises(FailedPrecondition) as refused:
        intake.claim("C1")

    assert refused.value.reason == "NO_FIRST_CONTACT"


def test_an_unknown_claim_is_refused_with_intakes_reason(intake: IntakeService) -> None:
    with pytest.raises(NotFound) as refused:
        intake.claim("C1")

    assert refused.value.reason == "CLAIM_UNKNOWN"


@pytest.mark.parametrize(
    ("code", "kind"), [("UNAUTHENTICATED", Unauthenticated), ("PERMISSION_DENIED", PermissionDenied)]
)
def test_intakes_refusal_of_the_caller_is_passed_on(
    intake: IntakeService, answers: Answers, code: str, kind: type[CmsError]
) -> None:
    answers.refusal = (code, "BAD_TOKEN")

    with pytest.raises(kind) as refused:
        intake.claim("C1")

    assert refused.value.reason == "BAD_TOKEN"


def test_a_claim_is_unavailable_while_intake_is_away(own: ServiceTokens) -> None:
    away, certificate = f"127.0.0.1:{free_port()}", certificate_of("scheduling-svc")
    with remote.channel(away, service="intake-svc", certificate=certificate) as channel, pytest.raises(Unavailable):
        IntakeService(channel, own).claim("C1")
