"""What is to be done once a transaction is committed is done then, and never where it is not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psycopg
import pytest

from chassis import logs, metrics, outbox
from chassis.database import Connection, Database
from chassis.testing import DatabaseUrls, commits_fail
from cms.intake.v1 import events_pb2

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


def test_it_is_done_when_the_transaction_is_committed_in_its_order_and_once(database: Database, done: Done) -> None:
    with noting(database, done, "first") as conn:
        conn.after_commit(lambda: done.append("second"))
        assert done == []

    assert done == ["first", "second"]
    for _ in range(20):  # each of the pool's connections may be the one
        with database.transaction() as conn:
            conn.execute("SELECT 1")
    assert done == ["first", "second"]


def test_another_transaction_can_be_begun_in_it(database: Database, done: Done) -> None:
    def look() -> None:
        with database.transaction() as conn:
            row = conn.execute("SELECT count(*) AS count FROM inbox").fetchone()
        done.append(f"{row['count'] if row else 0} committed")

    with noting(database, done, "noted") as conn:
        conn.after_commit(look)

    assert done == ["noted", "1 committed"]


def test_where_it_fails_the_commit_stands_and_what_is_behind_it_is_done(
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


def test_what_a_failing_act_began_on_the_connection_is_nobody_elses(database: Database, done: Done) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')", [uuid4()])

        def begin_and_fail() -> None:
            with conn.pipeline():
                conn.execute("DELETE FROM inbox")
            with conn.savepoint():
                conn.execute("SELECT 1 / 0")

        conn.after_commit(begin_and_fail)

    for _ in range(20):  # each of the pool's connections may be the one
        with noting(database, done, "next") as other, other.savepoint():
            other.execute("SELECT 1")
    with database.transaction() as conn:
        assert conn.execute("SELECT count(*) AS count FROM inbox").fetchone() == {"count": 21}


def test_it_is_not_done_where_commit_itself_is_refused(
    database: Database, database_urls: DatabaseUrls, done: Done
) -> None:
    with commits_fail(database_urls, "inbox"), pytest.raises(psycopg.errors.SerializationFailure):
        in_vain(database, done)
    assert done == []

    with noting(database, done, "at the second try"):
        pass

    assert done == ["at the second try"]


def test_it_is_not_done_where_a_last_statement_fails(database: Database, done: Done) -> None:
    def end_by_a_failure() -> None:
        with noting(database, done, "in vain") as conn:
            conn.at_commit("SELECT 1 / 0", [])

    with pytest.raises(psycopg.errors.DivisionByZero):
        end_by_a_failure()

    assert done == []


def test_it_is_not_done_where_a_statement_failed_and_nobody_said_so(database: Database, done: Done) -> None:
    def hide_a_failure() -> None:
        with noting(database, done, "in vain") as conn, suppress(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        hide_a_failure()

    assert done == []


def test_it_is_not_done_where_the_connection_is_lost(database: Database, done: Done) -> None:
    def lose_it() -> None:
        with noting(database, done, "in vain") as conn, suppress(psycopg.OperationalError):
            conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(psycopg.OperationalError):
        lose_it()

    assert done == []


def test_it_is_not_done_after_an_error_or_a_rollback(database: Database, done: Done) -> None:
    def refuse() -> None:
        with noting(database, done, "in vain"):
            raise Undone

    for _ in range(20):  # each of the pool's connections may be the one
        with pytest.raises(Undone):
            refuse()
    with noting(database, done, "in vain") as conn:
        conn.rollback()

    assert done == []


def test_a_savepoint_that_is_given_back_takes_along_what_was_to_follow_it(database: Database, done: Done) -> None:
    with noting(database, done, "before") as conn:
        with suppress(Undone), conn.savepoint():
            conn.after_commit(lambda: done.append("in vain"))
            raise Undone
        with conn.savepoint():
            conn.after_commit(lambda: done.append("within"))

    assert done == ["before", "within"]


def test_the_relay_is_woken_after_a_commit_with_events_and_only_then(
    database: Database, database_urls: DatabaseUrls, done: Done
) -> None:
    database.on_events(lambda: done.append("woken"))

    def tell() -> None:
        with noting(database, [], "told") as conn:
            outbox.append(conn, claim_ref="C0000000000A", version=1, event=events_pb2.ClaimSubmitted())
            assert done == []

    with noting(database, [], "nothing told"):
        pass
    with commits_fail(database_urls, "outbox"), pytest.raises(psycopg.errors.SerializationFailure):
        tell()
    assert done == []

    tell()

    assert done == ["woken"]


def test_the_relay_is_woken_though_another_transaction_was_within(database: Database, done: Done) -> None:
    database.on_events(lambda: done.append("woken"))

    with database.transaction() as conn:
        outbox.append(conn, claim_ref="C0000000000A", version=1, event=events_pb2.ClaimSubmitted())
        with noting(database, [], "nothing told"):
            pass
        assert done == []

    assert done == ["woken"]
