"""Every acknowledged appointment exists once, no assessor is in two places and no claimant has two, whatever dies.

Callers and managers call every method that changes a diary, at one office, while processes are killed. The long form takes
ten minutes; CMS_SIEGE_SECONDS gives another time.
"""

import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from chassis.testing import eventually
from tests.support.diary_checker import (
    DEADLOCKS,
    Acknowledged,
    Deadlocks,
    Entry,
    Found,
    Place,
    Row,
    Told,
    faults_of,
)
from tests.support.diary_siege import CHANGES, DiarySiege
from tests.support.platforms import PlatformUnderTest

pytestmark = pytest.mark.xdist_group("faults")

SERVICE = "scheduling-svc"
LONG_SECONDS = float(os.environ.get("CMS_SIEGE_SECONDS", "600"))
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
SLOT = timedelta(minutes=45)
ROW = Row(appointment_id="1", claim_ref="C1", assessor_id="A1", start_time=NINE, end_time=NINE + SLOT, version=2)
ENTRY = Entry(appointment_id="1", claim_ref="C1", assessor_id="A1", start_time=NINE, end_time=NINE + SLOT)
LATER = replace(ROW, appointment_id="2", start_time=NINE + SLOT, end_time=NINE + 2 * SLOT)
LATER_ENTRY = replace(ENTRY, appointment_id="2", start_time=NINE + SLOT, end_time=NINE + 2 * SLOT)
VISIT = replace(ROW, travel=timedelta(minutes=20))
WITH_WAYS = replace(ENTRY, start_time=NINE - VISIT.travel, end_time=NINE + SLOT + VISIT.travel)
HELD = replace(LATER_ENTRY, appointment_id="")
SAID = Acknowledged(claim_ref="C1", version=2, live=True)
WHOLE = Found(now=NOW, rows=[ROW], entries=[ENTRY])


def told(*said: Acknowledged, place: Place | None = None, holds_nothing: bool = False) -> Told:
    """What was told of C1's appointments 1, 2 and so on."""
    return Told(
        appointments={str(number): one for number, one in enumerate(said, start=1)},
        places={"1": place} if place else {},
        holds_nothing={"C1": holds_nothing},
    )


def test_the_checker_finds_nothing_where_nothing_is_wrong() -> None:
    of_another = (replace(LATER, claim_ref="C2"), replace(LATER_ENTRY, claim_ref="C2"))
    both = replace(WHOLE, rows=[ROW, of_another[0]], entries=[ENTRY, of_another[1]])
    held = replace(WHOLE, entries=[ENTRY, HELD])
    ended, waiting = replace(WHOLE, rows=[replace(ROW, live=False)], entries=[]), replace(WHOLE, waiting=["1"])

    assert faults_of(both, told(SAID, holds_nothing=True)) == []
    assert faults_of(held, told(SAID)) == []
    assert faults_of(replace(WHOLE, rows=[VISIT], entries=[WITH_WAYS]), told(SAID)) == []
    assert faults_of(ended, told(replace(SAID, live=False), place=Place(version=2, is_listed=True))) == []
    assert faults_of(waiting, told(SAID, place=Place(version=2, is_listed=True))) == []
    assert faults_of(WHOLE, told(SAID, place=Place(version=1, is_listed=True))) == []


@pytest.mark.parametrize(
    ("found", "said", "fault"),
    [
        (replace(WHOLE, rows=[], entries=[]), told(SAID), "C1 has lost an appointment that was acknowledged"),
        (
            replace(WHOLE, rows=[replace(ROW, live=False)], entries=[]),
            told(SAID),
            "C1 has lost an appointment that was acknowledged",
        ),
        (replace(WHOLE, rows=[replace(ROW, version=1)]), told(SAID), "C1 has lost a change that was acknowledged"),
        (WHOLE, told(replace(SAID, live=False)), "C1 has an appointment that was cancelled"),
        (WHOLE, told(), "C1 has an appointment that nobody was told of"),
        (
            replace(WHOLE, rows=[ROW, LATER], entries=[ENTRY, LATER_ENTRY]),
            told(SAID, SAID),
            "C1 has 2 appointments",
        ),
        (
            replace(WHOLE, rows=[ROW, replace(LATER, claim_ref="C2", start_time=NINE + SLOT - timedelta(minutes=1))]),
            told(SAID),
            "A1 is in two places: C1 and C2",
        ),
        (
            replace(WHOLE, entries=[ENTRY, replace(LATER_ENTRY, claim_ref="C2", start_time=NINE)]),
            told(SAID),
            "the time of A1 is taken twice: by C1 and C2",
        ),
        (replace(WHOLE, entries=[]), told(SAID), "C1 is not in the diary"),
        (
            replace(WHOLE, entries=[replace(ENTRY, assessor_id="A2")]),
            told(SAID),
            "C1 is in the diary at another time or of another assessor",
        ),
        (
            replace(WHOLE, rows=[VISIT]),
            told(SAID),
            "C1 is in the diary at another time or of another assessor",
        ),
        (
            replace(WHOLE, entries=[ENTRY, HELD]),
            told(SAID, holds_nothing=True),
            "C1 holds slots that it gave up",
        ),
        (
            replace(WHOLE, waiting=["1"]),
            told(SAID, place=Place(version=2, is_listed=False)),
            "C1 waits for an earlier slot after it left the list",
        ),
        (WHOLE, told(SAID, place=Place(version=2, is_listed=True)), "C1 has lost its place on the waiting list"),
        (replace(WHOLE, unattended=["1"]), told(SAID), "1 is booked while nobody is there, and not listed"),
        (replace(WHOLE, listed_for_nothing=["1"]), told(SAID), "1 is listed although somebody is there"),
        (replace(WHOLE, deadlocks=2), told(SAID), "2 deadlocks in the database"),
    ],
)
def test_the_checker_finds_each_kind_of_fault(found: Found, said: Told, fault: str) -> None:
    assert faults_of(found, said) == [fault]


