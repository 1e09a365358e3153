"""A database of scheduling for each test, the offices, the extract of the postcode directory, an intake of the test's own."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.errors import NotFound, Unavailable
from chassis.postcodes import Postcodes, build_extract
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, database_fixture, settings_for
from scheduling.__main__ import MIGRATIONS, service
from scheduling.config import Settings
from scheduling.data import load_assessors, load_offices
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory

database_urls = database_fixture("scheduling", MIGRATIONS)


class IntakeOfTests:
    """Knows the claims that a test opens, and keeps what it was asked."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.asked: list[str] = []
        self.is_away = False

    def open(self, claim_ref: str, *, first_contact_time: datetime | None = None) -> Claim:
        """Opens a claim, whose claimant made contact now unless told otherwise."""
        claim = Claim(claim_ref=claim_ref, is_open=True, first_contact_time=first_contact_time or clock.now())
        self.claims[claim_ref] = claim
        return claim

    def close(self, claim_ref: str) -> None:
        """The claim is withdrawn."""
        before = self.claims[claim_ref]
        self.claims[claim_ref] = Claim(
            claim_ref=claim_ref, is_open=False, first_contact_time=before.first_contact_time
        )

    def claim(self, claim_ref: str) -> Claim:
        """As scheduling asks it."""
        self.asked.append(claim_ref)
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        if claim_ref not in self.claims:
            raise NotFound("CLAIM_UNKNOWN", "there is no such claim")
        return self.claims[claim_ref]


@pytest.fixture
def intake() -> IntakeOfTests:
    return IntakeOfTests()


@pytest.fixture
def directory() -> Directory:
    return Directory(load_offices(), load_assessors())


@pytest.fixture(scope="session")
def postcodes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    return path


@pytest.fixture
def postcodes(postcodes_file: Path) -> Iterator[Postcodes]:
    with Postcodes(postcodes_file) as opened:
        yield opened


@pytest.fixture
def process(
    database_urls: DatabaseUrls,
    servers: Servers,
    bus_prefix: str,
    tokens: Tokens,
    clock_file: Path,
    postcodes_file: Path,
    intake: IntakeOfTests,
) -> Iterator[Process]:
    settings = settings_for(
        Settings,
        "scheduling-svc",
        urls=database_urls,
        servers=servers,
        bus_prefix=bus_prefix,
        tokens=tokens,
        clock_offset_file=clock_file,
        postcodes_file=postcodes_file,
    )
    started = Process(service(settings, intake_of=lambda _runtime: intake))
    started.start()
    yield started
    started.stop()
