"""Callers that call over gRPC as fast as they are answered."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.message import Message

CALLERS = 16
UNCOMPRESSED = [("grpc.compression_enabled_algorithms_bitset", 1)]
"""Options by which responses come as between services, and as the HTTP door gives them to who does not ask."""
_DEADLINE_SECONDS = 10.0

Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """The calls that were answered in `seconds`, with the latency of each.

    `client_share` is the part of the machine's processors that the callers themselves took.
    """

    seconds: float
    latencies: list[float]
    client_share: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency in milliseconds that this percentage of calls did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000

    def text(self) -> str:
        """The figures as text."""
        return (
            f"{self.per_second:7.1f}/s  p50 {self.percentile(50):6.1f} ms  p99 {self.percentile(99):6.1f} ms"
            f"  client {self.client_share:.0%}"
        )


class Service:
    """A service's gRPC door. Any error is raised as grpc.RpcError and ends the measurement."""

    def __init__(self, channel: grpc.Channel, name: str) -> None:
        self._channel = channel
        self._name = name
        self._calls: dict[str, Callable[..., bytes]] = {}

    def acknowledge(self, method: str, request: bytes, *, token: str) -> None:
        """Calls with a message that is already serialised, and ignores the response."""
        self._call(method, request, token)

    def ask(self, method: str, request: Message, response: type[Response], *, token: str) -> Response:
        """Calls and parses the response."""
        return response.FromString(self._call(method, request.SerializeToString(), token))

    def _call(self, method: str, request: bytes, token: str) -> bytes:
        if method not in self._calls:
            self._calls[method] = self._channel.unary_unary(f"/{self._name}/{method}", None, None)
        return self._calls[method](request, timeout=_DEADLINE_SECONDS, metadata=(("authorization", f"Bearer {token}"),))


@contextmanager
def opened(given: grpc.Channel, name: str) -> Iterator[Service]:
    """Waits until the channel is ready, and closes it at the end. The service is called by its full name."""
    with given as channel:
        grpc.channel_ready_future(channel).result(timeout=20)
        yield Service(channel, name)


def drive(call_of: Callable[[int], Callable[[], None]], *, seconds: float) -> Rate:
    """Has every caller repeat its call for so long. `call_of(number)` gives the call of a caller."""
    calls = [call_of(number) for number in range(CALLERS)]
    started, used = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(CALLERS) as pool:
        parts = list(pool.map(lambda call: _repeated(call, until=started + seconds), calls))
    elapsed = time.monotonic() - started
    share = (time.process_time() - used) / elapsed / (os.cpu_count() or 1)
    return Rate(seconds=elapsed, latencies=[latency for part in parts for latency in part], client_share=share)


def _repeated(call: Callable[[], None], *, until: float) -> list[float]:
    latencies = []
    while (began := time.monotonic()) < until:
        call()
        latencies.append(time.monotonic() - began)
    return latencies
