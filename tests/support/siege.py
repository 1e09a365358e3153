"""Claims in a steady stream while a test attacks the platform, and what must hold when the attack is over."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from chassis import clock
from chassis.testing import eventually
from cms_local import demo
from cms_local.audit import Findings
from cms_local.cases import Case, load_cases
from cms_local.journey import Journey
from cms_local.layout import DATABASES
from tests.support.platforms import PlatformUnderTest

_QUIET_SECONDS = 90.0


@dataclass(kw_only=True)
class Siege:
    """Callers who carry claims, one after another, until they are called off; then each waits for its claims' outcome."""

    platform: PlatformUnderTest
    source: random.Random
    taken: list[Journey] = field(default_factory=list)
    """Claims whose call has ended: they are submitted, and the caller was told so."""
    confirmed: list[Journey] = field(default_factory=list)
    callers: list[Future[None]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def call_off(self) -> None:
        """No caller begins another claim."""
        self._over.set()

    def take_call(self, source: random.Random | None = None) -> Journey:
        """One call from its first question to its end; an attack may want one at its own moment."""
        source = source or self.source
        case = source.choice(peaceful_cases())
        journey = demo.journey(self.platform.layout, self.platform.doors, case, source)
        journey.patience_seconds = _QUIET_SECONDS
        journey.take_call()
        self.taken.append(journey)
        return journey

    def confirm(self, journey: Journey) -> None:
        """The assessment, once assessment-svc has heard of the claim."""
        journey.assess()
        self.confirmed.append(journey)

    def carry(self, source: random.Random) -> None:
        """What one caller does. Whatever a journey raises ends the caller, and so the test."""
        mine: list[Journey] = []
        while not self._over.is_set():
            journey = self.take_call(source)
            self.confirm(journey)
            mine.append(journey)
        for journey in mine:
            journey.wait_for_outcome(seconds=_QUIET_SECONDS)

    def wait_for_calls(self, number: int) -> None:
        """Until so many more calls have ended: so the attack meets claims at every stage of their way."""
        wanted = len(self.taken) + number

        def there() -> bool:
            self.raise_what_ended_a_caller()
            return len(self.taken) >= wanted

        eventually(there, seconds=_QUIET_SECONDS, what=f"{number} more calls")

    def raise_what_ended_a_caller(self) -> None:
        """While claims flow no caller ends but by an error."""
        for caller in self.callers:
            if caller.done():
                caller.result()


def peaceful_cases() -> list[Case]:
    """Those of the demonstration in which the outside world makes no trouble of its own."""
    cases = load_cases(clock.today())
    return [case for case in cases if not (case.failures or case.amend_confirmed)]


@contextmanager
def under_siege(platform: PlatformUnderTest, *, callers: int = 3, seed: int = 20050718) -> Iterator[Siege]:
    """Claims flow while the body attacks. At the end every claim has come through, whole and once, or it raises."""
    siege = Siege(platform=platform, source=random.Random(seed))
    with ThreadPoolExecutor(callers) as pool:
        siege.callers += [pool.submit(siege.carry, random.Random(siege.source.random())) for _ in range(callers)]
        try:
            yield siege
        finally:
            siege.call_off()
    siege.raise_what_ended_a_caller()
    assert_all_came_through(platform, siege.confirmed)


def assert_all_came_through(platform: PlatformUnderTest, journeys: list[Journey]) -> Findings:
    """Quiet, nothing dead, and a sound audit: every claim accepted once and whole, every notice that was due loaded.

    AssertionError where it is not so.
    """
    refs = [journey.claim_ref for journey in journeys]
    eventually(lambda: not _open_events(platform, refs), seconds=_QUIET_SECONDS, what="quiet in every outbox")
    findings = platform.settled_audit(*journeys)
    dead = _count(platform, "SELECT count(*) FROM dead_letters WHERE claim_ref = ANY(%s)", refs)
    through = findings.accepted == findings.confirmed == findings.claims == len(journeys) > 0
    if dead or findings.lost or findings.duplicates or findings.half_transfers or not through:
        raise AssertionError(f"{len(journeys)} claims, {dead} dead letters, {findings}")
    return findings


def _open_events(platform: PlatformUnderTest, refs: list[str]) -> int:
    return _count(platform, "SELECT count(*) FROM outbox WHERE finished_time IS NULL AND claim_ref = ANY(%s)", refs)


def _count(platform: PlatformUnderTest, query: str, refs: list[str]) -> int:
    return sum(platform.count(service, query, refs) for service in DATABASES)
