"""A service's process waits for what it needs, lets calls in flight finish, and says how it does."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql

from chassis import remote
from chassis.errors import CmsError, Unauthenticated, Unavailable
from chassis.runtime import NotReady, Process, Service
from chassis.settings import ServiceSettings
from chassis.testing import (
    HTTP,
    DatabaseUrls,
    NotCalled,
    Servers,
    SettingsOf,
    Tokens,
    as_logged,
    certificate_of,
    eventually,
    free_port,
    open_channel,
    secure_port,
)
from cms.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc

CONTRACT = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"]
DRAIN_SECONDS = 5.0
"""The drain in the settings of tests."""
PATH = "/cms.scheduling.v1.SchedulingService/GetAppointment"


class SlowApi(NotCalled):
    """Answers GetAppointment when it is let."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.may_answer = threading.Event()

    def GetAppointment(self, _request: Any) -> Any:
        self.inside.release()
        assert self.may_answer.wait(10)
        return as_logged(scheduling_pb2.GetAppointmentResponse())

    def FindSlots(self, _request: Any) -> Any:
        return scheduling_pb2.FindSlotsResponse()


@pytest.fixture
def api() -> SlowApi:
    return SlowApi()


@pytest.fixture
def made(api: SlowApi, settings_of: SettingsOf) -> Callable[..., Process]:
    def make(**changes: Any) -> Process:
        return Process(
            Service(
                name="scheduling-svc",
                settings=replace(settings_of(ServiceSettings, "scheduling-svc"), **changes),
                contract=CONTRACT,
                migrations=Path("no-migrations"),
                api=lambda _runtime: api,
            )
        )

    return make


@pytest.fixture
def process(made: Callable[..., Process]) -> Iterator[Process]:
    started = made()
    started.start()
    yield started
    started.stop()


def get(process: Process, path: str) -> httpx.Response:
    """Asks the operations port."""
    return HTTP.get(f"http://127.0.0.1:{process.operations.port}{path}", timeout=10)


