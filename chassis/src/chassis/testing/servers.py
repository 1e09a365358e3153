"""The PostgreSQL and the bus of a test run. The first test that asks starts them, once for all workers."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chassis import embedded
from chassis.bus import Bus

FOLDER = "CMS_TEST_FOLDER"
"""The variable of the environment that names the run's folder."""
_started: list[embedded.Postgres | embedded.Valkey] = []
"""Kept, so that the servers outlive the fixture that started them."""


def pytest_configure(config: pytest.Config) -> None:
    """Makes the run's folder; workers find it by the environment."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="cms3-tests-", dir="/var/tmp"))
        folder.chmod(0o755)
        os.environ[FOLDER] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the servers that the run started, and removes its folder. A worker leaves its own to the others, and to this."""
    if hasattr(config, "workerinput"):
        for server in _started:
            server.process.returncode = 0  # else Python warns of a child that outlives its parent
        return
    folder = Path(os.environ.pop(FOLDER))
    state = folder / "state.json"
    if state.exists():
        for pid in json.loads(state.read_text())["pids"]:
            _end(pid)
    shutil.rmtree(folder)


def _end(pid: int) -> None:
    # SIGINT is PostgreSQL's fast shutdown; the bus ends on it as well.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        eventually(lambda: not Path(f"/proc/{pid}").exists(), seconds=20, what=f"the end of process {pid}")


def eventually(condition: Callable[[], Any], *, seconds: float = 10.0, what: str = "the condition") -> Any:
    """Waits until `condition` returns something true, and returns that. AssertionError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come within {seconds:g} seconds")
        time.sleep(0.02)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock against the run's other workers."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The PostgreSQL (its superuser, without a database name) and the bus of a test run."""

    folder: Path
    postgres_url: str
    bus_url: str


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The run's servers; started by whoever asks first."""
    folder = Path(os.environ[FOLDER])
    state = folder / "state.json"
    with locked(folder):
        if not state.exists():
            state.write_text(json.dumps(_start(folder)))
    found = json.loads(state.read_text())
    return Servers(folder=folder, postgres_url=found["postgres_url"], bus_url=found["bus_url"])


def _start(folder: Path) -> dict[str, Any]:
    postgres = embedded.start_postgres(
        folder / "postgres", port=free_port(), open_folder=folder / "open", durable=False
    )
    valkey = embedded.start_valkey(folder / "bus", port=free_port(), durable=False)
    _started.extend([postgres, valkey])
    return {"postgres_url": postgres.url, "bus_url": valkey.url, "pids": [postgres.pid, valkey.pid]}


@pytest.fixture
def bus_prefix() -> str:
    """A prefix on the bus that no other test uses."""
    return f"{uuid.uuid4().hex}:"


@pytest.fixture
def bus(servers: Servers, bus_prefix: str) -> Iterator[Bus]:
    """The bus, below the test's prefix."""
    opened = Bus(servers.bus_url, prefix=bus_prefix)
    yield opened
    opened.close()
