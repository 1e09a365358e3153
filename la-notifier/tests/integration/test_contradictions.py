"""Authorities that speak of a later version which we never made: every notice ends LOADED or stands on the list of overdue."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock, deadlines
from chassis.database import Database
from chassis.runtime import Process
from chassis.testing import eventually
from cms.intake.v1 import events_pb2
from la_notifier.deadlines import DEADLINES

CLAIMS = [f"C01234567{number:02d}A" for number in range(10, 40)]
STUBBORN = CLAIMS[:2]
NEWEST = """
    SELECT DISTINCT ON (claim_ref) claim_ref, state FROM notices JOIN notice_versions USING (notice_id)
    ORDER BY claim_ref, version DESC
"""


@pytest.fixture
def thirty_claims(scene: Any, tenant: Any) -> None:
    """Thirty claims at first contact, of which two authorities contradict us for ever and others half of the time."""
    for claim_ref in STUBBORN:
        scene.order("conflict", claim_ref=claim_ref)
    scene.order("conflict", method="POST", rate=0.5, seed=1, count=40)
    scene.order("conflict", method="GET", rate=0.3, seed=2, count=20)
    for claim_ref in CLAIMS:
        scene.claims.keep(replace(tenant(), claim_ref=claim_ref))
        scene.publish(events_pb2.FirstContactRecorded(), claim_ref=claim_ref, version=3)


def test_all_notices_end_loaded_or_are_overdue_and_none_is_superseded_wrongly(
    *, thirty_claims: None, notifier: Process, scene: Any, database: Database, clock_file: Path
) -> None:
    others = [claim_ref for claim_ref in CLAIMS if claim_ref not in STUBBORN]
    eventually(lambda: loaded(scene) == others, seconds=40, what="the versions at first contact loaded")

    for claim_ref in CLAIMS:
        scene.claims.submit(claim_ref)
        scene.publish(events_pb2.ClaimSubmitted(), claim_ref=claim_ref, version=4)
    eventually(lambda: len(scene.rows("SELECT 1 FROM notice_versions")) == 2 * len(CLAIMS), seconds=20)
    eventually(lambda: loaded(scene) == others, seconds=40, what="the versions of the claims loaded")

    assert scene.fired()["conflict"] >= 10
    assert Counter(state for _, state in scene.rows(NEWEST)) == {"LOADED": len(others), "SENT": len(STUBBORN)}
    assert scene.ledger("")["duplicates"] == 0
    clock.advance(timedelta(hours=5))
    assert disputed(database) == STUBBORN


def loaded(scene: Any) -> list[str]:
    return [claim_ref for claim_ref, state in scene.rows(NEWEST) if state == "LOADED"]


def disputed(database: Database) -> list[str]:
    with database.transaction() as conn:
        overdue = deadlines.overdue(conn, DEADLINES)
    return sorted(late.reference for late in overdue if late.state == "DISPUTED")
