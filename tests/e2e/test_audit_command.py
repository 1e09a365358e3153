"""The exit status of `cms audit` tells a wrong claim, an unreadable ledger and an empty platform apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platforms import PlatformUnderTest, free_base

CMS = Path(sys.executable).parent / "cms"
pytestmark = pytest.mark.xdist_group("platform")


def audit_at(base: int | None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "CMS_PORT_BASE": str(base)}
    return subprocess.run([CMS, "audit"], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_audit_without_a_platform_exits_with_2() -> None:
    done = audit_at(free_base())

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cms: no platform runs here: start it with `cms up`\n"


def test_audit_of_a_platform_without_claims_exits_with_2(platform_under_test: PlatformUnderTest) -> None:
    file = platform_under_test.layout.acknowledged_file
    aside = file.with_suffix(".aside")
    file.touch()
    file.rename(aside)
    try:
        done = audit_at(platform_under_test.layout.base)
    finally:
        aside.rename(file)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cms: there is nothing to audit: no claim was acknowledged here\n"


def test_audit_names_a_ledger_that_it_cannot_read_in_one_line_and_exits_with_3(
    platform_under_test: PlatformUnderTest,
) -> None:
    platform_under_test.running.stop("councils")
    try:
        done = audit_at(platform_under_test.layout.base)
    finally:
        platform_under_test.running.start("councils")
        platform_under_test.running.wait_until_ready(names=("councils",))

    port = platform_under_test.layout.control_port("councils")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"cms: the ledger of the councils cannot be read at http://127.0.0.1:{port}/ledger: ")
    assert done.stderr.count("\n") == 1
