"""The client of intake over a real channel: token, purpose, interviews and refusals."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import NullValue, Value
from google.rpc import code_pb2, status_pb2
from grpc_status import rpc_status

from assessment.clients import Amendment, Answer, IntakeClient, interview_of
from assessment.domain.items import Facts
from assessment.domain.refusals import ClaimChanged
from chassis import call, remote
from chassis.call import Call
from chassis.database import Database
from chassis.details import details_of
from chassis.errors import CmsError, InvalidArgument, NotFound, PermissionDenied, StaleVersion, Unavailable, Violation
from chassis.identity import Identity, ServiceTokens
from chassis.testing import Tokens, certificate_of, free_port, secure_port
from chassis.vault import Vault
from cms.assessment.v1 import assessment_pb2
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2, intake_pb2_grpc

INTERVIEW = intake_pb2.Interview(
    claim_ref="C0123456789A",
    version=9,
    questions=[
        intake_pb2.Question(
            id="surname",
            text="Surname?",
            answer=Value(string_value="Jones"),
            answered_version=3,
            schemes=[common_pb2.SCHEME_CRISIS_LOAN],
        ),
        intake_pb2.Question(id="middle_name", text="Middle name?"),
        intake_pb2.Question(id="phone", answer=Value(null_value=NullValue.NULL_VALUE), answered_version=4),
    ],
)
AMENDMENT = Amendment(
    claim_ref="C0123456789A",
    claim_version=9,
    answers=(Answer(fact="surname", value=Value(string_value="Łukasz"), accept_transliteration=True),),
    reason="saw the passport",
    request_id=UUID(int=7),
)


@dataclass
class IntakeServer(intake_pb2_grpc.IntakeServiceServicer):
    """Answers with one interview, or the refusal that a test sets; keeps what it was sent."""

    refusal: CmsError | None = None
    heard: list[tuple[dict[str, Any], Any]] = field(default_factory=list)

    def GetInterview(self, request: Any, context: Any) -> Any:
        """As intake's."""
        self._hear(request, context)
        return intake_pb2.GetInterviewResponse(interview=INTERVIEW)

    def AmendAnswers(self, request: Any, context: Any) -> Any:
        """As intake's."""
        self._hear(request, context)
        return intake_pb2.AmendAnswersResponse(interview=INTERVIEW)

    def _hear(self, request: Any, context: Any) -> None:
        self.heard.append((dict(context.invocation_metadata()), request))
        if self.refusal:
            context.abort_with_status(rpc_status.to_status(_status(self.refusal)))


def _status(error: CmsError) -> status_pb2.Status:
    packed = []
    for detail in details_of(error):
        wrapped = AnyMessage()
        wrapped.Pack(detail)
        packed.append(wrapped)
    return status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message, details=packed)


@pytest.fixture
def intake_server() -> IntakeServer:
    # The generated class counts as abstract to the type checker until every method is there.
    kind: Any = IntakeServer
    server: IntakeServer = kind()
    return server


@pytest.fixture
def own(tokens: Tokens) -> ServiceTokens:
    return ServiceTokens(tokens.service_file("assessment-svc"))


@pytest.fixture
def client(intake_server: IntakeServer, own: ServiceTokens) -> Iterator[IntakeClient]:
    server = grpc.server(ThreadPoolExecutor(2))
    intake_pb2_grpc.add_IntakeServiceServicer_to_server(intake_server, server)
    port = secure_port(server, "intake-svc")
    server.start()
    certificate = certificate_of("assessment-svc")
    with remote.channel(f"127.0.0.1:{port}", service="intake-svc", certificate=certificate) as channel:
        yield IntakeClient(channel, own)
    server.stop(0).wait()


@pytest.fixture(autouse=True)
def present_call(vault: Vault, tmp_path: Path) -> Iterator[Call]:
    identity = Identity(subject="AS000001", roles=frozenset({"ASSESSOR"}), token="the-assessors-token")
    present = Call(
        method="/test",
        response=assessment_pb2.StartAssessmentResponse,
        identity=identity,
        database=Database("postgresql://nobody@127.0.0.1:1/nothing"),
        vault=vault,
        deadline=time.monotonic() + 5,
    )
    with call.entered(present):
        yield present


