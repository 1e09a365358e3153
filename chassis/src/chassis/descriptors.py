"""Open files: what a process may have is shared out among its doors, so that no door takes what another needs."""

import resource
from collections.abc import Mapping

_OTHER_FILES = 256
"""The files that a process opens beside the connections of its doors: databases, bus, logs, keys."""


def share(connections: Mapping[str, int]) -> dict[str, int]:
    """Returns how many connections each door may have. `connections` is what each wants.

    Raises the process's limit of open files to hold them; where the system allows fewer, each door gets its part.
    """
    wanted = sum(connections.values())
    room = _raised(wanted + _OTHER_FILES) - _OTHER_FILES
    if room >= wanted:
        return dict(connections)
    return {door: max(1, most * room // wanted) for door, most in connections.items()}


def _raised(needed: int) -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
