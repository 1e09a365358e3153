"""What tests of scheduling share: its database, the offices, an extract of the postcodes, an intake of the test's own,
and one client for both doors: a body in JSON goes in, what came of it comes out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import clock
from chassis.errors import NotFound, Unavailable
from chassis.postcodes import Postcodes, build_extract
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, database_fixture, settings_for
from cms.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc
from scheduling.__main__ import MIGRATIONS, service
from scheduling.config import Settings
from scheduling.data import load_assessors, load_offices
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory

SERVICE = "cms.scheduling.v1.SchedulingService"

database_urls = database_fixture("scheduling", MIGRATIONS)


class IntakeOfTests:
    """Knows the claims that a test opens, and keeps what it was asked."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.asked: list[str] = []
        self.is_away = False

    def open(self, claim_ref: str, *, first_contact_time: datetime | None = None) -> Claim:
        """Opens a claim, whose claimant made contact now unless told otherwise."""
        claim = Claim(claim_ref=claim_ref, is_open=True, first_contact_time=first_contact_time or clock.now())
        self.claims[claim_ref] = claim
        return claim

    def close(self, claim_ref: str) -> None:
        """The claim is withdrawn."""
        before = self.claims[claim_ref]
        self.claims[claim_ref] = Claim(claim_ref=claim_ref, is_open=False, first_contact_time=before.first_contact_time)

    def claim(self, claim_ref: str) -> Claim:
        """As scheduling asks it."""
        self.asked.append(claim_ref)
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        if claim_ref not in self.claims:
            raise NotFound("CLAIM_UNKNOWN", "there is no such claim")
        return self.claims[claim_ref]


@pytest.fixture
def intake() -> IntakeOfTests:
    return IntakeOfTests()


@pytest.fixture
def directory() -> Directory:
    return Directory(load_offices(), load_assessors())


@pytest.fixture(scope="session")
def postcodes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    return path


@pytest.fixture
def postcodes(postcodes_file: Path) -> Iterator[Postcodes]:
    with Postcodes(postcodes_file) as opened:
        yield opened


@pytest.fixture
def settings(
    database_urls: DatabaseUrls, servers: Servers, bus_prefix: str, tokens: Tokens, postcodes_file: Path
) -> Settings:
    made: Settings = settings_for(
        Settings,
        "scheduling-svc",
        urls=database_urls,
        servers=servers,
        bus_prefix=bus_prefix,
        tokens=tokens,
        clock_offset_file=tokens.folder / "clock-offset",
        postcodes_file=postcodes_file,
    )
    return made


@pytest.fixture
def process(settings: Settings, clock_file: Path, intake: IntakeOfTests) -> Iterator[Process]:
    """The whole service, serving; `clock.advance` moves its clock and that of the test."""
    assert settings.clock_offset_file == clock_file
    started = Process(service(settings, lambda _runtime: intake))
    started.start()
    yield started
    started.stop()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`code` is OK or a status code's name; `text` is all that the caller can read; `body` is a response's JSON."""

    code: str
    reason: str = ""
    fields: frozenset[str] = frozenset()
    text: str = ""
    body: dict[str, Any]


class Door(Protocol):
    """Calls a method; an empty token sends none."""

    def __call__(self, method: str, body: dict[str, Any], token: str) -> Answer: ...


@pytest.fixture(params=["grpc", "http"])
def door(request: pytest.FixtureRequest, process: Process) -> Iterator[Door]:
    """Each door in its turn."""
    if request.param == "grpc":
        with grpc.insecure_channel(f"127.0.0.1:{process.grpc.port}") as channel:
            yield _by_grpc(channel)
    else:
        yield _by_http(process)


@pytest.fixture
def http(process: Process) -> Door:
    """The HTTP door alone, for what does not depend on the door."""
    return _by_http(process)


def _by_http(process: Process) -> Door:
    def post(method: str, body: dict[str, Any], token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.post(f"http://127.0.0.1:{process.http.port}/{SERVICE}/{method}", json=body, headers=headers)
        if answer.status_code == 200:
            return Answer(code="OK", body=answer.json(), text=answer.text)
        error = answer.json()
        info, *rest = [detail["debug"] for detail in error["details"]]
        violations = rest[0]["fieldViolations"] if rest else []
        return Answer(
            code=error["code"].upper(),
            reason=info["reason"],
            fields=frozenset(violation["field"] for violation in violations),
            text=answer.text,
            body={},
        )

    return post


def _by_grpc(channel: grpc.Channel) -> Door:
    stub = scheduling_pb2_grpc.SchedulingServiceStub(channel)

    def invoke(method: str, body: dict[str, Any], token: str) -> Answer:
        message = json_format.ParseDict(body, getattr(scheduling_pb2, f"{method}Request")())
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        try:
            response = getattr(stub, method)(message, metadata=metadata, timeout=5)
        except grpc.RpcError as error:
            return _refusal(cast(Any, error))
        body = json_format.MessageToDict(response, always_print_fields_with_no_presence=True)
        return Answer(code="OK", body=body, text=str(response))

    return invoke


def _refusal(error: Any) -> Answer:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(error).details:
        detail.Unpack(info) or detail.Unpack(bad)
    return Answer(
        code=error.code().name,
        reason=info.reason,
        fields=frozenset(violation.field for violation in bad.field_violations),
        text=f"{error.details()} {info} {bad}",
        body={},
    )
