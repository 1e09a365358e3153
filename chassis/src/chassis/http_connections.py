"""The connections of an HTTP server: how many there may be, how long each may take, and what is refused as no HTTP.

A connection is idle, or receives a request, or waits for its answer. Time counts from a request's first byte. When there are
too many, the one that has been idle longest makes room, so that idle connections never keep anybody out.
"""

import asyncio
import re
import select
import time
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState
from werkzeug import Response

from chassis import http_protocols, logs, refusals, tracing
from chassis.errors import CmsError, DeadlineExceeded, InvalidArgument, ResourceExhausted
from chassis.http_tls import names_in

LARGEST_HEAD_BYTES = 16 * 1024
MOST_HEADERS = 100
MOST_CHUNKS = 256
"""The most chunks of one body. A byte in a chunk of its own costs a hundred times what it costs in a large one."""
NAMES = "names"
"""In the state of a request: the names in the caller's certificate, see `http_tls.names_in`."""
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_STEP_BYTES = 16 * 1024
"""The bytes that are parsed before the next look whether the connection has been ended."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits on what the peers of a server may take. A peer is an address; a proxy is one peer for many users."""

    connections: int = 8192
    connections_of_a_peer: int = 4096
    requests: int = 288
    """Requests that are whole and not answered: those that the threads handle, and those that wait for one."""
    requests_of_a_peer: int = 192
    receiving: int = 512
    """Requests that are begun and not whole: each holds what has come in memory."""
    handshake_seconds: float = 5.0
    """For the handshake of TLS, where that is on."""
    request_seconds: float = 10.0
    """From a request's first byte to its last."""
    idle_seconds: float = 120.0
    answer_seconds: float = 60.0
    """From a request's first byte until its response is taken: the longest deadline of a call, and the time to read."""

    def at_most(self, connections: int) -> "Bounds":
        """Returns these bounds with no more connections than that."""
        return replace(
            self, connections=connections, connections_of_a_peer=min(self.connections_of_a_peer, connections)
        )


class State(Enum):
    """The state of a connection."""

    IDLE = "idle"
    RECEIVING = "receiving"
    ANSWERING = "answering"
    ENDING = "ending"


