"""The platform as its operators meet it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cms_local import audit, demo, platform, processes
from cms_local.layout import ROOT, SERVICES, Layout
from tests.support.platforms import TIME_SCALE, PlatformUnderTest, free_base

CMS = Path(sys.executable).parent / "cms"
pytestmark = pytest.mark.xdist_group("platform")


def test_demo_carries_every_claim_through(platform_under_test: PlatformUnderTest) -> None:
    environment = {**os.environ, "CMS_PORT_BASE": str(platform_under_test.layout.base)}

    done = subprocess.run([CMS, "demo"], env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["claims"] >= 20
    assert counts["accepted"] == counts["claims"]
    assert counts["notices_loaded"] == counts["notices_expected"] > 0
    assert (counts["half_transfers"], counts["lost"], counts["duplicates"], counts["late"]) == (0, 0, 0, 0)


def test_the_metrics_served_are_the_metrics_documented(platform_under_test: PlatformUnderTest) -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))

    served: set[str] = set()
    for service in SERVICES:
        port = platform_under_test.layout.http_port(service)
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        served |= {name for name in re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE) if not name.endswith("_created")}

    assert served == documented


def test_two_platforms_run_side_by_side_and_keep_their_data_over_a_restart(
    platform_under_test: PlatformUnderTest,
) -> None:
    layout = Layout(free_base())
    try:
        first = platform.start(layout, lambda _: None, time_scale=TIME_SCALE)
        with demo.doors_of(layout) as doors:
            claim = PlatformUnderTest(running=first, doors=doors).journey("lodger")
            claim.take_call()
            claim.assess()
            claim.wait_for_outcome()
        beside = platform_under_test.journey("lodger")
        beside.take_call()
        elsewhere = audit.Ledgers.read(platform_under_test.layout, platform_under_test.doors.client)
        assert claim.claim_ref not in elsewhere.claim_refs
        first.stop_all()
        assert not first.anything_alive()

        second = platform.start(layout, lambda _: None, time_scale=TIME_SCALE)
        with demo.doors_of(layout) as doors:
            claim.doors = doors
            assert claim.is_accepted()
            assert claim.is_loaded()
        assert audit.audit(layout).counts() | {"notices_expected": 1} == {
            **dict.fromkeys(("claims", "confirmed", "accepted", "notices_expected", "notices_loaded"), 1),
            **dict.fromkeys(("half_transfers", "lost", "duplicates", "late"), 0),
        }
        second.stop_all()
        assert not second.anything_alive()
    finally:
        platform.stop_present(layout)
        platform.remove(layout)


def test_the_platform_stops_whole_on_ctrl_c() -> None:
    base = free_base()
    layout = Layout(base)
    up = subprocess.Popen(
        [CMS, "up"], env={**os.environ, "CMS_PORT_BASE": str(base)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert up.stdout is not None
        shown = b""
        while b"Ready" not in shown:
            line = up.stdout.readline()
            assert line, shown
            shown += line
        found = platform.Platform.read(layout)
        assert found is not None
        assert all(processes.is_alive(running) for running in found.running.values())

        up.send_signal(signal.SIGINT)
        rest, _ = up.communicate(timeout=60)

        assert up.returncode == 0, rest
        assert not found.anything_alive()
    finally:
        up.kill()
        up.wait()
        platform.stop_present(layout)
        platform.remove(layout)
