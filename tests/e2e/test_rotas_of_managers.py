"""The managers' rotas come through the door: those of the rota system, and those that a manager writes down."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis import clock
from chassis.clock import LONDON
from cms_local import keys
from tests.support.platforms import PlatformUnderTest
from tests.support.rotas import STAFFED

pytestmark = pytest.mark.xdist_group("platform")

CMS = Path(sys.executable).parent / "cms"
SHEFFIELD, ASSESSOR = "600171", "ASH01701"
"""An office that is on the list and has no rotas of its own here."""


def slots(platform: PlatformUnderTest, **search: Any) -> list[dict[str, Any]]:
    token = keys.issue(platform.layout.keys(""), "OPERATOR", subject="OP000001")
    found: list[dict[str, Any]] = platform.doors.call("scheduling-svc", "FindSlots", search, token=token)["slots"]
    return found


def test_every_staffed_office_has_its_rotas_when_the_platform_is_ready(platform_under_test: PlatformUnderTest) -> None:
    address = f"http://127.0.0.1:{platform_under_test.layout.control_port('rotas')}"

    published = httpx.get(f"{address}/ledger").json()["assessors"]

    assert httpx.get(f"{address}/readyz").status_code == 200
    assert len(published) == 6 * len(STAFFED)
    assert {len(weeks) for weeks in published.values()} == {5}
    assert all(slots(platform_under_test, officeCode=code) for code in STAFFED)


def test_a_claimant_is_sent_to_the_nearest_office_where_somebody_works(platform_under_test: PlatformUnderTest) -> None:
    in_sheffield = slots(platform_under_test, postcode="S1 2GF", pageSize=100)
    in_shetland = slots(platform_under_test, postcode="ZE1 0DQ", pageSize=1)

    assert {slot["office"]["name"] for slot in in_sheffield} <= {"Leeds", "Sheffield", "Manchester"}
    assert in_shetland[0]["office"]["name"] == "Inverness"


def test_a_manager_publishes_a_rota_from_a_file(platform_under_test: PlatformUnderTest, tmp_path: Path) -> None:
    today = clock.today()
    tuesday = today + timedelta(days=8 - today.weekday())
    file = tmp_path / "rota.csv"
    file.write_text(
        "assessor_id,office_code,day,start,end,channel,skills,emergency_slots\n"
        f"{ASSESSOR},{SHEFFIELD},{tuesday},09:00,11:15,TELEPHONE,,1\n"
    )

    done = run(platform_under_test, "rotas", "publish", str(file), "--json")
    found = slots(platform_under_test, officeCode=SHEFFIELD, channel="CHANNEL_TELEPHONE")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["assessor_id"] == ASSESSOR
    nine = datetime.combine(tuesday, time(9), tzinfo=LONDON).astimezone(UTC)
    assert [slot["slotId"] for slot in found] == [
        f"{ASSESSOR}-{nine + number * timedelta(minutes=45):%Y%m%dT%H%MZ}" for number in range(2)
    ]


@pytest.mark.long
def test_a_region_is_planned_from_its_load_and_the_rotas_of_a_file(
    platform_under_test: PlatformUnderTest, tmp_path: Path
) -> None:
    monday = clock.today() + timedelta(days=7 - clock.today().weekday())
    rotas, plan = tmp_path / "rotas.csv", tmp_path / "plan.csv"
    rotas.write_text(
        "assessor_id,office_code,day,start,end,channel,skills\n"
        f"{ASSESSOR},{SHEFFIELD},{monday + timedelta(days=1)},09:00,12:00,OFFICE,\n"
    )

    region = ["600021,600171", "--rotas", str(rotas), "--seconds", "1", "--file", str(plan)]
    done = run(platform_under_test, "schedule", "plan", *region, "--json")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["week"], answer["offices"]) == (str(monday), ["600021", SHEFFIELD])
    assert answer["breaches_after"] <= answer["breaches_before"]
    assert plan.exists() == bool(answer["moves"])


def test_a_rota_that_is_refused_is_told_with_its_field(platform_under_test: PlatformUnderTest, tmp_path: Path) -> None:
    file = tmp_path / "rota.csv"
    file.write_text(
        "assessor_id,office_code,day,start,end,channel,skills\n"
        f"{ASSESSOR},{SHEFFIELD},2001-01-01,09:00,10:30,TELEPHONE,\n"
    )

    done = run(platform_under_test, "rotas", "publish", str(file))

    assert done.returncode == 1
    assert "shifts[0].end" in done.stderr


def run(platform: PlatformUnderTest, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "CMS_PORT_BASE": str(platform.layout.base)}
    return subprocess.run([CMS, *arguments], env=environment, capture_output=True, text=True, check=False)
