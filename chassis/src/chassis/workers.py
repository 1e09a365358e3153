"""Threads that repeat a step, with a heartbeat that an alert can watch."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from chassis import backoff, logs, metrics

Found = TypeVar("Found")

_LONGEST_PAUSE_AFTER_FAILURE = 10.0
_TURN_SECONDS = 1.0
"""How long a thread waits for its turn before it shows that it is alive."""


class Worker:
    """Runs `step` until it is stopped. `step` tells whether there may be more to do at once; if not, the worker pauses."""

    def __init__(self, name: str, step: Callable[[], bool], *, pause_seconds: float, last_round: bool = False) -> None:
        """With `last_round` the worker does one more step after it was asked to stop, unless the last one failed."""
        self.name = name
        self._step = step
        self._pause = pause_seconds
        self._last_round = last_round
        self._failures = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        metrics.WORKER_SUCCESS.labels(name).set(0)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the worker to end after its present step."""
        self._stopping.set()

    def join(self, seconds: float) -> bool:
        """Waits for the end; returns whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._round():
                self._stopping.wait(self._pause)
        if self._last_round and not self._failures:
            self._round()

    def _round(self) -> bool:
        """Does a step, and pauses after an error; returns whether the next round is due at once."""
        try:
            more = self._step()
        except Exception as error:  # the thread must outlive any error; it is counted, logged and tried again
            self._failures += 1
            metrics.WORKER_FAILURES.labels(self.name).inc()
            logs.get().error(
                "worker failed", worker=self.name, error=type(error).__name__, location=logs.location_of(error)
            )
            self._stopping.wait(_pause_after(self._failures))
            return True
        self._failures = 0
        metrics.WORKER_SUCCESS.labels(self.name).set(time.time())
        return more


def _pause_after(failures: int) -> float:
    return backoff.seconds(failures, first=0.2, longest=_LONGEST_PAUSE_AFTER_FAILURE)


class Turns:
    """Lets the threads of a crew look for work one at a time, so that a crew asks no more often than one thread would.

    A thread that finds work passes the turn on before it does the work, and the next thread looks at once.
    """

    def __init__(self, *, pause_seconds: float) -> None:
        """`pause_seconds` is the pause after a look that found nothing."""
        self._pause = pause_seconds
        self._turn = threading.Lock()
        self._next_look = 0.0
        self._woken = threading.Event()

    def find(self, look: Callable[[], Found | None]) -> Found | None:
        """Returns what `look` finds at this thread's turn; None if there is nothing, or if the turn does not come in time."""
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            return None
        try:
            self._woken.wait(max(0.0, self._next_look - time.monotonic()))
            self._woken.clear()
            found = look()
            if found is None:
                self._next_look = time.monotonic() + self._pause
        finally:
            self._turn.release()
        return found

    def wake(self) -> None:
        """Ends the pause: work that was not to be found may be there now."""
        self._woken.set()
