"""A service under measure: its real process, without its threads, on a database filled with history."""

import importlib
import inspect
import pkgutil
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar, LiteralString
from urllib.parse import urlsplit

import httpx
import psycopg
from google.protobuf.message import Message

from chassis import contract, embedded, operations, watermarks
from chassis.bus import Bus
from chassis.database import Database
from chassis.migrations import migrate
from chassis.outbox import events_stream, receipts_stream
from chassis.runtime import Process, Service
from chassis.settings import ServiceSettings
from chassis.state_gauges import StateCollector
from chassis.testing import DatabaseUrls, Servers, Tokens, add_signed, eventually, settings_for
from chassis.testing.doors import Client
from chassis.testing.events import deliver, event_of
from chassis.workers import Worker
from tests.growth.recorder import Recorder, explain_everything

_LONGEST_WAIT_SECONDS = 30.0
_PATIENT = {"connect-timeout-ms": "30000"}
"""How much was read is measured, and not how long that took on a machine that does more beside it."""
_OF_EVERY_SERVICE = (
    "access-log",
    "issuer-keys",
    "signing-keys",
    "certificate",
    "relay",
    "receipts",
    "receipts-idle",
    "inbox",
    "inbox-idle",
    "dead-letters",
    "pruning",
    "watermark",
)

# How to drop each index that is no constraint, and how to make it again.
_INDEXES = """
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""
# A table that autovacuum leaves alone.
_TABLES = """
    SELECT format('ALTER TABLE %s SET (autovacuum_enabled = off)', oid::regclass)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_EXCLUSIONS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype = 'x' AND connamespace = 'public'::regnamespace
"""
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
    """The servers and the database that a subject runs on."""

    servers: Servers
    folder: Path
    urls: DatabaseUrls
    tokens: Tokens
    bus_prefix: str


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The caller of a method, and the purpose."""

    role: str
    subject: str = "OP000001"
    office: str | None = None
    authority: str | None = None
    purpose: str = ""

    def token(self, tokens: Tokens) -> str:
        """A token of the caller."""
        named = {"office": self.office, "authority": self.authority}
        claims: dict[str, Any] = {name: value for name, value in named.items() if value}
        return tokens.issue(self.role, subject=self.subject, **claims)


