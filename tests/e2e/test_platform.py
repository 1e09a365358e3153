"""The platform as its operators meet it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cms_local import audit, demo, platform, processes
from cms_local.absence import INTERVIEWS
from cms_local.cases import load_cases
from cms_local.commands.demo import DEMO_DAY
from cms_local.journey import Journey
from cms_local.layout import ROOT, SERVICES, Layout
from tests.support.platforms import TIME_SCALE, PlatformUnderTest, free_base

CMS = Path(sys.executable).parent / "cms"
shared = pytest.mark.xdist_group("platform")
alone = pytest.mark.xdist_group("own-platform")


@shared
def test_the_metrics_served_are_the_metrics_documented(platform_under_test: PlatformUnderTest) -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))

    served: set[str] = set()
    for service in SERVICES:
        port = platform_under_test.layout.operations_port(service)
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        served |= {name for name in re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE) if not name.endswith("_created")}

    assert served == documented


@pytest.fixture
def layout() -> Iterator[Layout]:
    """The place of a platform of its own, stopped and removed at the end."""
    chosen = Layout(free_base())
    yield chosen
    platform.stop_present(chosen)
    platform.remove(chosen)


@alone
def test_the_demo_carries_claims_of_every_scheme_in_july_2005(layout: Layout) -> None:
    environment = {**os.environ, "CMS_PORT_BASE": str(layout.base)}

    done = subprocess.run([CMS, "demo"], env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    assert (
        counts["claims"] == counts["confirmed"] + counts["withdrawn"] == len(load_cases(DEMO_DAY.date())) + INTERVIEWS
    )
    assert counts["absence"] == {"moved": INTERVIEWS, "not_moved": 0}
    assert counts["accepted"] == counts["payable"] == counts["confirmed"]
    assert counts["systems"].keys() == {"ISCS", "JSAPS", "PSCS", "SFCS", "CMS_COTS"}
    assert all(counts["systems"].values())
    assert counts["waiting"] == 0
    assert counts["notices_loaded"] == counts["notices_expected"] > 0
    assert (counts["half_transfers"], counts["lost"], counts["duplicates"], counts["late"]) == (0, 0, 0, 0)


def carry_claim(running: platform.Platform) -> Journey:
    with demo.doors_of(running.layout) as doors:
        claim = PlatformUnderTest(running=running, doors=doors).journey("lodger")
        claim.take_call()
        claim.assess()
        claim.wait_for_outcome()
    return claim


def holds(layout: Layout, claim: Journey) -> bool:
    """Whether the services of this platform answer that the claim is accepted and its notice loaded."""
    with demo.doors_of(layout) as claim.doors:
        return claim.is_accepted() and claim.is_loaded()


@contextmanager
def up(layout: Layout) -> Iterator["subprocess.Popen[bytes]"]:
    """`cms up` in this place, once it says that the platform is ready. Killed where it has not ended within the block."""
    environment = {**os.environ, "CMS_PORT_BASE": str(layout.base)}
    command: list[str | Path] = [CMS, "up", "--time-scale", f"{TIME_SCALE:g}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        shown_until_ready(process)
        yield process
    finally:
        process.kill()
        process.wait()


def shown_until_ready(up: "subprocess.Popen[bytes]") -> None:
    assert up.stdout is not None
    shown = b""
    while b"Ready" not in shown:
        line = up.stdout.readline()
        assert line, shown
        shown += line


def end_by_ctrl_c(up: "subprocess.Popen[bytes]") -> None:
    up.send_signal(signal.SIGINT)
    rest, _ = up.communicate(timeout=60)
    assert up.returncode == 0, rest


@shared
def test_two_platforms_run_side_by_side_and_one_stops_whole_on_ctrl_c_and_keeps_its_data(
    platform_under_test: PlatformUnderTest, layout: Layout
) -> None:
    with up(layout) as process:
        first = platform.Platform.read(layout)
        assert first is not None
        assert all(processes.is_alive(running) for running in first.running.values())
        claim = carry_claim(first)
        platform_under_test.journey("lodger").take_call()
        elsewhere = audit.Ledgers.read(platform_under_test.layout, platform_under_test.doors.client)

        end_by_ctrl_c(process)

    assert claim.claim_ref not in elsewhere.claim_refs
    assert not first.anything_alive()
    second = platform.start(layout, lambda _: None, time_scale=TIME_SCALE)
    assert holds(layout, claim)
    findings = audit.audit(layout)
    assert findings.sound
    assert (findings.claims, findings.confirmed, findings.accepted, findings.late) == (1, 1, 1, 0)
    second.stop_all()
    assert not second.anything_alive()
