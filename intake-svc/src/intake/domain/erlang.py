"""Erlang C: how many operators answer a share of calls within a time.

Calls come at random and take an exponentially distributed time, nobody hangs up, and whoever is first in the queue is
served first (A. K. Erlang 1917; the recursion of Erlang B is in every textbook of queues). `pyworkforce` has the same
formula, and brings a solver and pandas with it: docs/adr/0038 says why this page is our own.
"""

from functools import lru_cache
from math import exp


def waiting_probability(*, load: float, operators: int) -> float:
    """The share of calls that wait at all, 0 to 1. `load` is in erlangs: calls in a time times their length in that time."""
    return _waiting(load, operators, _blocking(load, operators))


def service_level(*, load: float, operators: int, handling_seconds: float, within_seconds: float) -> float:
    """The share of calls that are answered within the time, 0 to 1."""
    waiting = waiting_probability(load=load, operators=operators)
    return _level(waiting, load, operators, handling_seconds=handling_seconds, within_seconds=within_seconds)


@lru_cache(maxsize=4096)
def operators_needed(
    *, calls: int, in_seconds: int, handling_seconds: float, share: float, within_seconds: float
) -> int:
    """The fewest operators who answer this share of the calls within the time; 0 for no calls.

    `share` is below 1: not even a thousand operators answer every call at once, by this formula.
    """
    if calls == 0 or handling_seconds == 0:
        return 0
    load = calls * handling_seconds / in_seconds
    operators, blocking = 0, 1.0
    while True:
        operators += 1
        blocking = _next_blocking(blocking, load, operators)
        if operators <= load:
            continue  # the queue would grow without end
        waiting = _waiting(load, operators, blocking)
        reached = _level(waiting, load, operators, handling_seconds=handling_seconds, within_seconds=within_seconds)
        if reached >= share:
            return operators


def _level(waiting: float, load: float, operators: int, *, handling_seconds: float, within_seconds: float) -> float:
    if operators <= load:
        return 0.0
    return 1 - waiting * exp(-(operators - load) * within_seconds / handling_seconds)


def _waiting(load: float, operators: int, blocking: float) -> float:
    if operators <= load:
        return 1.0
    occupancy = load / operators
    return blocking / (1 - occupancy * (1 - blocking))


def _blocking(load: float, operators: int) -> float:
    """Erlang B: the share of calls that find every operator busy, where such calls are lost."""
    blocking = 1.0
    for number in range(1, operators + 1):
        blocking = _next_blocking(blocking, load, number)
    return blocking


def _next_blocking(blocking: float, load: float, operators: int) -> float:
    return load * blocking / (operators + load * blocking)
