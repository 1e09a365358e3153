"""A site of the HTTP door: the door, a token, a bystander, and what those who attack it do with their connections."""

import gzip
import json
import select
import socket
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from werkzeug.test import TestResponse

from chassis import metrics
from chassis.http_door import HttpDoor

PATH = "/cms.scheduling.v1.SchedulingService/GetAppointment"
BODY = json.dumps({"claimRef": "C0000000000A"}).encode()
SECONDS = 1.0
"""The time in which a request must be whole, here; the door's own number is in `Bounds`."""
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Site:
    """A door and what callers need."""

    door: HttpDoor
    token: str
    patience: float = PATIENCE_SECONDS

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        """A connection from this address. It waits for five seconds at most."""
        return socket.create_connection(("127.0.0.1", self.door.port), timeout=5, source_address=(address, 0))

    def request(self, body: bytes = BODY, **headers: str) -> bytes:
        """A whole request. Names of `headers` have underscores for hyphens."""
        return self.head(len(body), **headers) + body

    def head(self, length: int, **headers: str) -> bytes:
        """A request without its body."""
        lines = [f"POST {PATH} HTTP/1.1", "Host: here", "Content-Type: application/json", f"Content-Length: {length}"]
        lines += [
            f"Authorization: Bearer {self.token}",
            *(f"{name.replace('_', '-')}: {headers[name]}" for name in headers),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def is_answered_soon(self) -> bool:
        """Whether a bystander with a new connection gets an answer within a second.

        On a machine that has better to do it may take longer, as it did without an attack; and of three who ask one is
        enough. Each is answered within five seconds.
        """
        return any(self.seconds_to_answer() < self.patience for _ in range(3))

    def seconds_to_answer(self) -> float:
        """How long a bystander waits for an answer."""
        begun = time.monotonic()
        with closing(HTTPConnection("127.0.0.1", self.door.port, timeout=5)) as bystander:
            bystander.request("POST", PATH, BODY, self.headers())
            answer = bystander.getresponse()
            found = json.loads(answer.read())
        assert (answer.status, found["appointment"]["claimRef"]) == (200, "C0000000000A"), found
        return time.monotonic() - begun

    def headers(self) -> dict[str, str]:
        """The headers of a call that is answered."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


def read_all(connection: socket.socket) -> bytes:
    """Everything until the door closes the connection, or breaks it off."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionError:
        pass
    return found


def is_open(connection: socket.socket) -> bool:
    """Whether the door keeps the connection. Answers that have come are thrown away."""
    arrived = select.poll()
    arrived.register(connection, select.POLLIN)
    try:
        while arrived.poll(0):
            if not connection.recv(65536):
                return False
    except ConnectionError:
        return False
    return True


def is_broken_off(connection: socket.socket) -> bool:
    """Whether the door has broken the connection off. Nothing is read."""
    arrived = select.poll()
    arrived.register(connection, 0)
    return bool(arrived.poll(0))


def read_answer(connection: socket.socket) -> str:
    """The status and the reason of the next answer, which is an error."""
    answer = HTTPResponse(connection)
    answer.begin()
    return f"{answer.status} {json.loads(answer.read())['details'][0]['debug']['reason']}"


def send(connection: socket.socket, data: bytes) -> bool:
    """Sends, and says whether the door still takes it."""
    try:
        connection.sendall(data)
    except OSError:
        return False
    return True


def code_of(answer: bytes) -> str:
    """The status and the reason of the first error in an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not body:
        return "nothing"
    length = int(
        next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    )
    return f"{head.split()[1].decode()} {json.loads(body[:length])['details'][0]['debug']['reason']}"


def count(reason: str) -> float:
    """How many requests the HTTP door has refused for this reason."""
    return metrics.REGISTRY.get_sample_value("chassis_refusals_total", {"door": "http", "reason": reason}) or 0.0


def post(*lines: str, body: bytes = b"{}") -> bytes:
    """A request with these headers alone."""
    return "\r\n".join([f"POST {PATH} HTTP/1.1", "Host: h", *lines]).encode() + b"\r\n\r\n" + body


def as_json(answer: TestResponse) -> Any:
    """The body of an answer of the test client."""
    body = gzip.decompress(answer.data) if answer.content_encoding == "gzip" else answer.data
    return json.loads(body)


def reason_of(answer: TestResponse) -> str:
    """The reason of an error of the test client."""
    return str(as_json(answer)["details"][0]["debug"]["reason"])
