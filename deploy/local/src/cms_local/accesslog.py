"""Verifies the access logs of all services: their chains, their seals, and their copies at the second place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.rows import dict_row

from chassis import seal_check, seals, signatures
from chassis.seal_check import Finding
from cms_local import keys
from cms_local.layout import DATABASES, SERVICES, Layout
from cms_local.operations import Found

_Connection = psycopg.Connection[dict[str, Any]]


def verify(layout: Layout) -> Found[Finding]:
    """Everything in the access logs that is not as it was sealed. Services whose database does not answer are `away`.

    Raises OSError or KeysUnusable if the services' public keys cannot be read.
    """
    known = signatures.read_signatories(layout.keys(keys.SIGNATORIES))
    items: list[Finding] = []
    away: list[str] = []
    for service in SERVICES:
        try:
            items += _of(layout, service, known)
        except psycopg.OperationalError as error:
            away.append(f"the access log of {service} cannot be read: {type(error).__name__}")
    return Found(items=items, away=away)


def _of(layout: Layout, service: str, known: Mapping[str, Ed25519PublicKey]) -> list[Finding]:
    with _connection(layout, service) as conn:
        with _unsealed_meanwhile(conn):
            [now] = conn.execute(seal_check.NOW).fetchall()
            file = seals.exported_file(layout.access_log(service))
            copy = seal_check.read_copy([file] if file.exists() else [], known)
        with conn.cursor(name="rows") as rows:
            return seal_check.check(
                service,
                rows=rows.execute(seal_check.ROWS),
                unsealed=conn.execute(seal_check.UNSEALED),
                seals=conn.execute(seal_check.SEALS),
                now=now["now"],
                copy=copy,
                keys=known,
            )


@contextmanager
def _connection(layout: Layout, service: str) -> Iterator[_Connection]:
    """A transaction that sees one moment of the log."""
    database = DATABASES[service]
    url = f"postgresql://{database}_owner@127.0.0.1:{layout.postgres_port}/{database}"
    with psycopg.connect(url, row_factory=dict_row, connect_timeout=5) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        yield conn


@contextmanager
def _unsealed_meanwhile(conn: _Connection) -> Iterator[None]:
    """Within the block nothing is sealed, so that log and copy are of one moment."""
    conn.execute(seals.WAIT_FOR_LOCK)
    conn.commit()  # what follows sees what was sealed while it waited
    yield
    conn.execute(seals.UNLOCK)
