"""A migrated database, the postcode extract, claims of the test's own, the councils' stand-in, and the notifier."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from google.protobuf.message import Message
from psycopg import sql

from chassis import clock
from chassis.bus import Bus
from chassis.errors import NotFound, Unavailable
from chassis.postcodes import build_extract
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, database_fixture, settings_for
from cms.common.v1 import common_pb2
from la_notifier.__main__ import MIGRATIONS, service
from la_notifier.config import Settings
from la_notifier.domain import ClaimFacts
from simulators.councils.server import Councils as CouncilsStandIn
from simulators.settings import CouncilsSettings, read_settings
from simulators.testing import call

CLAIM = "C0123456789A"
ANSWERS: dict[str, Any] = {
    "language": "CY",
    "nino": "AB123456C",
    "title": "MS",
    "surname": "O’Brien-Łukasz",
    "forenames": "Siân",
    "date_of_birth": "1980-02-29",
    "address": {"lines": ["1 High Street", "Cardiff"], "postcode": "CF10 4ER"},
    "has_partner": False,
    "children": [{"relationship": "SON_OR_DAUGHTER", "date_of_birth": "2019-05-01"}],
    "tenure": "PRIVATE_TENANT",
    "liable_for_rent": True,
    "liable_for_council_tax": True,
    "wishes_housing_benefit": True,
    "wishes_council_tax_benefit": True,
    "landlord": "Landlord Ltd",
    "rent_amount": "85.50",
    "rent_period": "WEEKLY",
    "moved_in_on": "2021-03-04",
    "non_dependants": [{"relationship": "PARENT"}],
    "pension_weekly": "0.00",
    "part_time_earnings": "40.00",
    "other_income": [{"kind": "PENSION", "amount": "100.00", "period": "MONTHLY"}],
    "capital_band": "UP_TO_6000",
}
SECRETS = {"E08000035": "00ff" * 16, "E08000025": "22dd" * 16, "W06000015": "11ee" * 16}

database_urls = database_fixture("notifier", MIGRATIONS)


@pytest.fixture(scope="session")
def postcodes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("postcodes") / "postcodes.sqlite"
    build_extract(path)
    return path


@pytest.fixture
def secrets_file(tmp_path: Path) -> Path:
    path = tmp_path / "councils.json"
    path.write_text(json.dumps(SECRETS))
    return path


@pytest.fixture
def councils(tmp_path: Path, secrets_file: Path) -> Iterator[CouncilsStandIn]:
    stand_in = CouncilsStandIn(
        read_settings(
            CouncilsSettings,
            port=0,
            control_port=0,
            data=tmp_path / "councils",
            secrets=secrets_file,
            load_seconds=0.05,
        )
    )
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def settings(
    *,
    database_urls: DatabaseUrls,
    servers: Servers,
    bus_prefix: str,
    tokens: Tokens,
    postcodes_file: Path,
    secrets_file: Path,
    councils: CouncilsStandIn,
) -> Settings:
    """Waits are a hundredth of what they are in use."""
    made: Settings = settings_for(
        Settings,
        "la-notifier",
        urls=database_urls,
        servers=servers,
        bus_prefix=bus_prefix,
        tokens=tokens,
        postcodes_file=postcodes_file,
        council_secrets_file=secrets_file,
        councils_url=f"http://127.0.0.1:{councils.port}",
        time_scale=0.01,
    )
    return made


def facts_of_a_tenant(**answers: Any) -> ClaimFacts:
    """A draft at version 3 of a lone tenant in Cardiff; an answer of None is not given."""
    given = {name: value for name, value in (ANSWERS | answers).items() if value is not None}
    return ClaimFacts(
        claim_ref=CLAIM,
        version=3,
        withdrawn=False,
        schemes=("JOBSEEKERS_ALLOWANCE",),
        language="CY",
        first_contact_time=clock.now(),
        first_contact_on=clock.today(),
        claim_on=None,
        answers=given,
    )


@pytest.fixture(scope="session")
def tenant() -> Callable[..., ClaimFacts]:
    return facts_of_a_tenant


class ClaimsOfTests:
    """Intake as the notifier knows it: the claims that a test keeps, at each of their versions."""

    def __init__(self) -> None:
        self.kept: dict[str, list[ClaimFacts]] = {}
        self.is_away = False
        self.asked: list[int] = []
        """The versions that were asked for; 0 for a claim as it is now."""

    def keep(self, facts: ClaimFacts) -> ClaimFacts:
        """The claim is at this version now."""
        self.kept.setdefault(facts.claim_ref, []).append(facts)
        return facts

    def submit(self, claim_ref: str = CLAIM, on: date | None = None) -> ClaimFacts:
        """The claim is submitted, which makes a version."""
        now = self.kept[claim_ref][-1]
        return self.keep(replace(now, version=now.version + 1, claim_on=on or clock.today()))

    def amend(self, claim_ref: str = CLAIM, **answers: Any) -> ClaimFacts:
        """Answers are changed, None takes one back: that makes a version."""
        now = self.kept[claim_ref][-1]
        given = {name: value for name, value in (dict(now.answers) | answers).items() if value is not None}
        return self.keep(replace(now, version=now.version + 1, answers=given))

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """As the notifier asks."""
        self.asked.append(version)
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        if claim_ref not in self.kept:
            raise NotFound("CLAIM_UNKNOWN", "there is no such claim")
        return next(facts for facts in reversed(self.kept[claim_ref]) if not version or facts.version <= version)


@pytest.fixture
def claims() -> ClaimsOfTests:
    return ClaimsOfTests()


class Told:
    """Tells the notifier events on the bus, as intake's relay does."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def __call__(
        self,
        event: Message,
        *,
        claim_ref: str = CLAIM,
        version: int,
        occurred: datetime | None = None,
        event_id: UUID | None = None,
    ) -> None:
        """Adds a delivery of the event to intake's stream."""
        known = event_id or uuid4()
        envelope = common_pb2.EventEnvelope(
            event_id=str(known),
            type=event.DESCRIPTOR.full_name,
            claim_ref=claim_ref,
            version=version,
            payload=event.SerializeToString(),
        )
        envelope.occurred_time.FromDatetime((occurred or clock.now()).astimezone(UTC))
        entry: dict[str, bytes | str] = {
            "event_id": known.bytes,
            "heard_by": "la-notifier",
            "envelope": envelope.SerializeToString(),
        }
        self._bus.add("events:intake-svc", [entry])


