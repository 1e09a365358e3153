"""The connections to one system, shared by threads."""

import math
import queue
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
        """Each connection as often as it may carry one record more."""
        self._places = self._all * in_flight
        for connection in self._places:
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
        for _ in self._places:
            self._idle.get().close()

    def reset(self) -> None:
        """End the calls under way and close every connection. A later call opens one again."""
        for connection in self._all:
            connection.interrupt()
        taken = [self._idle.get() for _ in self._places]
        for connection in taken:
            connection.close()
            self._idle.put(connection)
