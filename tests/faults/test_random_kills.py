"""No claim is lost, doubled or halved while processes are killed at random moments."""

import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass

import pytest

from cms_local.layout import MODULES
from tests.support.platforms import PlatformUnderTest, own_platform
from tests.support.siege import Siege, under_siege

pytestmark = pytest.mark.xdist_group("random-kills")

PROCESSES = ("postgres", "bus", *MODULES)
LONGEST_PAUSE_SECONDS = 4.0
"""A service takes seconds to start; with shorter pauses no claim would get far enough to be lost."""
LONGEST_ABSENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Kill:
    """A step of the plan: these processes die after `pause` seconds, and start again after `absence` seconds."""

    pause: float
    victims: tuple[str, ...]
    absence: float


def next_kill(source: random.Random) -> Kill:
    victims = source.sample(PROCESSES, source.choice((1, 1, 1, 2, 3)))
    return Kill(
        pause=source.uniform(0, LONGEST_PAUSE_SECONDS),
        victims=tuple(victims),
        absence=source.uniform(0, LONGEST_ABSENCE_SECONDS),
    )


def strike(platform: PlatformUnderTest, kill: Kill) -> None:
    for name in kill.victims:
        platform.running.stop(name, number=signal.SIGKILL)
    threading.Event().wait(kill.absence)
    revive(platform)


def revive(platform: PlatformUnderTest) -> None:
    """Starts every process that does not run, as a supervisor does, also one that ended for want of what it needs."""
    for name in PROCESSES:
        platform.running.start(name)


def kill_at_random(platform: PlatformUnderTest, siege: Siege, *, seed: int, seconds: float) -> int:
    source, until, kills = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        siege.raise_what_ended_a_caller()
        kill = next_kill(source)
        threading.Event().wait(kill.pause)
        strike(platform, kill)
        kills += len(kill.victims)
    platform.running.wait_until_ready()
    return kills


def kills_under_load(*, seconds: float) -> None:
    """Prints the seed of the run. CMS_SEED repeats the plan of a run, though not its exact moments."""
    seed = int(os.environ.get("CMS_SEED", random.randrange(10**6)))
    sys.stdout.write(f"seed {seed}\n")
    with own_platform() as platform, under_siege(platform, seed=seed) as siege:
        kills = kill_at_random(platform, siege, seed=seed, seconds=seconds)
    sys.stdout.write(f"{kills} kills, {len(siege.confirmed)} claims\n")
    assert kills > seconds / 5


def test_claims_come_through_forty_seconds_of_random_kills() -> None:
    kills_under_load(seconds=40)


@pytest.mark.long
def test_claims_come_through_ten_minutes_of_random_kills() -> None:
    kills_under_load(seconds=600)
