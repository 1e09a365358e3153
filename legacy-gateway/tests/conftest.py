"""Fixtures of the gateway's tests: good facts, a ledger, JSAPS's stand-in, and an intake in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.inbox import Event
from chassis.postcodes import Postcodes, build_extract
from chassis.testing import DatabaseUrls, database_fixture
from chassis.vault import Vault
from chassis.workers import Turns
from legacy_gateway.domain import Facts, System
from legacy_gateway.link import LinkPool
from legacy_gateway.service.connections import Connections
from legacy_gateway.service.presence import Watch
from legacy_gateway.service.resources import Resources
from legacy_gateway.systems import RULES
from legacy_gateway.systems.record_link import RecordLinkSystem
from simulators.jsaps import JSAPS
from simulators.record_link.server import MainframeServer
from tests.support.books import books, books_of  # noqa: F401 - fixtures
from tests.support.gateway.doors import intake_door, process  # noqa: F401 - fixtures
from tests.support.gateway.events import amended, confirmed, withdrawn
from tests.support.gateway.owners import AssessmentDoor, AssessmentInMemory, IntakeInMemory, good_facts
from tests.support.gateway.stepped import (
    REPLY_SECONDS,
    SCALE,
    Gateway,
    jsaps_settings,
    present,
    watched_for_long,
)

database_urls = database_fixture("gateway", Path(__file__).parents[1] / "migrations")


@pytest.fixture
def facts() -> Callable[..., Facts]:
    return good_facts


@pytest.fixture
def assessment() -> AssessmentDoor:
    return AssessmentDoor()  # type: ignore[abstract]  # the other methods are not called


@pytest.fixture
def confirmation() -> Callable[..., Event]:
    return confirmed


@pytest.fixture
def amendment() -> Callable[..., Event]:
    return amended


@pytest.fixture
def withdrawal() -> Callable[..., Event]:
    return withdrawn


@pytest.fixture
def jsaps(tmp_path: Path) -> Iterator[MainframeServer]:
    stand_in = MainframeServer(JSAPS, jsaps_settings(tmp_path))
    stand_in.start()
    yield stand_in
    if stand_in._thread.is_alive():  # else the test stopped it
        stand_in.stop()


@pytest.fixture(scope="session")
def postcodes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    return path


@pytest.fixture
def postcodes(postcodes_file: Path) -> Iterator[Postcodes]:
    with Postcodes(postcodes_file) as directory:
        yield directory


@pytest.fixture
def gateway(
    database: Database, database_urls: DatabaseUrls, vault: Vault, jsaps: MainframeServer, postcodes: Postcodes
) -> Iterator[Gateway]:
    pool = LinkPool("127.0.0.1", jsaps.port, size=4, timeout=REPLY_SECONDS)
    url = database_urls.app
    intake, assessment = IntakeInMemory(), AssessmentInMemory()
    resources = Resources(
        database=database,
        vault=vault,
        intake=intake,
        assessment=assessment,
        systems={System.JSAPS: RecordLinkSystem(RULES[System.JSAPS], pool)},
        files={},
        file_seconds=1.0,
        postcodes=postcodes,
        reply_seconds=REPLY_SECONDS,
        time_scale=SCALE,
        turns={System.JSAPS: Turns(pause_seconds=0)},
        presence=present(url, pool),
        connections=Connections({}),
        watch=Watch(),
        clock=watched_for_long(database),
    )
    made = Gateway(
        database=database, url=url, vault=vault, jsaps=jsaps, intake=intake, assessment=assessment, resources=resources
    )
    yield made
    made.check_history()
    pool.close()
    made.resources.presence.close()
