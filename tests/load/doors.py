"""GetClaim and RecordAnswers by both doors, beside handlers on the same servers that do nothing."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from google.protobuf import json_format
from google.protobuf.message import Message

from chassis.testing import channel_to
from cms.intake.v1 import intake_pb2 as pb
from cms_local.layout import ROOT, Layout
from tests.load.driving import UNCOMPRESSED, Rate, Service, drive, opened
from tests.load.interview import INTAKE, Operators
from tests.load.saves import Door, measure_saves_by
from tests.support.tls import platform_channel

BARE = "bare.v1.Bare"
_TIMEOUT_SECONDS = 10.0
_WARM_UP_SECONDS = 0.5


class HttpDoor:
    """Connect with JSON, each thread on a connection of its own."""

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self._own = threading.local()

    def encoded(self, request: Message) -> bytes:
        """Returns the request in JSON."""
        return json_format.MessageToJson(request, indent=None).encode()

    def acknowledge(self, method: str, request: bytes, *, token: str) -> None:
        """Calls, and ignores the response. Raises AssertionError where it is not 200."""
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._own.connection.request("POST", f"/{self._name}/{method}", request, headers)
        answer = self._own.connection.getresponse()
        text = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise AssertionError(f"{method}: {answer.status} {text[:200]!r}")


class GrpcDoor:
    """gRPC, all threads on one connection."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def encoded(self, request: Message) -> bytes:
        """Returns the request in binary."""
        return request.SerializeToString()

    def acknowledge(self, method: str, request: bytes, *, token: str) -> None:
        """Calls, and ignores the response."""
        self._service.acknowledge(method, request, token=token)


@dataclass(frozen=True, kw_only=True)
class DoorsMeasured:
    """A rate for each door: of RecordAnswers with five answers, of GetClaim, and of a handler that does nothing."""

    rates: dict[str, Rate]

    def lines(self) -> list[str]:
        """The figures for people."""
        return [f"{what:<22} {rate.text()}" for what, rate in self.rates.items()]

    def summary(self) -> dict[str, dict[str, float]]:
        """The figures for the line of JSON."""
        return {
            what: {
                "per_second": round(rate.per_second, 1),
                "p50_ms": round(rate.percentile(50), 2),
                "p99_ms": round(rate.percentile(99), 2),
            }
            for what, rate in self.rates.items()
        }


def measure_doors(layout: Layout, *, seconds: float) -> DoorsMeasured:
    """Measures each method by each door for so many seconds, one after the other."""
    rates: dict[str, Rate] = {}
    with (
        opened(platform_channel(layout, "intake-svc", options=UNCOMPRESSED), INTAKE) as intake,
        _bare_doors() as bare,
    ):
        doors: dict[str, Door] = {"grpc": GrpcDoor(intake), "http": HttpDoor(layout.http_port("intake-svc"), INTAKE)}
        operators = Operators(layout, intake)
        for name, door in doors.items():
            rates[f"record_answers_{name}"] = measure_saves_by(door, operators, seconds=seconds)
        request = pb.GetClaimRequest(claim_ref=operators.start(0).claim_ref)
        token = operators.token_of(0)
        for name, door in doors.items():
            rates[f"get_claim_{name}"] = _repeated(door, "GetClaim", request, token, seconds=seconds)
        for name, door in bare.items():
            rates[f"bare_{name}"] = _repeated(door, "Nothing", request, token, seconds=seconds)
    return DoorsMeasured(rates=rates)


def _repeated(door: Door, method: str, request: Message, token: str, *, seconds: float) -> Rate:
    body = door.encoded(request)

    def call() -> None:
        door.acknowledge(method, body, token=token)

    drive(lambda _: call, seconds=_WARM_UP_SECONDS)
    return drive(lambda _: call, seconds=seconds)


@contextmanager
def _bare_doors() -> Iterator[dict[str, Door]]:
    command = [sys.executable, "-m", "tests.load.bare"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as bare:
        assert bare.stdin is not None
        assert bare.stdout is not None
        grpc_port, http_port = map(int, bare.stdout.readline().split())
        try:
            bare_channel = channel_to(f"127.0.0.1:{grpc_port}", "intake-svc", options=UNCOMPRESSED)
            with opened(bare_channel, BARE) as service:
                yield {"grpc": GrpcDoor(service), "http": HttpDoor(http_port, BARE)}
        finally:
            bare.stdin.close()
