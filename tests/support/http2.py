"""A gRPC caller that says over HTTP/2 what no client of gRPC would: halves, floods, lies about sizes."""

import gzip
import socket
import ssl
import struct
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    ResponseReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from chassis.certificate_authority import FRONTEND
from chassis.testing import tls_files

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(kw_only=True)
class Answer:
    """The answer to a call. `status` is that of gRPC, None if the stream or the connection ended without one."""

    status: int | None = None
    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytes = b""


def message(body: bytes, *, compressed: bool = False, length: int | None = None) -> bytes:
    """A message of gRPC with its prefix. `length` is what the prefix says."""
    return struct.pack(">BI", compressed, len(body) if length is None else length) + body


def bomb(size: int) -> bytes:
    """This many zeros, compressed."""
    return gzip.compress(bytes(size), 9)


@cache
def _context() -> ssl.SSLContext:
    """TLS with the certificate of a frontend. It does not look at the door's: others do."""
    files = tls_files(Path(tempfile.mkdtemp(prefix="cms3-tls-")), FRONTEND)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(files.certificate, files.key)
    context.set_alpn_protocols(["h2"])
    return context


class Http2:
    """A connection to a gRPC door. If it takes nothing, the door cannot send more than 64 KiB to it.

    One that does not greet has no TLS either.
    """

    def __init__(self, port: int, *, greet: bool = True, takes: bool = True) -> None:
        self._takes = takes
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        settings = H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.protocol = H2Connection(settings)
        self._answers: dict[int, Answer] = {}
        self.ended: set[int] = set()
        if greet:
            self.socket = _context().wrap_socket(self.socket)
            self.protocol.initiate_connection()
            self.flush()
            self._until(lambda events: any(isinstance(event, SettingsAcknowledged) for event in events))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Sends what is to be sent."""
        self.socket.sendall(self.protocol.data_to_send())

    def begin(self, path: bytes, *, token: str = "", more: Headers = (), end: bool = False) -> int:
        """Begins a call, without a message, and returns its stream."""
        stream = self.protocol.get_next_available_stream_id()
        given = [(b"authorization", f"Bearer {token}".encode())] if token else []
        self.protocol.send_headers(
            stream,
            [
                (b":method", b"POST"),
                (b":scheme", b"http"),
                (b":path", path),
                (b":authority", b"here"),
                (b"te", b"trailers"),
                (b"content-type", b"application/grpc"),
                *given,
                *more,
            ],
            end_stream=end,
        )
        return stream

    def send(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Sends data of a call, as fast as the door takes it."""
        sent = 0
        if end and not data:
            self.protocol.end_stream(stream)
            self.flush()
        while sent < len(data) and stream not in self.ended:
            room = min(self.protocol.local_flow_control_window(stream), self.protocol.max_outbound_frame_size)
            if room:
                part = data[sent : sent + room]
                sent += len(part)
                self.protocol.send_data(stream, part, end_stream=end and sent == len(data))
                self.flush()
            else:
                self._until(bool)

    def call(self, path: bytes, data: bytes, *, token: str = "", more: Headers = ()) -> Answer:
        """Calls with this data, and returns the answer."""
        stream = self.begin(path, token=token, more=more)
        with suppress(ProtocolError, OSError):  # the door may answer and end the stream before all is sent
            self.send(stream, data, end=True)
        return self.answer(stream)

    def answer(self, stream: int) -> Answer:
        """Waits until a call has ended, and returns its answer."""
        answer = self._answers.setdefault(stream, Answer())
        with suppress(OSError, ProtocolError):
            while stream not in self.ended:
                self._take(self._read())
        return answer

    def is_open(self) -> bool:
        """Reads what has come, and tells whether the door has left the connection open."""
        self.socket.settimeout(0)
        try:
            while data := self.socket.recv(65536):
                self._take(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(15)
        return False

    def _until(self, enough: Callable[[list[Any]], bool]) -> None:
        """Reads until that is so. ConnectionError when the connection ends before."""
        while not enough(self._take(self._read())):
            pass

    def _read(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the door has closed the connection")
        return data

    def _take(self, data: bytes) -> list[Any]:
        events = self.protocol.receive_data(data)
        for event in events:
            self._note(event)
        self.flush()
        return events

    def _note(self, event: Any) -> None:
        if not getattr(event, "stream_id", 0):
            return
        answer = self._answers.setdefault(event.stream_id, Answer())
        if isinstance(event, ResponseReceived | TrailersReceived):
            answer.headers.update(event.headers)
            if b"grpc-status" in answer.headers:
                answer.status = int(answer.headers[b"grpc-status"])
        elif isinstance(event, DataReceived):
            answer.data += event.data
            if self._takes:
                self.protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded | StreamReset):
            self.ended.add(event.stream_id)
