"""A migrated database, claims of the test's own, the councils' stand-in, and the notifier."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from google.protobuf.message import Message
from psycopg import sql

from chassis import clock, testing
from chassis.bus import Bus
from chassis.errors import NotFound, PermissionDenied, Unavailable
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, SettingsOf, database_fixture, deliver, event_of
from la_notifier.__main__ import MIGRATIONS, service
from la_notifier.config import Settings
from la_notifier.domain.awards import AwardBasis, AwardOutcome, Decision
from la_notifier.domain.facts import ClaimFacts
from simulators.councils.server import Councils as CouncilsStandIn
from simulators.councils.testing import councils_settings
from simulators.sftp.testing import keys_in
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


@pytest.fixture
def secrets_file(tmp_path: Path) -> Path:
    path = tmp_path / "councils.json"
    path.write_text(json.dumps(SECRETS))
    return path


@pytest.fixture
def councils(tmp_path: Path, secrets_file: Path) -> Iterator[CouncilsStandIn]:
    stand_in = CouncilsStandIn(councils_settings(tmp_path, secrets_file))
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def settings(
    settings_of: SettingsOf, postcodes_file: Path, secrets_file: Path, councils: CouncilsStandIn, tmp_path: Path
) -> Settings:
    """Waits are a hundredth of what they are in use."""
    keys = keys_in(tmp_path)
    host_key = tmp_path / "councils-host.pub"
    host_key.write_bytes(keys["known_hosts"].read_bytes().removeprefix(b"* "))
    return settings_of(
        Settings,
        "la-notifier",
        postcodes_file=postcodes_file,
        council_secrets_file=secrets_file,
        councils_url=f"http://127.0.0.1:{councils.port}",
        councils_sftp_port=councils.sftp_port,
        councils_sftp_key_file=keys["client_key"],
        councils_sftp_host_key_file=host_key,
        sftp_cycle_seconds=10.0,
        time_scale=0.01,
    )


def facts_of_a_tenant(**answers: Any) -> ClaimFacts:
    """A draft at version 3 of a lone tenant in Cardiff; an answer of None is not given."""
    return ClaimFacts(
        claim_ref=CLAIM,
        version=3,
        withdrawn=False,
        schemes=("JOBSEEKERS_ALLOWANCE",),
        language="CY",
        first_contact_time=clock.now(),
        first_contact_on=clock.today(),
        claim_on=None,
        answers=_given(ANSWERS | answers),
    )


def _given(answers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if value is not None}


@pytest.fixture(scope="session")
def tenant() -> Callable[..., ClaimFacts]:
    return facts_of_a_tenant


class ClaimsOfTests:
    """Intake and the gateway as the notifier knows them: claims at each of their versions, and what was decided on them."""

    def __init__(self) -> None:
        self.kept: dict[str, list[ClaimFacts]] = {}
        self.decided: dict[str, list[Decision]] = {}
        self.refusal: PermissionDenied | None = None
        self.is_away = False
        self.asked: list[int] = []
        """The versions that were asked for; 0 for a claim as it is now."""

    def keep(self, facts: ClaimFacts) -> ClaimFacts:
        """Keeps a claim at this version."""
        self.kept.setdefault(facts.claim_ref, []).append(facts)
        return facts

    def submit(self, claim_ref: str = CLAIM, on: date | None = None) -> ClaimFacts:
        """Submits the claim, which makes a version."""
        now = self.kept[claim_ref][-1]
        return self.keep(replace(now, version=now.version + 1, claim_on=on or clock.today()))

    def amend(self, claim_ref: str = CLAIM, **answers: Any) -> ClaimFacts:
        """Changes answers, which makes a version; None clears one."""
        now = self.kept[claim_ref][-1]
        return self.keep(replace(now, version=now.version + 1, answers=_given(dict(now.answers) | answers)))

    def decide(self, scheme: str, outcome: str, *, basis: str = "", claim_ref: str = CLAIM, on: date) -> None:
        """Decides a scheme of the claim, or corrects the decision on it."""
        others = [one for one in self.decided.get(claim_ref, []) if one.scheme != scheme]
        decision = Decision(
            scheme=scheme,
            outcome=AwardOutcome(outcome),
            basis=AwardBasis(basis) if basis else None,
            from_day=on,
            to_day=None,
        )
        self.decided[claim_ref] = [*others, decision]

    def decisions(self, claim_ref: str) -> list[Decision]:
        """The decisions, as the notifier asks for them."""
        return self.decided.get(claim_ref, [])

    def purpose(self, claim_ref: str) -> str:
        """Entitles every caller, or answers as `refusal` says."""
        if self.refusal is not None:
            raise self.refusal
        return f"work item {claim_ref}"

    def facts(self, claim_ref: str, version: int = 0) -> ClaimFacts:
        """The facts, as the notifier asks for them."""
        self.asked.append(version)
        if self.is_away:
            raise Unavailable("UNAVAILABLE", "intake is away")
        if claim_ref not in self.kept:
            raise NotFound("CLAIM_UNKNOWN", "there is no such claim")
        return next(facts for facts in reversed(self.kept[claim_ref]) if not version or facts.version <= version)


@pytest.fixture
def claims() -> ClaimsOfTests:
    return ClaimsOfTests()


Publish = Callable[..., None]


@pytest.fixture
def publish(bus: Bus) -> Publish:
    """Publishes an event of intake on the bus."""

    def add(
        message: Message,
        *,
        claim_ref: str = CLAIM,
        version: int,
        occurred: datetime | None = None,
        event_id: UUID | None = None,
    ) -> None:
        event = event_of(message, claim_ref=claim_ref, version=version, at=occurred, event_id=event_id)
        deliver(bus, event, hearer="la-notifier")

    return add


Running = Callable[[], AbstractContextManager[Process]]


@pytest.fixture
def running(settings: Settings, claims: ClaimsOfTests) -> Running:
    """Runs the notifier, with both doors and all its workers, as long as the context lasts."""
    return partial(
        testing.running, service(settings, claims_of=lambda _runtime: claims, decisions_of=lambda _runtime: claims)
    )


@pytest.fixture
def notifier(running: Running) -> Iterator[Process]:
    with running() as process:
        yield process


class Scene:
    """The claims, events, councils and rows of an integration test."""

    def __init__(self, claims: ClaimsOfTests, publish: Publish, councils: CouncilsStandIn, urls: DatabaseUrls) -> None:
        self.claims = claims
        self.publish = publish
        self._councils = councils
        self._urls = urls

    def rows(self, query: LiteralString | sql.Composed) -> list[tuple[Any, ...]]:
        """Rows of the notifier's database."""
        with psycopg.connect(self._urls.owner) as conn:
            return conn.execute(query).fetchall()

    def change(self, query: LiteralString) -> None:
        """Changes rows of the notifier's database."""
        with psycopg.connect(self._urls.owner) as conn:
            conn.execute(query)

    def versions(self) -> list[tuple[Any, ...]]:
        """Number, kind and state of every version."""
        return self.rows(
            "SELECT version, kind, state FROM notice_versions JOIN notices USING (notice_id)"
            " ORDER BY authority_code, version"
        )

    def is_quiet(self) -> bool:
        """Whether every claim of which an event was heard was reviewed."""
        return self.rows("SELECT 1 FROM inbox LIMIT 1") != [] and self.rows("SELECT 1 FROM looks") == []

    def events_out(self) -> list[tuple[str, int]]:
        """Short name and version of the notifier's own events."""
        rows = self.rows("SELECT type, version FROM outbox ORDER BY created")
        return [(name.rpartition(".")[2], version) for name, version in rows]

    def referrals(self) -> list[tuple[Any, ...]]:
        """Authority and reason of what is left to a processing officer."""
        return self.rows("SELECT authority_code, reason FROM not_told ORDER BY authority_code")

    def order(self, failure: str, **rule: object) -> None:
        """Makes the councils fail."""
        body = {"failure": failure, **rule}
        assert call(self._councils.control_port, "POST", "/failures", body=body).status == 200

    def relent(self) -> None:
        """Ends every failure of the councils."""
        assert call(self._councils.control_port, "DELETE", "/failures").status == 200

    def take_sequence(self, authority: str, sequence: int) -> None:
        """Has an authority take somebody else's file under this sequence."""
        body = {"authority": authority, "sequence": sequence}
        assert call(self._councils.control_port, "POST", "/sequences", body=body).status == 200

    def fired(self) -> dict[str, int]:
        """The number of times that each failure happened."""
        counts: dict[str, int] = call(self._councils.control_port, "GET", "/failures/counts").body["counts"]
        return counts

    def cycle(self) -> Any:
        """Has the councils take the files that lie there; what became of each."""
        return call(self._councils.control_port, "POST", "/cycle", body={}).body["files"]

    def ledger(self, claim_ref: str = CLAIM) -> Any:
        """The councils' ledger of a claim; of all claims where it is empty."""
        query = f"?claim_ref={claim_ref}" if claim_ref else ""
        return call(self._councils.control_port, "GET", f"/ledger{query}").body

    def held(self) -> list[Any]:
        """The notices that the councils hold of the claim."""
        found: list[Any] = self.ledger()["claims"].get(CLAIM, [])
        return found

    def loaded_once(self) -> bool:
        """Whether the councils loaded something of the claim and nothing of it twice."""
        ledger = self.ledger()
        return bool(ledger["versions"]["LOADED"] > 0 and ledger["duplicates"] == 0)


@pytest.fixture
def scene(claims: ClaimsOfTests, publish: Publish, councils: CouncilsStandIn, database_urls: DatabaseUrls) -> Scene:
    return Scene(claims, publish, councils, database_urls)
