"""The counts of the telephone switch reach the service manager, and a correction takes their place."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis import clock
from chassis.testing import eventually
from cms_local import staffing
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("platform")

CMS = Path(sys.executable).parent / "cms"


def test_the_switchs_counts_and_corrections_reach_the_service_manager(platform_under_test: PlatformUnderTest) -> None:
    layout = platform_under_test.layout
    now = clock.now()
    start = now - timedelta(hours=26, seconds=now.timestamp() % 900)
    given = {"start": start.isoformat(), "offered": 77, "answered": 70, "abandoned": 7, "answered_within_target": 60}

    def counted() -> Any:
        parts = staffing.ask(layout, since=start, until=start + timedelta(minutes=15)).lines["quarterHours"]
        return parts[0]["counts"] if parts else None

    eventually(lambda: counted() is not None, seconds=30, what="the report of the quarter")
    httpx.put(f"http://127.0.0.1:{layout.control_port('telephone-switch')}/quarter-hours", json=[given])
    eventually(lambda: counted()["offered"] == 77, seconds=30, what="the corrected report")

    day = f"{start.astimezone(clock.LONDON):%Y-%m-%d}"
    environment = {**os.environ, "CMS_PORT_BASE": str(layout.base)}
    done = subprocess.run(
        [CMS, "calls", "staffing", "--day", day, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    offered = {part["counts"]["offered"] for part in json.loads(done.stdout)["quarterHours"]}
    assert 77 in offered
