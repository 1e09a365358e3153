"""The gateway and the notifier over real channels: what one of them says is shown, whatever becomes of the other."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from assessment.clients import OutcomesClient
from chassis import call, remote
from chassis.call import Call
from chassis.database import Database
from chassis.identity import Identity, ServiceTokens
from chassis.testing import Tokens, certificate_of, secure_port
from chassis.vault import Vault
from cms.assessment.v1 import desk_pb2
from cms.gateway.v1 import gateway_pb2_grpc
from cms.notifier.v1 import notifier_pb2, notifier_pb2_grpc


class Gateway(gateway_pb2_grpc.LegacyGatewayServiceServicer):
    """Answers with a status that a test sets."""

    status = grpc.StatusCode.INTERNAL

    def GetTransfers(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """As the gateway's, on a bad day."""
        context.abort(self.status, "")


class Notifier(notifier_pb2_grpc.LaNotifierServiceServicer):
    """Answers with one notice."""

    def GetNotices(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        """As la-notifier's."""
        return notifier_pb2.GetNoticesResponse(notices=[notifier_pb2.Notice(notice_id="N1", version=1)])


@pytest.fixture
def gateway() -> Any:
    kind: Any = Gateway  # abstract to the type checker until every method is there
    return kind()


@pytest.fixture
def client(gateway: Any, tokens: Tokens) -> Iterator[OutcomesClient]:
    notifier: Any = Notifier
    server = grpc.server(ThreadPoolExecutor(2))
    gateway_pb2_grpc.add_LegacyGatewayServiceServicer_to_server(gateway, server)
    notifier_pb2_grpc.add_LaNotifierServiceServicer_to_server(notifier(), server)
    port = secure_port(server, "legacy-gateway", "la-notifier")
    server.start()
    own = certificate_of("assessment-svc")
    with (
        remote.channel(f"127.0.0.1:{port}", service="legacy-gateway", certificate=own) as to_gateway,
        remote.channel(f"127.0.0.1:{port}", service="la-notifier", certificate=own) as to_notifier,
    ):
        yield OutcomesClient(to_gateway, to_notifier, ServiceTokens(tokens.service_file("assessment-svc")))
    server.stop(0).wait()


@pytest.fixture(autouse=True)
def present_call(vault: Vault) -> Iterator[None]:
    present = Call(
        method="/test",
        response=desk_pb2.GetAssessmentResponse,
        identity=Identity(subject="AS000001", roles=frozenset({"ASSESSOR"}), token="the-assessors-token"),
        database=Database("postgresql://nobody@127.0.0.1:1/nothing"),
        vault=vault,
        deadline=time.monotonic() + 5,
    )
    with call.entered(present):
        yield


@pytest.mark.parametrize("status", ["INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"])
def test_no_failure_of_the_gateway_keeps_the_notices_from_the_assessor(
    client: OutcomesClient, gateway: Any, status: str
) -> None:
    gateway.status = grpc.StatusCode[status]

    found = client.follow("C0123456789A")

    assert ([notice.notice_id for notice in found.notices], found.transfers) == (["N1"], ())
    assert found.not_reached == ("legacy-gateway",)
