"""Brings docker-compose.yml up for real, carries claims through the containers, and checks the images."""

import re
from collections.abc import Iterator

import httpx
import pytest

from chassis.testing import eventually
from cms_local.demo import doors_of, run_demo
from cms_local.journey import Journey
from cms_local.layout import ROOT, SERVICES, STAND_INS
from cms_local.platform import Platform
from tests.support.engine import LAYOUT, TIME_SCALE, Engine
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.compose
READ_ONLY = "import os; print(bool(os.statvfs('/').f_flag & os.ST_RDONLY))"
IMAGES = [f"cms3/{name}" for name in (*SERVICES, "simulators", "prepare")]


def all_are_ready() -> bool:
    try:
        answers = [httpx.get(f"http://127.0.0.1:{LAYOUT.operations_port(name)}/readyz") for name in SERVICES]
    except httpx.TransportError:
        return False
    return all(answer.status_code == httpx.codes.OK and answer.json()["status"] == "ready" for answer in answers)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    found = Engine.find()
    found.compose("down", "-v", check=False)
    found.compose("up", "-d", "--build")
    try:
        eventually(all_are_ready, seconds=180, what="the containers' readiness")
        found.fetch_keys()
        yield found
    finally:
        print(found.compose("logs", "--tail", "5", check=False)[-8000:])
        found.compose("down", "-v", check=False)
        LAYOUT.acknowledged_file.unlink(missing_ok=True)


def test_demo_carries_every_claim_through_the_containers(engine: Engine) -> None:
    outcome = run_demo(LAYOUT, print)

    assert outcome.failures == {}
    assert outcome.good, outcome.findings


def test_claims_come_through_when_a_container_is_killed_on_their_way(engine: Engine) -> None:
    said: list[Journey] = []
    with doors_of(LAYOUT) as doors:
        platform = PlatformUnderTest(running=Platform(layout=LAYOUT, time_scale=float(TIME_SCALE)), doors=doors)
        for victim in ("legacy-gateway", "intake-svc"):
            journey = platform.journey("couple with two children, private tenant")
            said.append(journey)
            journey.take_call()
            engine.compose("kill", victim)
            engine.compose("start", victim)
            journey.assess()
            journey.wait_for_outcome()

        findings = platform.settled_audit(*said)

    assert (findings.accepted, findings.lost, findings.duplicates, findings.half_transfers) == (2, 0, 0, 0)


def test_the_documented_command_prints_a_token_that_services_take(engine: Engine) -> None:
    [command] = re.findall(r"^docker compose (run .* cms token) ", (ROOT / "README.md").read_text(), re.MULTILINE)
    token = engine.compose(*command.split(), "--role", "SUPPORT").strip()

    answer = httpx.post(
        f"http://127.0.0.1:{LAYOUT.http_port('la-notifier')}/cms.notifier.v1.LaNotifierService/FindAuthority",
        headers={"Authorization": f"Bearer {token}"},
        json={"postcode": "LS1 3AB"},
    )

    assert answer.status_code == httpx.codes.OK, answer.text


@pytest.mark.parametrize("service", [*SERVICES, *STAND_INS])
def test_a_container_runs_without_privileges_on_a_read_only_root(engine: Engine, service: str) -> None:
    assert engine.compose("exec", "-T", service, "id", "-u").strip() == "10001"
    # Whether it may write is no answer: it is nobody in particular, and may write next to nothing anyway.
    mounted = engine.compose("exec", "-T", service, "python3", "-c", READ_ONLY)
    assert mounted.strip() == "True"


@pytest.mark.parametrize("image", IMAGES)
def test_images_hold_no_secret(engine: Engine, image: str) -> None:
    found = engine.containers(
        *("run", "--rm", "--entrypoint", "sh", image, "-c"),
        "find / -xdev \\( -name '*.token' -o -name 'keyring*.json' -o -name 'issuer.pem' -o -name '.run' \\) 2>/dev/null;"
        " grep -rlE 'BEGIN (EC |RSA )?PRIVATE KEY' /app --include='*.pem' --include='*.json' --include='*.env' || true",
    )
    history = engine.containers("history", "--no-trunc", image)

    assert found.strip() == ""
    assert not re.search(r"PASSWORD|SECRET|PRIVATE KEY", history)
    size = int(engine.containers("image", "inspect", "--format", "{{.Size}}", image).strip())
    base = int(engine.containers("image", "inspect", "--format", "{{.Size}}", "python:3.11-slim-bookworm").strip())
    print(f"{image}: {size / 1e6:.0f} MB, of which the base image is {base / 1e6:.0f} MB")


def test_prometheus_scrapes_every_service(engine: Engine) -> None:
    def up() -> list[str]:
        answer = httpx.get("http://127.0.0.1:9090/api/v1/targets").json()
        return sorted(
            target["labels"]["instance"] for target in answer["data"]["activeTargets"] if target["health"] == "up"
        )

    expected = sorted(f"{name}:{LAYOUT.operations_port(name)}" for name in SERVICES)
    eventually(lambda: up() == expected, seconds=60, what="all targets up")


def test_containers_use_the_time_scale_of_the_test(engine: Engine) -> None:
    logged = engine.compose("logs", "legacy-gateway")

    assert f'"time_scale": {TIME_SCALE}' in logged
