"""The HTTP door of a running service goes on while a crowd stands at it: the limit of open files is the process's own."""

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from chassis.testing import eventually
from cms_local.journey import Journey
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import RawDoors

pytestmark = pytest.mark.xdist_group("platform")

IDLE, TRICKLING = 2000, 150
REQUEST_SECONDS = 10.0
"""The time within which the door wants a request whole."""


@pytest.fixture
def gather(platform_under_test: PlatformUnderTest) -> Iterator[Callable[[], list[socket.socket]]]:
    """Opens the connections to intake's HTTP door."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    address = ("127.0.0.1", platform_under_test.layout.http_port("intake-svc"))
    with ExitStack() as opened:
        yield lambda: [
            opened.enter_context(socket.create_connection(address, timeout=5)) for _ in range(IDLE + TRICKLING)
        ]


def test_a_crowd_harms_nobody_and_who_trickles_is_ended(
    platform_under_test: PlatformUnderTest, raw: RawDoors, call: Journey, gather: Callable[[], list[socket.socket]]
) -> None:
    operations = platform_under_test.layout.operations_port("intake-svc")

    def seconds_to_answer() -> float:
        asked = time.monotonic()
        answer = raw.ask("json", "GetClaim", {"claimRef": call.claim_ref}, authorization=f"Bearer {call.operator}")
        ready = httpx.get(f"http://127.0.0.1:{operations}/readyz")
        assert (answer.code, ready.status_code) == ("ok", 200)
        return time.monotonic() - asked

    # A second for each; more on a machine that is slow without a crowd.
    patience = max(2.0, *(10 * seconds_to_answer() for _ in range(3)))
    crowd = gather()
    trickling = crowd[:TRICKLING]
    begun = time.monotonic()
    for connection in trickling:
        connection.sendall(b"POST /cms.intake.v1.IntakeService/GetClaim HTTP/1.1\r\nHost: here\r\nX: ")

    def are_ended() -> bool:
        assert seconds_to_answer() < patience
        return [send(connection) for connection in trickling].count(True) == 0

    eventually(are_ended, seconds=2 * REQUEST_SECONDS, what="the end of those that trickle")
    assert time.monotonic() - begun > REQUEST_SECONDS / 2
    assert all(send(connection) for connection in crowd[TRICKLING::100])


def send(connection: socket.socket) -> bool:
    """Sends a byte, and says whether the door still takes it."""
    try:
        connection.sendall(b"x")
    except OSError:
        return False
    return True
