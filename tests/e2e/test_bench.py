"""The bench measures what it tells, and what was acknowledged while it measured is held."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cms_local.layout import SERVICES
from cms_local.testing import PlatformUnderTest

CMS = Path(sys.executable).parent / "cms"
pytestmark = pytest.mark.xdist_group("platform")


def test_the_bench_ends_with_a_line_of_what_it_measured(platform_under_test: PlatformUnderTest) -> None:
    environment = {**os.environ, "CMS_PORT_BASE": str(platform_under_test.layout.base)}

    done = subprocess.run(
        [CMS, "bench", "--seconds", "2"], env=environment, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    memory = told.pop("rss_mb")
    assert set(SERVICES) <= set(memory)
    assert (told.pop("lost"), told.pop("duplicates")) == (0, 0)
    measured = {"ratio", "claims_per_second", "events_ratio", "p99_ms", "seconds_measured", "acknowledged"}
    assert measured <= set(told)
    assert all(type(number) in (int, float) and number > 0 for number in [*told.values(), *memory.values()])
    assert told["seconds_measured"] == 12
    assert told["acknowledged"] >= told["claims_per_second"]
