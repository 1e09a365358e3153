"""Calls over HTTP to a system outside: one deadline for the whole of each, and a bound on what is read.

httpx bounds each wait by itself, so a body that comes a byte at a time would last for ever. So its asynchronous client runs
in a thread of its own, where asyncio ends a call at its deadline whatever it waits for.
"""

import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpx

from chassis.errors import Unavailable

_CONNECT_SECONDS = 3.0


class Fault(StrEnum):
    """The reason why there is no answer: a closed list, fit for the label of a metric."""

    NOT_EQUIPPED = "NOT_EQUIPPED"
    NOT_CONNECTED = "NOT_CONNECTED"
    TIMED_OUT = "TIMED_OUT"
    CONNECTION_LOST = "CONNECTION_LOST"
    TOO_LONG = "TOO_LONG"
    UNREADABLE = "UNREADABLE"


class HttpNotSent(Unavailable):
    """Nothing of the request left."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("HTTP_NOT_SENT", f"not sent: {fault}", metadata={"fault": fault})
        self.fault = fault


class HttpNoAnswer(Unavailable):
    """The request may have been carried out; the connection is closed.

    `status` is the answer's where it began and was too long to be read, otherwise 0.
    """

    def __init__(self, fault: Fault, *, status: int = 0) -> None:
        super().__init__("HTTP_NO_ANSWER", f"no answer: {fault}", metadata={"fault": fault})
        self.fault = fault
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that was read whole. `retry_after_seconds` is 0 where none was given."""

    status: int
    body: bytes = field(repr=False)
    retry_after_seconds: float = 0.0


class HttpLine:
    """Calls to one address, with a bearer token if it has one, which is read from its file at each: a new one counts at once.

    A body is read as it comes and never unpacked: who packs it although it was asked not to is not understood.
    `size`: connections at most. `seconds` bounds a call, connecting and the body included; `most_bytes` the body.
    """

    def __init__(self, url: str, *, token_file: Path | None = None, size: int, seconds: float, most_bytes: int) -> None:
        self._token_file = token_file
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._calls: set[asyncio.Task[Answer]] = set()
        limits = httpx.Limits(max_connections=size, max_keepalive_connections=size)
        self._client = httpx.AsyncClient(base_url=url, limits=limits, timeout=seconds, trust_env=False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="http-line", daemon=True)
        self._thread.start()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        send_by: float | None = None,
    ) -> Answer:
        """Makes one call. Nothing is sent after `send_by` (monotonic). Raises HttpNotSent and HttpNoAnswer."""
        connect_seconds = min(_CONNECT_SECONDS, self._seconds)
        if send_by is not None:
            connect_seconds = min(connect_seconds, send_by - time.monotonic())
        if connect_seconds <= 0:
            raise HttpNotSent(Fault.TIMED_OUT)
        request = self._client.build_request(
            method,
            path,
            params=query,
            content=content,
            headers={**(headers or {}), **self._authorization(), "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(self._seconds, connect=connect_seconds, pool=connect_seconds),
        )
        try:
            return asyncio.run_coroutine_threadsafe(self._within_deadline(request), self._loop).result()
        except concurrent.futures.CancelledError as error:
            raise HttpNoAnswer(Fault.CONNECTION_LOST) from error

    def _authorization(self) -> Mapping[str, str]:
        if self._token_file is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self._token_file.read_text(encoding='ascii').strip()}"}
        except (OSError, UnicodeDecodeError) as error:
            raise HttpNotSent(Fault.NOT_EQUIPPED) from error

    def reset(self) -> None:
        """Ends the calls under way, with CONNECTION_LOST, and closes their connections."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel_calls)

    def close(self) -> None:
        """Waits for the calls under way and closes every connection, for good."""
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _within_deadline(self, request: httpx.Request) -> Answer:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that was scheduled runs in a task
        self._calls.add(task)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise HttpNotSent(Fault.NOT_CONNECTED) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise HttpNoAnswer(Fault.TIMED_OUT) from error
        except httpx.TransportError as error:
            raise HttpNoAnswer(Fault.CONNECTION_LOST) from error
        finally:
            self._calls.discard(task)

    async def _exchange(self, request: httpx.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self._most_bytes:
                    raise HttpNoAnswer(Fault.TOO_LONG, status=response.status_code)
        finally:
            await response.aclose()
        return Answer(status=response.status_code, body=bytes(body), retry_after_seconds=_retry_after(response))

    def _cancel_calls(self) -> None:
        for task in self._calls:
            task.cancel()

    async def _finish(self) -> None:
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._client.aclose()


_LONGEST_RETRY_AFTER_SECONDS = 86_400


def _retry_after(response: httpx.Response) -> float:
    """Seconds, a day at most. Where a system gives a date, which the interface does not, our own back-off counts."""
    given = response.headers.get("Retry-After", "")
    return float(min(int(given[:9]), _LONGEST_RETRY_AFTER_SECONDS)) if given.isascii() and given.isdigit() else 0.0
