"""The operations port: health, readiness and metrics for those who run the service, whatever its doors suffer.

It has a server of its own: it shares no thread, connection or bound with the doors.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from chassis import metrics
from chassis.http_connections import Bounds
from chassis.http_server import HttpServer, Receive, Send

_VERBS = ("GET", "HEAD")

Readiness = Callable[[], tuple[bool, dict[str, Any]]]
Answer = tuple[int, str, bytes]
"""Status, content type and body."""


class OperationsDoor:
    """A server in a thread of its own. `readiness` returns whether the service is ready, and the body of `/readyz`."""

    def __init__(self, *, host: str, port: int, readiness: Readiness, bounds: Bounds) -> None:
        self._server = HttpServer(_Application(readiness), name="operations", host=host, port=port, bounds=bounds)
        self.port = self._server.port

    def start(self) -> None:
        """Serves."""
        self._server.start()

    def stop(self) -> None:
        """Closes the port and its connections at once."""
        self._server.stop(0)


class _Application:
    """The three paths. No request has a body that is read."""

    def __init__(self, readiness: Readiness) -> None:
        self._answers = {
            "/healthz": _alive,
            "/readyz": _Shared(lambda: _readiness(readiness)).ask,
            "/metrics": _Shared(_exposition).ask,
        }

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Answers a request."""
        answer = self._answers.get(scope["path"], _nothing) if scope["method"] in _VERBS else _nothing
        status, kind, body = await answer()
        headers = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-store"}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    def drain(self) -> None:
        """Goes on: the port closes at once."""

    close = drain


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


def _readiness(readiness: Readiness) -> Answer:
    ready, found = readiness()
    return _json(200 if ready else 503, found)


def _exposition() -> Answer:
    return 200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(metrics.REGISTRY)


def _json(status: int, body: dict[str, Any]) -> Answer:
    return status, "application/json", json.dumps(body).encode()
