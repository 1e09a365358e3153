"""Each contender's rate: records a second from the first that it has stored until the last."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from chassis import clock
from legacy_gateway.link import Completion, read_reply, request_frame, sequence_after
from legacy_gateway.link.frames import LENGTH
from tests.transfers.job import RESULTS, Job, dialogue
from tests.transfers.place import DATABASE, Place, fresh_database

_LOOK_SECONDS = 0.1
_LONGEST_SECONDS = 600.0
_RESULTS = sql.SQL("SELECT count(*), min(stored), max(stored) FROM results")
_ACCEPTED = sql.SQL("SELECT count(*), min(updated), max(updated) FROM transfers WHERE state = 'ACCEPTED'")

WAITING = """
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state, next_attempt_time,
        confirmed_time, office_code, assessor_id, traceparent, created, updated)
    SELECT 'G' || lpad(n::text, 25, '0'), 'CG' || lpad(n::text, 10, '0'), 7, 'NEW', 1, 'ISCS', 1, 'WAITING',
        statement_timestamp() + n * interval '1 microsecond', statement_timestamp(), '100101', 'AS000001', '',
        statement_timestamp() + n * interval '1 microsecond', statement_timestamp()
    FROM generate_series(1, %s) AS n
"""
"""Claims that were confirmed and wait, the first for longest."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Records in a time. `cpu_ms`: milliseconds of a processor for each record, in the process that sends."""

    records: int
    seconds: float
    cpu_ms: float

    @property
    def each_second(self) -> float:
        """Records a second."""
        return self.records / self.seconds


def bare(found: Place, records: int) -> Rate:
    """A loop that sends frames made before on one connection and reads each reply, and keeps nothing."""
    ids = [f"B{number:025}" for number in range(records)]
    frames, sequence = [], 1
    with fresh_database(found), Job.from_settings(found.contender()) as job:
        for number, transfer_id in enumerate(ids):
            payload = job.record(f"CB{number:010}", transfer_id)
            frames.append(request_frame(dialogue(), transfer_id, payload, sent_at=clock.now(), sequence=sequence))
            sequence = sequence_after(sequence)
    with socket.create_connection(("127.0.0.1", found.iscs)) as line, line.makefile("rb") as replies:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started, cpu = time.monotonic(), time.process_time()
        for frame in frames:
            line.sendall(frame)
            (length,) = LENGTH.unpack(replies.read(LENGTH.size))
            assert read_reply(replies.read(length)).completion is Completion.ACCEPTED
        seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    return Rate(records=records, seconds=seconds, cpu_ms=cpu * 1000 / records)


def gateway(found: Place, records: int) -> Rate:
    """The gateway, as it is deployed."""
    with fresh_database(found), found.connected() as conn:
        conn.execute(WAITING, [records])
        conn.execute("VACUUM (ANALYZE)")
        with found.process("legacy_gateway", **found.gateway()) as process:
            return _rate(conn, _ACCEPTED, records, process.pid)


def procrastinate(found: Place, records: int) -> Rate:
    """A worker of Procrastinate with as many threads and connections, from jobs that wait in PostgreSQL."""
    from procrastinate import App, SyncPsycopgConnector

    with _results(found) as conn:
        app = App(connector=SyncPsycopgConnector(conninfo=found.url()))
        with app.open():
            app.schema_manager.apply_schema()
            waiting: list[Any] = [{"claim_ref": f"CP{n:010}", "transfer_id": f"P{n:025}"} for n in range(records)]
            app.configure_task("send").batch_defer(*waiting)
        conn.execute("VACUUM (ANALYZE)")
        with found.process("tests.transfers.by_procrastinate", **found.contender()) as process:
            return _rate(conn, _RESULTS, records, process.pid)


def celery(found: Place, records: int) -> Rate:
    """A worker of Celery with as many threads and connections, from tasks that wait on the bus."""
    from celery import Celery

    with _results(found) as conn:
        app = Celery("transfers", broker=found.bus_url)
        with app.connection_for_write() as broker:
            for n in range(records):
                app.send_task("send", [f"CC{n:010}", f"C{n:025}"], connection=broker)
        with found.process("tests.transfers.by_celery", **found.contender()) as process:
            return _rate(conn, _RESULTS, records, process.pid)


CONTENDERS: dict[str, Callable[[Place, int], Rate]] = {
    "bare": bare,
    "gateway": gateway,
    "procrastinate": procrastinate,
    "celery": celery,
}


@contextmanager
def _results(found: Place) -> Iterator["psycopg.Connection[Any]"]:
    with fresh_database(found), found.connected() as conn:
        conn.execute(RESULTS)
        yield conn


def _rate(conn: "psycopg.Connection[Any]", query: sql.SQL, records: int, pid: int) -> Rate:
    """Waits until all are stored. RuntimeError where that takes ten minutes."""
    end = time.monotonic() + _LONGEST_SECONDS
    begun: tuple[int, float] | None = None
    while time.monotonic() < end:
        [(count, first, last)] = conn.execute(query).fetchall()
        if count and begun is None:
            begun = (count, _cpu_seconds(pid))
        if count == records and begun is not None:
            cpu = (_cpu_seconds(pid) - begun[1]) / max(1, records - begun[0])
            return Rate(records=records - 1, seconds=(last - first).total_seconds(), cpu_ms=cpu * 1000)
        time.sleep(_LOOK_SECONDS)
    raise RuntimeError(f"{DATABASE}: {count} of {records} were stored in ten minutes")


def _cpu_seconds(pid: int) -> float:
    """How long a process has had a processor."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
