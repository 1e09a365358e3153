"""Uvicorn in a thread of the service's process, with bounds, and with a stop that breaks no request off."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol

import uvicorn

from chassis import logs
from chassis.http_connections import Bounds, Connection, Connections
from chassis.http_tls import HttpTls

_QUIET_SECONDS = 1.0
"""When a server drains, an idle connection is closed after this time: enough to read a response and send the next request."""
_LOOK_SECONDS = 0.05
_TURNS_TO_CONNECT = 3
"""Turns of the loop after which a connection that was accepted is one of ours."""
_LATE_TICKS = 5
"""Uvicorn ticks ten times a second."""
_SEND_BYTES = 128 * 1024
"""The most of a response that the system may hold for a peer that does not read; left alone it takes megabytes."""
_END_SECONDS = 2.0

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Application(Protocol):
    """An ASGI application that hears of the server's end."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request."""

    def drain(self) -> None:
        """Hears that each connection is to be closed after its next answer."""

    def close(self) -> None:
        """Hears that no more requests come."""


class HttpServer:
    """Serves an application. `name` is the door's, in the metric of refusals; port 0 takes a free one, which `port` tells.

    With `tls` it serves https.
    """

    def __init__(
        self,
        application: Application,
        *,
        name: str,
        host: str,
        port: int,
        bounds: Bounds,
        tls: HttpTls | None = None,
    ) -> None:
        self._socket = _listening(host, port, backlog=bounds.connections)
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            application,
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
            ssl_context_factory=(lambda _config, _usual: tls.context()) if tls else None,
        )
        self._server = _Server(config, application, Connections(bounds, door=name))
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    @property
    def is_serving(self) -> bool:
        """Whether the server has been started and has not ended."""
        return self._thread.is_alive()

    @property
    def handshakes(self) -> int:
        """How many connections are in the handshake of TLS."""
        return self._server.server_state.handshakes

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


class _Server(uvicorn.Server):
    """Ends connections that are late, and drains."""

    def __init__(self, config: uvicorn.Config, application: Application, connections: Connections) -> None:
        super().__init__(config)
        self.server_state: Connections = connections
        self.drain_seconds = 0.0
        self._application = application

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Opens the port. Uvicorn's own would give a handshake a minute."""
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._connection, sock=one, backlog=self.config.backlog, **self._secured(self.config.ssl)
            )
            for one in sockets or ()
        ]
        self.started = True

    def _secured(self, context: ssl.SSLContext | None) -> dict[str, Any]:
        if context is None:
            return {}
        return {
            "ssl": context,
            "ssl_handshake_timeout": self.server_state.bounds.handshake_seconds,
            "ssl_shutdown_timeout": _QUIET_SECONDS,
        }

    async def on_tick(self, counter: int) -> bool:
        """Looks at the connections, twice a second."""
        if counter % _LATE_TICKS == 0:
            self.server_state.end_late()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuses new connections, and ends each that is open after its last answer, or when it stays quiet."""
        self._application.drain()
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
        self._application.close()
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
            with contextlib.suppress(OSError):  # a handshake that fails
                await loop.connect_accepted_socket(self._connection, one, **self._secured(self.config.ssl))

    def _connection(self) -> Connection:
        made = Connection(self.config, self.server_state, self.lifespan.state)
        if self.config.ssl:
            self.server_state.greet(made)
        return made


def _accepted(listening: socket.socket) -> Iterator[socket.socket]:
    with contextlib.suppress(BlockingIOError):
        while True:
            yield listening.accept()[0]
