"""A consumer of a process that is gone leaves its group in one step: what it might take in the meantime is never lost."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from chassis.bus import Bus

STREAM, GROUP = "events:tests", "hearers"


@pytest.fixture
def group(bus: Bus) -> Bus:
    """A bus on which the group is made."""
    assert bus.read(GROUP, "maker", [STREAM], count=1) == []
    return bus


def consumers(bus: Bus) -> set[bytes]:
    return {found["name"] for found in bus._redis.xinfo_consumers(bus._prefix + STREAM, GROUP)}


def between_all_commands(bus: Bus, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the bus has sent a command and has its answer, somebody else acts before it sends the next."""
    send: Callable[..., Any] = bus._redis.execute_command

    def send_and_act(*command: Any, **options: Any) -> Any:
        answer = send(*command, **options)
        act()
        return answer

    monkeypatch.setattr(bus._redis, "execute_command", send_and_act)


def test_a_consumer_keeps_entries_that_it_takes_while_dead_ones_are_removed(
    group: Bus, servers: Any, bus_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = Bus(servers.bus_url, prefix=bus_prefix)
    back.add(STREAM, [{"number": str(number)} for number in range(10)])
    group.read(GROUP, "back", [STREAM], count=1)
    group.acknowledge(GROUP, group.claim_idle(GROUP, "back", STREAM, idle_seconds=0, count=10))
    taken: list[str] = []

    def come_back() -> None:
        taken.extend(delivery.entry_id for delivery in back.read(GROUP, "back", [STREAM], count=1))

    with monkeypatch.context() as meanwhile:
        between_all_commands(group, come_back, meanwhile)
        group.remove_dead_consumers(GROUP, STREAM, idle_seconds=-1)
    back.close()

    assert taken
    waiting = group.claim_idle(GROUP, "heir", STREAM, idle_seconds=0, count=10)
    assert [delivery.entry_id for delivery in waiting] == taken


def test_only_idle_consumers_that_hold_nothing_are_removed(group: Bus) -> None:
    group.add(STREAM, [{"number": "1"}])
    group.read(GROUP, "with work", [STREAM], count=1)
    group.read(GROUP, "dead", [STREAM], count=1)

    group.remove_dead_consumers(GROUP, STREAM, idle_seconds=60)
    assert consumers(group) >= {b"with work", b"dead"}

    group.remove_dead_consumers(GROUP, STREAM, idle_seconds=-1)
    assert consumers(group) == {b"with work"}


def test_removing_consumers_ignores_a_missing_stream_or_group(bus: Bus) -> None:
    bus.remove_dead_consumers(GROUP, STREAM, idle_seconds=-1)

    bus.add(STREAM, [{"number": "1"}])
    bus.remove_dead_consumers(GROUP, STREAM, idle_seconds=-1)


def test_other_errors_of_the_bus_are_raised(bus: Bus) -> None:
    bus._redis.set(bus._prefix + STREAM, "not a stream")

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        bus.remove_dead_consumers(GROUP, STREAM, idle_seconds=-1)
