"""Uvicorn in a thread of the service's process, and behind it a WSGI application, in threads of its own.

A request is read whole, within bounds, before a thread takes it, and a thread is free again before the response is sent: slow
peers hold none. A stop breaks no request off.
"""

import asyncio
import contextlib
import io
import resource
import socket
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

import uvicorn
from werkzeug import Response

from chassis import logs
from chassis.errors import CmsError, ResourceExhausted
from chassis.http_connections import Bounds, Connection, Connections

REFUSAL = "chassis.refusal"
"""In the environment of a request that the application is to refuse with this error."""
_DISCARDED_BYTES = 16 * 1024 * 1024
"""So much of a body that is too large is read and thrown away, so that its sender hears why."""
_QUIET_SECONDS = 1.0
"""When a server drains, an idle connection is closed after this time: enough to read a response and send the next request."""
_LOOK_SECONDS = 0.05
_TURNS_TO_CONNECT = 3
"""Turns of the loop after which a connection that was accepted is one of ours."""
_LATE_TICKS = 5
"""Uvicorn ticks ten times a second."""
_OTHER_DESCRIPTORS = 1024
"""Files and sockets that a process needs beside its connections."""
_SEND_BYTES = 128 * 1024
"""So much of a response may the system hold for a peer that does not read; left alone it takes megabytes."""
_END_SECONDS = 2.0
_OF_THE_CONNECTION = (b"transfer-encoding", b"upgrade")
"""Headers that are not the application's."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class HttpServer:
    """Serves a WSGI application. `largest_body` is in bytes; port 0 takes a free one, which `port` tells."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        host: str,
        port: int,
        threads: int,
        largest_body: int,
        bounds: Bounds,
    ) -> None:
        self._socket = _listening(host, port, backlog=bounds.connections)
        self.port = int(self._socket.getsockname()[1])
        self._bridge = _Bridge(application, threads=threads, largest_body=largest_body, bounds=bounds)
        config = uvicorn.Config(
            self._bridge,
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",  # what is refused is counted and logged by ourselves
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=int(bounds.idle_seconds),
        )
        self._server = _Server(config, self._bridge, within_descriptors(bounds))
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Serves."""
        self._thread.start()

    def stop(self, drain_seconds: float) -> None:
        """Refuses new connections, answers requests on open ones, and ends after at most `drain_seconds`.

        Requests that are still under way then are broken off.
        """
        self._server.drain_seconds = drain_seconds
        self._server.should_exit = True
        self._thread.join(drain_seconds + _END_SECONDS)

    def _serve(self) -> None:
        try:
            self._server.run([self._socket])
        except Exception as error:
            logs.get().error("HTTP server ended", error=type(error).__name__, location=logs.location_of(error))
            raise


def _listening(host: str, port: int, *, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small parts at once only where the protocol is named.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
    listening.bind((host, port))
    listening.listen(backlog)
    return listening


def within_descriptors(bounds: Bounds) -> Bounds:
    """Raises the process's limit of open files to what the bounds need, and lowers the bounds if it may not."""
    needed = bounds.connections + _OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return bounds
    highest = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if highest > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
        soft = highest
    if soft >= needed:
        return bounds
    return bounds.at_most(max(soft - _OTHER_DESCRIPTORS, soft // 2))


class _Server(uvicorn.Server):
    """Ends connections that are late, and drains."""

    def __init__(self, config: uvicorn.Config, bridge: "_Bridge", bounds: Bounds) -> None:
        super().__init__(config)
        self.server_state: Connections = Connections(bounds)
        self.drain_seconds = 0.0
        self._bridge = bridge

    async def on_tick(self, counter: int) -> bool:
        """Looks at the connections, twice a second."""
        if counter % _LATE_TICKS == 0:
            self.server_state.end_late()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuses new connections, and ends each that is open after its last answer, or when it stays quiet."""
        self._bridge.is_draining = True
        for one in sockets or ():
            await self._refuse_connections(one)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while self.server_state.connections and loop.time() < begun + self.drain_seconds:
            self.server_state.end_late()
            if loop.time() > begun + _QUIET_SECONDS:
                self.server_state.end_quiet(_QUIET_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)
        self.server_state.abort()
        self._bridge.close()
        await asyncio.sleep(0)  # for the connections to end

    async def _refuse_connections(self, listening: socket.socket) -> None:
        """Closes the port. Whom the system has let in already is served."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        for _ in range(_TURNS_TO_CONNECT):
            await asyncio.sleep(0)
        accepted = [*_accepted(listening)]
        for server in self.servers:
            server.close()
        listening.close()
        for one in accepted:
            await loop.connect_accepted_socket(self._connection, one)

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)


def _accepted(listening: socket.socket) -> Iterator[socket.socket]:
    with contextlib.suppress(BlockingIOError):
        while True:
            yield listening.accept()[0]


class _Bridge:
    """The WSGI application as an ASGI one."""

    def __init__(self, application: WSGIApplication, *, threads: int, largest_body: int, bounds: Bounds) -> None:
        self.is_draining = False
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="http")
        self._bounds = bounds
        self._of_peers = Counter[str]()
        self._largest_body = largest_body

    def close(self) -> None:
        """Takes no more requests."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request, unless the caller goes before it is whole."""
        try:
            body = await self._body(scope, receive)
        except _Gone:
            return
        response = await self._respond(_environment(scope, body))
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        if self.is_draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.get_data()})

    async def _respond(self, environment: WSGIEnvironment) -> Response:
        peer = environment["REMOTE_ADDR"]
        if self._is_busy(peer):
            environment[REFUSAL] = ResourceExhausted("BUSY", "too many calls at once: try again")
            refused = self._run(environment)  # without a thread: a refusal waits for nothing
            refused.headers["Connection"] = "close"  # nor does it go on and on with what was sent behind it
            return refused
        self._of_peers[peer] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, environment)
        finally:
            self._of_peers -= Counter([peer])  # and keeps none at zero

    def _is_busy(self, peer: str) -> bool:
        too_many_of_it = self._of_peers[peer] >= self._bounds.requests_of_a_peer
        return too_many_of_it or self._of_peers.total() >= self._bounds.requests

    def _run(self, environment: WSGIEnvironment) -> Response:
        return Response.from_app(self._application, environment, buffered=True)

    async def _body(self, scope: Mapping[str, Any], receive: Receive) -> bytes | CmsError:
        """Returns the body, or the error for one that is too large. Raises _Gone if the caller goes."""
        headers = dict(scope["headers"])
        declared = int(headers.get(b"content-length", 0))
        if declared > self._largest_body and (b"expect" in headers or declared > _DISCARDED_BYTES):
            return self._too_large()
        body, length, more = bytearray(), 0, True
        while more and length <= _DISCARDED_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            more = message["more_body"]
            length += len(message["body"])
            if length <= self._largest_body:
                body += message["body"]
        return bytes(body) if length <= self._largest_body else self._too_large()

    def _too_large(self) -> CmsError:
        return ResourceExhausted("TOO_LARGE", f"the body is larger than {self._largest_body} bytes")


class _Gone(Exception):
    """The caller has closed the connection."""


def _environment(scope: Mapping[str, Any], body: bytes | CmsError) -> WSGIEnvironment:
    """Returns the environment of a request, as PEP 3333 has it."""
    host, port = scope["server"]
    environment: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": scope["client"][0],
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" not in name and name not in _OF_THE_CONNECTION:  # with "_" it would pass for the one with a hyphen
            key = name.decode("latin-1").upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            before = f"{environment[key]}," if key in environment else ""
            environment[key] = before + value.decode("latin-1")
    content = b"" if isinstance(body, CmsError) else body
    environment |= {"CONTENT_LENGTH": str(len(content)), "wsgi.input": io.BytesIO(content)}
    return environment | ({REFUSAL: body} if isinstance(body, CmsError) else {})