class Subject(ABC):
    """A service. A subclass knows how to fill its tables and what to do with it."""

    name: str
    """The service's name in the contract."""
    not_executed: ClassVar[dict[str, str]] = {}
    """Functions of the store that are not exercised, each with the reason."""
    stepped_once: ClassVar[frozenset[str]] = frozenset()
    """Workers whose every further step waits for a change that does not come."""

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

    # For subclasses.

    def settings(self, kind: type[ServiceSettings], identity: str, **more: Any) -> Any:
        """Settings of the service in this place."""
        place = self.place
        return settings_for(
            kind,
            identity,
            urls=place.urls,
            servers=place.servers,
            bus_prefix=place.bus_prefix,
            tokens=place.tokens,
            **more,
        )

    def sql(self, query: LiteralString, **values: Any) -> None:
        """Executes a statement, unrecorded; foreign keys are not checked, which would take longer than all the rest."""
        url = f"{self.place.servers.postgres_url}/{self.place.urls.name}"
        with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as conn:
            conn.execute("SET session_replication_role = replica")
            conn.execute(query, values)

    def call(self, method: str, body: dict[str, Any], *, by: Caller, note: str = "", service: str = "") -> Any:
        """The response in JSON, by the HTTP door or, as a service, by the gRPC door. AssertionError where it is refused."""
        client = self._client(by, service)
        with self.recorder.case(f"{method} {note}".strip()):
            response = client.get(method, **body)
        self.called.add(method)
        return response

    def read_page(self, url: str, *, note: str) -> None:
        """Reads a page by its link, as a program does that sends no token. AssertionError where it is refused."""
        with self.recorder.case(note):
            answer = httpx.get(f"http://127.0.0.1:{self.process.http.port}{urlsplit(url).path}")
        assert answer.status_code == HTTPStatus.OK, answer.text

    def mistake(self, method: str, body: dict[str, Any], *, by: Caller, reason: str = "INVALID_FIELDS") -> None:
        """Calls a method with a fault, by default in its fields. AssertionError where it is refused for another, or taken."""
        client = self._client(by)
        with self.recorder.case(f"{method} refused: {reason}"):
            reply = client.call(method, **{"requestId": str(uuid.uuid4())} | body)
        assert reply.reason == reason

    def _client(self, by: Caller, service: str = "") -> Client:
        return Client(
            process=self.process,
            service=service or self.process_service.contract.full_name,
            token=by.token(self.place.tokens),
            metadata=_PATIENT | ({"cms-purpose": by.purpose} if by.purpose else {}),
        )

    def change(self, method: str, body: dict[str, Any], *, by: Caller, note: str = "", service: str = "") -> Any:
        """The same for a method that changes something, as a request of its own."""
        return self.call(method, {"requestId": str(uuid.uuid4())} | body, by=by, note=note, service=service)

    def step(self, worker: str) -> bool:
        """One step of a worker; of a crew, of its first."""
        with self.recorder.case(f"worker {worker}"):
            more = self._next(worker)._step()
        self.called.add(worker)
        return more

    def start_again(self) -> None:
        """Does again what the service does before its doors open."""
        with self.recorder.case("start"):
            self.process_service.prepare(self.process.runtime)

    def step_own_workers(self, *, until: Callable[[], bool] = lambda: True) -> None:
        """Steps the first of every crew of the service's own, once and then until what is wanted has come."""
        names = dict.fromkeys(one.name.rstrip("-0123456789") for one in self.process.workers)
        done = set(_OF_EVERY_SERVICE) | (self.stepped_once & self.called)

        def has_come() -> bool:
            for name in names:
                if name not in done:
                    self.step(name)
            done.update(self.stepped_once)
            return until()

        eventually(has_come, seconds=_LONGEST_WAIT_SECONDS, what=f"the change that {self.name} was to make")

    def rows(self, query: LiteralString, **values: Any) -> list[Any]:
        """The rows of a query, unrecorded."""
        with psycopg.connect(self.place.urls.owner) as conn:
            return conn.execute(query, values).fetchall()

    def hear(self, event: Message, claim_ref: str, *, version: int = 1) -> None:
        """Has the service hear an event, by the bus and its inbox."""
        heard = event_of(event, claim_ref=claim_ref, version=version)
        deliver(self._bus, heard, hearer=self.process_service.name)
        with self.recorder.case(f"event {heard.name}"):
            self._next("inbox")._step()
        self.called |= {"inbox", heard.name}

    def scrape(self) -> None:
        """Reads every gauge, as a scrape does that finds nothing kept."""
        with self.recorder.case("scrape"):
            self._collect(self.process.database)

    def time_of_scrape(self) -> float:
        """Milliseconds of a whole scrape, unrecorded; the best of five, since other processes are at work as well."""
        database = Database(self.place.urls.owner)
        database.open()
        try:
            return min(self._timed(database) for _ in range(5))
        finally:
            database.close()

    def _timed(self, database: Database) -> float:
        started = time.perf_counter()
        self._collect(database)
        return (time.perf_counter() - started) * 1000

    def _collect(self, database: Database) -> None:
        collector = StateCollector(database, self.process.gauges)
        assert any(family.samples for family in collector.collect()), "the gauges could not be read"

    def exercise_chassis(self) -> None:
        """Steps the workers that every service has; all events are receipted, and all watermarks as high as they may be."""
        heard = contract.sources_heard_by(self.process_service.name) if self.process_service.handlers else []
        for source in heard:
            watermark = watermarks.entry(datetime.now(UTC) - timedelta(days=self.process_service.settings.keep_days))
            add_signed(self._bus, events_stream(source), watermark, by=source)
        self.step("relay")
        self._receipt_everything()
        for worker in _OF_EVERY_SERVICE:
            if worker == "watermark":
                self.vacuum()  # of the events that have just been finished
            if any(one.name == worker for one in self.process.workers):
                self.step(worker)

    def operate(self) -> None:
        """Lists what is overdue and the dead letters, and asks for a replay of one, which is not made."""
        service = operations.CONTRACT.full_name
        support = Caller(role="SUPPORT")
        overdue = self.call("ListOverdue", {"pageSize": 5}, by=support, service=service)
        if token := overdue["nextPageToken"]:
            page = {"pageSize": 5, "pageToken": token}
            self.call("ListOverdue", page, by=support, service=service, note="next page")
        letters = self.call("ListDeadLetters", {"pageSize": 5}, by=support, service=service)
        page = {"pageSize": 5, "pageToken": letters["nextPageToken"]}
        self.call("ListDeadLetters", page, by=support, service=service, note="next page")
        wanted = {"eventId": letters["deadLetters"][0]["eventId"]}
        self.change("ReplayDeadLetter", wanted, by=support, service=service)
        self.sql("UPDATE dead_letters SET replay_wanted = false")

    def _receipt_everything(self) -> None:
        """All who hear what was published say so."""
        stream = receipts_stream(self.process_service.name)
        self._next("receipts")._step()  # makes the group
        with psycopg.connect(self.place.urls.owner) as conn:
            rows = conn.execute("SELECT event_id, unnest(heard_by) FROM outbox WHERE finished_time IS NULL").fetchall()
        for event_id, name in rows:
            add_signed(self._bus, stream, {"event_id": event_id.bytes, "consumer": name}, by=name)

    def _next(self, worker: str) -> Worker:
        return next(one for one in self.process.workers if one.name.rstrip("-0123456789") == worker)

    def missed(self) -> set[str]:
        """Methods, workers, events and functions of the store that were not exercised; exceptions that are none."""
        workers = {one.name.rstrip("-0123456789") for one in self.process.workers}
        contracts = (self.process_service.contract, operations.CONTRACT)
        methods = {method.name for service in contracts for method in service.methods}
        events = set(self.process_service.handlers)
        functions, excepted = functions_with_a_connection(self.process_service), set(self.not_executed)
        missed = (workers | methods | events) - self.called | (functions - self.recorder.callers - excepted)
        return missed | (excepted - functions)

    # Running.

    @contextmanager
    def running(self) -> Iterator[None]:
        """The service, with its doors open and its workers still."""
        with self.closing, self.recorder.attached():
            self.process_service = self.service()
            self.process = Process(self.process_service)
            self.process.database.open()
            self.process.runtime.housekeeping_database.open()
            self.closing.callback(self.process.database.close)
            self.closing.callback(self.process.runtime.housekeeping_database.close)
            self.closing.callback(self.process.runtime.closing.close)
            self.process_service.prepare(self.process.runtime)
            self.process.grpc.start()
            self.closing.callback(self.process.grpc.stop, 1.0)
            self.process.http.start()
            self.closing.callback(self.process.http.stop, 1.0)
            self.process.operations.start()
            self.closing.callback(self.process.operations.stop)
            self._bus = Bus(self.place.servers.bus_url, prefix=self.place.bus_prefix)
            self.closing.callback(self._bus.close)
            if self.process_service.handlers:
                self._next("inbox")._step()  # makes the groups
            yield

    def vacuum(self) -> None:
        """Does what autovacuum does within a minute: rows that died in the exercise say nothing of the past."""
        url = f"{self.place.servers.postgres_url}/{self.place.urls.name}"
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("VACUUM")

    def fill_up(self, first: int, last: int) -> None:
        """Adds the history of these claims with the indexes built afterwards, and what autovacuum has done by then."""
        url = f"{self.place.servers.postgres_url}/{self.place.urls.name}"
        with psycopg.connect(url, autocommit=True) as conn, indexes_built_afterwards(conn):
            self.fill(first, last)