class Connection(H11Protocol):
    """One connection. The server's event loop alone touches it."""

    server_state: "Connections"

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn: StrictHttp = StrictHttp()
        self.state = State.IDLE
        self.since = self.loop.time()
        """When the present request began, or the last one ended."""

    @property
    def peer(self) -> str:
        """The address at the other end."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins."""
        super().connection_made(transport)
        self.server_state.greeted(self)
        self.app_state = {**self.app_state, NAMES: names_in(transport)}
        self.server_state.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        super().connection_lost(exc)
        self.server_state.put(self, State.ENDING)
        self.server_state.forget(self)

    def data_received(self, data: bytes) -> None:
        """Takes bytes; a request begins with the first."""
        if self.state is State.IDLE:
            self.since = self.loop.time()
        for start in range(0, len(data), _STEP_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _STEP_BYTES])
        self._settle()

    def on_response_complete(self) -> None:
        """Makes ready for the next request, which may have begun already."""
        self.since = self.loop.time()
        super().on_response_complete()
        self._settle()

    def _settle(self) -> None:
        if not self.transport.is_closing():
            self.server_state.put(self, self._state_now())

    def _state_now(self) -> State:
        match self.conn.their_state:
            case h11.IDLE:
                return State.RECEIVING if self.conn.trailing_data[0] else State.IDLE
            case h11.SEND_BODY:
                return State.RECEIVING
        return State.ANSWERING

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self.refuse(self.conn.fault or InvalidArgument("MALFORMED", msg))

    def refuse(self, error: CmsError) -> None:
        """Answers with the error, if nothing has been answered yet, and closes the connection."""
        tracing.enter(tracing.new_traceparent())
        refusals.note(error, door=self.server_state.door)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            response = http_protocols.connect_error(error, status=_STATUS.get(error.reason))
            response.headers.extend(http_protocols.HEADERS | {"Traceparent": tracing.current(), "Connection": "close"})
            self._write(response)
        self.end()

    def _write(self, response: Response) -> None:
        headers = [*self.server_state.default_headers, *response.get_wsgi_headers({})]
        for event in (
            h11.Response(status_code=response.status_code, headers=headers),
            h11.Data(data=b"" if self.conn.is_head else response.get_data()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")

    def end(self) -> None:
        """Closes the connection when what is written has been sent. It counts no more."""
        self.server_state.put(self, State.ENDING)
        if not self.transport.is_closing():
            self.transport.close()

    def end_if_late(self, bounds: Bounds) -> None:
        """Ends a connection that has taken too long."""
        age = self.loop.time() - self.since
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            if age > bounds.answer_seconds:
                self.transport.abort()  # nobody takes what is written
        elif self.state is State.IDLE and age > bounds.idle_seconds:
            self.end()
        elif self.state is State.RECEIVING and age > bounds.request_seconds:
            self.refuse(DeadlineExceeded("TOO_SLOW", f"the request was not whole within {bounds.request_seconds:g} s"))

    def end_if_quiet(self, seconds: float) -> None:
        """Ends a connection that has been idle for so long, and on which nothing has arrived since it was last read."""
        if self.state is State.IDLE and self.loop.time() - self.since > seconds and not self._has_arrivals():
            self.end()

    def _has_arrivals(self) -> bool:
        arrived = select.poll()
        arrived.register(self.transport.get_extra_info("socket"), select.POLLIN)
        return bool(arrived.poll(0))

    def shutdown(self) -> None:
        """Goes on: the server ends its connections one by one when it drains."""


class Connections(ServerState):
    """The connections that a server has."""

    def __init__(self, bounds: Bounds, *, door: str) -> None:
        super().__init__()
        self.bounds = bounds
        self.door = door
        self._of_peers = Counter[str]()
        self._by_state: dict[State, dict[Connection, None]] = {state: {} for state in State}
        """Each in the order in which they came to the state."""
        self._greeting: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        """Connections whose TLS handshake is under way, and when it began. Nothing tells of one that failed."""

    def greet(self, new: Connection) -> None:
        """Lets a connection begin its TLS handshake. Raises ConnectionRefusedError if too many do, which drops it."""
        if self.handshakes >= self.bounds.receiving:
            raise ConnectionRefusedError("too many handshakes at once")
        self._greeting[new] = time.monotonic()

    @property
    def handshakes(self) -> int:
        """How many handshakes may be under way: those that began lately and have not come to their end."""
        begun = time.monotonic() - self.bounds.handshake_seconds
        return sum(since > begun for since in self._greeting.values())

    def greeted(self, new: Connection) -> None:
        """Notes the end of a handshake, if there was one."""
        self._greeting.pop(new, None)

    def admit(self, new: Connection) -> None:
        """Counts a connection. If it is one too many, the one that has been idle longest makes room, or it goes itself."""
        self._of_peers[new.peer] += 1
        self._by_state[new.state][new] = None
        if self._of_peers[new.peer] > self.bounds.connections_of_a_peer:
            self._make_room(new, peer=new.peer)
        elif self._open > self.bounds.connections:
            [(peer, _)] = self._of_peers.most_common(1)
            self._make_room(new, peer=peer)

    def forget(self, gone: Connection) -> None:
        """Drops a connection that has ended."""
        self._by_state[State.ENDING].pop(gone, None)

    def put(self, connection: Connection, state: State) -> None:
        """Notes what a connection does now. If too many requests are not whole, the first of them is refused."""
        if connection.state in (state, State.ENDING):
            return
        self._by_state[connection.state].pop(connection)
        connection.state = state
        self._by_state[state][connection] = None
        if state is State.ENDING:
            self._of_peers[connection.peer] -= 1
            if not self._of_peers[connection.peer]:
                del self._of_peers[connection.peer]
        receiving = self._by_state[State.RECEIVING]
        if len(receiving) > self.bounds.receiving:
            next(iter(receiving)).refuse(
                ResourceExhausted("TOO_MANY_BEGUN", "too many requests were begun at once: try again")
            )

    def end_late(self) -> None:
        """Ends every connection that has taken too long."""
        for connection in self._all():
            try:
                connection.end_if_late(self.bounds)
            except Exception as error:
                logs.get().error("connection failed", error=type(error).__name__, location=logs.location_of(error))
                connection.transport.abort()

    def end_quiet(self, seconds: float) -> None:
        """Ends every connection that has been idle for so long."""
        for connection in [*self._by_state[State.IDLE]]:
            connection.end_if_quiet(seconds)

    def abort(self) -> None:
        """Breaks off every connection."""
        for connection in self._all():
            connection.transport.abort()

    @property
    def _open(self) -> int:
        return sum(len(self._by_state[state]) for state in State if state is not State.ENDING)

    def _all(self) -> list[Connection]:
        return [connection for connections in self._by_state.values() for connection in connections]

    def _make_room(self, new: Connection, *, peer: str) -> None:
        longest_idle = next(one for one in self._by_state[State.IDLE] if one.peer == peer or one is new)
        if longest_idle is new:
            new.refuse(ResourceExhausted("TOO_MANY_CONNECTIONS", "too many connections at once: try again"))
        else:
            self.put(longest_idle, State.ENDING)
            longest_idle.transport.abort()  # it may not even read what was written


class StrictHttp(h11.Connection):
    """A parser that also refuses what two parsers might read in two ways, and what costs more than it tells."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, LARGEST_HEAD_BYTES)
        self.fault: CmsError | None = None
        """Says why the last event could not be had."""
        self.is_head = False
        """Whether the answer has no body."""
        self._pieces = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Returns the next event. Raises RemoteProtocolError, and keeps `fault`."""
        if self.their_state is h11.IDLE and self._lines_of_head() > MOST_HEADERS + 1:
            raise self._refusal(_TOO_LARGE_HEAD)
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.fault = (
                _TOO_LARGE_HEAD if error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE else _NO_HTTP
            )
            raise
        if isinstance(event, h11.Request):
            self.is_head, self._pieces = event.method == b"HEAD", 0
            self._check_head(event)
        elif isinstance(event, h11.Data) and event.chunk_start:
            self._pieces += 1
            if self._pieces > MOST_CHUNKS:
                raise self._refusal(InvalidArgument("TOO_MANY_CHUNKS", "the body is cut into too many chunks"))
        return event

    def start_next_cycle(self) -> None:
        """Makes ready for the next request."""
        super().start_next_cycle()
        self.is_head = False

    def _check_head(self, request: h11.Request) -> None:
        names = {name for name, _ in request.headers}
        if request.http_version not in (b"1.0", b"1.1"):
            raise self._refusal(_NO_HTTP)
        if b"transfer-encoding" in names and (b"content-length" in names or request.http_version != b"1.1"):
            raise self._refusal(InvalidArgument("TWO_LENGTHS", "the length of the body is told in two ways"))

    def _lines_of_head(self) -> int:
        """Counts before they are parsed, which costs a thousand times as much."""
        return _END_OF_HEAD.split(self.trailing_data[0], 1)[0].count(b"\n")

    def _refusal(self, fault: CmsError) -> h11.RemoteProtocolError:
        self.fault = fault
        return h11.RemoteProtocolError(fault.message)


_STATUS = {
    "TOO_SLOW": HTTPStatus.REQUEST_TIMEOUT,
    "TOO_LARGE_HEAD": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}
_TOO_LARGE_HEAD = ResourceExhausted("TOO_LARGE_HEAD", "the request's line and headers are too large or too many")
_NO_HTTP = InvalidArgument("NO_HTTP", "the request is not HTTP/1.1")
