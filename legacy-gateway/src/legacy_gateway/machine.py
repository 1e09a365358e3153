"""Processes of this machine: whether one that is named still exists.

A process that has ended has had its connections closed by its machine. Another machine's processes cannot be seen.
"""

import os
from pathlib import Path

from legacy_gateway.domain import ProcessName

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROCESS_IDS = Path("/proc/self/ns/pid")
_STATE, _THREADS, _STARTED = 0, 17, 19
"""Places in /proc/<pid>/stat behind the program's name."""


def this_process() -> ProcessName:
    """The process that asks."""
    stat = _stat(os.getpid())
    return ProcessName(machine=_machine(), pid=os.getpid(), started=stat[_STARTED] if stat else "")


def has_ended(process: ProcessName) -> bool:
    """Whether the process is known to have ended. False where it cannot be seen from here."""
    if not process.machine or process.machine != _machine():
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    stat = _stat(process.pid)
    return stat is not None and (stat[_STARTED] != process.started or _is_zombie(stat))


def _is_zombie(stat: list[str]) -> bool:
    """Whether it waits only for its parent to notice its end. While a thread of it is left, connections may be open."""
    return stat[_STATE] == "Z" and int(stat[_THREADS]) <= 1


def boot_id() -> str:
    """The boot of this machine; empty where that cannot be told."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""


def _machine() -> str:
    return f"{boot_id()} {_PROCESS_IDS.readlink()}" if boot_id() and _PROCESS_IDS.is_symlink() else ""


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
