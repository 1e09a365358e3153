"""The HTTP door refuses data that is no HTTP, or too large, and stays there for others."""

import json
import random
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from chassis.testing import eventually
from chassis.testing.sites import BODY, PATH, SECONDS, Site, code_of, count, is_open, post, read_all, read_answer, send

HEADS = {
    "a long line": b"GET /" + b"a" * 1_000_000,
    "a long header": b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: a\r\n" * 500 + b"\r\n",
    "headers without number": b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a:b\r\n" * 200_000,
    "a long trailer": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 100_000,
    "a long extension": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 100_000,
}


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_is_too_large_is_refused(
    site: Site, attackers: Callable[[int], list[socket.socket]], sent: bytes
) -> None:
    before = count("TOO_LARGE_HEAD")
    with ThreadPoolExecutor(20) as senders:
        connections = attackers(20)
        sending = [senders.submit(send, connection, sent) for connection in connections]

        assert all(site.is_answered_soon() for _ in range(3))
        assert all(done.result() in (True, False) for done in sending)
    for connection in connections:
        assert code_of(read_all(connection)) in ("431 TOO_LARGE_HEAD", "nothing")
    assert count("TOO_LARGE_HEAD") == before + 20


NO_HTTP = {
    "two lengths": (post("Content-Length: 2", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), "TWO_LENGTHS"),
    "two lengths, turned": (post("Transfer-Encoding: chunked", "Content-Length: 2", body=b"0\r\n\r\n"), "TWO_LENGTHS"),
    "two lengths, other case": (
        post("content-length: 0", "TRANSFER-ENCODING: CHUNKED", body=b"0\r\n\r\n"),
        "TWO_LENGTHS",
    ),
    "chunks in an old version": (
        post("Transfer-Encoding: chunked", body=b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"),
        "TWO_LENGTHS",
    ),
    "lengths that differ": (post("Content-Length: 2", "Content-Length: 3"), "NO_HTTP"),
    "lengths in a list": (post("Content-Length: 2, 3"), "NO_HTTP"),
    "a negative length": (post("Content-Length: -1"), "NO_HTTP"),
    "a signed length": (post("Content-Length: +2"), "NO_HTTP"),
    "a length in words": (post("Content-Length: two"), "NO_HTTP"),
    "a hexadecimal length": (post("Content-Length: 0x2"), "NO_HTTP"),
    "a length without end": (post("Content-Length: " + "9" * 5000), "NO_HTTP"),
    "another coding": (post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), "NO_HTTP"),
    "chunked twice": (post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), "NO_HTTP"),
    "a coding with a blank": (post("Transfer-Encoding : chunked", body=b"0\r\n\r\n"), "NO_HTTP"),
    "identity": (post("Transfer-Encoding: identity"), "NO_HTTP"),
    "a bad chunk": (post("Transfer-Encoding: chunked", body=b"zz\r\n\r\n"), "NO_HTTP"),
    "a negative chunk": (post("Transfer-Encoding: chunked", body=b"-1\r\n\r\n"), "NO_HTTP"),
    "a huge chunk": (post("Transfer-Encoding: chunked", body=b"f" * 30 + b"\r\n"), "NO_HTTP"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", "NO_HTTP"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "NO_HTTP"),
    "a NUL": (b"GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n", "NO_HTTP"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "NO_HTTP"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "NO_HTTP"),
    "nothing": (b"\r\n\r\n\r\n", "NO_HTTP"),
}


@pytest.mark.parametrize(("sent", "reason"), NO_HTTP.values(), ids=NO_HTTP.keys())
def test_a_request_that_two_parsers_might_read_in_two_ways_is_refused_and_the_connection_closed(
    site: Site, sent: bytes, reason: str
) -> None:
    before = count(reason)
    with site.connect() as connection:
        connection.sendall(sent + site.request())

        answer = read_all(connection)

    assert code_of(answer) == f"400 {reason}"
    assert answer.count(b"HTTP/1.1 ") == 1
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"connection: close" in head
    assert b"cache-control: no-store" in head
    assert b"\r\ntraceparent: 00-" in head
    assert count(reason) == before + 1
    assert site.is_answered_soon()


@pytest.mark.parametrize(
    "line", ["Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked", "X: y\r\n" * 200]
)
def test_the_refusal_of_a_head_request_has_no_body(site: Site, line: str) -> None:
    with site.connect() as connection:
        connection.sendall(f"HEAD {PATH} HTTP/1.1\r\nHost: h\r\n{line.strip()}\r\n\r\nzz\r\n".encode())
        head, _, body = read_all(connection).partition(b"\r\n\r\n")

    assert head.split()[1] in (b"400", b"431")
    assert body == b"" or b"431" in head  # a head that was not parsed has no method
    assert site.is_answered_soon()


