"""Acts for after the commit are done after it, and never without it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psycopg
import pytest

from chassis import logs, metrics
from chassis.database import Connection, Database
from chassis.testing import DatabaseUrls, commits_fail

Done = list[str]


class Undone(Exception):
    """Rolls a transaction back."""


@pytest.fixture
def done() -> Done:
    return []


@contextmanager
def noting(database: Database, done: Done, what: str) -> Iterator[Connection]:
    """A transaction that writes a row, and notes `what` when it is committed."""
    with database.transaction() as conn:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')", [uuid4()])
        conn.after_commit(lambda: done.append(what))
        yield conn


def in_vain(database: Database, done: Done) -> None:
    with noting(database, done, "in vain"):
        pass


def test_acts_are_done_once_and_in_order_after_the_commit(database: Database, done: Done) -> None:
    with noting(database, done, "first") as conn:
        conn.after_commit(lambda: done.append("second"))
        assert done == []

    assert done == ["first", "second"]
    for _ in range(20):  # each of the pool's connections may be the one
        with database.transaction() as conn:
            conn.execute("SELECT 1")
    assert done == ["first", "second"]


def test_an_act_may_begin_another_transaction(database: Database, done: Done) -> None:
    def look() -> None:
        with database.transaction() as conn:
            row = conn.execute("SELECT count(*) AS count FROM inbox").fetchone()
        done.append(f"{row['count'] if row else 0} committed")

    with noting(database, done, "noted") as conn:
        conn.after_commit(look)

    assert done == ["noted", "1 committed"]


def test_the_commit_stands_and_later_acts_are_done_when_an_act_fails(
    database: Database, done: Done, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("tests")
    before = metrics.REGISTRY.get_sample_value("chassis_left_undone_total")

    with database.transaction() as conn:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')", [uuid4()])
        conn.after_commit(lambda: 1 / 0)
        conn.after_commit(lambda: done.append("behind it"))

    assert done == ["behind it"]
    assert metrics.REGISTRY.get_sample_value("chassis_left_undone_total") == (before or 0) + 1
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "left undone" in line]
    assert (line["error"], line["level"]) == ("ZeroDivisionError", "error")
    with database.transaction() as conn:
        assert conn.execute("SELECT count(*) AS count FROM inbox").fetchone() == {"count": 1}


def test_acts_are_not_done_when_the_commit_is_refused(
    database: Database, database_urls: DatabaseUrls, done: Done
) -> None:
    with commits_fail(database_urls, "inbox"), pytest.raises(psycopg.errors.SerializationFailure):
        in_vain(database, done)
    assert done == []

    with noting(database, done, "at the second try"):
        pass

    assert done == ["at the second try"]


def test_acts_are_not_done_when_a_failed_statement_was_passed_over(database: Database, done: Done) -> None:
    def hide_a_failure() -> None:
        with noting(database, done, "in vain") as conn, suppress(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        hide_a_failure()

    assert done == []


def test_acts_are_not_done_when_the_connection_is_lost(database: Database, done: Done) -> None:
    def lose_it() -> None:
        with noting(database, done, "in vain") as conn, suppress(psycopg.OperationalError):
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(psycopg.OperationalError):
        lose_it()

    assert done == []


def test_acts_are_not_done_after_an_error(database: Database, done: Done) -> None:
    def refuse() -> None:
        with noting(database, done, "in vain"):
            raise Undone

    for _ in range(20):  # each of the pool's connections may be the one
        with pytest.raises(Undone):
            refuse()

    assert done == []


def test_a_savepoint_that_is_rolled_back_drops_its_acts(database: Database, done: Done) -> None:
    with noting(database, done, "before") as conn:
        with suppress(Undone), conn.savepoint():
            conn.after_commit(lambda: done.append("in vain"))
            raise Undone
        with conn.savepoint():
            conn.after_commit(lambda: done.append("within"))

    assert done == ["before", "within"]
