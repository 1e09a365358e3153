"""A stand-in as a process: started, and stopped by SIGTERM or Ctrl-C."""

import resource
import signal
import threading
from typing import Protocol


class StandIn(Protocol):
    """A stand-in that can be started and stopped."""

    def start(self) -> None:
        """Begin to serve and return."""

    def stop(self) -> None:
        """Stop serving, with the ledger on disk."""


def run_until_stopped(stand_in: StandIn) -> None:
    """Serve until a signal asks to stop."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    stand_in.start()
    try:
        asked.wait()
    finally:
        stand_in.stop()
