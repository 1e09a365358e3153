"""`make bench` measures what it says, and the platform holds what it acknowledged meanwhile."""

import json
import os
import subprocess
import sys

import pytest

from cms_local.layout import ROOT, SERVICES
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")
FIGURES = {
    *("claims_per_second", "saves_per_second", "p99_ms", "transactions_per_claim"),
    *("seconds_measured", "acknowledged", "time_scale"),
}


def test_bench_ends_with_a_line_of_its_figures(platform_under_test: PlatformUnderTest) -> None:
    environment = {**os.environ, "CMS_PORT_BASE": str(platform_under_test.layout.base)}
    command = [sys.executable, "-m", "tests.load", "--seconds", "0.5", "--claims-seconds", "12"]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    memory = figures.pop("rss_mb")
    assert set(SERVICES) <= set(memory)
    assert (figures.pop("lost"), figures.pop("duplicates")) == (0, 0)
    doors = figures.pop("doors")
    assert set(doors) == {
        f"{what}_{door}" for what in ("record_answers", "get_claim", "bare") for door in ("grpc", "http")
    }
    assert all(number > 0 for rate in doors.values() for number in rate.values())
    assert set(figures) == FIGURES
    assert all(type(number) in (int, float) and number > 0 for number in [*figures.values(), *memory.values()])
    assert figures["seconds_measured"] == pytest.approx(12, abs=2)
    assert figures["acknowledged"] >= figures["claims_per_second"]
