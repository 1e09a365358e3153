"""The stand-ins as processes: settings from the environment, JSON logs, and a clean stop by SIGTERM."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.clock import Clock
from simulators.record_link.link import Link
from simulators.sftp.testing import make_keys
from simulators.testing import CLAIM_REF, LinkClient, call, first_phase_values, good_notice, signature, transfer_id


@contextmanager
def running(module: str, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, Any]]]]:
    """The process and its log lines up to the one that says ready."""
    free_ports = {"CMS_SIM_PORT": "0", "CMS_SIM_CONTROL_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", module],
        env=os.environ | free_ports | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines: list[dict[str, Any]] = []
        while not (lines and lines[-1]["event"] == "ready"):
            lines.append(json.loads(process.stdout.readline()))
        try:
            yield process, lines
        finally:
            process.kill()


def stop(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=3)
    return process.returncode, [json.loads(line) for line in output.splitlines()]


def test_jsaps_stops_cleanly_with_connections_open(tmp_path: Path, copybooks: Path, link: Link) -> None:
    environment = {"CMS_SIM_DATA": str(tmp_path), "CMS_SIM_COPYBOOKS": str(copybooks), "CMS_TIME_SCALE": "0.5"}

    with running("simulators.jsaps", environment) as (process, lines), LinkClient(link, lines[-1]["port"]) as client:
        assert client.ask("ES504", transfer_id(1), first_phase_values(Clock().today())).completion == "A"
        status, rest = stop(process)

    assert lines[0]["time_scale"] == 0.5
    assert status == 0
    assert rest[-1]["event"] == "stopped"
    assert {line["system"] for line in lines + rest} == {"jsaps"}
    assert transfer_id(1) in str(rest)
    assert all(value not in str(rest) for value in ("BRIEN", "AB123456C", "HIGH ST", "87654321"))


def test_the_councils_stop_cleanly(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"E08000035": "00ff"}')
    keys = make_keys(tmp_path)
    environment = {
        "CMS_SIM_DATA": str(tmp_path),
        "CMS_SIM_SECRETS": str(secrets),
        "CMS_SIM_SFTP_PORT": "0",
        "CMS_SIM_HOST_KEY": str(keys["host_key"]),
        "CMS_SIM_AUTHORIZED_KEYS": str(keys["authorized_keys"]),
    }

    body = json.dumps(good_notice(Clock().today())).encode()
    headers = {"X-Signature": signature(bytes.fromhex("00ff"), body), "Idempotency-Key": "N-1:1"}

    with running("simulators.councils", environment) as (process, lines):
        assert call(lines[-1]["control_port"], "GET", "/readyz").status == 200
        path = "/E08000035/hb-notices"
        assert call(lines[-1]["port"], "POST", path, body=body, headers=headers).status == 202
        status, rest = stop(process)

    assert status == 0
    assert rest[-1]["event"] == "stopped"
    assert CLAIM_REF in str(rest)
    assert all(value not in str(rest) for value in ("Brien", "AB123456C", "High St"))


@pytest.mark.parametrize("module", ["simulators.jsaps", "simulators.councils"])
def test_a_missing_setting_is_named(module: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CMS_")}

    done = subprocess.run([sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "data: Field required" in done.stderr


def test_the_switch_stops_cleanly_while_intake_is_away(tmp_path: Path) -> None:
    token = tmp_path / "switch.token"
    token.write_text("secret-token")
    environment = {
        "CMS_SIM_DATA": str(tmp_path),
        "CMS_SIM_INTAKE_URL": "http://127.0.0.1:9",
        "CMS_SIM_TOKEN_FILE": str(token),
        "CMS_SIM_REPORT_SECONDS": "0.01",
    }

    with running("simulators.switch", environment) as (process, lines):
        assert call(lines[-1]["control_port"], "GET", "/readyz").status == 200
        status, rest = stop(process)

    assert status == 0
    assert rest[-1]["event"] == "stopped"
    assert "secret-token" not in str(lines + rest)
