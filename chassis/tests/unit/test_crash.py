"""A process dies at the point that its environment names, and at no other."""

import os
import subprocess
import sys

import pytest

from chassis import crash

PASS_TWO_POINTS = """
import atexit
from chassis import crash
atexit.register(print, "cleaned up")
crash.point("first")
print("between", flush=True)
crash.point("second")
print("behind")
"""


def pass_two_points(**environment: str) -> tuple[int, list[str]]:
    rest = {name: value for name, value in os.environ.items() if name != "CRASH_AT"}
    done = subprocess.run(
        [sys.executable, "-c", PASS_TWO_POINTS], env=rest | environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("name", ["second", "first"])
def test_a_process_dies_at_its_crash_point_without_cleaning_up(name: str) -> None:
    assert pass_two_points(CRASH_AT=name) == (crash.EXIT_CODE, {"first": [], "second": ["between"]}[name])


@pytest.mark.parametrize("environment", [{}, {"CRASH_AT": "elsewhere"}, {"CRASH_AT": ""}])
def test_a_process_passes_every_other_crash_point(environment: dict[str, str]) -> None:
    assert pass_two_points(**environment) == (0, ["between", "behind", "cleaned up"])
