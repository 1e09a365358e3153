"""Every acknowledged appointment exists once, no assessor is in two places and no claimant has two, whatever dies."""

import os
import random
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.diary_siege import Acknowledged, DiarySiege, Entry, Row, faults_of
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("faults")

SERVICE = "scheduling-svc"
NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
SLOT = timedelta(minutes=45)
ROW = Row(appointment_id="1", claim_ref="C1", assessor_id="A1", start_time=NINE, end_time=NINE + SLOT, version=2)
ENTRY = Entry(appointment_id="1", assessor_id="A1", start_time=NINE, end_time=NINE + SLOT)
TOLD = Acknowledged(appointment_id="1", version=2, live=True)
LATER = replace(ROW, appointment_id="2", start_time=NINE + SLOT, end_time=NINE + 2 * SLOT)


def test_the_checker_finds_nothing_where_nothing_is_wrong() -> None:
    of_another = replace(LATER, claim_ref="C2")

    assert faults_of([ROW, of_another], [ENTRY], {"C1": TOLD}) == []
    assert faults_of([], [], {"C1": replace(TOLD, live=False)}) == []


@pytest.mark.parametrize(
    ("rows", "entries", "told", "fault"),
    [
        ([], [ENTRY], TOLD, "C1 has lost an appointment that was acknowledged"),
        ([replace(ROW, version=1)], [ENTRY], TOLD, "C1 has lost a change that was acknowledged"),
        ([ROW], [ENTRY], replace(TOLD, live=False), "C1 has an appointment that was cancelled"),
        ([ROW], [], TOLD, "C1 is not in the diary"),
        (
            [ROW],
            [replace(ENTRY, assessor_id="A2")],
            TOLD,
            "C1 is in the diary at another time or of another assessor",
        ),
        (
            [ROW, replace(LATER, claim_ref="C2", start_time=NINE + SLOT - timedelta(minutes=1))],
            [ENTRY],
            TOLD,
            "A1 is in two places: C1 and C2",
        ),
        (
            [ROW, LATER],
            [ENTRY, replace(ENTRY, appointment_id="2", end_time=NINE + 2 * SLOT)],
            TOLD,
            "C1 has 2 appointments",
        ),
    ],
)
def test_the_checker_finds_each_kind_of_fault(
    rows: list[Row], entries: list[Entry], told: Acknowledged, fault: str
) -> None:
    assert faults_of(rows, entries, {"C1": told}) == [fault]


def test_the_checker_finds_who_is_booked_while_nobody_is_there() -> None:
    [fault] = faults_of([ROW], [ENTRY], {"C1": TOLD}, unattended=["1"])

    assert fault == "1 is booked while nobody is there, and not listed"


def besiege(platform: PlatformUnderTest, *, seconds: float, victims: tuple[str, ...], pause: float) -> DiarySiege:
    """Prints the seed of the run. CMS_SEED repeats the plan of a run, though not its exact moments."""
    seed = int(os.environ.get("CMS_SEED", random.randrange(10**6)))
    source = random.Random(seed)
    siege = DiarySiege(platform=platform, seed=seed)
    siege.begin_claims(callers=4, each=6)
    kills = 0

    def attack() -> None:
        nonlocal kills
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            threading.Event().wait(source.uniform(pause / 2, pause))
            victim = source.choice(victims)
            platform.running.stop(victim, number=signal.SIGKILL)
            for name in victims:
                platform.running.start(name)
            # Otherwise a busy machine, on which a start takes long, would be killed again before anything was done.
            platform.running.wait_until_ready()
            kills += 1

    siege.act_while(attack)
    sys.stdout.write(f"seed {seed}, {kills} kills, {dict(siege.acts)}\n")
    return siege


def test_the_diary_stays_whole_while_its_service_is_killed(platform_under_test: PlatformUnderTest) -> None:
    siege = besiege(platform_under_test, seconds=6, victims=(SERVICE,), pause=3)

    assert siege.faults() == []
    assert siege.acts["BookAppointment"] >= 5


@pytest.mark.long
def test_the_diary_stays_whole_through_ten_minutes_of_random_kills(platform_under_test: PlatformUnderTest) -> None:
    siege = besiege(platform_under_test, seconds=600, victims=(SERVICE, SERVICE, "intake-svc", "postgres"), pause=8)

    assert siege.faults() == []
    assert min(siege.acts[act] for act in ("BookAppointment", "MoveAppointment", "CancelAppointment")) > 50
    assert siege.acts["RecordAbsence"] > 50
