"""One service that tells and one that hears, on a real database and bus."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from chassis import outbox
from chassis.bus import Bus
from chassis.database import Connection, Database
from chassis.inbox import Event, Handler, Inbox
from chassis.outbox import Relay
from chassis.testing import DatabaseUrls, SignaturesOf, add_signed
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2

SOURCE = "intake-svc"
HEARER = "assessment-svc"
"""One of those who hear ClaimSubmitted."""


@dataclass
class Platform:
    """intake-svc tells of submitted claims; assessment-svc hears. They share the test's database."""

    database: Database
    housekeeping_database: Database
    owner_url: str
    bus: Bus
    relay: Relay
    inbox: Inbox
    act: Callable[[Event], Any] = field(default=lambda _event: None)
    """An act of the handler beside writing its row; it may raise."""

    def submit(self, conn: Connection, claim_ref: str = "C0000000000A", version: int = 1) -> str:
        """Writes ClaimSubmitted in the transaction; gives its event_id."""
        event = events_pb2.ClaimSubmitted()
        return str(outbox.append(conn, claim_ref=claim_ref, version=version, event=event))

    def submitted(self, number: int = 1) -> list[str]:
        """Commits this many events, and gives their event_ids."""
        with self.database.transaction() as conn:
            return [self.submit(conn) for _ in range(number)]

    def handle(self, conn: Connection, event: Event) -> None:
        """The hearer's handler."""
        conn.execute("INSERT INTO handled (event_id) VALUES (%s)", [event.event_id])
        self.act(event)

    def receipt(self, consumer: str, *event_ids: str) -> None:
        """Receipts of another hearer."""
        entries: list[dict[str, bytes | str]] = [
            {"event_id": uuid.UUID(event_id).bytes, "consumer": consumer} for event_id in event_ids
        ]
        add_signed(self.bus, outbox.receipts_stream(SOURCE), *entries, by=consumer)

    def receipts_sent(self) -> list[str]:
        """The event_ids that the hearer receipted, in order."""
        entries: Any = self.bus._redis.xrange(self.bus._prefix + outbox.receipts_stream(SOURCE))
        return [str(uuid.UUID(bytes=fields[b"event_id"])) for _, fields in entries]

    def pending(self) -> int:
        """Deliveries that were not acknowledged."""
        found: Any = self.bus._redis.xpending(self.bus._prefix + outbox.events_stream(SOURCE), HEARER)
        return int(found["pending"])

    def deliver(self, envelope: bytes, **fields: bytes | str) -> str:
        """Puts an entry on the stream, signed by the source; gives its event_id."""
        event_id = uuid.uuid4()
        entry: dict[str, bytes | str] = {"event_id": event_id.bytes, "heard_by": HEARER, "envelope": envelope}
        add_signed(self.bus, outbox.events_stream(SOURCE), entry | fields, by=SOURCE)
        return str(event_id)

    def rounds(self, number: int) -> None:
        """New deliveries, then so many rounds over those not acknowledged."""
        while self.inbox.consume():
            pass
        for _ in range(number):
            self.inbox.consume_idle()

    @contextmanager
    def locked(self, table: LiteralString) -> Iterator[None]:
        """Locks the table against writers; a writer that waits gives up soon."""
        with self.database.transaction() as holder:
            holder.execute(f"LOCK TABLE {table}")
            self.execute("SET lock_timeout = '20ms'")  # only for the connection that the next round takes
            yield

    def make_due(self) -> None:
        """Lets the back-off of every event have passed."""
        self.execute("UPDATE outbox SET publish_after = clock_timestamp() - interval '1 second'")

    def make_groups(self) -> None:
        """Does what the first round of every reader does."""
        self.inbox.consume()
        self.relay.receive()

    def settle(self) -> None:
        """Until nothing moves any more: published, heard, receipted."""
        self.make_groups()
        while self.relay.publish():
            pass
        while self.inbox.consume() or self.inbox.consume_idle():
            pass
        while self.relay.receive():
            pass

    def published(self) -> list[str]:
        """The event_ids on the stream, repeats included."""
        entries: Any = self.bus._redis.xrange(self.bus._prefix + outbox.events_stream(SOURCE))
        return [common_pb2.EventEnvelope.FromString(fields[b"envelope"]).event_id for _, fields in entries]

    def lose_the_bus(self) -> None:
        """All that this test has on the bus is gone, groups included."""
        for key in self.bus._redis.scan_iter(self.bus._prefix + "*"):
            self.bus._redis.delete(key)

    def execute(self, query: str) -> None:
        """A statement in a transaction of its own."""
        with psycopg.connect(self.owner_url) as conn:
            conn.execute(query.encode())

    def column(self, query: str) -> list[Any]:
        """The first column of every row."""
        with psycopg.connect(self.owner_url) as conn:
            return [str(row[0]) for row in conn.execute(query.encode()).fetchall()]


@pytest.fixture
def platform(
    *,
    database: Database,
    housekeeping_database: Database,
    database_urls: DatabaseUrls,
    bus: Bus,
    signatures_of: SignaturesOf,
    monkeypatch: pytest.MonkeyPatch,
) -> Platform:
    monkeypatch.setattr("chassis.bus.BLOCK_SECONDS", 0.001)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("CREATE TABLE handled (event_id uuid, transaction text DEFAULT pg_current_xact_id()::text)")
        conn.execute("GRANT ALL ON handled TO chassis_app")
    handlers: dict[str, Handler] = {}
    hearers, sources = signatures_of(HEARER), signatures_of(SOURCE)
    inbox = Inbox(HEARER, database, bus, hearers, handlers, consumer="hearer-1", keep=timedelta(0), idle_seconds=0)
    relay = Relay(SOURCE, database, bus, sources, consumer="relay-1")
    made = Platform(
        database=database,
        housekeeping_database=housekeeping_database,
        owner_url=database_urls.owner,
        bus=bus,
        relay=relay,
        inbox=inbox,
    )
    handlers["ClaimSubmitted"] = made.handle
    made.make_groups()
    return made
