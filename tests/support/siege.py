"""A steady stream of claims while a test attacks the platform, and the checks when the attack is over."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from chassis import clock
from chassis.testing import eventually
from cms_local import demo
from cms_local.audit import Findings
from cms_local.cases import Case, load_cases
from cms_local.journey import Journey
from cms_local.layout import DATABASES
from cms_local.systems import without_system
from intake.catalogue import load_catalogues
from intake.domain.catalogue import Catalogue
from tests.support.platforms import PlatformUnderTest

_QUIET_SECONDS = 120.0
"""Longer than the longest lease: that of an authority's turn with its files, in which a notifier may have been killed."""


@dataclass(kw_only=True)
class Siege:
    """Callers that carry claims one after another until they are called off; then each waits for its claims."""

    platform: PlatformUnderTest
    source: random.Random
    taken: list[Journey] = field(default_factory=list)
    """Claims whose call has ended: they are submitted, and the client got the answer."""
    confirmed: list[Journey] = field(default_factory=list)
    callers: list[Future[None]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def call_off(self) -> None:
        """Lets no caller begin another claim."""
        self._over.set()

    def take_call(self, source: random.Random | None = None) -> Journey:
        """Takes one call from its first question to its end."""
        source = source or self.source
        case = source.choice(peaceful_cases())
        journey = demo.journey(self.platform.layout, self.platform.doors, case, source)
        journey.patience_seconds = _QUIET_SECONDS
        journey.take_call()
        self.taken.append(journey)
        return journey

    def confirm(self, journey: Journey) -> None:
        """Assesses and confirms the claim, once assessment-svc has heard of it."""
        journey.assess()
        self.confirmed.append(journey)

    def carry(self, source: random.Random) -> None:
        """Carries claims as one caller. Any error of a journey ends the caller, and so the test."""
        mine: list[Journey] = []
        while not self._over.is_set():
            journey = self.take_call(source)
            self.confirm(journey)
            mine.append(journey)
        for journey in mine:
            journey.wait_for_outcome(seconds=_QUIET_SECONDS)

    def wait_for_calls(self, number: int) -> None:
        """Waits for so many more calls to end, so that the attack meets claims at every stage."""
        wanted = len(self.taken) + number

        def there() -> bool:
            self.raise_what_ended_a_caller()
            return len(self.taken) >= wanted

        eventually(there, seconds=_QUIET_SECONDS, what=f"{number} more calls")

    def raise_what_ended_a_caller(self) -> None:
        """Raises the error of a caller that has ended."""
        for caller in self.callers:
            if caller.done():
                caller.result()


def peaceful_cases() -> list[Case]:
    """The demo cases that go the whole way, in which no stand-in fails and nothing changes after the confirmation.

    Those whose schemes are closed on the platform's day are left out.
    """
    today, catalogue = clock.today(), _catalogue()
    open_ones = [case for case in load_cases(today) if _can_be_claimed(catalogue, case, today)]
    cases = [case for case in open_ones if not without_system(case.schemes)]
    return [case for case in cases if not (case.failures or case.amend_confirmed or case.withdraws)]


@cache
def _catalogue() -> Catalogue:
    return load_catalogues().newest


def _can_be_claimed(catalogue: Catalogue, case: Case, day: date) -> bool:
    return not any(catalogue.schemes[scheme].refusal(day) for scheme in case.schemes)


@contextmanager
def under_siege(platform: PlatformUnderTest, *, callers: int = 3, seed: int = 20050718) -> Iterator[Siege]:
    """Carries claims while the block attacks, and checks at its end that every claim came through whole and once."""
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
    """Checks that every claim is accepted once and whole, every due notice loaded, and no event left over or dead.

    Raises AssertionError where that is not so.
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