def lock_crosswise(platform: PlatformUnderTest) -> None:
    """Two transactions that each wait for what the other has: PostgreSQL ends one of them."""
    both_have_one = threading.Barrier(2)

    def lock(first: int, second: int) -> str:
        with platform.at_one_moment(SERVICE) as read:
            read("SELECT pg_advisory_xact_lock(%s)", [first])
            both_have_one.wait(timeout=10)
            try:
                read("SELECT pg_advisory_xact_lock(%s)", [second])
            except psycopg.errors.DeadlockDetected:
                return "ended"
            return "went on"

    with ThreadPoolExecutor(2) as two:
        assert sorted(two.map(lock, (1, 2), (2, 1))) == ["ended", "went on"]


def test_a_deadlock_in_the_database_is_counted(platform_under_test: PlatformUnderTest) -> None:
    deadlocks = Deadlocks(read=lambda: platform_under_test.count(SERVICE, DEADLOCKS))
    deadlocks.look()
    assert deadlocks.number == 0

    lock_crosswise(platform_under_test)

    def is_counted() -> bool:
        deadlocks.look()
        return deadlocks.number > 0

    eventually(is_counted, what="the count of the deadlock")
    assert deadlocks.number == 1


def test_deadlocks_are_counted_on_after_a_crash_of_the_server() -> None:
    counts = iter([3, 5, 1])
    deadlocks = Deadlocks(read=lambda: next(counts))

    deadlocks.look()
    deadlocks.look()

    assert deadlocks.number == 3


def besiege(
    platform: PlatformUnderTest, *, seconds: float, victims: tuple[str, ...], pause: float, managers: int = 1
) -> DiarySiege:
    """Prints the seed of the run. CMS_SEED repeats the plan of a run, though not its exact moments."""
    seed = int(os.environ.get("CMS_SEED", random.randrange(10**6)))
    source = random.Random(seed)
    siege = DiarySiege(platform=platform, seed=seed, managers=managers)
    siege.begin_claims(callers=4, each=6)
    kills = 0

    def attack() -> None:
        nonlocal kills
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            threading.Event().wait(source.uniform(pause / 2, pause))
            victim = source.choice(victims)
            siege.deadlocks.look()
            platform.running.stop(victim, number=signal.SIGKILL)
            for name in victims:
                platform.running.start(name)
            # Otherwise a busy machine, on which a start takes long, would be killed again before anything was done.
            platform.running.wait_until_ready()
            kills += 1

    siege.act_while(attack)
    sys.stdout.write(f"seed {seed}, {kills} kills, {siege.deadlocks.number} deadlocks, {dict(siege.acts)}\n")
    return siege


def test_the_diary_stays_whole_while_its_service_is_killed(platform_under_test: PlatformUnderTest) -> None:
    siege = besiege(platform_under_test, seconds=6, victims=(SERVICE,), pause=3)

    assert siege.faults() == []
    assert siege.acts["BookAppointment"] >= 5


@pytest.mark.long
def test_the_diary_stays_whole_through_ten_minutes_of_random_kills(platform_under_test: PlatformUnderTest) -> None:
    """CMS_SIEGE_SECONDS gives another time than ten minutes."""
    victims = (SERVICE, SERVICE, "intake-svc", "postgres")
    siege = besiege(platform_under_test, seconds=LONG_SECONDS, victims=victims, pause=8, managers=3)

    assert siege.faults() == []
    assert [method for method in CHANGES if not siege.acts[method]] == []
    often = ("BookAppointment", "MoveAppointment", "CancelAppointment", "RecordAbsence")
    assert min(siege.acts[act] for act in often) > LONG_SECONDS / 12
