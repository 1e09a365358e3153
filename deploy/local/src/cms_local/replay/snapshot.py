"""Keeps the loaded databases, so that every seed begins with the same confirmed claims."""

import psycopg
from psycopg import sql

from cms_local.layout import DATABASES

_SUFFIX = "_loaded"


def keep(url: str) -> None:
    """Copies every service's database. `url` is the superuser's, without a database. No service may run."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        for name in DATABASES.values():
            _copy(conn, source=name, target=name + _SUFFIX, owner=f"{name}_owner")


def restore(url: str) -> None:
    """Puts the copies in the place of the databases. No service may run."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as conn:
        for name in DATABASES.values():
            _copy(conn, source=name + _SUFFIX, target=name, owner=f"{name}_owner")


def _copy(conn: psycopg.Connection, *, source: str, target: str, owner: str) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target))
    create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
    conn.execute(drop)
    conn.execute(create.format(*map(sql.Identifier, (target, owner, source))))
