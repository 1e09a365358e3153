"""A WSGI application behind the HTTP server, in threads of its own.

A request is read whole, within bounds, before a thread takes it, and a thread is free again before the response is sent: slow
peers hold none.
"""

import asyncio
import io
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug import Response

from chassis.errors import CmsError, ResourceExhausted
from chassis.http_connections import NAMES, Bounds
from chassis.http_server import Receive, Send

REFUSAL = "chassis.refusal"
"""In the environment of a request that the application is to refuse with this error."""
NAMES_OF_CALLER = "chassis.names"
"""In the environment: the names in the caller's certificate, see `http_tls.names_in`."""
_DISCARDED_BYTES = 16 * 1024 * 1024
"""The most of a body that is too large to be read and thrown away, so that its sender hears why."""
_OF_THE_CONNECTION = (b"transfer-encoding", b"upgrade")
"""Headers that are not the application's."""


class WsgiBridge:
    """The WSGI application as an ASGI one. `largest_body` gives the largest body of a path, in bytes."""

    def __init__(
        self, application: WSGIApplication, *, threads: int, largest_body: Callable[[str], int], bounds: Bounds
    ) -> None:
        self._is_draining = False
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="http")
        self._bounds = bounds
        self._of_peers = Counter[str]()
        self._largest_body = largest_body

    def drain(self) -> None:
        """Closes each connection after its next answer."""
        self._is_draining = True

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
        if self._is_draining:
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
        headers, largest = dict(scope["headers"]), self._largest_body(scope["path"])
        declared = int(headers.get(b"content-length", 0))
        if declared > largest and (b"expect" in headers or declared > _DISCARDED_BYTES):
            return _too_large(largest)
        body, length, more = bytearray(), 0, True
        while more and length <= _DISCARDED_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            more = message["more_body"]
            length += len(message["body"])
            if length <= largest:
                body += message["body"]
        return bytes(body) if length <= largest else _too_large(largest)


def _too_large(largest: int) -> CmsError:
    return ResourceExhausted("TOO_LARGE", f"the body is larger than {largest} bytes")


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
        NAMES_OF_CALLER: scope["state"][NAMES],
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
