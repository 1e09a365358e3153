"""The operations port: health, readiness and metrics for those who run the service, whatever its doors suffer.

It shares no thread, connection or bound with them. A connection costs its server no thread, and is closed if its next
request is not whole in time, also when bytes trickle in.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from chassis import metrics
from chassis.loops import LoopThread

_REQUEST_SECONDS = 10.0
_LARGEST_REQUEST_BYTES = 16 * 1024

Readiness = Callable[[], tuple[bool, dict[str, Any]]]
Answer = tuple[int, str, bytes]
"""Status, content type and body."""


class OperationsDoor:
    """Tornado in a thread of its own. `readiness` returns whether the service is ready, and the body of `/readyz`."""

    def __init__(self, *, host: str, port: int, readiness: Readiness, connections: int) -> None:
        self._connections = connections
        self._readiness = readiness
        self._sockets = bind_sockets(port, address=host)
        self.port = int(self._sockets[0].getsockname()[1])

    def start(self) -> None:
        """Serves."""
        self._loop = LoopThread("operations")
        self._loop.run(self._serve())

    def stop(self) -> None:
        """Closes the port and its connections at once."""
        self._loop.run(self._close())
        self._loop.close()

    async def _serve(self) -> None:
        application = Application(
            [
                ("/healthz", _Handler, {"ask": _alive}),
                ("/readyz", _Handler, {"ask": _Shared(self._ready).ask}),
                ("/metrics", _Handler, {"ask": _Shared(_exposition).ask}),
            ],
            default_handler_class=_Handler,
            default_handler_args={"ask": _nothing},
            log_function=lambda _handler: None,
        )
        self._server = _Server(
            application,
            idle_connection_timeout=_REQUEST_SECONDS,
            body_timeout=_REQUEST_SECONDS,
            max_header_size=_LARGEST_REQUEST_BYTES,
            max_body_size=_LARGEST_REQUEST_BYTES,
        )
        self._server.most = self._connections
        self._server.add_sockets(self._sockets)

    async def _close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()
        await asyncio.get_running_loop().shutdown_default_executor()

    def _ready(self) -> Answer:
        ready, found = self._readiness()
        return _json(200 if ready else 503, found)


class _Server(HTTPServer):
    """A server that closes a connection at once when too many are open."""

    most = 0
    _open = 0

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serves a new connection."""
        if self._open >= self.most:
            stream.close()
            return
        self._open += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        """Counts a connection that has ended."""
        self._open -= 1
        super().on_close(server_conn)


class _Handler(RequestHandler):
    """Answers a path by the answer to `ask`."""

    def initialize(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        """Keeps the question."""
        self._ask = ask

    def set_default_headers(self) -> None:
        """Does not say what serves."""
        self.clear_header("Server")

    async def get(self) -> None:
        """Answers."""
        status, kind, body = await self._ask()
        self.set_status(status)
        self.set_header("Content-Type", kind)
        self.set_header("Cache-Control", "no-store")
        await self.finish(body)

    head = get


class _Shared:
    """A question that waits for the database, asked in a thread. All who ask at the same time get one answer.

    So many who ask cost no more than one, and a question that hangs keeps one thread.
    """

    def __init__(self, answer: Callable[[], Answer]) -> None:
        self._answer = answer
        self._asked: asyncio.Future[Answer] | None = None

    async def ask(self) -> Answer:
        """Returns the answer."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(None, self._answer)
        return await asyncio.shield(self._asked)


async def _alive() -> Answer:
    return _json(200, {"status": "alive"})


async def _nothing() -> Answer:
    return _json(404, {"status": "this port has only /healthz, /readyz and /metrics"})


def _exposition() -> Answer:
    return 200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(metrics.REGISTRY)


def _json(status: int, body: dict[str, Any]) -> Answer:
    return status, "application/json", json.dumps(body).encode()
