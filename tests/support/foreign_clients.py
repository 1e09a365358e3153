"""The client packages of clients/, built once for all tests that run their examples."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cms_local.layout import ROOT, Layout

TYPESCRIPT = ROOT / "clients" / "typescript"
PYTHON_EXAMPLE = ROOT / "clients" / "python" / "examples" / "take_claim.py"
SERVICES = {
    "intake": "intake-svc",
    "scheduling": "scheduling-svc",
    "assessment": "assessment-svc",
    "gateway": "legacy-gateway",
    "notifier": "la-notifier",
}
"""The clients' names of the services."""
_NPM_SECONDS = 180


@pytest.fixture(scope="session")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of clients/typescript, installed by its lock file, generated, type-checked, and its examples bundled."""
    folder = tmp_path_factory.mktemp("typescript")
    made = shutil.ignore_patterns("node_modules", "gen", "dist", "build", "*.tgz")
    shutil.copytree(TYPESCRIPT, folder, dirs_exist_ok=True, ignore=made)
    npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    for script in ("generate", "check", "bundle"):
        npm(folder, "run", "--silent", script)
    return folder


def npm(folder: Path, *command: str) -> None:
    """Runs npm in a copy of clients/typescript. AssertionError with what it said where it fails."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"CMS_PROTO": str(ROOT / "proto"), "PATH": path}
    done = subprocess.run(
        ["npm", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_NPM_SECONDS,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-1500:]} {done.stderr[-1500:]}"


def run_script(*command: str | Path, given: Mapping[str, Any]) -> Any:
    """Runs a program that reads JSON, and returns what it prints."""
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def http_addresses(layout: Layout) -> dict[str, str]:
    """The HTTP doors, by the clients' names."""
    return {name: f"http://127.0.0.1:{layout.http_port(service)}" for name, service in SERVICES.items()}


def grpc_addresses(layout: Layout, scheme: str = "") -> dict[str, str]:
    """The gRPC doors, by the clients' names."""
    return {name: f"{scheme}127.0.0.1:{layout.grpc_port(service)}" for name, service in SERVICES.items()}