def test_after_a_head_request_a_slow_one_is_told_so(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(f"HEAD {PATH} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 405")
        connection.sendall(b"POST")

        assert read_answer(connection) == "408 TOO_SLOW"


def test_requests_that_are_mangled_end_neither_the_door_nor_its_time(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(10)
    whole = [
        site.request(),
        site.request() + site.request(),
        site.head(100, Expect="100-continue") + b"{}",
        post("Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\nX: y\r\n\r\n"),
        f"HEAD {PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".encode(),
        f"GET {PATH}?connect=v1&encoding=json&message=%7B%7D HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
        f"OPTIONS {PATH} HTTP/1.0\r\nConnection: keep-alive\r\nUpgrade: h2c\r\n\r\n".encode(),
        b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
    ]
    with ExitStack() as opened:
        connections = [opened.enter_context(site.connect()) for _ in range(400)]
        for connection in connections:
            send(connection, mangled(chance.choice(whole), chance))
            if chance.random() < 0.3:
                send(connection, mangled(chance.choice(whole), chance))

        assert site.is_answered_soon()
        begun = time.monotonic()
        eventually(lambda: count_busy(connections) == 0, what="the end or the answer of each")
        assert time.monotonic() - begun < SECONDS + 5 * site.patience
        assert site.is_answered_soon()
    assert '"level": "error"' not in capsys.readouterr().out


def mangled(text: bytes, chance: random.Random) -> bytes:
    """The text with a piece taken out, put in, changed, or cut off."""
    at = chance.randrange(1, len(text))
    length = chance.randrange(8)
    change = chance.choice([b"", b"\0", b"\r", b"\n", b"\r\n\r\n", b" ", b":", b"9", b"\xff", text[:20]])
    return chance.choice(
        [text[:at], text[:at] + change + text[at + length :], text[:at] + text[at : at + 9] + text[at:]]
    )


def count_busy(connections: list[socket.socket]) -> int:
    """Connections that are open and on which nothing has come."""
    arrived = select.poll()
    for connection in connections:
        arrived.register(connection, select.POLLIN)
    return len(connections) - len(arrived.poll(0))


def test_a_defect_over_one_connection_does_not_end_the_server(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_self: object, _bounds: object) -> None:
        raise ZeroDivisionError

    with site.connect() as connection:
        monkeypatch.setattr("chassis.http_connections.Connection.end_if_late", fail)

        eventually(lambda: not is_open(connection), what="the end of the connection")
    assert '"error": "ZeroDivisionError"' in capsys.readouterr().out
    eventually(site.is_answered_soon)


def test_pipelined_requests_are_answered_one_after_the_other(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(site.request() * 19 + site.request(Connection="close"))

        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 20


def test_the_bytes_of_a_request_are_not_logged(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    sent = [
        f"GET {PATH}?connect=v1&encoding=json&message=%7B%22CANARY%22%3A1%7D HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /CANARY?CANARY HTTP/1.1\r\nHost: CANARY\r\nX-CANARY: CANARY\r\nConnection: close\r\n\r\n",
        "CANARY /CANARY HTTP/1.1\r\nHost: h\r\nContent-Length: CANARY\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: CANARY\r\nConnection: close\r\nTraceparent: CANARY\r\n\r\n",
        "CANARY",
    ]
    for text in sent:
        with site.connect() as connection:
            connection.sendall(text.encode())
            read_all(connection)

    shown = capsys.readouterr()
    assert "request refused" in shown.out
    assert "CANARY" not in shown.out + shown.err


@pytest.mark.parametrize("length", [3_000_000, 5_000_000])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_the_sender_of_a_body_that_is_too_large_hears_why(site: Site, length: int, connection: str) -> None:
    with closing(HTTPConnection("127.0.0.1", site.door.port, timeout=5)) as caller:
        caller.request("POST", PATH, b" " * length, site.headers() | {"Connection": connection})
        answer = caller.getresponse()

        assert (answer.status, json.loads(answer.read())["code"]) == (429, "resource_exhausted")


def test_a_body_that_is_announced_as_too_large_is_not_waited_for(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(site.head(10_000_000_000))

        assert read_answer(connection) == "429 TOO_LARGE"
    with site.connect() as connection:
        connection.sendall(site.head(3_000_000, Expect="100-continue"))

        assert read_answer(connection) == "429 TOO_LARGE"


def test_a_caller_who_waits_is_told_to_go_on(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(site.head(len(BODY), Expect="100-continue"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(BODY)

        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("name", ["Authorization", "AUTHORIZATION", "authorization"])
def test_a_header_with_an_underscore_does_not_pass_for_another(site: Site, name: str) -> None:
    with site.connect() as connection:
        request = site.request(Cms_Purpose="x").replace(b"Authorization:", b"X:")
        connection.sendall(request.replace(b"Content-Type", f"{name}_: Bearer x\r\nContent-Type".encode()))

        assert connection.recv(65536).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("wish", ["websocket", "h2c", "TLS/1.0"])
def test_another_protocol_on_the_connection_is_not_offered(site: Site, wish: str) -> None:
    with site.connect() as connection:
        connection.sendall(site.request(Upgrade=wish, Connection="Upgrade"))

        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
