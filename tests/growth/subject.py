"""A service under measure: its real process, without its threads, on a database filled with history."""

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, LiteralString

import psycopg
from google.protobuf.message import Message

from chassis import contract, embedded
from chassis.bus import Bus
from chassis.migrations import migrate
from chassis.outbox import events_stream, receipts_stream
from chassis.runtime import Process, Service
from chassis.state_gauges import OWN_GAUGES, StateCollector
from chassis.testing import DatabaseUrls, Servers, Tokens
from chassis.testing.doors import Client
from chassis.testing.events import deliver, event_of
from chassis.workers import Worker
from tests.growth.recorder import Recorder, explain_everything

_OF_EVERY_SERVICE = (
    "issuer-keys",
    "relay",
    "receipts",
    "receipts-idle",
    "inbox",
    "inbox-idle",
    "dead-letters",
    "pruning",
    "watermark",
)

_REFERENCE = """
    CREATE FUNCTION reference(n integer) RETURNS text IMMUTABLE LANGUAGE sql AS $$
        SELECT 'C' || lpad(n::text, 10, '0') || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + (32 - (
            2 * (n % 10) + n / 10 % 10 + 2 * (n / 100 % 10) + n / 1000 % 10 + 2 * (n / 10000 % 10) + n / 100000 % 10
            + 2 * (n / 1000000 % 10)
        ) % 32) % 32, 1)
    $$
"""
"""Luhn mod 32 of a number below ten million: a digit doubled is below 32, so that nothing is carried."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a subject runs."""

    servers: Servers
    folder: Path
    urls: DatabaseUrls
    tokens: Tokens
    bus_prefix: str


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls a method, and for which purpose."""

    role: str
    subject: str = "OP000001"
    office: str | None = None
    purpose: str = ""

    def token(self, tokens: Tokens) -> str:
        """A token of the caller."""
        claims: dict[str, Any] = {"office": self.office} if self.office else {}
        return tokens.issue(self.role, subject=self.subject, **claims)


class Subject(ABC):
    """A service. A subclass knows how to fill its tables and what to do with it."""

    name: str
    """The service's name in the contract."""
    not_called: ClassVar[dict[str, str]] = {}
    """Methods, workers, events and functions of the store that are not exercised, each with the reason."""
    still_growing: ClassVar[tuple[str, ...]] = ()
    """Cases, by how their names begin, whose cost is known to grow and is being mended."""

    def __init__(self, place: Place, recorder: Recorder) -> None:
        self.place = place
        self.recorder = recorder
        self.called: set[str] = set()
        self.closing = ExitStack()

    @abstractmethod
    def service(self) -> Service:
        """The service with the settings of the test."""

    @abstractmethod
    def fill(self, first: int, last: int) -> None:
        """Adds the history of the claims with these numbers. What is open does not grow with it."""

    @abstractmethod
    def exercise(self, turn: int) -> None:
        """Calls every door, worker and event. Each turn works on claims of its own."""

    # What subclasses use.

    def sql(self, query: LiteralString, **values: Any) -> None:
        """Executes a statement, unrecorded; foreign keys are not checked, which would take longer than all the rest."""
        url = f"{self.place.servers.postgres_url}/{self.place.urls.name}"
        with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as conn:
            conn.execute("SET session_replication_role = replica")
            conn.execute(query, values)

    def call(self, method: str, body: dict[str, Any], *, by: Caller, note: str = "", service: str = "") -> Any:
        """The response of a method in JSON, by the HTTP door. AssertionError where it is refused."""
        client = Client(
            process=self.process,
            service=service or self.process_service.contract.full_name,
            token=by.token(self.place.tokens),
            metadata={"cms-purpose": by.purpose} if by.purpose else {},
        )
        with self.recorder.case(f"{method} {note}".strip()):
            response = client.get(method, **body)
        self.called.add(method)
        return response

    def change(self, method: str, body: dict[str, Any], *, by: Caller, note: str = "", service: str = "") -> Any:
        """The same for a method that changes something, as a request of its own."""
        return self.call(method, {"requestId": str(uuid.uuid4())} | body, by=by, note=note, service=service)

    def step(self, worker: str) -> bool:
        """One step of a worker; of a crew, of its first."""
        with self.recorder.case(f"worker {worker}"):
            more = self._next(worker)._step()
        self.called.add(worker)
        return more

    def hear(self, event: Message, claim_ref: str, *, version: int = 1) -> None:
        """Has the service hear an event, by the bus and its inbox."""
        heard = event_of(event, claim_ref=claim_ref, version=version)
        deliver(self._bus, heard, hearer=self.process_service.name)
        with self.recorder.case(f"event {heard.name}"):
            self._next("inbox")._step()
        self.called |= {"inbox", heard.name}

    def scrape(self) -> float:
        """Reads every gauge, as a scrape does that finds nothing kept; gives the milliseconds that it took."""
        collector = StateCollector(self.process.database, [*OWN_GAUGES, *self.process_service.gauges])
        started = time.perf_counter()
        with self.recorder.case("scrape"):
            families = list(collector.collect())
        took = (time.perf_counter() - started) * 1000
        assert any(family.samples for family in families), "the gauges could not be read"
        return took

    def exercise_chassis(self) -> None:
        """Steps the workers that every service has; all events are receipted, and all watermarks are now."""
        heard = contract.sources_heard_by(self.process_service.name) if self.process_service.handlers else []
        for source in heard:
            self._bus.add(events_stream(source), [{"finished_before": datetime.now(UTC).isoformat()}])
        self.step("relay")
        self._receipt_everything()
        for worker in _OF_EVERY_SERVICE:
            if any(one.name == worker for one in self.process.workers):
                self.step(worker)

    def _receipt_everything(self) -> None:
        """All who hear what was published say so."""
        stream = receipts_stream(self.process_service.name)
        self._next("receipts")._step()  # makes the group
        with psycopg.connect(self.place.urls.owner) as conn:
            rows = conn.execute("SELECT event_id, unnest(heard_by) FROM outbox WHERE finished_time IS NULL").fetchall()
        self._bus.add(stream, [{"event_id": event_id.bytes, "consumer": name} for event_id, name in rows])

    def _next(self, worker: str) -> Worker:
        return next(one for one in self.process.workers if one.name in (worker, f"{worker}-1"))

    # Running.

    @contextmanager
    def running(self) -> Iterator[None]:
        """The service, with its doors open and its workers still."""
        with self.closing, self.recorder.attached():
            self.process_service = self.service()
            self.process = Process(self.process_service)
            self.process.database.open()
            self.closing.callback(self.process.database.close)
            self.closing.callback(self.process.runtime.closing.close)
            self.process_service.prepare(self.process.runtime)
            self.process.http.start()
            self.closing.callback(self.process.http.stop, 1.0)
            self._bus = Bus(self.place.servers.bus_url, prefix=self.place.bus_prefix)
            self.closing.callback(self._bus.close)
            if self.process_service.handlers:
                self._next("inbox")._step()  # makes the groups
            yield

    def settle_statistics(self) -> None:
        """What autovacuum has done long before so much history is there."""
        with psycopg.connect(self.place.urls.owner, autocommit=True) as conn:
            conn.execute("SET client_min_messages = error")
            conn.execute("VACUUM (ANALYZE)")


def make_place(servers: Servers, folder: Path, *, name: str, migrations: Path) -> Place:
    """A database of its own, migrated, whose statements are explained; tokens, and a prefix on the bus."""
    embedded.create_database(servers.postgres_url, name)
    host = servers.postgres_url.rpartition("@")[2]
    urls = DatabaseUrls(
        app=f"postgresql://{name}_app@{host}/{name}", owner=f"postgresql://{name}_owner@{host}/{name}", name=name
    )
    migrate(owner_url=urls.owner, app_url=urls.app, folder=migrations)
    with psycopg.connect(urls.owner) as conn:
        conn.execute(_REFERENCE)
    explain_everything(f"{servers.postgres_url}/postgres", database=name, role=f"{name}_app")
    return Place(servers=servers, folder=folder, urls=urls, tokens=Tokens(folder), bus_prefix=f"{uuid.uuid4().hex}:")
