"""The HTTP door, on the standard library's server: the failures need the connection itself."""

import itertools
import socket
import struct
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

from simulators.cots.api import Answer, Api, Request, refused
from simulators.cots.application import Problem
from simulators.cots.failures import CotsFailure
from simulators.errors import LedgerError
from simulators.failures import FailurePlan
from simulators.outage import Outage

log = structlog.get_logger()

LONGEST_BODY = 1_048_576
IDLE_SECONDS = 60.0
FLOOD = b" " * 65_536
_RESET = struct.pack("ii", 1, 0)


class HttpDoor(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = False  # the closing waits for them
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], *, api: Api, plan: FailurePlan[CotsFailure], stopping: threading.Event
    ) -> None:
        self.api, self.plan, self.stopping = api, plan, stopping
        self.outage = Outage(plan, orders=CotsFailure.is_outage)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Conversation)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more, end every conversation after the call in hand, and wait for them."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _end_reading(connection)
        self.server_close()

    def verify_request(self, request: Any, *_: Any) -> bool:
        """Whether a new connection is taken."""
        if self.outage.starts() or self.plan.pick(lambda rule: rule.failure == "refuse") is not None:
            reset(request)
            return False
        with self._lock:
            self._open.add(request)
        return True

    def close_request(self, request: Any) -> None:
        """Close a connection and count it out."""
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, *_: Any) -> None:
        """A sender that has gone is no error; a defect of ours goes to the log as such."""
        log.exception("the conversation has ended")


class _Conversation(BaseHTTPRequestHandler):
    """One connection: call after call, until one side has enough."""

    protocol_version = "HTTP/1.1"
    server_version = "CMS-COTS"
    sys_version = ""
    disable_nagle_algorithm = True  # the head of an answer and its body leave without waiting for each other
    timeout = IDLE_SECONDS
    server: HttpDoor

    def do_GET(self) -> None:
        self._converse()

    def do_POST(self) -> None:
        self._converse()

    def log_message(self, *_: Any) -> None:
        """The calls are logged with what fails in them."""

    def handle(self) -> None:
        """Serve it to its end."""
        try:
            super().handle()
        except OSError as error:
            log.info("the sender has gone", cause=type(error).__name__)
        except LedgerError as error:
            log.exception("closed unanswered", cause=str(error))

    def _converse(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self._send(Answer(status=413, body={"error": "the body is too long, or its length is not told"}))
            return
        request = Request(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        if self.server.outage.starts():
            self._hang_up()
        else:
            self._answer(request, self._failing(request))

    def _failing(self, request: Request) -> CotsFailure | None:
        call = self.server.api.call_of(request)
        if call is None:
            return None
        claim_ref = self.server.api.claim_ref(request, call)
        failure = self.server.plan.pick(lambda rule: rule.applies_to(call, claim_ref))
        log.info("call", call=call, claim_ref=claim_ref, failure=failure and failure.failure)
        return failure

    def _answer(self, request: Request, failure: CotsFailure | None) -> None:
        if failure is None:
            self._send(self.server.api.answer(request))
        elif failure.failure == "hang":
            self.server.stopping.wait()
            self.close_connection = True
        elif failure.failure == "close_mid_request":
            self._hang_up()
        elif answer := _answer_of(failure):
            self._send(answer)
        else:
            self._spoil(self.server.api.answer(request), failure)

    def _spoil(self, answer: Answer, failure: CotsFailure) -> None:
        """Send a right answer as the failure would have it: late, not at all, in part, as nonsense, slowly, for ever."""
        content, wait = answer.content, self.server.stopping.wait
        if failure.failure == "answer_late":
            wait(failure.seconds)
            self._send(answer)
        elif failure.failure == "lose_reply":
            self._hang_up()
        elif failure.failure == "cut_reply":
            self._begin(answer, length=len(content))
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif failure.failure == "garble":
            self._begin(answer, length=len(content))
            self.wfile.write(content[::-1])
        elif failure.failure == "slow_body":
            self._begin(answer, length=len(content))
            self._drip((bytes([byte]) for byte in content), pause=failure.seconds / len(content))
        else:
            self._begin(answer, length=None)
            self._drip(itertools.repeat(b" " if failure.seconds else FLOOD), pause=failure.seconds)

    def _send(self, answer: Answer) -> None:
        content = answer.content
        self._begin(answer, length=len(content))
        self.wfile.write(content)

    def _begin(self, answer: Answer, *, length: int | None) -> None:
        """The head of an answer. Without a length the body lasts as long as the connection."""
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _drip(self, pieces: Iterable[bytes], *, pause: float) -> None:
        for piece in pieces:
            if self.server.stopping.wait(pause):
                self.close_connection = True
                return
            self.wfile.write(piece)

    def _hang_up(self) -> None:
        reset(self.connection)
        self.close_connection = True


def _answer_of(failure: CotsFailure) -> Answer | None:
    """The answer that a failure gives without anything being held."""
    later = {"Retry-After": str(failure.retry_after)}
    problem = Problem(failure.code, failure.field, failure.text)
    return {
        "unavailable": Answer(status=503, body={"error": "come again later"}, headers=later),
        "too_many": Answer(status=429, body={"error": "come again later"}, headers=later),
        "system_error": Answer(status=500, body={"error": "system error"}),
        "refuse_application": refused([problem]),
        "conflict": Answer(status=409, body={"error": "the key is held with another body"}),
    }.get(failure.failure)


def reset(connection: socket.socket) -> None:
    """Let the closing of a connection be a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _end_reading(connection: socket.socket) -> None:
    """Let the next read find the end. One that is closed already has nothing to end."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError as error:
        log.info("already closed", cause=type(error).__name__)