def by_http(process: Process, token: str) -> int:
    return HTTP.post(
        f"http://127.0.0.1:{process.http.port}{PATH}",
        json={"claimRef": "C0000000000A"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    ).status_code


def by_grpc(process: Process, token: str) -> Any:
    with open_channel(process, token) as channel:
        return remote.invoke(
            scheduling_pb2_grpc.SchedulingServiceStub(channel).GetAppointment,
            scheduling_pb2.GetAppointmentRequest(claim_ref="C0000000000A"),
            token=token,
            timeout_seconds=5,
        )


def test_calls_in_flight_finish_and_new_ones_are_refused_during_a_drain(
    made: Callable[..., Process], api: SlowApi, tokens: Tokens
) -> None:
    process, token = made(), tokens.issue("SUPPORT")
    process.start()
    with ThreadPoolExecutor(3) as callers:
        calls = [callers.submit(by_http, process, token), callers.submit(by_grpc, process, token)]
        assert api.inside.acquire(timeout=5)
        assert api.inside.acquire(timeout=5)

        stopping = callers.submit(process.stop)
        eventually(lambda: get(process, "/readyz").json()["status"] == "draining")
        assert get(process, "/readyz").status_code == 503
        with pytest.raises(Unavailable):
            by_grpc(process, token)
        api.may_answer.set()

        assert calls[0].result() == 200
        assert calls[1].result() == scheduling_pb2.GetAppointmentResponse()
        stopping.result()
    with pytest.raises(httpx.TransportError):
        get(process, "/healthz")


@pytest.fixture
def keep_open() -> Iterator[Callable[[Process], HTTPConnection]]:
    """Connections that serve one request after the other."""
    with ExitStack() as kept:

        def connect(process: Process) -> HTTPConnection:
            connection = kept.enter_context(closing(HTTPConnection("127.0.0.1", process.http.port, timeout=10)))
            connection.connect()
            return connection

        yield connect


def ask(connection: HTTPConnection) -> str:
    """One request on a connection that is open; gives what the answer says of the connection."""
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert json.loads(answer.read())["code"] == "unimplemented"
    return answer.headers.get("Connection", "")


def ask_until_refused(connection: HTTPConnection) -> int:
    """One request after the other, on a new connection where the door has closed the last; gives how many."""
    for answered in count():
        is_new = connection.sock is None
        if is_new and is_refused(connection):
            return answered
        try:
            ask(connection)
        except ConnectionResetError:
            if not is_new:
                raise
            return answered  # it waited to be taken when the door closed
    raise AssertionError("it counts without end")


def is_refused(connection: HTTPConnection) -> bool:
    try:
        connection.connect()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it waited to be taken when the door closed
        return True
    return False


def is_refused_anew(connection: HTTPConnection) -> bool:
    connection.close()
    return is_refused(connection)


def test_kept_connections_are_answered_until_connections_are_refused(
    made: Callable[..., Process], keep_open: Callable[[Process], HTTPConnection]
) -> None:
    process = made()
    process.start()
    connections = [keep_open(process) for _ in range(6)]

    with ThreadPoolExecutor(6) as callers:
        calls = [callers.submit(ask_until_refused, connection) for connection in connections]
        for _ in range(20):
            ask(keep_open(process))
        process.stop()

        assert all(call.result() > 0 for call in calls)


def test_a_half_sent_request_is_answered_during_a_drain(
    made: Callable[..., Process], keep_open: Callable[[Process], HTTPConnection]
) -> None:
    process = made()
    process.start()
    early = keep_open(process).sock
    early.sendall(b"GET / HTTP/1.1\r\n")

    with ThreadPoolExecutor(1) as callers, closing(HTTPConnection("127.0.0.1", process.http.port)) as late:
        stopping = callers.submit(process.stop)
        eventually(lambda: is_refused_anew(late), what="the refusal of connections")
        early.sendall(b"Host: here\r\n\r\n")
        answer = HTTPResponse(early)
        answer.begin()

        assert (answer.status, answer.headers["Connection"]) == (404, "close")
        assert json.loads(answer.read())["code"] == "unimplemented"
        assert early.recv(1) == b""
        stopping.result()


def test_an_idle_connection_does_not_delay_the_stop(
    made: Callable[..., Process], keep_open: Callable[[Process], HTTPConnection]
) -> None:
    process = made()
    process.start()
    quiet = keep_open(process)
    assert ask(quiet) == ""
    begun = time.monotonic()

    process.stop()

    assert time.monotonic() - begun < DRAIN_SECONDS
    assert quiet.sock.recv(1) == b""


def test_a_service_without_the_bus_is_degraded_and_serves(
    made: Callable[..., Process], api: SlowApi, tokens: Tokens
) -> None:
    process = made(bus_url=f"redis://127.0.0.1:{free_port()}/0")
    api.may_answer.set()
    process.start()

    ready = get(process, "/readyz")
    served = by_http(process, tokens.issue("SUPPORT"))
    process.stop()

    assert (ready.status_code, ready.json()) == (200, {"status": "degraded", "database": True, "bus": False})
    assert served == 200


def test_a_service_without_its_database_is_not_ready_but_shows_metrics(
    process: Process, servers: Servers, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as server:
        name = sql.Identifier(database_urls.name)
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))

    ready = get(process, "/readyz")

    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert get(process, "/healthz").status_code == 200
    assert get(process, "/metrics").status_code == 200


TLS = ("tls_certificate_file", "tls_key_file", "tls_authority_file")


@pytest.mark.parametrize(
    "missing", ["jwks_file", "keyring_file", "token_file", "signing_key_file", "signatories_file", *TLS]
)
def test_a_missing_file_is_named_at_start(made: Callable[..., Process], tmp_path: Path, missing: str) -> None:
    with pytest.raises(NotReady, match=r"absent\.json"):
        made(**{missing: tmp_path / "absent.json", "start_limit_seconds": 0.01})


def test_a_missing_database_is_named_at_start(made: Callable[..., Process]) -> None:
    with pytest.raises(NotReady, match="PostgreSQL"):
        made(database_owner_url=f"postgresql://x@127.0.0.1:{free_port()}/x", start_limit_seconds=0.01)


def test_a_service_waits_at_start_for_what_it_needs(
    made: Callable[..., Process], tokens: Tokens, tmp_path: Path
) -> None:
    late = tmp_path / "late.json"
    writer = threading.Timer(0.1, lambda: tokens.keyring_file.rename(late))

    writer.start()
    process = made(keyring_file=late)

    process.start()
    assert get(process, "/healthz").status_code == 200
    process.stop()


