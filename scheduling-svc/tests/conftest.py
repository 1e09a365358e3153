"""Fixtures of scheduling: its database, the offices, an intake of the test's own, and a client of each door."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.database import Database
from chassis.errors import NotFound, PermissionDenied, Unavailable
from chassis.runtime import Process
from chassis.testing import Client, Reply, SettingsOf, database_fixture, running
from chassis.testing import Door as Kind
from scheduling.__main__ import MIGRATIONS, service
from scheduling.config import Settings
from scheduling.data import load_assessors, load_languages, load_offices
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Need
from tests.support import rotas

SERVICE = "cms.scheduling.v1.SchedulingService"

database_urls = database_fixture("scheduling", MIGRATIONS)


class IntakeOfTests:
    """Knows the claims that a test opens, and keeps the requests."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.asked: list[str] = []
        self.is_away = False
        self.refusal: PermissionDenied | None = None

    def open(
        self,
        claim_ref: str,
        *,
        first_contact_time: datetime | None = None,
        schemes: tuple[str, ...] = ("JOBSEEKERS_ALLOWANCE",),
        needs: frozenset[Need] = frozenset(),
    ) -> Claim:
        """Opens a claim, of Jobseeker's Allowance unless schemes are given, whose first contact is now unless it is given."""
        claim = Claim(
            claim_ref=claim_ref,
            schemes=schemes,
            is_open=True,
            first_contact_time=first_contact_time or clock.now(),
            needs=needs,
        )
        self.claims[claim_ref] = claim
        return claim

    def close(self, claim_ref: str) -> None:
        """The claim is withdrawn."""
        self.claims[claim_ref] = replace(self.claims[claim_ref], is_open=False)

    def purpose(self, claim_ref: str) -> str:
        """Entitles every caller whom scheduling asks about, or answers as `refusal` says."""
        if self.refusal is not None:
            raise self.refusal
        return f"work item {claim_ref}"

    def claim(self, claim_ref: str) -> Claim:
        """Answers as intake does when scheduling asks it."""
        self.asked.append(claim_ref)
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        if claim_ref not in self.claims:
            raise NotFound("CLAIM_UNKNOWN", "there is no such claim")
        return self.claims[claim_ref]


@pytest.fixture
def intake() -> IntakeOfTests:
    return IntakeOfTests()


@pytest.fixture(scope="session")
def directory() -> Directory:
    return Directory(load_offices(), load_assessors(), languages=load_languages())


@pytest.fixture
def opened(database: Database, directory: Directory) -> Directory:
    """The directory, with the rotas of this week and the next one published."""
    rotas.publish(database)
    return directory


@pytest.fixture
def process(
    settings_of: SettingsOf, clock_file: Path, postcodes_file: Path, intake: IntakeOfTests
) -> Iterator[Process]:
    """The whole service, serving, with the rotas of this week and the next one.

    `clock.advance` moves its clock and that of the test.
    """
    settings = settings_of(Settings, "scheduling-svc", clock_offset_file=clock_file, postcodes_file=postcodes_file)
    made = service(settings, lambda _runtime: intake)
    with running(replace(made, prepare=lambda runtime: rotas.publish(runtime.database))) as process:
        yield process


@dataclass(frozen=True, kw_only=True)
class Door:
    """Calls a method through one of the doors; an empty token sends none."""

    process: Process
    kind: Kind

    def __call__(self, method: str, body: dict[str, Any], token: str) -> Reply:
        client = Client(process=self.process, service=SERVICE, token=token, door=self.kind)
        return client.call(method, **body)


@pytest.fixture(params=["grpc", "http"])
def door(request: pytest.FixtureRequest, process: Process) -> Door:
    """Each door in its turn."""
    return Door(process=process, kind=request.param)


@pytest.fixture
def http(process: Process) -> Door:
    """The HTTP door alone, for what does not depend on the door."""
    return Door(process=process, kind="http")
