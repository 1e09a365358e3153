"""Whether a process of this machine has ended."""

import subprocess
import sys
from dataclasses import replace

import pytest

from chassis.testing import eventually
from legacy_gateway import machine
from legacy_gateway.domain import ProcessName


def named(pid: int) -> ProcessName:
    return replace(machine.this_process(), pid=pid, started="0")


def test_this_process_has_not_ended() -> None:
    assert machine.this_process().machine
    assert not machine.has_ended(machine.this_process())


def test_a_process_has_ended_when_its_number_is_free_or_another_process_has_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()

    assert machine.has_ended(named(ended.pid))
    assert machine.has_ended(replace(machine.this_process(), started="0"))


def test_a_process_that_only_waits_for_its_parent_has_ended() -> None:
    waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as child:
        named_alive = replace(machine.this_process(), pid=child.pid, started=_started(child.pid))
        assert not machine.has_ended(named_alive)

        child.kill()

        eventually(lambda: machine.has_ended(named_alive), what="the end of the child")


def _started(pid: int) -> str:
    stat = machine._stat(pid)
    assert stat is not None
    return stat[machine._STARTED]


@pytest.mark.parametrize("elsewhere", ["", "another boot pid:[1]"])
def test_a_process_of_another_machine_cannot_be_seen(elsewhere: str) -> None:
    assert not machine.has_ended(replace(named(2**22 + 1), machine=elsewhere))
