"""Attacks on the gRPC door: everybody else is answered within a second all the same, and so is the operations port."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from h2.exceptions import ProtocolError

from chassis.errors import NotFound
from chassis.runtime import Process, Service
from chassis.settings import ServiceSettings
from chassis.testing import NotCalled, SettingsOf, Tokens, as_logged, eventually, open_channel, running
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2
from tests.support.grpc_bystander import ask, holds, refusals
from tests.support.http2 import Http2, bomb, message

PATH = b"/cms.scheduling.v1.SchedulingService/GetAppointment"
REFLECTION = b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
REQUEST = scheduling_pb2.GetAppointmentRequest(claim_ref="C0000000000A").SerializeToString()
MANY = 2000
INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAUTHENTICATED = 3, 4, 8, 12, 16


class Api(NotCalled):
    """Answers at once: there is no appointment."""

    def __init__(self) -> None:
        self.filler = ""

    def GetAppointment(self, _request: Any) -> Any:
        if self.filler:
            filled = appointments_pb2.Appointment(appointment_id=self.filler)
            return as_logged(scheduling_pb2.GetAppointmentResponse(appointment=filled))
        raise NotFound("NOT_BOOKED", "no interview is booked")


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def make(settings_of: SettingsOf, api: Api) -> Iterator[Callable[..., Process]]:
    with ExitStack() as stack:

        def start(**settings: Any) -> Process:
            service = Service(
                name="scheduling-svc",
                settings=settings_of(ServiceSettings, "scheduling-svc", **{"reflection": True, **settings}),
                contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
                migrations=Path("no-migrations"),
                api=lambda _runtime: api,
            )
            return stack.enter_context(running(service))

        yield start


@pytest.fixture
def process(make: Callable[..., Process]) -> Process:
    return make()


@pytest.fixture
def token(tokens: Tokens) -> str:
    return tokens.issue("SUPPORT")


@pytest.fixture
def connect(process: Process) -> Iterator[Callable[..., Http2]]:
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(Http2(process.grpc.port, **how))


Connect = Callable[..., Http2]


@pytest.mark.parametrize("given", ["", "token"])
def test_calls_without_a_message_hold_nobody_up(process: Process, connect: Connect, token: str, given: str) -> None:
    for _ in range(20):
        attacker = connect()
        for _ in range(30):
            attacker.begin(PATH, token=token if given else "")
        attacker.flush()

    holds(process, token)


def test_a_request_that_does_not_come_whole_in_ten_seconds_is_ended(
    process: Process, connect: Connect, token: str
) -> None:
    begun = time.monotonic()
    without, trickling, silent = connect(), connect(), connect(greet=False)
    alone = without.begin(PATH, token=token)
    without.flush()
    trickle = trickling.begin(PATH, token=token)
    trickling.send(trickle, message(b"", length=1000))

    while trickling.is_open() and trickle not in trickling.ended and time.monotonic() - begun < 16:
        with suppress(ProtocolError):
            trickling.send(trickle, b"\x0a")
        threading.Event().wait(0.2)
    answers = [without.answer(alone).status, trickling.answer(trickle).status]

    assert answers == [DEADLINE_EXCEEDED] * 2
    assert 9 < time.monotonic() - begun < 16
    assert refusals(process, "TOO_SLOW") >= 2
    with suppress(ConnectionError):
        while silent.socket.recv(1000):  # until the door ends it
            pass


SILENCES = (None, b"", b"PRI * HTTP/2.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01")


def test_many_connections_that_say_nothing_more_hold_nobody_up(process: Process, connect: Connect, token: str) -> None:
    for sent in SILENCES:
        for _ in range(MANY // len(SILENCES)):
            if sent is None:
                connect()
            else:
                connect(greet=False).socket.sendall(sent)

    holds(process, token)


HALF_FRAMES = {
    "a head": b"\x00\x10\x00\x01",
    "headers without their end": b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82",
    "a payload that does not come": b"\x00\x40\x00\x00\x00\x00\x00\x00\x01",
    "a frame that is too large": b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
    "a frame of no kind": b"\x00\x00\x04\xee\xff\x7f\xff\xff\xff1234",
    "a continuation of nothing": b"\x00\x00\x01\x09\x00\x00\x00\x00\x01\x82",
    "a window of nothing": b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
}


def test_halves_of_frames_hold_nobody_up(process: Process, connect: Connect, token: str) -> None:
    for sent in HALF_FRAMES.values():
        for _ in range(50):
            connect().socket.sendall(sent)

    holds(process, token)


FLOODS = {
    "pings": b"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678" * 1000,
    "settings": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 1000,
    "empty continuations": b"\x00\x00\x00\x01\x00\x00\x00\x00\x01" + b"\x00\x00\x00\x09\x00\x00\x00\x00\x01" * 5000,
    "priorities": b"\x00\x00\x05\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01" * 1000,
    "windows": b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x01" * 1000,
}


def test_floods_of_frames_hold_nobody_up(process: Process, connect: Connect, token: str) -> None:
    def flood(sent: bytes) -> None:
        with suppress(OSError):
            attacker = connect()
            for _ in range(10):
                attacker.socket.sendall(sent)

    for sent in FLOODS.values():
        with ThreadPoolExecutor(2) as attackers:
            flooding = [attackers.submit(flood, sent) for _ in range(2)]
            holds(process, token)
            for flooded in flooding:
                flooded.result()

    holds(process, token)


def resets(connection: Http2, count: int) -> bytes:
    """Calls that are each reset at once."""
    for _ in range(count):
        stream = connection.begin(PATH)
        connection.protocol.reset_stream(stream)
    return connection.protocol.data_to_send()


def test_calls_that_are_reset_at_once_hold_nobody_up(process: Process, connect: Connect, token: str) -> None:
    prepared = []
    for _ in range(8):
        attacker = connect()
        prepared.append((attacker, resets(attacker, 2000)))

    def flood(attacker: Http2, sent: bytes) -> None:
        with suppress(OSError):
            attacker.socket.sendall(sent)

    with ThreadPoolExecutor(8) as attackers:
        for attacker, sent in prepared:
            attackers.submit(flood, attacker, sent)
        holds(process, token)

    holds(process, token)


def test_open_streams_of_reflection_and_health_hold_nobody_up(process: Process, connect: Connect, token: str) -> None:
    attacker = connect()
    for _ in range(50):
        attacker.begin(REFLECTION)
        attacker.send(attacker.begin(b"/grpc.health.v1.Health/Watch"), message(b""))
    attacker.flush()

    holds(process, token)
    with open_channel(process) as channel:
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        assert next(stub.ServerReflectionInfo(asked, timeout=5)).HasField("list_services_response")
        assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1).status == 1


def test_reflection_is_off_unless_it_is_turned_on(make: Callable[..., Process], token: str) -> None:
    process = make(reflection=False)
    with Http2(process.grpc.port) as caller:
        asked = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
        by_both_names = [REFLECTION, REFLECTION.replace(b"v1.", b"v1alpha.")]

        assert [caller.call(path, message(asked)).status for path in by_both_names] == [UNIMPLEMENTED] * 2


def test_large_metadata_is_refused(process: Process, connect: Connect, token: str) -> None:
    for size in (20_000, 60_000):
        attacker = connect()
        refused = attacker.call(PATH, message(REQUEST), token=token, more=[(b"x-large", b"a" * size)])
        assert refused.status in {RESOURCE_EXHAUSTED, None}
    many = connect().call(PATH, message(REQUEST), token=token, more=[(b"x-%d" % n, b"1") for n in range(1000)])

    assert many.status in {RESOURCE_EXHAUSTED, None}
    holds(process, token)


TOO_LARGE = {
    "large": message(bytes(5_000_000)),
    "said to be large": message(b"", length=2**32 - 1),
    "a bomb": message(bomb(200_000_000), compressed=True),
    "a small bomb": message(bomb(2_000_000), compressed=True),
    "a little too large": message(bytes(70_000)),
}


def test_a_message_that_is_too_large_is_refused(process: Process, connect: Connect, token: str) -> None:
    before, encoding = refusals(process, "TOO_LARGE"), [(b"grpc-encoding", b"gzip")]
    with ThreadPoolExecutor(8) as attackers:
        calls = {
            f"{what} {number}": attackers.submit(connect().call, PATH, sent, token=token, more=encoding)
            for what, sent in TOO_LARGE.items()
            for number in range(4)
        }
        holds(process, token)

    assert {what: call.result().status for what, call in calls.items()} == dict.fromkeys(calls, RESOURCE_EXHAUSTED)
    assert refusals(process, "TOO_LARGE") == before + 4
    holds(process, token)


def test_compressed_messages_are_taken_and_given(process: Process, connect: Connect, api: Api, token: str) -> None:
    api.filler = "A" * 10_000
    encoding = [(b"grpc-encoding", b"gzip")]

    asked = message(gzip.compress(REQUEST), compressed=True)
    plain = connect().call(PATH, asked, token=token, more=encoding)
    small = connect().call(PATH, message(REQUEST), token=token, more=[(b"grpc-accept-encoding", b"identity,gzip")])

    assert (plain.status, plain.data[0], len(plain.data) > 10_000) == (0, 0, True)
    assert (small.status, small.data[0], len(small.data) < 500) == (0, 1, True)
    assert b"A" * 10_000 in gzip.decompress(small.data[5:])


ODD = {
    "nothing": (b"", INVALID_ARGUMENT),
    "a half prefix": (b"\x00\x00", None),
    "a half message": (message(b"\x0a\x0c", length=14), None),
    "no message of the method": (message(b"\x0a\xff\xff"), INVALID_ARGUMENT),
    "compressed without an encoding": (message(REQUEST, compressed=True), None),
    "two messages": (message(REQUEST) * 2, 5),
}


def test_an_odd_call_is_ended_and_harms_nobody(process: Process, connect: Connect, token: str) -> None:
    for what, (sent, status) in ODD.items():
        answer = connect().call(PATH, sent, token=token)
        assert answer.status == status or (status is None and answer.status != 0), what

    holds(process, token)


def test_a_path_that_is_not_text_ends_only_its_own_call(process: Process, connect: Connect, token: str) -> None:
    paths = (b"/\xff\xfe/\x80", b"/cms.scheduling.v1.SchedulingService/\xc3", b"", b"x" * 10_000, b"/\x00")
    answers = [connect().call(path, message(REQUEST), token=token) for path in paths]

    assert all(answer.status != 0 for answer in answers)
    holds(process, token)


def test_every_refusal_before_the_chain_is_counted_and_carries_its_trace(
    process: Process, connect: Connect, token: str
) -> None:
    before = refusals(process, "NO_SUCH_METHOD")

    answer = connect().call(b"/no.Such/Method", b"", more=[(b"traceparent", b"00-%s-%s-01" % (b"a" * 32, b"b" * 16))])

    assert answer.status == UNIMPLEMENTED
    assert answer.headers[b"traceparent"].startswith(b"00-" + b"a" * 32)
    assert refusals(process, "NO_SUCH_METHOD") == before + 1


def test_a_caller_that_takes_no_response_holds_nobody_up(
    process: Process, connect: Connect, api: Api, token: str
) -> None:
    api.filler = "A" * 60_000
    for _ in range(4):
        attacker = connect(takes=False)
        for _ in range(100):
            attacker.send(attacker.begin(PATH, token=token), message(REQUEST), end=True)
    eventually(lambda: process.grpc._served.taken == 0, what="an answer to every call")
    api.filler = ""

    holds(process, token)


def test_one_address_has_its_share_of_calls(make: Callable[..., Process], api: Api, token: str) -> None:
    process = make(grpc_calls_per_peer=5)
    api.filler = "A" * 60_000
    with Http2(process.grpc.port, takes=False) as attacker:
        assert attacker.call(PATH, message(REQUEST), token=token).status == 0  # takes up the window
        streams = [attacker.begin(PATH, token=token) for _ in range(8)]
        for stream in streams[:5]:
            attacker.send(stream, message(REQUEST), end=True)

        refused = [attacker.answer(stream).status for stream in streams[5:]]

        assert refused == [RESOURCE_EXHAUSTED] * 3
        assert refusals(process, "BUSY") >= 3
    api.filler = ""

    eventually(lambda: ask(process, token) == grpc.StatusCode.NOT_FOUND, what="places when the connection is gone")


def test_a_full_door_takes_no_more_connections_and_recovers(make: Callable[..., Process], token: str) -> None:
    process = make(grpc_connections=10)
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(Http2(process.grpc.port, greet=False))
        assert httpx.get(f"http://127.0.0.1:{process.operations.port}/healthz").status_code == 200

    eventually(lambda: ask(process, token) == grpc.StatusCode.NOT_FOUND, what="an answer when they are gone")


def test_a_drain_does_not_wait_for_calls_without_a_message(make: Callable[..., Process], token: str) -> None:
    process = make()
    begun = time.monotonic()
    with Http2(process.grpc.port) as attacker:
        for _ in range(10):
            attacker.begin(PATH, token=token)
        attacker.begin(REFLECTION)
        attacker.flush()

        process.grpc.stop(10)

    assert time.monotonic() - begun < 4