@pytest.fixture
def tell(bus: Bus) -> Told:
    return Told(bus)


Running = Callable[[], AbstractContextManager[Process]]


@pytest.fixture
def running(settings: Settings, claims: ClaimsOfTests) -> Running:
    """Runs the notifier, with both doors and all its workers, as long as the context lasts."""

    @contextmanager
    def run() -> Iterator[Process]:
        process = Process(service(settings, claims_of=lambda _runtime: claims))
        process.start()
        yield process
        process.stop()

    return run


@pytest.fixture
def notifier(running: Running) -> Iterator[Process]:
    with running() as process:
        yield process


class Scene:
    """What an integration test sets up and looks at."""

    def __init__(self, claims: ClaimsOfTests, tell: Told, councils: CouncilsStandIn, urls: DatabaseUrls) -> None:
        self.claims = claims
        self.tell = tell
        self._councils = councils
        self._urls = urls

    def rows(self, query: LiteralString | sql.Composed) -> list[tuple[Any, ...]]:
        """Rows of the notifier's database."""
        with psycopg.connect(self._urls.app) as conn:
            return conn.execute(query).fetchall()

    def versions(self) -> list[tuple[Any, ...]]:
        """Number, kind and state of every version."""
        return self.rows(
            "SELECT version, kind, state FROM notice_versions JOIN notices USING (notice_id)"
            " ORDER BY authority_code, version"
        )

    def is_quiet(self) -> bool:
        """Whether everything that was heard was looked at."""
        return self.rows("SELECT 1 FROM inbox LIMIT 1") != [] and self.rows("SELECT 1 FROM looks") == []

    def events_out(self) -> list[tuple[str, int]]:
        """Short name and version of the notifier's own events."""
        rows = self.rows("SELECT type, version FROM outbox ORDER BY created")
        return [(name.rpartition(".")[2], version) for name, version in rows]

    def not_told(self) -> list[tuple[Any, ...]]:
        """Authority and reason of what is left to a person."""
        return self.rows("SELECT authority_code, reason FROM not_told ORDER BY authority_code")

    def order(self, failure: str, **rule: object) -> None:
        """Makes the councils fail."""
        body = {"failure": failure, **rule}
        assert call(self._councils.control_port, "POST", "/failures", body=body).status == 200

    def fired(self) -> dict[str, int]:
        """How often each failure happened."""
        counts: dict[str, int] = call(self._councils.control_port, "GET", "/failures/counts").body["counts"]
        return counts

    def ledger(self) -> Any:
        """What the councils hold of the claim."""
        return call(self._councils.control_port, "GET", f"/ledger?claim_ref={CLAIM}").body

    def held(self) -> list[Any]:
        """The notices that the councils hold of the claim."""
        found: list[Any] = self.ledger()["claims"].get(CLAIM, [])
        return found

    def loaded_once(self) -> bool:
        """Whether the councils loaded something of the claim and nothing of it twice."""
        ledger = self.ledger()
        return bool(ledger["versions"]["LOADED"] > 0 and ledger["duplicates"] == 0)


@pytest.fixture
def scene(claims: ClaimsOfTests, tell: Told, councils: CouncilsStandIn, database_urls: DatabaseUrls) -> Scene:
    return Scene(claims, tell, councils, database_urls)
