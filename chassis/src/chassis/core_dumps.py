"""A process leaves no image of its memory behind: keys and answers in clear text are in it."""

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4
"""Linux, `prctl(2)`."""


def forbid() -> None:
    """Ends core dumps of this process, and keeps other processes of its user from reading its memory. Raises OSError.

    A core's size bounds files alone: where the system pipes cores to a program, only a process that is not dumpable writes
    none. Children keep the bound of the size; a program that is started is dumpable again until it calls this too.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    system = ctypes.CDLL(None, use_errno=True)
    if system.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
