"""A gateway's doors for its tests: its owners behind gRPC, and its methods by either door."""

import json
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format

from chassis.runtime import Process
from chassis.testing import HTTP, DatabaseUrls, Servers, Tokens, open_channel, secure_port, settings_for
from cms.assessment.v1 import assessment_pb2_grpc
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from legacy_gateway.__main__ import service
from legacy_gateway.config import Settings
from legacy_gateway.domain import Facts
from simulators.record_link.server import MainframeServer

CLAIM = "C00000000018"
SERVICE = "cms.gateway.v1.LegacyGatewayService"


class Intake(intake_pb2_grpc.IntakeServiceServicer):
    """GetClaimFacts from memory; who asked is kept."""

    def __init__(self, facts: Facts) -> None:
        self.given = facts
        self.asked: list[tuple[str, int, str]] = []

    def CheckEntitlement(self, request: Any, context: Any) -> Any:  # noqa: ARG002
        return intake_pb2.CheckEntitlementResponse(purpose=f"work item {request.claim_ref}")

    def GetClaimFacts(self, request: Any, context: Any) -> Any:
        token = dict(context.invocation_metadata())["authorization"]
        self.asked.append((request.claim_ref, request.version, token))
        facts = intake_pb2.ClaimFacts(
            claim_ref=request.claim_ref,
            state=intake_pb2.CLAIM_STATE_SUBMITTED,
            operator="OP000001",
            operator_grade="AO",
        )
        json_format.ParseDict(dict(self.given.answers), facts.answers)
        facts.first_contact_time.GetCurrentTime()
        facts.schemes.append(common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE)
        return intake_pb2.GetClaimFactsResponse(facts=facts)


def post(process: Process, body: Any, token: str | None, **headers: str) -> httpx.Response:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return HTTP.post(
        f"http://127.0.0.1:{process.http.port}/cms.gateway.v1.LegacyGatewayService/GetTransfers",
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **authorization, **headers},
    )


def by_grpc(process: Process, claim_ref: str, token: str | None) -> gateway_pb2.GetTransfersResponse:
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with open_channel(process, token or "") as channel:
        answer: gateway_pb2.GetTransfersResponse = gateway_pb2_grpc.LegacyGatewayServiceStub(channel).GetTransfers(
            gateway_pb2.GetTransfersRequest(claim_ref=claim_ref), metadata=metadata, timeout=5
        )
    return answer


def state_of(process: Process, token: str) -> str:
    systems = post(process, {"claimRef": CLAIM}, token).json()["systems"]
    return systems[0]["state"].removeprefix("TRANSFER_STATE_") if systems else ""


def ask(process: Process, method: str, token: str, **body: Any) -> Any:
    """Calls a method by JSON; gives the body, or the reason of a refusal."""
    answer = HTTP.post(
        f"http://127.0.0.1:{process.http.port}/{SERVICE}/{method}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=10.0,
    )
    shown = answer.json()
    return shown if answer.status_code == httpx.codes.OK else shown["code"]


@pytest.fixture
def intake_door(facts: Callable[..., Facts], assessment: Any) -> Iterator[tuple[Intake, int]]:
    servicer = Intake(facts())  # type: ignore[abstract]  # the other methods are not called
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    intake_pb2_grpc.add_IntakeServiceServicer_to_server(servicer, server)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(assessment, server)
    port = secure_port(server, "intake-svc", "assessment-svc")
    server.start()
    yield servicer, port
    server.stop(None).wait()


@pytest.fixture
def process(
    *,
    database_urls: DatabaseUrls,
    servers: Servers,
    bus_prefix: str,
    tokens: Tokens,
    jsaps: MainframeServer,
    intake_door: tuple[Intake, int],
    postcodes_file: Path,
    tmp_path: Path,
) -> Iterator[Process]:
    settings = settings_for(
        Settings,
        "legacy-gateway",
        urls=database_urls,
        servers=servers,
        bus_prefix=bus_prefix,
        tokens=tokens,
        intake_address=f"127.0.0.1:{intake_door[1]}",
        assessment_address=f"127.0.0.1:{intake_door[1]}",
        jsaps_port=jsaps.port,
        cms_cots_token_file=_token_file(tmp_path),
        reply_seconds=0.5,
        pscs_key_file=postcodes_file,  # no file goes out here, so none of the two is read
        pscs_host_key_file=postcodes_file,
        postcodes_file=postcodes_file,
        time_scale=0.05,
    )
    started = Process(service(settings))
    started.start()
    yield started
    started.stop()


def _token_file(folder: Path) -> Path:
    """The token file of a system that these tests do not reach."""
    path = folder / "cms-cots.token"
    path.write_text("a-token-of-the-tests")
    return path