def test_the_interview_is_read_for_the_caller_and_a_purpose(
    client: IntakeClient, intake_server: IntakeServer, own: ServiceTokens
) -> None:
    interview = client.get_interview("C0123456789A", purpose="appointment A1")

    [(metadata, request)] = intake_server.heard
    assert metadata["authorization"] == f"Bearer {own.to('intake-svc')}"
    assert metadata["cms-on-behalf-of"] == "the-assessors-token"
    assert metadata["cms-purpose"] == "appointment A1"
    assert request.claim_ref == "C0123456789A"
    assert interview.facts == Facts(version=9, answered={"surname": 3}, schemes={"surname": ("CRISIS_LOAN",)})
    assert interview.questions["surname"].answer.string_value == "Jones"


def test_a_proposal_that_nobody_has_agreed_to_comes_with_its_question() -> None:
    proposed = intake_pb2.Interview(
        version=9,
        questions=[
            intake_pb2.Question(
                id="surname", answer=Value(string_value="Łukasz"), proposal=Value(string_value="Lukasz")
            ),
            intake_pb2.Question(id="town", answer=Value(string_value="Leeds")),
        ],
    )

    interview = interview_of(proposed)

    assert interview.questions["surname"].proposal == Value(string_value="Lukasz")
    assert interview.questions["town"].proposal is None
    assert interview.facts.proposed == {"surname"}


def test_an_amendment_carries_everything_that_intake_needs(client: IntakeClient, intake_server: IntakeServer) -> None:
    client.amend(AMENDMENT, purpose="work item C0123456789A")

    [(metadata, request)] = intake_server.heard
    assert metadata["cms-purpose"] == "work item C0123456789A"
    assert request == intake_pb2.AmendAnswersRequest(
        claim_ref="C0123456789A",
        answers=[
            intake_pb2.Answer(question_id="surname", value=Value(string_value="Łukasz"), accept_transliteration=True)
        ],
        version=9,
        request_id=str(UUID(int=7)),
        reason="saw the passport",
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (["surname"], ["surname"]),
        (["answers[0].value", "reason"], ["value", "reason"]),
        (["surname", "partner_surname"], ["surname", "partner_surname"]),
    ],
)
def test_fields_at_fault_in_intake_are_named_by_our_own_fields(
    client: IntakeClient, intake_server: IntakeServer, fields: list[str], named: list[str]
) -> None:
    intake_server.refusal = InvalidArgument.of(*(Violation(field=name, description="is not so") for name in fields))

    with pytest.raises(InvalidArgument) as refused:
        client.amend(AMENDMENT, purpose="appointment A1")

    assert [violation.field for violation in refused.value.violations] == named


def test_a_claim_that_was_amended_meanwhile_is_aborted(client: IntakeClient, intake_server: IntakeServer) -> None:
    intake_server.refusal = StaleVersion(given=9, current=10)

    with pytest.raises(ClaimChanged):
        client.amend(AMENDMENT, purpose="appointment A1")


def test_other_refusals_are_passed_on_unchanged(client: IntakeClient, intake_server: IntakeServer) -> None:
    intake_server.refusal = NotFound("CLAIM_NOT_FOUND", "no such claim")

    with pytest.raises(NotFound):
        client.get_interview("C0123456789A", purpose="appointment A1")


def test_a_claim_whose_booking_intake_has_not_heard_of_is_not_found(
    client: IntakeClient, intake_server: IntakeServer
) -> None:
    intake_server.refusal = PermissionDenied("NO_APPOINTMENT", "no appointment is known yet")

    with pytest.raises(NotFound) as reading:
        client.get_interview("C0123456789A", purpose="appointment A1")
    with pytest.raises(NotFound) as amending:
        client.amend(AMENDMENT, purpose="appointment A1")

    assert reading.value.reason == amending.value.reason == "NO_APPOINTMENT"


def test_another_offices_claim_is_refused_with_intakes_reason(
    client: IntakeClient, intake_server: IntakeServer
) -> None:
    intake_server.refusal = PermissionDenied("OTHER_OFFICE", "another office's")

    with pytest.raises(PermissionDenied) as refused:
        client.get_interview("C0123456789A", purpose="p")

    assert refused.value.reason == "OTHER_OFFICE"


def test_the_call_is_unavailable_while_intake_is_away(own: ServiceTokens) -> None:
    away, certificate = f"127.0.0.1:{free_port()}", certificate_of("assessment-svc")
    with remote.channel(away, service="intake-svc", certificate=certificate) as channel, pytest.raises(Unavailable):
        IntakeClient(channel, own).get_interview("C0123456789A", purpose="appointment A1")
