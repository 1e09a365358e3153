"""Starts processes apart from the terminal, and ends them only while their pid is still theirs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_KILL_AFTER_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A process that was started. `born` is the kernel's start time, which tells it from a later one of the same pid."""

    name: str
    pid: int
    born: str


def is_alive(running: Running) -> bool:
    """Whether it still runs; a zombie does not count."""
    state = _stat(running.pid)
    return state is not None and state[0] != "Z" and state[1] == running.born


def _stat(pid: int) -> tuple[str, str] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], fields[19]


def identify(name: str, pid: int) -> Running:
    """Describes the process so that it can be recognised. Raises ProcessLookupError where there is none."""
    state = _stat(pid)
    if state is None:
        raise ProcessLookupError(pid)
    return Running(name=name, pid=pid, born=state[1])


def start_module(name: str, module: str, *, environment: Mapping[str, str], log: Path) -> Running:
    """Starts `python -m module` with its output appended to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    adopt(process)
    return identify(name, process.pid)


_reaping = threading.Lock()
_children: list[subprocess.Popen[bytes]] = []
"""The children of this process, kept so that those that end are reaped."""
_statuses: dict[int, int] = {}


def adopt(process: "subprocess.Popen[bytes]") -> None:
    """Keeps a child, so that it is reaped when it ends."""
    with _reaping:
        _children.append(process)


def stop(running: Running, *, number: int = signal.SIGTERM) -> bool:
    """Ends the process and waits, after fifteen seconds by SIGKILL. Returns whether it ended without that."""
    if not is_alive(running):
        return True
    os.kill(running.pid, number)
    if _gone(running, _KILL_AFTER_SECONDS):
        return True
    os.kill(running.pid, signal.SIGKILL)
    _gone(running, _KILL_AFTER_SECONDS)
    return False


def _gone(running: Running, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_alive(running):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
        reap()
    # A child that has ended keeps its pid until it is reaped, and PostgreSQL takes that for a server that still runs.
    reap()
    return True


def reap() -> None:
    """Reaps children that have ended. Several threads may call it."""
    with _reaping:
        _statuses.update({child.pid: child.returncode for child in _children if child.poll() is not None})
        _children[:] = [child for child in _children if child.returncode is None]


def exit_status(running: Running) -> int | None:
    """The exit status of a child of this process, negative for a signal's number; None while it runs or where unknown."""
    reap()
    return None if is_alive(running) else _statuses.get(running.pid)
