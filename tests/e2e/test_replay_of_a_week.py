"""A tenth of the week of July 2005: every claim is held once or explained, whatever fails."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cms_local.replay.population import WEEK
from tests.support.platforms import free_base

pytestmark = pytest.mark.xdist_group("replay")

CLAIMS = sum(WEEK.values())
LIMIT_SECONDS = 240


def replay(*arguments: str, seconds: float) -> list[dict[str, Any]]:
    """The lines of JSON of a run, one for each seed."""
    command = ["cms", "replay-week", "--json", *arguments]
    environment = {**os.environ, "CMS_PORT_BASE": str(free_base())}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr[-4000:]}"
    return [json.loads(line) for line in ended.stdout.splitlines()]


def assert_every_claim_is_held_or_explained(week: dict[str, Any], *, claims: int) -> None:
    assert week["claims"] == claims
    assert week["accepted"] + week["rejected"] + week["clerical"] == claims
    assert (week["lost"], week["duplicates"], week["half_transfers"], week["unexplained"], week["waiting"]) == (0,) * 5


def test_a_tenth_of_the_week_ends_with_every_claim_held_or_explained(tmp_path: Path) -> None:
    picture = tmp_path / "week.png"
    tenth = CLAIMS // 10

    [week] = replay("--claims", str(tenth), "--day-seconds", "12", "--picture", str(picture), seconds=600)

    assert_every_claim_is_held_or_explained(week, claims=tenth)
    assert set(week["systems"]) == {"ISCS", "JSAPS", "PSCS"}
    assert week["attempts"] > week["failed_attempts"] > tenth
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_the_whole_week_ends_with_every_claim_held_or_explained() -> None:
    [week] = replay(seconds=1800)

    assert_every_claim_is_held_or_explained(week, claims=CLAIMS)
    assert week["seconds"] < LIMIT_SECONDS
