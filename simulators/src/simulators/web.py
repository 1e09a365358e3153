"""A Flask application on waitress, in a thread of its own."""

import threading

from flask import Flask
from waitress import create_server
from waitress.wasyncore import close_all


class WebServer:
    """Serves one application. Port 0 takes a free one, which `port` tells."""

    def __init__(self, application: Flask, *, host: str, port: int, threads: int) -> None:
        # An OSError out of the application then closes the connection without an answer: the lost reply needs that.
        self._server = create_server(
            application, host=host, port=port, threads=threads, log_socket_errors=False, ident=None
        )
        self.host = host
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name=f"web-{self.port}", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests in hand, close every connection, and return when the thread has ended."""
        self._server.task_dispatcher.shutdown(timeout=1)
        # Sockets are closed by the loop's own thread: closed by another, it would trip over them. Until the trigger has been
        # pulled that thread may not close it, though another pull has woken it.
        trigger = self._server.trigger
        with trigger.lock:
            trigger.thunks.append(lambda: close_all(self._server._map))
            trigger.pull_trigger()
        self._thread.join(timeout=2)
