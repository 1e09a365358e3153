"""Limits are set on every connection; a server that comes back is used again at once."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from types import FrameType
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from chassis import database as module
from chassis import statements
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


def test_limits_that_a_transaction_changes_are_its_own(database: Database) -> None:
    for _ in range(4):
        with database.transaction() as conn:
            assert setting(conn, "statement_timeout") == "5s"
            conn.execute("SET LOCAL statement_timeout = '1min'")


def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
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


def test_ten_connections_are_all_there_are(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody_at_once(database, 10)
    monkeypatch.setattr(module, "_POOL_WAIT_SECONDS", 0.05)

    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(database.transaction())
        with pytest.raises(PoolTimeout):
            held.enter_context(database.transaction())


def test_after_a_restart_of_the_server_no_call_fails(
    database: Database, servers: Servers, database_urls: DatabaseUrls
) -> None:
    everybody_at_once(database, 10)
    with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as server:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        assert len(server.execute(ended, [database_urls.name]).fetchall()) >= 10

    for _ in range(12):
        with database.transaction() as conn:
            conn.execute("SELECT 1")


def test_a_server_that_is_not_there_is_not_reachable() -> None:
    absent = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    absent.open()

    assert not absent.is_reachable()

    absent.close()


def test_a_server_is_reachable_when_every_connection_is_in_use(database: Database) -> None:
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(database.transaction())

        assert database.is_reachable()


def test_a_connection_that_is_lost_is_never_taken_for_a_commit(database: Database) -> None:
    def lose_it() -> None:
        with database.transaction() as conn, suppress(psycopg.OperationalError):
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def lose_it_and_commit() -> None:
        with database.transaction() as conn:
            with suppress(psycopg.OperationalError):
                conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            conn.after_commit(lambda: committed.append("told"))
            conn.commit()

    committed: list[str] = []
    with pytest.raises(psycopg.OperationalError, match="lost"):
        lose_it()
    with pytest.raises(psycopg.OperationalError):
        lose_it_and_commit()
    assert committed == []

    with database.transaction() as conn:
        assert conn.execute("SELECT 1 AS one").fetchone() == {"one": 1}


class Interruption:
    """Raises at the so-manieth line that the database's code runs in this thread, unless it ends before."""

    def __init__(self, line: int) -> None:
        self.was_made = False
        self._left = line
        self._before = sys.gettrace()

    def __enter__(self) -> "Interruption":
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _enter(self, frame: FrameType, _event: str, _value: object) -> Any:
        return self._line if frame.f_code.co_filename in (module.__file__, statements.__file__) else None

    def _line(self, _frame: FrameType, event: str, _value: object) -> Any:
        self._left -= event == "line"
        if self._left == 0 and not self.was_made:
            self.was_made = True
            raise KeyboardInterrupt
        return self._line


def note_four(conn: Connection, first: int) -> None:
    note: LiteralString = "INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')"
    conn.at_begin(note, [UUID(int=first)], lambda _: None)
    with conn.savepoint(), conn.pipeline():
        conn.execute(note, [UUID(int=first + 1)])
        one = conn.execute("SELECT 1 AS one")
    assert one.fetchone() == {"one": 1}
    with suppress(psycopg.errors.DivisionByZero), conn.savepoint():
        conn.execute("SELECT 1 / 0")
    conn.at_commit(note, [UUID(int=first + 2)])
    conn.execute(note, [UUID(int=first + 3)])


def test_whatever_line_an_error_comes_at_all_is_committed_or_nothing_and_the_next_is_not_touched(
    database: Database,
) -> None:
    with database.transaction() as conn:
        conn.execute("SELECT 1")

    line, interrupted = 40, True  # behind the line at which a connection is got of the pool, and is ours
    while interrupted:
        line += 7
        with suppress(KeyboardInterrupt), Interruption(line) as interruption, database.transaction() as conn:
            note_four(conn, 4 * line)
        interrupted = interruption.was_made
        with database.transaction() as conn:
            noted = {row["event_id"].int for row in conn.execute("SELECT event_id FROM inbox")}

        mine = set(range(4 * line, 4 * line + 4))
        assert noted & mine in (set(), mine)

    assert noted & mine == mine


def test_a_connection_is_looked_at_without_a_round_trip(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("chassis.database.ConnectionPool.check_connection", asked.append)

    for _ in range(5):
        with database.transaction():
            pass

    assert asked == []
