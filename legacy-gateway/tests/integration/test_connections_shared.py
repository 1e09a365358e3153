"""All processes together open no more connections to a system than it takes."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chassis.database import Database
from chassis.testing import DatabaseUrls
from legacy_gateway.domain import Rules, System
from legacy_gateway.link import LinkPool
from legacy_gateway.service.connections import Connections
from legacy_gateway.service.presence import Presence
from legacy_gateway.service.sending import send_next

FIVE = Rules(system=System.ISCS, schemes=("INCOME_SUPPORT",), recognises_repeat=True, most_connections=5)


@dataclass(kw_only=True)
class Adapter:
    """Wants four connections, and notes how many it was allowed."""

    rules: Rules = FIVE
    connections: int = 4
    allowed: list[int] = field(default_factory=list)

    def allow(self, count: int) -> None:
        self.allowed.append(count)


@dataclass(kw_only=True)
class Process:
    """A process with its lock and its connections."""

    presence: Presence
    connections: Connections
    adapter: Adapter

    def keep(self, database: Database) -> int:
        """A round; gives how many connections it may open after it."""
        self.connections.keep(database, self.presence)
        return self.adapter.allowed[-1] if self.adapter.allowed else 0


@pytest.fixture
def processes(database: Database, database_urls: DatabaseUrls) -> Iterator[list[Process]]:
    with ExitStack() as closing_all:
        yield [_process(database_urls.app, closing_all) for _ in range(3)]


def _process(url: str, closing_all: ExitStack) -> Process:
    adapter = Adapter()
    connections = Connections({System.ISCS: adapter})
    presence = closing_all.enter_context(closing(Presence(url, close_links=connections.give_up)))
    presence.keep()
    return Process(presence=presence, connections=connections, adapter=adapter)


def test_processes_share_the_connections_that_a_system_takes(database: Database, processes: list[Process]) -> None:
    first, second, third = processes

    assert [process.keep(database) for process in processes] == [4, 1, 0]
    assert [process.connections.may_call(System.ISCS) for process in processes] == [True, True, False]
    assert third.connections.may_call(System.SFCS)

    first.presence.close()
    assert [process.keep(database) for process in (second, third)] == [4, 1]
    assert first.keep(database) == 0


def test_a_process_that_loses_its_lock_ends_its_calls_before_others_have_its_connections(
    database: Database, processes: list[Process]
) -> None:
    first, second, _ = processes
    first.keep(database)
    assert first.presence._conn is not None

    first.presence._give_up(first.presence._conn)

    assert first.adapter.allowed[-1] == 0
    assert not first.connections.may_call(System.ISCS)
    assert second.keep(database) == 1
    first.presence.keep()
    assert second.keep(database) == 4


def test_a_process_without_a_connection_takes_no_work(gateway: Any) -> None:
    claim_ref = gateway.claim()
    adapter = Adapter(rules=replace(FIVE, system=System.JSAPS))
    without = replace(gateway.resources, connections=Connections({System.JSAPS: adapter}))

    assert not send_next(without, System.JSAPS)

    assert gateway.states(claim_ref) == ["WAITING", "WAITING"]


def test_a_pool_uses_no_more_connections_than_it_is_allowed() -> None:
    pool = LinkPool("127.0.0.1", 1, size=3, timeout=0.05, in_flight=2)
    counts = []
    for allowed in (1, 3, 0, 2):
        pool.allow(allowed)
        counts.append(pool._idle.qsize())

    assert counts == [2, 6, 0, 4]
