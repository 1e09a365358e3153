"""Two gateways share one ledger and a JSAPS that fails in every way; nothing is held twice."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import legacy_gateway
from chassis import clock
from chassis.testing import begin_at_noon, eventually
from chassis.workers import Turns
from legacy_gateway.domain import System
from legacy_gateway.link import LinkPool
from legacy_gateway.service.presence import Presence, Watch
from legacy_gateway.service.resources import Resources
from legacy_gateway.service.sending import send_next
from legacy_gateway.service.sweeping import sweep
from legacy_gateway.systems import RULES
from legacy_gateway.systems.record_link import RecordLinkSystem

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
COPYBOOKS = Path(legacy_gateway.__file__).parent / "copybooks"
SCALE = 0.05
REPLY_SECONDS = 0.5


@dataclass(kw_only=True)
class Replica:
    """A gateway beside others: four senders and a sweeper in threads, with connections of its own."""

    resources: Resources
    pool: LinkPool
    stopping: threading.Event

    def threads(self) -> list[threading.Thread]:
        """Its workers."""
        return [threading.Thread(target=self._work, args=(step,)) for step in [_send] * 4 + [sweep]]

    def _work(self, step: Callable[[Resources], bool]) -> None:
        while not self.stopping.is_set():
            step(self.resources) or self.stopping.wait(0.01)


def _send(resources: Resources) -> bool:
    return send_next(resources, System.JSAPS)


@pytest.fixture
def replicas(gateway: Any) -> Iterator[list[Replica]]:
    """Two of them, at work."""
    stopping = threading.Event()
    made = [_replica(gateway, stopping) for _ in range(2)]
    threads = [thread for replica in made for thread in replica.threads()]
    for thread in threads:
        thread.start()
    yield made
    stopping.set()
    for thread in threads:
        thread.join()
    for replica in made:
        replica.pool.close()
        replica.resources.presence.close()


def _replica(gateway: Any, stopping: threading.Event) -> Replica:
    pool = LinkPool("127.0.0.1", gateway.jsaps.port, size=4, timeout=REPLY_SECONDS)
    system = RecordLinkSystem(RULES[System.JSAPS], pool)
    presence = Presence(gateway.url, close_links=pool.reset)
    presence.keep()
    resources = replace(
        gateway.resources,
        systems={System.JSAPS: system},
        turns={System.JSAPS: Turns(pause_seconds=0)},
        presence=presence,
        watch=Watch(),
    )
    return Replica(resources=resources, pool=pool, stopping=stopping)


def all_accepted(gateway: Any, claims: list[str]) -> Callable[[], bool]:
    return lambda: all(gateway.states(claim) == ["ACCEPTED", "ACCEPTED"] for claim in claims)


def claims_of(gateway: Any, count: int, *, first: int = 10) -> list[str]:
    return [gateway.claim(f"C000000000{number:02d}") for number in range(first, first + count)]


def assert_each_once(gateway: Any, claims: list[str]) -> None:
    assert [gateway.held(claim) for claim in claims] == [HELD_ONCE] * len(claims)
    assert sorted(row["claim_ref"] for row in gateway.events()) == sorted(claims)


def test_two_gateways_and_a_failing_system_double_nothing(gateway: Any, replicas: list[Replica]) -> None:
    for number, failure in enumerate(("lose_reply", "hold_late", "cut_reply", "close_mid_frame", "other_transfer")):
        gateway.order(failure, rate=0.15, seed=number, count=5)
    gateway.order("hang", rate=0.1, seed=7, count=3)

    claims = claims_of(gateway, 16)

    eventually(all_accepted(gateway, claims), seconds=60, what="every claim accepted")
    assert_each_once(gateway, claims)


@pytest.mark.parametrize("beyond", [-0.02, 0.0, 0.02])
def test_replies_at_the_moment_of_the_time_out_double_nothing(
    gateway: Any, replicas: list[Replica], beyond: float
) -> None:
    gateway.order("answer_late", seconds=REPLY_SECONDS + beyond, count=8)

    claims = claims_of(gateway, 4)

    eventually(all_accepted(gateway, claims), seconds=40, what="every claim accepted")
    assert_each_once(gateway, claims)


def test_leases_that_end_at_any_moment_double_nothing(gateway: Any, replicas: list[Replica]) -> None:
    gateway.order("answer_late", seconds=0.1, rate=0.5, seed=3, count=12)
    claims = claims_of(gateway, 8)

    def every_lease_ends_until_all_is_accepted() -> bool:
        if all_accepted(gateway, claims)():
            return True
        gateway.change(
            "UPDATE transfers SET lease_until = clock_timestamp() WHERE lease_token IS NOT NULL AND random() < 0.05"
        )
        return False

    eventually(every_lease_ends_until_all_is_accepted, seconds=60, what="every claim accepted")
    assert_each_once(gateway, claims)


def test_a_restart_of_jsaps_doubles_nothing(gateway: Any, replicas: list[Replica], tmp_path: Path) -> None:
    gateway.order("answer_late", seconds=0.05, rate=0.7, seed=5)
    claims = claims_of(gateway, 8)
    eventually(lambda: gateway.states(claims[0])[0] == "ACCEPTED", what="the first phase of the first claim")

    gateway.jsaps.stop()
    with gateway.jsaps_started_again(tmp_path):
        claims += claims_of(gateway, 8, first=18)

        eventually(all_accepted(gateway, claims), seconds=60, what="every claim accepted")
        assert_each_once(gateway, claims)


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_platform_clock_an_hour_off_doubles_nothing(
    gateway: Any, replicas: list[Replica], clock_file: Path, seconds: int
) -> None:
    begin_at_noon()  # an hour back must not be the day before: a claim that is dated tomorrow is refused
    gateway.order("hold_late", count=6)
    claims = claims_of(gateway, 6)
    eventually(lambda: "UNKNOWN" in [gateway.states(claim)[0] for claim in claims], what="an unknown transfer")

    clock.advance(timedelta(seconds=seconds))

    eventually(all_accepted(gateway, claims), seconds=40, what="every claim accepted")
    assert_each_once(gateway, claims)
