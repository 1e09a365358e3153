"""Points at which tests make a process die, to see what survives.

`CRASH_AT=name` in its environment ends a process at the point of that name: at once, as SIGKILL or a power cut would,
with nothing flushed, rolled back or said. Points stand wherever a commit and an effect outside of it have a moment
between them. Without the variable a point is one comparison.
"""

import os

EXIT_CODE = 86
"""The status of a process that died at its point."""

_CRASH_AT = os.environ.get("CRASH_AT")


def point(name: str) -> None:
    """Ends the process if `CRASH_AT` names this point."""
    if name == _CRASH_AT:
        os._exit(EXIT_CODE)