def test_the_issuers_keys_change_without_a_restart(process: Process, api: SlowApi, tokens: Tokens) -> None:
    api.may_answer.set()
    before = tokens.issue("SUPPORT")
    assert by_http(process, before) == 200

    tokens.change_key("second", withdraw=True)

    eventually(lambda: by_http(process, tokens.issue("SUPPORT")) == 200, what="the new key")
    assert by_http(process, before) == 401
    with pytest.raises(Unauthenticated):
        by_grpc(process, before)


def test_a_broken_key_file_is_reported_and_changes_nothing(
    process: Process, api: SlowApi, tokens: Tokens, capsys: pytest.CaptureFixture[str]
) -> None:
    api.may_answer.set()

    tokens.jwks_file.write_text("{")

    eventually(lambda: '"error": "KeysUnusable"' in capsys.readouterr().out, what="the line in the log")
    assert 'chassis_worker_failures_total{worker="issuer-keys"}' in get(process, "/metrics").text
    assert by_http(process, tokens.issue("SUPPORT")) == 200

    tokens.change_key("second", withdraw=True)

    eventually(lambda: by_http(process, tokens.issue("SUPPORT")) == 200, what="the new key")


def test_a_body_of_five_megabytes_is_refused_with_a_connect_error(process: Process, tokens: Tokens) -> None:
    answer = HTTP.post(
        f"http://127.0.0.1:{process.http.port}{PATH}",
        content=b'{"claimRef":"' + b"x" * 5_000_000 + b'"}',
        headers={"Authorization": f"Bearer {tokens.issue('SUPPORT')}", "Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["code"]) == (429, "resource_exhausted")


def test_calls_beyond_the_bound_are_refused(process: Process, api: SlowApi, tokens: Tokens) -> None:
    token = tokens.issue("SUPPORT")
    with ThreadPoolExecutor(40) as callers:
        calls = [callers.submit(by_http, process, token) for _ in range(20)]
        calls += [callers.submit(codes_by_grpc, process, token) for _ in range(20)]
        for _ in range(32):
            assert api.inside.acquire(timeout=10)
        eventually(lambda: sum(each.done() for each in calls) == 8, what="an answer to those who found no place")
        refused = [each.result() for each in calls if each.done()]
        assert not api.inside.acquire(blocking=False)
        api.may_answer.set()
        answered = [each.result() for each in calls]

    assert refused == [429] * 8
    assert sorted(answered) == [200] * 32 + refused
    assert by_http(process, token) == 200


def codes_by_grpc(process: Process, token: str) -> int:
    try:
        by_grpc(process, token)
    except CmsError as error:
        return {"RESOURCE_EXHAUSTED": 429}.get(error.code, 500)
    return 200


def to_scheduling(port: int) -> grpc.Channel:
    """A channel of intake-svc to the scheduling-svc at this port."""
    return remote.channel(f"127.0.0.1:{port}", service="scheduling-svc", certificate=certificate_of("intake-svc"))


def test_an_absent_service_is_unavailable_and_its_address_stays_inside(tokens: Tokens) -> None:
    port = free_port()
    with to_scheduling(port) as channel, pytest.raises(Unavailable) as away:
        remote.invoke(
            scheduling_pb2_grpc.SchedulingServiceStub(channel).GetAppointment,
            scheduling_pb2.GetAppointmentRequest(claim_ref="C0000000000A"),
            token=tokens.issue("SUPPORT"),
            timeout_seconds=2,
        )

    assert str(port) not in away.value.message


@pytest.mark.parametrize("code", [grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE])
def test_a_broken_off_call_is_unavailable(tokens: Tokens, code: grpc.StatusCode) -> None:
    def break_off(_body: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, "of the library, not of a service")
        raise AssertionError("abort raises")

    handlers = {"GetAppointment": grpc.unary_unary_rpc_method_handler(break_off)}
    server = grpc.server(ThreadPoolExecutor(1))
    name = "cms.scheduling.v1.SchedulingService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = secure_port(server, "scheduling-svc")
    server.start()

    with to_scheduling(port) as channel, pytest.raises(Unavailable) as broken_off:
        remote.invoke(
            scheduling_pb2_grpc.SchedulingServiceStub(channel).GetAppointment,
            scheduling_pb2.GetAppointmentRequest(claim_ref="C0000000000A"),
            token=tokens.issue("SUPPORT"),
            timeout_seconds=2,
        )

    assert (broken_off.value.reason, broken_off.value.will_pass) == (code.name, True)
    server.stop(0).wait()
