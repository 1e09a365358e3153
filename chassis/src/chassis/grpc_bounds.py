"""Bounds on the calls of the gRPC door, all together and by the address that they come from.

A call waits for its message, then for a thread, is served, and its response is sent. Waiting for a message has bounds of its
own, so that calls that stop there keep out no others.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Lock

from chassis.errors import DeadlineExceeded, ResourceExhausted


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The most that the door takes at once. Those of a peer are for one address; a proxy is one for all its users."""

    connections: int = 4096
    calls: int = 4096
    calls_of_a_peer: int = 512
    begun: int = 1024
    """Calls whose message has not come."""
    begun_of_a_peer: int = 128
    message_seconds: float = 10.0
    """How long a message may take to come whole."""
    streams: int = 16
    """Streams of reflection and health."""
    stream_seconds: float = 300.0
    """How long such a stream may last."""


def address_of(peer: str) -> str:
    """Returns the address without the port: `ipv4:127.0.0.1` of `ipv4:127.0.0.1:40123`."""
    return peer.rpartition(":")[0]


class Places:
    """Places for calls; a call that finds none is refused."""

    def __init__(self, most: int, *, of_a_peer: int) -> None:
        self._most = most
        self._of_a_peer = of_a_peer
        self.taken = 0
        self._taken_by: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, address: str) -> Callable[..., None]:
        """Takes a place, and returns what gives it back, in any thread. Raises ResourceExhausted if none is free."""
        with self._lock:
            if self.taken >= self._most or self._taken_by[address] >= self._of_a_peer:
                raise ResourceExhausted("BUSY", "too many calls at once: try again")
            self.taken += 1
            self._taken_by[address] += 1
        return lambda *_: self._give_back(address)

    def _give_back(self, address: str) -> None:
        with self._lock:
            self.taken -= 1
            self._taken_by[address] -= 1
            if not self._taken_by[address]:
                del self._taken_by[address]


@dataclass(eq=False, kw_only=True)
class _Seat:
    address: str
    limit: asyncio.Timeout
    gave_way: bool = False


class WaitingRoom:
    """Seats for calls that wait for their caller, each for so many seconds. In a full room the eldest gives way.

    A client brings its message together with the call. So it is served however many others begin calls and stop.
    Used by the event loop alone.
    """

    def __init__(self, most: int, *, of_a_peer: int, seconds: float) -> None:
        self._most = most
        self._of_a_peer = of_a_peer
        self._seconds = seconds
        self._seats: dict[_Seat, None] = {}
        self._seats_of: defaultdict[str, dict[_Seat, None]] = defaultdict(dict)

    @asynccontextmanager
    async def seat(self, address: str) -> AsyncIterator[None]:
        """Seats a call for the block. Raises DeadlineExceeded when its time is over, ResourceExhausted when it gives way."""
        if len(self._seats_of[address]) >= self._of_a_peer:
            self._give_way(self._seats_of[address])
        elif len(self._seats) >= self._most:
            self._give_way(self._seats)
        seat = _Seat(address=address, limit=asyncio.timeout(self._seconds))
        try:
            async with seat.limit:
                self._seats[seat] = self._seats_of[address][seat] = None
                yield
        except TimeoutError:
            if seat.gave_way:
                raise ResourceExhausted("TOO_MANY_BEGUN", "too many requests were begun at once: try again") from None
            raise DeadlineExceeded("TOO_SLOW", f"the request was not whole within {self._seconds:g} s") from None
        finally:
            self._leave(seat)

    def hurry(self, seconds: float) -> None:
        """Leaves those who wait, and who are still to come, at most so many seconds more: for a drain."""
        self._seconds = seconds
        until = asyncio.get_running_loop().time() + seconds
        for seat in self._seats:
            if (seat.limit.when() or until) >= until:
                _end(seat, until)

    def _give_way(self, seats: dict[_Seat, None]) -> None:
        eldest = next(iter(seats))
        eldest.gave_way = True
        self._leave(eldest)
        _end(eldest, asyncio.get_running_loop().time())

    def _leave(self, seat: _Seat) -> None:
        self._seats.pop(seat, None)
        self._seats_of[seat.address].pop(seat, None)
        if not self._seats_of[seat.address]:
            del self._seats_of[seat.address]


def _end(seat: _Seat, at: float) -> None:
    if not seat.limit.expired():  # as it may be although its task has not run yet
        seat.limit.reschedule(at)
