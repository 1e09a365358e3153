"""Named points at which tests can end or stop a process.

`CRASH_AT=name` in the environment ends the process when it reaches that point. The end is immediate, as after SIGKILL or
a power cut: nothing is flushed, rolled back or reported. `STOP_AT=name` stops the process there, the first time, until it
gets SIGCONT. There is a point wherever something happens between a commit and an effect outside the database. Without the
variables a point costs two comparisons.
"""

import os
import signal
import threading

EXIT_CODE = 86
"""The status of a process that died at its point."""

_CRASH_AT = os.environ.get("CRASH_AT")
_stops = {os.environ.get("STOP_AT")}


def point(name: str) -> None:
    """Ends the process if `CRASH_AT` names this point, and stops it if `STOP_AT` does."""
    if name == _CRASH_AT:
        os._exit(EXIT_CODE)
    if name in _stops:
        _stops.clear()
        # To this thread: sent to the process, another thread may take the signal while this one goes on.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
