"""How long to wait before the next try: doubled after each failure, with jitter, so that callers do not return together.

    seconds(failures, first=0.1, longest=10.0)

Pure but for the jitter; a domain takes that as an argument: `seconds(setbacks, first=5.0, longest=300.0, jitter=waits.jitter)`.
The outbox computes the same wait in SQL, because it changes many rows with one statement.
"""

import random

_MOST_DOUBLINGS = 32
"""A float overflows after a thousand doublings, some hours of an outage."""


def seconds(failures: int, *, first: float, longest: float, jitter: float | None = None) -> float:
    """Seconds to wait after so many failures in a row: `first` after one, doubled to `longest`, times `jitter`."""
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    wait = min(longest, first * 2.0**doublings)
    return wait * (any_jitter() if jitter is None else jitter)


def any_jitter() -> float:
    """A random factor from 0.75 to 1.25."""
    return random.uniform(0.75, 1.25)  # noqa: S311
