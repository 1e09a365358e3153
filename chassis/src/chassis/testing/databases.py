"""A migrated database for each test, and helpers that inspect or disturb it."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chassis import embedded
from chassis.database import Database
from chassis.migrations import migrate
from chassis.testing.servers import Servers, locked


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """A database of a test: as the role that runs the service, and as the one that migrates."""

    app: str
    owner: str
    name: str


def database_fixture(service: str, migrations: Path) -> Any:
    """Returns a fixture: a fresh, migrated database for each test, cloned from a template that is made once."""

    @pytest.fixture
    def database_urls(servers: Servers) -> Iterator[DatabaseUrls]:
        template = f"template_{service}"
        with locked(servers.folder):
            _make_template(servers, service, template, migrations)
        name = f"{service}_{uuid.uuid4().hex[:12]}"
        with _superuser(servers) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"{service}_owner")
                )
            )
        yield _urls(servers, service, name)
        with _superuser(servers) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return database_urls


def _superuser(servers: Servers) -> psycopg.Connection:
    return psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True)


def _urls(servers: Servers, service: str, name: str) -> DatabaseUrls:
    host = servers.postgres_url.rpartition("@")[2]
    return DatabaseUrls(
        app=f"postgresql://{service}_app@{host}/{name}", owner=f"postgresql://{service}_owner@{host}/{name}", name=name
    )


def _make_template(servers: Servers, service: str, template: str, migrations: Path) -> None:
    with _superuser(servers) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            return
        scratch = f"{template}_new"
        embedded.create_database(servers.postgres_url, service)
        owner = sql.Identifier(f"{service}_owner")
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(scratch), owner))
        urls = _urls(servers, service, scratch)
        migrate(owner_url=urls.owner, app_url=urls.app, folder=migrations)
        conn.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(scratch), sql.Identifier(template))
        )


@pytest.fixture
def database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The pool of the test's database, as the `_app` role."""
    opened = Database(database_urls.app)
    opened.open()
    yield opened
    opened.close()


@contextlib.contextmanager
def commits_fail(urls: DatabaseUrls, table: str) -> Iterator[None]:
    """Within the block the database refuses to COMMIT what was written to the table, as a deferred constraint does."""
    name = sql.Identifier(table)
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'serialization_failure'; END $$"
        )
        owner.execute(
            sql.SQL(
                "CREATE CONSTRAINT TRIGGER refused AFTER INSERT OR UPDATE OR DELETE ON {} DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            ).format(name)
        )
        yield
        owner.execute(sql.SQL("DROP TRIGGER refused ON {}").format(name))
        owner.execute("DROP FUNCTION refuse")
