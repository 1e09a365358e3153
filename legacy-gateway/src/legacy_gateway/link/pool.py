"""The connections to one system, shared by threads."""

import math
import queue
import threading
from datetime import datetime

from chassis.errors import InvalidArgument, Violation
from legacy_gateway.link.connection import LinkConnection, NothingSent
from legacy_gateway.link.frames import Reply
from legacy_gateway.link.line import Fault

MOST_CONNECTIONS = 16
"""The number of connections that one system takes."""


class LinkPool:
    """The connections to one system, shared by threads; `size` is 1 to 16, `timeout` in seconds bounds each call.

    `in_flight` is how many records may be on one connection without their replies.
    """

    def __init__(self, host: str, port: int, *, size: int, timeout: float, in_flight: int = 1) -> None:
        if not 1 <= size <= MOST_CONNECTIONS:
            raise InvalidArgument.of(Violation(field="size", description=f"must be 1 to {MOST_CONNECTIONS}"))
        self._timeout = timeout
        self._all = [LinkConnection(host, port, timeout) for _ in range(size)]
        self._idle: queue.LifoQueue[LinkConnection] = queue.LifoQueue()
        """Each connection that may be used, as often as it may carry one record more."""
        self._in_flight = in_flight
        self._allowed = 0
        self._changing = threading.Lock()
        self.allow(size)

    def call(
        self,
        dialogue: str,
        transfer_id: str,
        payload: bytes,
        *,
        sent_at: datetime,
        send_by: float = math.inf,
        attached: str = "",
    ) -> Reply:
        """Does what LinkConnection.call does, on a connection that is free.

        Where all are busy it waits for one first, at most `timeout` seconds, and then raises NothingSent. The call has
        its own time after that: a record sent with little time left would only become an unknown one.
        """
        try:
            connection = self._idle.get(timeout=self._timeout)
        except queue.Empty:
            raise NothingSent(transfer_id, Fault.ALL_CONNECTIONS_BUSY) from None
        try:
            return connection.call(dialogue, transfer_id, payload, sent_at=sent_at, send_by=send_by, attached=attached)
        finally:
            self._idle.put(connection)

    @property
    def size(self) -> int:
        """How many connections there are at most."""
        return len(self._all)

    def allow(self, count: int) -> None:
        """Use so many of the connections from now on. Fewer than before: the calls under way end, and all are closed."""
        with self._changing:
            if count < self._allowed:
                self._empty(interrupt=True)
            for connection in self._all[self._allowed : count] * self._in_flight:
                self._idle.put(connection)
            self._allowed = count

    def close(self) -> None:
        """Wait for the calls under way and close every connection. A later call raises NothingSent."""
        with self._changing:
            self._empty(interrupt=False)

    def reset(self) -> None:
        """End the calls under way and close every connection. A later call opens one again."""
        with self._changing:
            allowed = self._allowed
            self._empty(interrupt=True)
        self.allow(allowed)

    def _empty(self, *, interrupt: bool) -> None:
        """Takes every connection away from the callers and closes it."""
        if interrupt:
            for connection in self._all:
                connection.interrupt()
        for _ in range(self._allowed * self._in_flight):
            self._idle.get().close()
        self._allowed = 0
