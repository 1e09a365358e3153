"""Health, readiness and metrics have a port of their own, which is answered whatever happens on it or on the doors."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.runtime import Process, Service
from chassis.settings import ServiceSettings
from chassis.testing import HTTP, NotCalled, SettingsOf, eventually, running
from cms.scheduling.v1 import scheduling_pb2
from tests.support.bystander import expect_soon

MANY = 2000
PATHS = ("/healthz", "/readyz", "/metrics")


@pytest.fixture
def make(settings_of: SettingsOf) -> Iterator[Callable[..., Process]]:
    with ExitStack() as stack:

        def start(**settings: Any) -> Process:
            service = Service(
                name="scheduling-svc",
                settings=settings_of(ServiceSettings, "scheduling-svc", **settings),
                contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
                migrations=Path("no-migrations"),
                api=lambda _runtime: NotCalled(),
            )
            return stack.enter_context(running(service))

        yield start


@pytest.fixture
def process(make: Callable[..., Process]) -> Process:
    return make()


def get(process: Process, path: str, **more: Any) -> httpx.Response:
    return HTTP.get(f"http://127.0.0.1:{process.operations.port}{path}", timeout=5, **more)


def holds(process: Process) -> None:
    with httpx.Client(timeout=5, base_url=f"http://127.0.0.1:{process.operations.port}") as client:
        for path in PATHS:
            expect_soon(lambda path=path: client.get(path).status_code, 200)  # type: ignore[misc]


def test_the_port_tells_health_readiness_and_metrics(process: Process) -> None:
    assert get(process, "/healthz").json() == {"status": "alive"}
    assert get(process, "/readyz").json() == {"status": "ready", "database": True, "bus": True}
    assert "chassis_outbox_unfinished 0.0" in get(process, "/metrics").text
    assert get(process, "/healthz").headers["Cache-Control"] == "no-store"
    assert "Server" not in get(process, "/healthz").headers


def test_the_port_has_nothing_else(process: Process) -> None:
    paths = ("/", "/readyz/", "/cms.scheduling.v1.SchedulingService/FindSlots")

    assert [get(process, path).status_code for path in paths] == [404] * 3


def test_the_http_door_has_none_of_it(process: Process) -> None:
    refused = [HTTP.get(f"http://127.0.0.1:{process.http.port}{path}") for path in PATHS]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(404, "unimplemented")] * 3


HALVES = (b"", b"GET /healthz HTT", b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")


def test_many_connections_that_stop_half_way_hold_nobody_up(process: Process) -> None:
    with ExitStack() as opened:
        for sent in HALVES:
            for _ in range(MANY // len(HALVES)):
                connection = opened.enter_context(socket.create_connection(("127.0.0.1", process.operations.port)))
                connection.sendall(sent)

        holds(process)


def test_a_request_that_trickles_is_ended_in_ten_seconds(process: Process) -> None:
    with closing(socket.create_connection(("127.0.0.1", process.operations.port))) as slow:
        begun = time.monotonic()

        def is_closed() -> bool:
            try:
                slow.sendall(b"x")
            except OSError:
                return True
            return False

        slow.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        eventually(is_closed, seconds=16, what="the end of the connection")

    assert 9 < time.monotonic() - begun < 16


ODD = (
    b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /\xff\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
)


def test_a_request_of_another_kind_harms_nobody(process: Process) -> None:
    for sent in ODD:
        with closing(socket.create_connection(("127.0.0.1", process.operations.port), timeout=5)) as odd:
            odd.sendall(sent)

            holds(process)


def test_idle_connections_beyond_the_bound_make_room(make: Callable[..., Process]) -> None:
    process = make(operations_connections=10)
    with ExitStack() as opened:
        for _ in range(50):
            opened.enter_context(socket.create_connection(("127.0.0.1", process.operations.port)))

        holds(process)


def test_a_service_whose_http_server_has_ended_is_not_ready(process: Process) -> None:
    process.http.stop(0)

    ready = get(process, "/readyz")

    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
