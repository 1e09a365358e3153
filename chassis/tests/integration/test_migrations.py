"""One migrates, however many start at once; the role that runs the service may only add to the access log."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from chassis.database import Database
from chassis.migrations import OWN_MIGRATIONS, migrate
from chassis.testing import DatabaseUrls, Servers

OWN = len(list(OWN_MIGRATIONS.glob("*.sql")))


@pytest.fixture
def empty(servers: Servers, database_urls: DatabaseUrls) -> Iterator[DatabaseUrls]:
    """A database without any table, of the same roles."""
    name = f"empty_{uuid4().hex[:12]}"
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER chassis_owner").format(sql.Identifier(name)))
        yield DatabaseUrls.of(name, host=servers.postgres_url.rpartition("@")[2], roles="chassis")
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_one_of_eight_replicas_that_start_together_migrates(empty: DatabaseUrls, tmp_path: Path) -> None:
    (tmp_path / "0001_things.sql").write_text("CREATE TABLE things (id integer PRIMARY KEY)")
    (tmp_path / "grants.toml").write_text('[app]\nthings = ["SELECT"]\n')
    together = threading.Barrier(8)

    def start(_number: int) -> int:
        together.wait()
        return migrate(owner_url=empty.owner, folder=tmp_path)

    with ThreadPoolExecutor(8) as replicas:
        applied = list(replicas.map(start, range(8)))

    assert sorted(applied) == [0] * 7 + [OWN + 1]
    with psycopg.connect(empty.app) as conn:
        assert conn.execute("SELECT count(*) FROM things").fetchone() == (0,)


def test_a_failed_migration_is_rolled_back_and_can_be_tried_again(empty: DatabaseUrls, tmp_path: Path) -> None:
    step = tmp_path / "0001_things.sql"
    step.write_text("CREATE TABLE things (id integer); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(owner_url=empty.owner, folder=tmp_path)

    step.write_text("CREATE TABLE things (id integer);")

    assert migrate(owner_url=empty.owner, folder=tmp_path) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM access_log",
        "UPDATE access_log SET subject = 'X'",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
        "DROP TABLE access_log",
        "ALTER TABLE access_log ADD COLUMN more text",
        "CREATE TABLE another (id integer)",
    ],
)
def test_the_app_role_may_only_insert_into_the_access_log(database: Database, statement: str) -> None:
    with database.transaction() as conn:
        conn.execute(
            "INSERT INTO access_log (at, subject, roles, method, purpose, outcome, traceparent)"
            " VALUES (now(), 'OP1', '{OPERATOR}', 'm', '', 'SHOWN', '')"
        )

    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as conn:
        conn.execute(statement.encode())


def test_the_app_role_can_never_read_the_access_log_during_a_start(
    database_urls: DatabaseUrls, database: Database
) -> None:
    done = threading.Event()
    allowed: list[bool] = []

    def watch() -> None:
        while not done.is_set():
            with database.transaction() as conn:
                row = conn.execute("SELECT has_table_privilege('access_log', 'SELECT') AS may").fetchone()
                allowed.append(bool(row and row["may"]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(5):
        migrate(owner_url=database_urls.owner, folder=Path("none"))
    done.set()
    watcher.join()

    assert allowed
    assert not any(allowed)
