"""The contract builds by buf's own command in a fresh clone after `make setup`, as README says."""

import shutil
import subprocess
import sys
from pathlib import Path

from cms_local.layout import ROOT

PREPARES = "python proto/generate.py --for-buf"


def test_buf_builds_the_contract_once_setup_has_run(tmp_path: Path) -> None:
    assert f"@{PREPARES}\n" in (ROOT / "Makefile").read_text(), "`make setup` does not prepare it"
    shutil.copytree(ROOT / "proto", tmp_path / "proto", ignore=shutil.ignore_patterns(".build", "gen"))
    subprocess.run([sys.executable, *PREPARES.split()[1:]], cwd=tmp_path, check=True, timeout=30)

    image = tmp_path / "contract.binpb"
    done = subprocess.run(
        ["buf", "build", "-o", image], cwd=tmp_path / "proto", capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert b"cms.intake.v1" in image.read_bytes()
