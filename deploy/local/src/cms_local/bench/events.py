"""Events a second through outbox, bus, inbox and receipt, beside entries a second through the bare bus."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import redis

from chassis import outbox
from chassis.bus import Bus
from chassis.database import Connection, Database
from chassis.embedded import create_database
from chassis.inbox import Event, Inbox
from chassis.migrations import migrate
from chassis.outbox import GATHER_SECONDS, Relay
from chassis.workers import Worker
from cms.gateway.v1 import events_pb2
from cms_local.layout import Layout

_SOURCE, _HEARER = "legacy-gateway", "assessment-svc"
"""Of TransferAccepted, which one service hears."""
_WRITERS = 4
_LIMIT_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class EventsMeasured:
    """Events and bare entries a second, one at a time written, in batches read."""

    ours: float
    bare: float


def measure_events(layout: Layout, *, count: int) -> EventsMeasured:
    """Each event is written in a transaction of its own, and done when its receipt has finished its outbox row."""
    bus_url, prefix = f"redis://127.0.0.1:{layout.bus_port}/0", f"bench-{uuid4().hex}:"
    urls = {name: _database(layout, name) for name in ("bench_source", "bench_hearer")}
    hearer = multiprocessing.get_context("spawn").Process(
        target=_hear, args=(urls["bench_hearer"], bus_url, prefix), daemon=True
    )
    hearer.start()
    try:
        ours = count / _seconds_through(urls["bench_source"], bus_url, prefix, count)
    finally:
        hearer.terminate()
        hearer.join(10)
    bare = count / _seconds_bare(bus_url, prefix, count)
    return EventsMeasured(ours=ours, bare=bare)


def _database(layout: Layout, name: str) -> str:
    server = f"postgresql://postgres@127.0.0.1:{layout.postgres_port}"
    create_database(server, name)
    place = f"127.0.0.1:{layout.postgres_port}/{name}"
    app, owner = f"postgresql://{name}_app@{place}", f"postgresql://{name}_owner@{place}"
    migrate(owner_url=owner, app_url=app, folder=Path("no-migrations-but-those-of-the-chassis"))
    with psycopg.connect(owner) as conn:
        conn.execute("TRUNCATE outbox, inbox")
    return app


def _seconds_through(url: str, bus_url: str, prefix: str, count: int) -> float:
    database, bus = Database(url), Bus(bus_url, prefix=prefix)
    database.open()
    relay = Relay(_SOURCE, database, bus, consumer="bench")
    publisher = Worker("bench-relay", relay.publish, pause_seconds=0.2, gather_seconds=GATHER_SECONDS)
    receiver = Worker("bench-receipts", relay.receive, pause_seconds=GATHER_SECONDS)
    workers = [publisher, receiver]
    database.on_events(publisher.wake)
    for worker in workers:
        worker.start()
    started = time.monotonic()
    _together(lambda: _write(database, count // _WRITERS), _WRITERS)
    while _unfinished(database):
        if time.monotonic() - started > _LIMIT_SECONDS:
            raise TimeoutError("not every event was receipted")
        time.sleep(0.02)
    seconds = time.monotonic() - started
    for worker in workers:
        worker.stop()
        worker.join(10)
    database.close()
    bus.close()
    return seconds


def _write(database: Database, count: int) -> None:
    for number in range(count):
        with database.transaction() as conn:
            outbox.append(
                conn, claim_ref=f"C{number:011d}", version=1, event=events_pb2.TransferAccepted(legacy_ref="bench")
            )


def _unfinished(database: Database) -> int:
    with database.transaction() as conn:
        row = conn.execute("SELECT count(*) AS left_over FROM outbox WHERE finished_time IS NULL").fetchone()
    return int(row["left_over"]) if row else 0


def _hear(url: str, bus_url: str, prefix: str) -> None:
    """The process at the other end: it handles by doing nothing, so that only the way is measured."""
    database = Database(url)
    database.open()
    handlers = {"TransferAccepted": _nothing}
    inbox = Inbox(_HEARER, database, Bus(bus_url, prefix=prefix), handlers, consumer="bench")
    while True:
        inbox.consume()


def _nothing(_conn: Connection, _event: Event) -> None:
    """The event's effect."""


def _together(act: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _seconds_bare(bus_url: str, prefix: str, count: int) -> float:
    """As many entries by XADD from as many writers, read by XREADGROUP without a wait for anything else."""
    client: Any = redis.Redis.from_url(bus_url, protocol=2)
    stream = f"{prefix}bare"
    client.xgroup_create(stream, "bench", id="0", mkstream=True)
    body = {"envelope": bytes(200)}
    started = time.monotonic()
    writers = threading.Thread(
        target=_together, args=(lambda: [client.xadd(stream, body) for _ in range(count // _WRITERS)], _WRITERS)
    )
    writers.start()
    read = 0
    while read < count // _WRITERS * _WRITERS:
        for _, entries in client.xreadgroup("bench", "one", {stream: ">"}, count=100, block=200) or []:
            read += len(entries)
    seconds = time.monotonic() - started
    writers.join()
    client.delete(stream)
    client.close()
    return seconds
