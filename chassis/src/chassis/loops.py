"""An event loop in a thread of its own, for servers that wait for many connections with few threads."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class LoopThread:
    """A daemon thread that runs an event loop. The rest of the process hands it coroutines."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, act: Coroutine[Any, Any, Result]) -> Result:
        """Runs a coroutine in the loop and waits for its result. Raises what it raises."""
        return asyncio.run_coroutine_threadsafe(act, self._loop).result()
