"""Calls over real sockets: to intake over gRPC, to authorities that hang or do not answer."""

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis import remote
from chassis.errors import PermissionDenied, Unavailable
from chassis.identity import ServiceTokens
from chassis.testing import certificate_of, free_port, secure_port
from cms.intake.v1 import intake_pb2
from la_notifier.channels import api
from la_notifier.channels.api import Councils, Outgoing
from la_notifier.clients import IntakeClaims
from la_notifier.domain.notices import HeldState, SendResult
from la_notifier.messages.channels import notify
from la_notifier.messages.domain.message import Medium
from la_notifier.messages.domain.message import SendResult as MessageResult

CARDIFF = "W06000015"
NOTICE = Outgoing(notice_id="N-1", version=1, authority_code=CARDIFF, body=b"{}")


def get_claim_facts(request: intake_pb2.GetClaimFactsRequest, context: grpc.ServicerContext) -> Any:
    """Facts at the version asked for, if the token is right."""
    if ("authorization", "Bearer right") not in context.invocation_metadata():
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
    facts = intake_pb2.ClaimFacts(claim_ref=request.claim_ref, version=request.version or 9)
    return intake_pb2.GetClaimFactsResponse(facts=facts)


@pytest.fixture
def intake_port() -> Iterator[int]:
    handler = grpc.unary_unary_rpc_method_handler(
        get_claim_facts,
        request_deserializer=intake_pb2.GetClaimFactsRequest.FromString,
        response_serializer=intake_pb2.GetClaimFactsResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("cms.intake.v1.IntakeService", {"GetClaimFacts": handler})]
    )
    port = secure_port(server, "intake-svc")
    server.start()
    yield port
    server.stop(None).wait()


def to_intake(port: int) -> grpc.Channel:
    """A channel of la-notifier's to the intake at this port."""
    return remote.channel(f"127.0.0.1:{port}", service="intake-svc", certificate=certificate_of("la-notifier"))


@contextmanager
def an_authority_that(answers: bytes) -> Iterator[str]:
    """A server that takes one connection, reads, writes these bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answers)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@contextmanager
def a_notify_that_drips() -> Iterator[str]:
    """A server whose reply never ends: a byte of it comes every tenth of a second."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
                while not ended.wait(0.1):
                    connection.sendall(b" ")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()


def test_a_reply_of_notify_that_never_ends_is_no_answer_after_the_deadline() -> None:
    key = f"test-{uuid4()}-{uuid4()}"
    message = notify.Outgoing(reference="M-1", medium=Medium.TEXT, to="+447700900123", subject="", body="x")
    templates = notify.Templates(text=uuid4(), email=uuid4(), email_with_file=uuid4())
    with a_notify_that_drips() as url, closing(notify.Notify(url, key, templates, seconds=0.5)) as door:
        begun = time.monotonic()
        assert door.send(message).result is MessageResult.UNKNOWN
        assert time.monotonic() - begun < 5


@pytest.fixture
def councils_at() -> Iterator[Any]:
    opened: list[Councils] = []

    def at(url: str, **secrets: bytes) -> Councils:
        opened.append(Councils(url, secrets or {CARDIFF: b"secret"}))
        return opened[-1]

    yield at
    for councils in opened:
        councils.close()


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], ServiceTokens]:
    def tokens(for_intake: str) -> ServiceTokens:
        path = tmp_path / for_intake
        path.write_text(json.dumps({"intake-svc": for_intake, "legacy-gateway": "wrong"}))
        return ServiceTokens(path)

    return tokens


def test_intake_is_asked_for_a_version_as_the_service_itself(
    intake_port: int, own: Callable[[str], ServiceTokens]
) -> None:
    with to_intake(intake_port) as channel:
        claims = IntakeClaims(channel, own("right"))

        assert claims.facts("C0123456789A").version == 9
        assert claims.facts("C0123456789A", 3).version == 3


def test_a_refusal_and_an_absence_of_intake_are_errors_of_the_chassis(
    intake_port: int, own: Callable[[str], ServiceTokens]
) -> None:
    with to_intake(intake_port) as channel, pytest.raises(PermissionDenied):
        IntakeClaims(channel, own("wrong")).facts("C0123456789A")
    with to_intake(free_port()) as channel, pytest.raises(Unavailable):
        IntakeClaims(channel, own("right")).facts("C0123456789A")


def test_an_authority_that_cannot_be_reached_has_not_taken_the_notice(councils_at: Any) -> None:
    councils = councils_at(f"http://127.0.0.1:{free_port()}")

    assert councils.send(NOTICE).result is SendResult.NOT_TAKEN
    assert councils.ask(CARDIFF, "N-1").state is HeldState.UNKNOWN


@pytest.mark.parametrize("answers", [b"", b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{", b"nonsense\r\n\r\n"])
def test_an_answer_cut_short_leaves_the_outcome_unknown(councils_at: Any, answers: bytes) -> None:
    with an_authority_that(answers) as url:
        assert councils_at(url).send(NOTICE).result is SendResult.UNKNOWN


def test_a_notice_without_a_secret_to_sign_it_is_not_sent(councils_at: Any) -> None:
    councils = councils_at(f"http://127.0.0.1:{free_port()}", E08000035=b"secret")

    assert councils.send(NOTICE).result is SendResult.NOT_TAKEN


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("120", 120.0), ("0", None), ("", None), ("-5", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("²", None)],
)
def test_the_wait_is_read_from_the_retry_after_header(councils_at: Any, given: str, seconds: float | None) -> None:
    head = f"HTTP/1.1 503 Unavailable\r\nRetry-After: {given}\r\nContent-Length: 0\r\n\r\n"
    with an_authority_that(head.encode("latin-1")) as url:
        assert councils_at(url).send(NOTICE).retry_after_seconds == seconds


def test_an_answer_that_is_too_long_is_known_by_its_status_and_not_read(councils_at: Any) -> None:
    endless = b"HTTP/1.1 202 Accepted\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 200_000
    with an_authority_that(endless) as url:
        answer = councils_at(url).send(NOTICE)

    assert (answer.result, answer.status, answer.receipt) == (SendResult.SENT, 202, "")


def test_a_packed_answer_is_never_unpacked(councils_at: Any) -> None:
    """A megabyte of blanks packs into a thousand bytes; the authority was asked not to pack."""
    packed = gzip.compress(b'{"state": "LOADED", "version": 1}' + b" " * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with an_authority_that(head.encode() + packed) as url:
        assert councils_at(url).ask(CARDIFF, "N-1").state is HeldState.UNKNOWN


def test_an_answer_that_comes_a_byte_at_a_time_ends_with_the_call(
    councils_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        dripping = pool.submit(drip, listener)
        councils = councils_at(f"http://127.0.0.1:{listener.getsockname()[1]}")

        assert councils.send(NOTICE).result is SendResult.UNKNOWN
        assert dripping.result() > 0


def drip(listener: socket.socket) -> int:
    """Writes a head that never ends, until the other side hangs up; returns the number of bytes."""
    connection, _ = listener.accept()
    written = 0
    with connection, contextlib.suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nX: ")
        while connection.send(b"x"):
            written += 1
            threading.Event().wait(0.02)
    return written
