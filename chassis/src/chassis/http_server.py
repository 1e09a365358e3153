"""Waitress, with a stop that breaks no request off.

By itself it stops its threads and goes on reading: what it reads then is never answered. Here it refuses new connections
and answers what comes on those that are open, each for the last time: `Connection: close`. A client that has kept a
connection is thereby told to go before it asks again.
"""

import select
import threading
import time

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.wasyncore import dispatcher

_LOOK_SECONDS = 0.02
_QUIET_SECONDS = 1.0
"""An idle connection is closed after this time. It is enough for a client to read a response and send its next request."""
_CLOSE_SECONDS = 2.0


class _Channel(HTTPChannel):  # type: ignore[misc]  # it has no types
    """One connection."""

    def service(self) -> None:
        """Answers the request that was read; in a thread of its own."""
        if self.server.is_draining:
            self.answer_for_the_last_time()
        super().service()

    def answer_for_the_last_time(self) -> None:
        """Closes the connection after the present answer, as if the client had asked for that."""
        for request in [*self.requests]:
            request.headers["CONNECTION"] = "close"

    def is_quiet(self, *, since: float) -> bool:
        """Whether nothing was read or sent after that time, and nothing waits to be sent."""
        if self.requests or self.request or self.total_outbufs_len or self.last_activity > since:
            return False
        arrived = select.poll()
        arrived.register(self.socket, select.POLLIN)
        return not arrived.poll(0)


class HttpServer(TcpWSGIServer):  # type: ignore[misc]  # it has no types
    """Serves in `run`, whose thread alone touches the sockets."""

    channel_class = _Channel
    is_draining = False
    _draining_since = 0.0

    def drain(self, seconds: float) -> None:
        """Refuses new connections, answers requests on open ones, and closes each, within `seconds`.

        Requests that are still under way then are broken off.
        """
        until = time.monotonic() + seconds
        drained, closed = threading.Event(), threading.Event()

        def look() -> None:
            if self._is_drained():
                drained.set()

        def close() -> None:
            self._close_all()
            closed.set()

        self.trigger.pull_trigger(self._refuse)
        while not drained.wait(_LOOK_SECONDS) and time.monotonic() < until:
            self.trigger.pull_trigger(look)
        self.task_dispatcher.shutdown(timeout=_CLOSE_SECONDS)
        self.trigger.pull_trigger(close)
        closed.wait(_CLOSE_SECONDS)

    def _refuse(self) -> None:
        self.is_draining, self._draining_since = True, time.time()
        for channel in self._channels():
            channel.answer_for_the_last_time()
        open_before = -1
        while open_before < len(self.active_channels):  # whom the system has let in is served
            open_before = len(self.active_channels)
            self.handle_accept()
        dispatcher.close(self)

    def _is_drained(self) -> bool:
        since = time.time() - _QUIET_SECONDS
        for channel in self._channels():
            if self._draining_since < since and channel.is_quiet(since=since):
                channel.handle_close()
        return not self.active_channels

    def _close_all(self) -> None:
        for channel in self._channels():
            channel.handle_close()
        self.close()

    def _channels(self) -> list[_Channel]:
        return [*self.active_channels.values()]
