"""No claim is lost while the bus is emptied, killed, full, hung, away or without its last second of data."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from chassis.testing import HTTP, eventually
from cms_local.layout import SERVICES
from tests.support.bus import all_taken, bus_of, entries_of
from tests.support.platforms import PlatformUnderTest
from tests.support.siege import Siege, assert_all_came_through, under_siege

pytestmark = pytest.mark.xdist_group("faults")


EFFECTS = [
    *((service, "SELECT count(*) FROM outbox WHERE claim_ref = %s") for service in SERVICES),
    ("assessment-svc", "SELECT sum(version) FROM assessments WHERE claim_ref = %s"),
    ("legacy-gateway", "SELECT count(*) FROM transfers WHERE claim_ref = %s"),
    ("la-notifier", "SELECT count(*) FROM notices JOIN notice_versions USING (notice_id) WHERE claim_ref = %s"),
]


def readiness(platform: PlatformUnderTest, service: str) -> str:
    return str(
        HTTP.get(f"http://127.0.0.1:{platform.layout.operations_port(service)}/readyz", timeout=5).json()["status"]
    )


def all_are(platform: PlatformUnderTest, status: str) -> bool:
    return all(readiness(platform, service) == status for service in SERVICES)


@contextmanager
def unheard_claim(platform: PlatformUnderTest, siege: Siege) -> Iterator[None]:
    """Freezes a hearer, so that inside the block a claim's events are on the bus and unread."""
    hearer = platform.running.running["assessment-svc"].pid
    os.kill(hearer, signal.SIGSTOP)
    try:
        journey = siege.take_call()
        eventually(lambda: unread(platform), what="events that are not read")
        yield
    finally:
        os.kill(hearer, signal.SIGCONT)
    siege.confirm(journey)


def unread(platform: PlatformUnderTest) -> bool:
    with redis.Redis(port=platform.layout.bus_port) as bus:
        groups = cast(Any, bus.xinfo_groups("events:intake-svc"))
    return any(group["name"] == b"assessment-svc" and group["lag"] for group in groups)


def emptied(platform: PlatformUnderTest, siege: Siege) -> None:
    with unheard_claim(platform, siege), redis.Redis(port=platform.layout.bus_port) as bus:
        bus.flushall()


def killed(platform: PlatformUnderTest, siege: Siege) -> None:
    platform.running.stop("bus", number=signal.SIGKILL)
    platform.running.start("bus")


def robbed_of_its_last_second(platform: PlatformUnderTest, siege: Siege) -> None:
    before = append_only_file(platform).stat().st_size
    with unheard_claim(platform, siege):
        platform.running.stop("bus", number=signal.SIGKILL)
        # In the middle of an entry: a crash does not look where entries end.
        os.truncate(append_only_file(platform), before + 10)
        platform.running.start("bus")


def append_only_file(platform: PlatformUnderTest) -> Path:
    [*_, newest] = sorted((platform.layout.folder / "bus" / "appendonlydir").glob("*.incr.aof"), key=_sequence)
    return newest


def _sequence(path: Path) -> int:
    return int(path.name.split(".")[-3])


def full(platform: PlatformUnderTest, siege: Siege) -> None:
    with redis.Redis(port=platform.layout.bus_port) as bus:
        bus.config_set("maxmemory-policy", "noeviction")
        bus.config_set("maxmemory", 1)
        try:
            eventually(lambda: all_are(platform, "degraded"), what="all services saying that they are degraded")
            journey = siege.take_call()
        finally:
            bus.config_set("maxmemory", 0)
    eventually(lambda: all_are(platform, "ready"), what="all services saying that they are ready")
    siege.confirm(journey)


def hung(platform: PlatformUnderTest, siege: Siege) -> None:
    os.kill(platform.running.running["bus"].pid, signal.SIGSTOP)
    try:
        eventually(lambda: all_are(platform, "degraded"), what="all services saying that they are degraded")
    finally:
        os.kill(platform.running.running["bus"].pid, signal.SIGCONT)


ATTACKS: list[Callable[[PlatformUnderTest, Siege], None]] = [emptied, killed, robbed_of_its_last_second, full, hung]


def test_claims_come_through_every_attack_on_the_bus(platform_under_test: PlatformUnderTest) -> None:
    with under_siege(platform_under_test) as siege:
        for attack in ATTACKS:
            siege.wait_for_calls(1)
            attack(platform_under_test, siege)


@pytest.mark.long
@pytest.mark.parametrize("attack", ATTACKS)
def test_claims_come_through_repeated_attacks_on_the_bus(
    platform_under_test: PlatformUnderTest, attack: Callable[[PlatformUnderTest, Siege], None]
) -> None:
    with under_siege(platform_under_test) as siege:
        for _ in range(5):
            siege.wait_for_calls(1)
            attack(platform_under_test, siege)


@pytest.mark.long
def test_services_catch_up_after_the_bus_was_away_for_a_minute(platform_under_test: PlatformUnderTest) -> None:
    platform = platform_under_test
    with under_siege(platform) as siege:
        siege.wait_for_calls(1)
        platform.running.stop("bus")
        journey = siege.take_call()
        threading.Event().wait(60)
        assert all_are(platform, "degraded")
        platform.running.start("bus")
        siege.confirm(journey)
    eventually(lambda: all_are(platform, "ready"), what="all services saying that they are ready")


def test_calls_are_taken_without_the_bus_and_their_events_wait(platform_under_test: PlatformUnderTest) -> None:
    platform = platform_under_test
    platform.running.stop("bus")
    journeys = [platform.journey("lodger"), platform.journey("owner who claims council tax benefit alone")]

    for journey in journeys:
        journey.take_call()

    assert all_are(platform, "degraded")
    waiting = "SELECT count(*) FROM outbox WHERE claim_ref = %s AND finished_time IS NULL AND attempts = 0"
    assert all(platform.count("intake-svc", waiting, journey.claim_ref) >= 2 for journey in journeys)
    platform.running.start("bus")
    for journey in journeys:
        journey.assess()
        journey.wait_for_outcome()
    assert_all_came_through(platform, journeys)
    eventually(lambda: all_are(platform, "ready"), what="all services saying that they are ready")


def test_events_delivered_a_hundred_times_in_any_order_have_one_effect(platform_under_test: PlatformUnderTest) -> None:
    platform = platform_under_test
    journey = platform.journey("amended after submission: more capital")
    journey.take_call()
    journey.assess()
    journey.wait_for_outcome()
    assert_all_came_through(platform, [journey])
    before = effects(platform, journey.claim_ref)

    with bus_of(platform) as bus:
        entries = entries_of(bus, journey.claim_ref)
        assert len(entries) >= 6
        deliveries = entries * 100
        random.Random(100).shuffle(deliveries)
        pipeline = bus.pipeline(transaction=False)
        for stream, fields in deliveries:
            pipeline.xadd(stream, cast(Any, fields))
        pipeline.execute()
        eventually(lambda: all_taken(bus, "events"), seconds=60, what="all deliveries taken by all groups")

    assert effects(platform, journey.claim_ref) == before
    assert_all_came_through(platform, [journey])


def effects(platform: PlatformUnderTest, claim_ref: str) -> list[int]:
    """Counts the rows that would be more if an event had been handled twice."""
    return [platform.count(service, query, claim_ref) for service, query in EFFECTS]
