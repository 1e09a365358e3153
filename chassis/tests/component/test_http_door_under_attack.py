"""Attacks on the HTTP door. During each a bystander gets an answer within a second."""

import gzip
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from chassis.http_connections import Bounds
from chassis.testing import eventually
from chassis.testing.sites import (
    BODY,
    PATH,
    SECONDS,
    Site,
    code_of,
    count,
    is_broken_off,
    is_open,
    post,
    read_all,
    read_answer,
    send,
)

MakeSite = Callable[..., Site]


def test_the_bounds_are_those_that_are_documented() -> None:
    bounds = Bounds()

    assert (bounds.request_seconds, bounds.idle_seconds, bounds.connections, bounds.connections_of_a_peer) == (
        10.0,
        120.0,
        8192,
        4096,
    )


def test_two_thousand_idle_connections_harm_nobody(site: Site, attackers: Callable[[int], list[socket.socket]]) -> None:
    idle = attackers(2000)
    for connection in idle[::4]:
        connection.sendall(site.request())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")

    until = time.monotonic() + 2 * SECONDS
    while time.monotonic() < until:
        assert site.is_answered_soon()
    assert all(map(is_open, idle))  # idle is not slow


def test_small_answers_are_sent_at_once(site: Site) -> None:
    with closing(HTTPConnection("127.0.0.1", site.door.port, timeout=5)) as caller:
        begun = time.monotonic()
        for _ in range(50):
            caller.request("POST", PATH, BODY, site.headers())
            assert caller.getresponse().read()

    assert (
        time.monotonic() - begun < 1.5 * site.patience
    )  # at 40 ms, the system's delay of an acknowledgement, it would take two seconds


def test_more_idle_connections_than_a_peer_may_have_make_room_for_new_ones(make_site: MakeSite) -> None:
    site = make_site(connections_of_a_peer=50)
    with ExitStack() as opened:
        idle = [opened.enter_context(site.connect()) for _ in range(200)]

        assert all(site.is_answered_soon() for _ in range(5))
        eventually(lambda: sum(map(is_open, idle)) < 50, what="the end of those that were idle longest")
        assert is_open(idle[-1])
        assert not is_open(idle[0])


def test_more_connections_than_all_may_have_make_room_for_new_ones(make_site: MakeSite) -> None:
    site = make_site(connections=50)
    with ExitStack() as opened:
        idle = [opened.enter_context(site.connect()) for _ in range(200)]

        assert all(site.is_answered_soon() for _ in range(5))
        assert is_open(idle[-1])


def test_a_peer_whose_connections_are_all_busy_is_refused_another(make_site: MakeSite) -> None:
    site, before = make_site(connections_of_a_peer=5, request_seconds=30), count("TOO_MANY_CONNECTIONS")
    with ExitStack() as opened:
        busy = [opened.enter_context(site.connect()) for _ in range(5)]
        for connection in busy:
            connection.sendall(site.head(10, Expect="100-continue"))
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")

        assert code_of(read_all(opened.enter_context(site.connect()))) == "429 TOO_MANY_CONNECTIONS"
        assert all(map(is_open, busy))
    assert count("TOO_MANY_CONNECTIONS") > before
    eventually(site.is_answered_soon)


TRICKLES = {
    "a line": b"POST",
    "a head": b"POST / HTTP/1.1\r\nHost: h\r\nX: ",
    "a body": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
    "a chunk": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nFFF\r\n",
    "a chunk's size": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a body of a HEAD": b"HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
    "a body of a CONNECT": b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
    "a body before an upgrade": b"POST / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: Upgrade\r\n"
    b"Content-Length: 9999\r\n\r\n",
    "a body that is too large": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n",
}


@pytest.mark.parametrize("begin", TRICKLES.values(), ids=TRICKLES.keys())
def test_requests_that_trickle_are_ended(
    site: Site, attackers: Callable[[int], list[socket.socket]], begin: bytes
) -> None:
    trickling, before = attackers(150), count("TOO_SLOW")
    for connection in trickling:
        connection.sendall(begin)
    begun = time.monotonic()

    def are_ended() -> bool:
        for connection in trickling:
            send(connection, b"1")
        assert site.is_answered_soon()
        return not any(map(is_open, trickling))

    eventually(are_ended, seconds=20, what="the end of the connections")
    assert SECONDS / 2 < time.monotonic() - begun < SECONDS + 3 * site.patience
    assert count("TOO_SLOW") == before + 150


