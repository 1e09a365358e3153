"""The connections to one system, shared by threads."""

import math
import queue
from datetime import datetime

from chassis.errors import InvalidArgument, Violation
from legacy_gateway.link.connection import Fault, LinkConnection, NothingSent
from legacy_gateway.link.frames import Reply

MOST_CONNECTIONS = 16
"""The number of connections that one system takes."""


class LinkPool:
    """The connections to one system, shared by threads; `size` is 1 to 16, `timeout` in seconds bounds each call."""

    def __init__(self, host: str, port: int, *, size: int, timeout: float) -> None:
        if not 1 <= size <= MOST_CONNECTIONS:
            raise InvalidArgument.of(Violation(field="size", description=f"must be 1 to {MOST_CONNECTIONS}"))
        self._timeout = timeout
        self._all = [LinkConnection(host, port, timeout) for _ in range(size)]
        self._idle: queue.LifoQueue[LinkConnection] = queue.LifoQueue()
        for connection in self._all:
            self._idle.put(connection)

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
        """As LinkConnection.call, on a connection that is free.

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

    def close(self) -> None:
        """Wait for the calls under way and close every connection. A later call raises NothingSent."""
        for _ in self._all:
            self._idle.get().close()

    def reset(self) -> None:
        """End the calls under way and close every connection. A later call opens one again."""
        for connection in self._all:
            connection.interrupt()
        taken = [self._idle.get() for _ in self._all]
        for connection in taken:
            connection.close()
            self._idle.put(connection)
