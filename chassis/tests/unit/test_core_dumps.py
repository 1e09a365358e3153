import subprocess
import sys

PROGRAM = """
import ctypes, resource
from chassis import core_dumps
core_dumps.forbid()
print(*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
"""Prints both bounds of a core's size, and whether the process is dumpable."""


def test_a_process_that_forbids_core_dumps_leaves_none() -> None:
    printed = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["0", "0", "0"]