def test_a_slow_request_is_told_so(site: Site) -> None:
    with site.connect() as slow:
        slow.sendall(site.head(100))

        assert code_of(read_all(slow)) == "408 TOO_SLOW"


def test_half_bodies_hold_no_thread(site: Site, attackers: Callable[[int], list[socket.socket]]) -> None:
    for connection in attackers(200):
        connection.sendall(site.request()[:-1])

    assert all(site.is_answered_soon() for _ in range(5))


def test_of_too_many_half_requests_the_first_are_refused(make_site: MakeSite) -> None:
    site = make_site(receiving=20, request_seconds=30)
    with ExitStack() as opened:
        half = [opened.enter_context(site.connect()) for _ in range(60)]
        for connection in half:
            connection.sendall(site.request()[:-1])

        assert code_of(read_all(half[0])) == "429 TOO_MANY_BEGUN"
        eventually(lambda: sum(map(is_open, half)) <= 20)
        assert site.is_answered_soon()


def test_many_pipelined_requests_harm_nobody(site: Site, attackers: Callable[[int], list[socket.socket]]) -> None:
    with ThreadPoolExecutor(10) as senders:
        connections = attackers(10)
        for connection in connections:
            connection.settimeout(2)
            senders.submit(send, connection, site.request() * 2000)

        assert all(site.is_answered_soon() for _ in range(5))


def test_a_flood_from_one_address_leaves_room_for_others(make_site: MakeSite) -> None:
    site, before = make_site(requests=40, requests_of_a_peer=30), count("BUSY")
    with ExitStack() as opened:
        for _ in range(60):
            connection = opened.enter_context(site.connect("127.0.0.2"))
            connection.sendall(site.request(X="none").replace(b"Authorization", b"Nothing") * 200)

        assert all(site.is_answered_soon() for _ in range(5))
    assert count("BUSY") > before


def test_bombs_harm_nobody(site: Site, attackers: Callable[[int], list[socket.socket]]) -> None:
    bomb = site.request(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")
    for connection in (connections := attackers(40)):
        connection.sendall(bomb)

    assert all(site.is_answered_soon() for _ in range(5))
    for connection in connections:
        assert read_answer(connection) == "429 TOO_LARGE"


ENDLESS = {
    "large chunks": b"4000\r\n" + b" " * 0x4000 + b"\r\n",
    "chunks of one byte": b"1\r\n \r\n" * 2000,
    "chunks with extensions": (b"1;" + b"x" * 1000 + b"\r\n \r\n") * 16,
}


@pytest.mark.parametrize("chunks", ENDLESS.values(), ids=ENDLESS.keys())
def test_chunks_without_end_are_ended(
    site: Site, attackers: Callable[[int], list[socket.socket]], chunks: bytes
) -> None:
    begin = post("Transfer-Encoding: chunked", "Content-Type: application/json", body=b"")

    def flood(connection: socket.socket) -> None:
        send(connection, begin)
        until = time.monotonic() + 10
        while send(connection, chunks):
            assert time.monotonic() < until

    with ThreadPoolExecutor(10) as senders:
        flooding = [senders.submit(flood, connection) for connection in attackers(10)]

        assert all(site.is_answered_soon() for _ in range(5))
        for each in flooding:
            each.result()


def test_slow_readers_hold_no_thread_and_are_broken_off(make_site: MakeSite) -> None:
    site = make_site(answer_seconds=1.0)
    large = site.request(json.dumps({"appointmentId": "very long"}).encode())
    with ExitStack() as opened:
        slow = [opened.enter_context(socket.socket()) for _ in range(64)]
        for connection in slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", site.door.port))
            connection.sendall(large * 40)

        assert all(site.is_answered_soon() for _ in range(5))
        eventually(lambda: not any(map(is_broken_off, slow)), what="the end of the connections")


def test_connections_that_come_and_go_harm_nobody(site: Site) -> None:
    def come_and_go() -> None:
        for number in range(200):
            with site.connect() as connection:
                if number % 2:
                    connection.sendall(site.request()[: number * 2])
                if number % 3:  # broken off, and not closed
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with ThreadPoolExecutor(5) as callers:
        coming = [callers.submit(come_and_go) for _ in range(5)]

        assert all(site.is_answered_soon() for _ in range(5))
        for each in coming:
            each.result()
