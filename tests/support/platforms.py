"""A whole platform for tests across services: real processes, on ports and in a folder of its own."""

import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from chassis import clock, crash
from chassis.testing import eventually
from cms_local import demo, platform, processes
from cms_local.audit import Findings, audit
from cms_local.cases import Case, load_cases
from cms_local.doors import Doors
from cms_local.journey import Journey
from cms_local.layout import DATABASES, Layout
from cms_local.platform import Platform

TIME_SCALE = 0.05


@dataclass(kw_only=True)
class PlatformUnderTest:
    """A running platform, with helpers for tests."""

    running: Platform
    doors: Doors
    source: random.Random = field(default_factory=lambda: random.Random(20050718))

    @property
    def layout(self) -> Layout:
        return self.running.layout

    def journey(self, title: str, **changes: object) -> Journey:
        """Makes a claim of the demo case with this title."""
        [case] = [case for case in load_cases(clock.today()) if case.title == title]
        changed = Case(**{**case.__dict__, **changes})
        return demo.journey(self.layout, self.doors, changed, random.Random(self.source.random()))

    def rows(self, service: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Reads rows from a service's database, to find the right moment and never to check the outcome."""
        with self._database(service) as conn:
            return conn.execute(query.encode(), values).fetchall()

    @contextmanager
    def at_one_moment(self, service: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """Gives a reader of a service's database that sees all of it as it was at its first query."""
        with self._database(service) as conn:
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield lambda query, values=None: conn.execute(query.encode(), values).fetchall()

    def execute(self, service: str, statement: str, *values: object) -> None:
        """Changes a service's database in a way that the service would not."""
        with self._database(service) as conn:
            conn.execute(statement.encode(), values)

    def _database(self, service: str) -> "psycopg.Connection[tuple[Any, ...]]":
        database = DATABASES[service]
        return psycopg.connect(f"postgresql://{database}_owner@127.0.0.1:{self.layout.postgres_port}/{database}")

    def count(self, service: str, query: str, *values: object) -> int:
        """Reads one number from a service's database."""
        [(number,)] = self.rows(service, query, *values)
        return int(number)

    def start_to_die(self, service: str, point: str, *, extra: Mapping[str, str] | None = None) -> None:
        """Starts or restarts the service so that it dies at this crash point."""
        self.running.stop(service)
        self.running.start(service, extra={**(extra or {}), "CRASH_AT": point})

    def wait_for_death(self, service: str, *, seconds: float = 60.0) -> None:
        """Waits until the service dies at its crash point. AssertionError where it does not, or ends otherwise."""
        process = self.running.running[service]
        ended = partial(processes.exit_status, process)
        eventually(lambda: ended() is not None, seconds=seconds, what=f"the end of {service}")
        assert ended() == crash.EXIT_CODE, f"{service} ended with {ended()}, not at its crash point"

    def settled_audit(self, *journeys: Journey) -> Findings:
        """Waits until the audit of these claims is sound, while people post the letters that are due to councils.

        AssertionError with its findings where it does not become so.
        """
        refs = {journey.claim_ref for journey in journeys}
        found: list[Findings] = []

        def sound() -> bool:
            for journey in journeys:
                journey.post_letters()
            found.append(audit(self.layout, only=refs))
            return found[-1].sound

        try:
            eventually(sound, seconds=60, what="a sound audit")
        except AssertionError as late:
            raise AssertionError(f"the audit is not sound: {found[-1]}") from late
        return found[-1]


def free_base() -> int:
    """Finds a base with sixty free ports above it, below the kernel's ports for clients."""
    for base in random.sample(range(15000, 32000, 60), 100):
        with ExitStack() as stack:
            try:
                for port in range(base + 1, base + 60):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")


@contextmanager
def own_platform(base: int | None = None, *, on: date | None = None) -> Iterator[PlatformUnderTest]:
    """A platform for tests that destroy something or need settings of their own; stopped and removed at the end.

    `base` is for a caller that prepares the platform's folder itself. `on` is the day on which its clock begins: within the
    block it is the clock of the tests too.
    """
    layout, clock_before = Layout(base or free_base()), clock._offset.file
    if on is not None:
        platform.begin_on(layout, on)
    running = platform.start(layout, lambda _: None, time_scale=TIME_SCALE)
    try:
        with httpx.Client(timeout=15.0) as client:
            doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
            yield PlatformUnderTest(running=running, doors=doors)
    finally:
        running.stop_all()
        platform.remove(layout)
        clock.configure(clock_before)


@pytest.fixture(scope="session")
def platform_under_test() -> Iterator[PlatformUnderTest]:
    """Started once for all tests that share it; stopped and removed at the end."""
    with own_platform() as started:
        clock.configure(started.layout.clock_file)
        yield started
        clock.configure(None)
