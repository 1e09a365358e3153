"""How often a call waits for the database, counted on the wire between the service and PostgreSQL."""

import contextlib
import dataclasses
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chassis.memory import Memory
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Servers, Tokens, eventually, settings_for
from intake.__main__ import service
from intake.config import Settings

SYNC, QUERY, FLUSH = b"S", b"Q", b"H"
"""The messages after which a client waits for answers; a Flush behind a Sync asks for nothing more."""

ASKS_FOR_ENCRYPTION = (struct.pack("!I", 80877103), struct.pack("!I", 80877104))
"""SSLRequest and GSSENCRequest, which come before the start-up message."""


class Wire:
    """Stands in front of PostgreSQL, passes everything on, and counts the messages after which the client waits."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.waits = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def close(self) -> None:
        """Ends every connection and thread."""
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)

    def _run(self, act: Callable[..., None], *given: socket.socket) -> None:
        thread = threading.Thread(target=act, args=given)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(each)
            self.connections += 1
            self._run(self._ask, client, server)
            self._run(self._answer, server, client)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (opening := _message(client, b""))[4:8] in ASKS_FOR_ENCRYPTION:  # before the start nothing has a kind
                server.sendall(opening)
            server.sendall(opening)
            last = b""
            while kind := _exactly(client, 1):
                self.waits += kind in (SYNC, QUERY) or (kind == FLUSH and last != SYNC)
                server.sendall(_message(client, kind))
                last = kind

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while given := server.recv(65536):
                client.sendall(given)


def _message(source: socket.socket, kind: bytes) -> bytes:
    length = _exactly(source, 4)
    return kind + length + _exactly(source, struct.unpack("!I", length)[0] - 4) if length else kind


def _exactly(source: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count and (part := source.recv(count - len(found))):
        found += part
    return found


@pytest.fixture
def wire(database_urls: DatabaseUrls) -> Iterator[Wire]:
    place = conninfo_to_dict(database_urls.app)
    between = Wire(str(place["host"]), int(str(place["port"])))
    yield between
    between.close()


@pytest.fixture
def process(
    wire: Wire, database_urls: DatabaseUrls, servers: Servers, bus_prefix: str, tokens: Tokens
) -> Iterator[Process]:
    """The service behind its door, without workers: nobody but callers uses its database."""
    through = dataclasses.replace(database_urls, app=make_conninfo(database_urls.app, port=str(wire.port)))
    settings: Any = settings_for(
        Settings, "intake-svc", urls=through, servers=servers, bus_prefix=bus_prefix, tokens=tokens
    )
    made = Process(service(settings))
    made.database.open()
    made.http.start()
    eventually(lambda: wire.connections >= 2, what="the pool's first connections")
    yield made
    made.http.stop(5.0)
    made.database.close()
    made.runtime.bus.close()


def rows(urls: DatabaseUrls, table: str) -> int:
    with psycopg.connect(urls.owner) as conn:
        found = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_save_with_all_that_belongs_to_it_waits_twice_for_the_database(
    desk: Any,
    process: Process,
    single_tenant: dict[str, Any],
    wire: Wire,
    database_urls: DatabaseUrls,
    *,
    is_remembered: bool,
) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    given = [(name, value) for name, value in single_tenant.items() if name not in ("nino", "language")]
    before = {table: rows(database_urls, table) for table in ("answers", "access_log", "requests")}

    counts = []
    for version, first in enumerate(range(0, len(given), 5), start=1):
        if not is_remembered:
            process.database.memory = Memory()
        waits = wire.waits
        operator.record(claim_ref, version, **dict(given[first : first + 5]))
        counts.append(wire.waits - waits)

    assert set(counts) == {2}
    made = {table: rows(database_urls, table) - count for table, count in before.items()}
    assert made == {"answers": len(given), "access_log": len(counts), "requests": len(counts)}
    assert rows(database_urls, "outbox") == 1


def test_the_repeat_of_a_save_waits_no_oftener_than_it_must(desk: Any, wire: Wire) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    request = {"claimRef": claim_ref, "version": 1, "requestId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"}
    request |= {"answers": [{"questionId": "surname", "value": "Hughes"}]}
    first = operator.call("RecordAnswers", **request)

    waits = wire.waits
    again = operator.call("RecordAnswers", **request)

    assert again == first
    assert 0 < wire.waits - waits <= 7


def test_the_wire_counts_what_is_waited_for_one_by_one(wire: Wire, database_urls: DatabaseUrls) -> None:
    with psycopg.connect(make_conninfo(database_urls.app, port=str(wire.port)), autocommit=True) as conn:
        waits = wire.waits
        for _ in range(3):
            conn.execute("SELECT 1")
        one_by_one = wire.waits - waits
        with conn.pipeline():
            for _ in range(3):
                conn.execute("SELECT 1")
        together = wire.waits - waits - one_by_one
        with conn.pipeline():
            for _ in range(3):
                conn.execute("SELECT 1").fetchone()

    assert (one_by_one, together) == (3, 1)
    assert wire.waits - waits == 3 + 1 + 4
