"""Keeps the loaded databases, so that every seed begins with the same confirmed claims."""

import psycopg
from psycopg import sql

from chassis import embedded, grants
from cms_local.layout import DATABASES

_SUFFIX = "_loaded"
_DUE_NOW = "UPDATE outbox SET publish_after = clock_timestamp(), attempts = 0 WHERE finished_time IS NULL"


def keep(url: str) -> None:
    """Copies every service's database. `url` is the superuser's, without a database. No service may run."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        for name in DATABASES.values():
            _copy(conn, source=name, target=name + _SUFFIX, owner=f"{name}_owner")


def restore(url: str) -> None:
    """Puts the copies in the place of the databases, as if every claim were confirmed now. No service may run.

    The gateway does not run while claims are loaded, so by the end their confirmations are told again at long intervals.
    """
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        for name in DATABASES.values():
            _copy(conn, source=name + _SUFFIX, target=name, owner=f"{name}_owner")
    with psycopg.connect(f"{url}/{DATABASES['assessment-svc']}") as conn:
        conn.execute(_DUE_NOW)


def _copy(conn: psycopg.Connection, *, source: str, target: str, owner: str) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target))
    create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
    conn.execute(drop)
    conn.execute(create.format(*map(sql.Identifier, (target, owner, source))))
    # A copy has none of the rights on the database itself.
    embedded.close_database(conn, target, roles=[owner, *grants.roles_of(owner.removesuffix("_owner")).values()])
