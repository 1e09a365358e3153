"""Limits are set on every connection; a server that comes back is used again at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from chassis import database as module
from chassis.database import Connection, Database
from chassis.testing import DatabaseUrls, Servers, free_port


class Undone(Exception):
    """Rolls a transaction back."""


def setting(conn: Connection, name: str) -> str:
    row = conn.execute("SELECT current_setting(%s) AS value", [name]).fetchone()
    return str(row["value"]) if row else ""


def everybody_at_once(database: Database, number: int) -> None:
    """Has so many connections in use at the same moment."""
    together = threading.Barrier(number)

    def use(_number: int) -> None:
        with database.transaction() as conn:
            conn.execute("SELECT 1")
            together.wait(10)

    with ThreadPoolExecutor(number) as callers:
        list(callers.map(use, range(number)))


def test_every_connection_has_the_limits(database: Database) -> None:
    with database.transaction() as conn:
        found = {
            name: setting(conn, name)
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
        }

    assert found == {
        "statement_timeout": "5s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "TimeZone": "UTC",
    }


def test_limits_set_in_a_transaction_end_with_it(database: Database) -> None:
    for _ in range(4):
        with database.transaction() as conn:
            assert setting(conn, "statement_timeout") == "5s"
            conn.execute("SET LOCAL statement_timeout = '1min'")


def test_the_server_ends_a_statement_that_takes_too_long(database: Database) -> None:
    def take_too_long() -> None:
        with database.transaction() as conn:
            conn.execute("SET LOCAL statement_timeout = '20ms'")
            conn.execute("SELECT pg_sleep(10)")

    with pytest.raises(psycopg.errors.QueryCanceled):
        take_too_long()


def test_an_error_rolls_the_transaction_back(database: Database) -> None:
    with suppress(Undone), database.transaction() as conn:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), 's')")
        raise Undone

    with database.transaction() as conn:
        assert conn.execute("SELECT count(*) AS count FROM inbox").fetchone() == {"count": 0}


def test_the_pool_holds_ten_connections(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody_at_once(database, 10)
    monkeypatch.setattr(module, "_POOL_WAIT_SECONDS", 0.05)

    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(database.transaction())
        with pytest.raises(PoolTimeout):
            held.enter_context(database.transaction())


def test_no_call_fails_after_a_restart_of_the_server(
    database: Database, servers: Servers, database_urls: DatabaseUrls
) -> None:
    everybody_at_once(database, 10)
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as server:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        assert len(server.execute(ended, [database_urls.name]).fetchall()) >= 10

    for _ in range(12):
        with database.transaction() as conn:
            conn.execute("SELECT 1")


def test_an_absent_server_is_not_reachable() -> None:
    absent = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    absent.open()

    assert not absent.is_reachable()

    absent.close()


def test_a_server_is_reachable_when_every_connection_is_in_use(database: Database) -> None:
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(database.transaction())

        assert database.is_reachable()


def test_a_lost_connection_is_never_taken_for_a_commit(database: Database) -> None:
    def lose_it() -> None:
        with database.transaction() as conn, suppress(psycopg.OperationalError):
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(psycopg.OperationalError, match="lost"):
        lose_it()

    with database.transaction() as conn:
        assert conn.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_an_error_in_a_savepoint_takes_back_the_savepoint_alone(database: Database) -> None:
    note = "INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), %s)"
    with database.transaction() as conn:
        conn.execute(note, ["before"])
        with suppress(psycopg.errors.DivisionByZero), conn.savepoint():
            conn.execute(note, ["within"])
            conn.execute("SELECT 1 / 0")
        with conn.savepoint():
            conn.execute(note, ["behind"])

    with database.transaction() as conn:
        rows = conn.execute("SELECT source FROM inbox ORDER BY source").fetchall()
    assert [row["source"] for row in rows] == ["before", "behind"]


def test_a_failed_statement_that_was_passed_over_takes_back_the_savepoint_alone(database: Database) -> None:
    note = "INSERT INTO inbox (event_id, source) VALUES (gen_random_uuid(), %s)"

    def hide_a_failure(conn: Connection) -> None:
        with conn.savepoint(), suppress(psycopg.errors.DivisionByZero):
            conn.execute(note, ["within"])
            conn.execute("SELECT 1 / 0")

    with database.transaction() as conn:
        conn.execute(note, ["before"])
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            hide_a_failure(conn)
        conn.execute(note, ["behind"])

    with database.transaction() as conn:
        rows = conn.execute("SELECT source FROM inbox ORDER BY source").fetchall()
    assert [row["source"] for row in rows] == ["before", "behind"]


def test_a_migration_outdates_a_prepared_statement_once_for_each_connection(
    database: Database, database_urls: DatabaseUrls
) -> None:
    def read() -> bool:
        try:
            with database.transaction() as conn:
                conn.execute("SELECT * FROM inbox")
        except psycopg.OperationalError:  # as for all that passes by itself
            return False
        return True

    assert all(read() for _ in range(60))  # prepared by now on each of the pool's connections that is used
    with psycopg.connect(database_urls.owner) as owner:
        owner.execute("ALTER TABLE inbox ADD COLUMN later text")

    went_well = [read() for _ in range(60)]

    assert not went_well[0]
    assert all(went_well[10:])
