"""The PostgreSQL of a part of the country: filled in a hurry, and measured as a server that keeps what it has said."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from chassis import embedded
from chassis.testing import Servers, free_port
from tests.growth.__main__ import FOR_FILLING

_FOR_USE = {"shared_buffers": "1GB", "maintenance_work_mem": "256MB", "shared_preload_libraries": "pg_stat_statements"}
"""What a small server would be given; all else is as PostgreSQL comes."""


@contextmanager
def for_filling(folder: Path) -> Iterator[str]:
    """A server that flushes nothing to the disk, made for large COPYs; gives its address."""
    with _running(folder, FOR_FILLING, durable=False) as url:
        yield url


@contextmanager
def for_use(folder: Path) -> Iterator[Servers]:
    """The same data on a server that flushes each commit, and vacuums by itself; and a bus."""
    with _running(folder, _FOR_USE, durable=True) as url:
        valkey = embedded.start_valkey(folder / "bus", port=free_port(), durable=False)
        try:
            yield Servers(folder=folder, postgres_url=url, bus_url=valkey.url)
        finally:
            valkey.stop()


@contextmanager
def _running(folder: Path, settings: dict[str, str], *, durable: bool) -> Iterator[str]:
    postgres = _start(folder, durable=durable)
    with psycopg.connect(f"{postgres.url}/postgres", autocommit=True) as conn:
        conn.execute("ALTER SYSTEM RESET ALL")
        for name, value in settings.items():
            conn.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    postgres.stop()
    postgres = _start(folder, durable=durable)
    try:
        yield postgres.url
    finally:
        postgres.stop()


def _start(folder: Path, *, durable: bool) -> embedded.Postgres:
    return embedded.start_postgres(folder / "postgres", port=free_port(), open_folder=folder / "open", durable=durable)