@contextmanager
def indexes_built_afterwards(conn: psycopg.Connection, *, analyse: bool = True) -> Iterator[None]:
    """Takes away the indexes that are no constraint and the exclusions, and makes them again after the block; vacuums.

    `analyse`: the planner is told of the tables.
    """
    conn.execute("SET client_min_messages = error")
    dropped = [parts for query in (_INDEXES, _EXCLUSIONS) for parts in conn.execute(query).fetchall()]
    for drop, _ in dropped:
        conn.execute(drop)
    yield
    for _, create in dropped:
        conn.execute(create)
    conn.execute("VACUUM (ANALYZE)" if analyse else "VACUUM")


def functions_with_a_connection(service: Service) -> set[str]:
    """The public functions of the service's store that take a connection, by module and name."""
    package = inspect.unwrap(service.api).__module__.partition(".")[0]
    store = importlib.import_module(f"{package}.store")
    parts = pkgutil.iter_modules(getattr(store, "__path__", ()), f"{package}.store.")
    modules = [store, *(importlib.import_module(found.name) for found in parts)]
    return {
        f"{module.__name__}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        if "conn" in inspect.signature(function).parameters
    }


def make_place(servers: Servers, folder: Path, *, name: str, migrations: Path) -> Place:
    """A database of its own, migrated, whose statements are explained; tokens, and a prefix on the bus."""
    embedded.create_database(servers.postgres_url, name)
    host = servers.postgres_url.rpartition("@")[2]
    urls = DatabaseUrls.of(name, host=host)
    migrate(owner_url=urls.owner, folder=migrations)
    with psycopg.connect(urls.owner) as conn:
        conn.execute(_REFERENCE)
        # What a statement reads follows from statistics and the visibility map. `fill_up` and `vacuum` renew them, at the
        # same moments in every run.
        for (alter,) in conn.execute(_TABLES).fetchall():
            conn.execute(alter)
    for role in ("app", "housekeeping"):
        explain_everything(f"{servers.postgres_url}/postgres", database=name, role=f"{name}_{role}")
    return Place(servers=servers, folder=folder, urls=urls, tokens=Tokens(folder), bus_prefix=f"{uuid.uuid4().hex}:")
