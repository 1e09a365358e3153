"""An empty, migrated database for each test, and helpers that inspect or disturb it."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chassis import embedded
from chassis.database import Database, Row
from chassis.migrations import migrate
from chassis.testing.servers import Servers, locked


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """A database of a test: as the role that runs the service, the one that prunes, and the one that migrates."""

    app: str
    housekeeping: str
    owner: str
    name: str

    @classmethod
    def of(cls, name: str, *, host: str, roles: str | None = None) -> "DatabaseUrls":
        """The addresses of the database; its roles may be named after another. `host` is a host with its port."""
        made = {role: f"postgresql://{roles or name}_{role}@{host}/{name}" for role in ("app", "housekeeping", "owner")}
        return cls(name=name, **made)


def database_fixture(service: str, migrations: Path) -> Any:
    """Returns a fixture: an empty, migrated database for each test.

    A worker makes it once and empties it before each test. It is made anew, cloned from a template, where a test has changed
    its schema, has filled it or has left it so that nobody can connect.
    """

    @pytest.fixture
    def database_urls(servers: Servers, databases: dict[str, _Kept]) -> DatabaseUrls:
        kept = databases.get(service)
        if kept is None or not _emptied(servers, kept):
            kept = databases[service] = _cloned(servers, service, migrations, instead_of=kept)
        return kept.urls

    return database_urls


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """A database that is used again, with its schema and its size as they were made."""

    urls: DatabaseUrls
    schema: str
    size: int


_GROWN_BYTES = 32 * 1024 * 1024
_SCHEMA = """
    SELECT md5(concat_ws(' ',
        (SELECT string_agg(concat(oid, relname, relacl, reloptions), ' ' ORDER BY oid) FROM pg_class WHERE oid >= 16384),
        (SELECT string_agg(concat(attrelid, attname, atttypid, attnotnull, attisdropped, attacl), ' ' ORDER BY attrelid, attnum)
            FROM pg_attribute WHERE attrelid >= 16384),
        (SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_constraint WHERE oid >= 16384),
        (SELECT string_agg(concat(oid, tgenabled), ' ' ORDER BY oid) FROM pg_trigger WHERE oid >= 16384),
        (SELECT string_agg(concat(oid, md5(prosrc), proacl), ' ' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
        (SELECT string_agg(migration_id, ' ' ORDER BY migration_id) FROM _yoyo_migration)
    )), pg_database_size(current_database())
"""
_ROWS = """
    SELECT coalesce(string_agg(format('DELETE FROM %s', oid::regclass), '; '), '') FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT SIMILAR TO '_?yoyo%'
"""
_NUMBERS = "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences WHERE last_value > 0"


@pytest.fixture(scope="session")
def databases() -> dict[str, _Kept]:
    """The databases of this worker, by service."""
    return {}


def make_database(servers: Servers, service: str, migrations: Path) -> DatabaseUrls:
    """A migrated database of its own. `service` is the name of the service's database."""
    return _cloned(servers, service, migrations, instead_of=None).urls


def _cloned(servers: Servers, service: str, migrations: Path, *, instead_of: _Kept | None) -> _Kept:
    template, name = f"template_{service}", f"{service}_{uuid.uuid4().hex[:12]}"
    with locked(servers.folder):
        _make_template(servers, service, template, migrations)
    with _superuser(servers) as conn:
        if instead_of is not None:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(instead_of.urls.name)))
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"{service}_owner")
            )
        )
    with _superuser(servers, name) as conn:
        schema, size = _schema_and_size(conn)
    return _Kept(urls=_urls(servers, service, name), schema=schema, size=size)


def _emptied(servers: Servers, kept: _Kept) -> bool:
    """Ends what is left of the last test and deletes its rows. False where the database is no longer as it was made."""
    try:
        with _superuser(servers, kept.urls.name) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
            schema, size = _schema_and_size(conn)
            if schema != kept.schema or size > kept.size + _GROWN_BYTES:
                return False
            conn.execute("SET session_replication_role = replica")  # no trigger and no foreign key hinders it
            [(deletes,)] = conn.execute(_ROWS)
            conn.execute(deletes.encode())
            conn.execute(_NUMBERS)
    except psycopg.OperationalError:
        return False
    return True


def _schema_and_size(conn: psycopg.Connection) -> tuple[str, int]:
    [(schema, size)] = conn.execute(_SCHEMA)
    return schema, size


def _superuser(servers: Servers, database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(f"{servers.postgres_url}/{database}", autocommit=True)


def _urls(servers: Servers, service: str, name: str) -> DatabaseUrls:
    host = servers.postgres_url.rpartition("@")[2]
    return DatabaseUrls.of(name, host=host, roles=service)


def _make_template(servers: Servers, service: str, template: str, migrations: Path) -> None:
    with _superuser(servers) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            return
        scratch = f"{template}_new"
        embedded.create_database(servers.postgres_url, service)
        owner = sql.Identifier(f"{service}_owner")
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(scratch), owner))
        urls = _urls(servers, service, scratch)
        migrate(owner_url=urls.owner, folder=migrations)
        conn.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(scratch), sql.Identifier(template))
        )


@pytest.fixture
def housekeeping_database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The pool of the test's database, as the `_housekeeping` role."""
    opened = Database(database_urls.housekeeping, connections=2)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The pool of the test's database, as the `_app` role."""
    opened = Database(database_urls.app)
    opened.open()
    yield opened
    opened.close()


@contextlib.contextmanager
def as_owner(database: Database) -> Iterator[psycopg.Connection[Row]]:
    """A transaction of the owner in the service's database, for what no role of a running service may do."""
    url = database.url.replace("_app@", "_owner@")
    with psycopg.connect(url, row_factory=dict_row, options="-c timezone=UTC") as conn:
        yield conn


def waits_for_a_lock(database: Database) -> bool:
    """Whether a transaction of this database waits for a lock; those of the server's other databases do not count."""
    with database.transaction() as conn:
        waiting = conn.execute(
            "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
        )
        return waiting.fetchone() is not None


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
