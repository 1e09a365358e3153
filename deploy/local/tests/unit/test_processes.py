"""A process is recognised by its pid and start time, and many threads can stop processes at once."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.testing import eventually
from cms_local import processes
from cms_local.processes import Running

SLEEPER = "import time; time.sleep(60)"


def start(name: str, program: str = SLEEPER) -> Running:
    process = subprocess.Popen([sys.executable, "-c", program])
    processes.adopt(process)
    return processes.identify(name, process.pid)


def test_many_threads_stop_many_processes() -> None:
    running = [start(f"sleeper-{number}") for number in range(12)]

    with ThreadPoolExecutor(12) as pool:
        ended = list(pool.map(processes.stop, running))

    assert ended == [True] * 12
    assert not any(processes.is_alive(one) for one in running)


def test_a_later_process_with_the_same_pid_is_left_alone() -> None:
    here = processes.identify("this test", os.getpid())

    stopped = processes.stop(Running(name="earlier", pid=here.pid, born="1"), number=signal.SIGKILL)

    assert stopped
    assert processes.is_alive(here)


def test_a_process_that_has_ended_is_not_alive() -> None:
    running = start("sleeper")

    processes.stop(running, number=signal.SIGKILL)

    assert not processes.is_alive(running)


def test_a_childs_exit_status_is_known_once_it_has_ended() -> None:
    killed, exited = start("sleeper"), start("exiting", "import sys; sys.exit(86)")
    assert processes.exit_status(killed) is None

    processes.stop(killed, number=signal.SIGKILL)
    eventually(lambda: processes.exit_status(exited) is not None)

    assert processes.exit_status(exited) == 86
    assert processes.exit_status(killed) == -signal.SIGKILL


def test_a_stopped_child_is_reaped() -> None:
    running = start("sleeper")

    processes.stop(running, number=signal.SIGKILL)

    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)
