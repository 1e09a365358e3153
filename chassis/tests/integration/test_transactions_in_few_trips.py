"""A transaction that begins with its first statement and is committed with its last is a transaction like any other."""

import contextlib
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from chassis.database import Database, commit_with

_NOTE = "INSERT INTO inbox (event_id, source) VALUES (%s, 'tests') ON CONFLICT DO NOTHING RETURNING event_id"


def noted(database: Database, event_id: UUID) -> bool:
    with database.transaction() as conn:
        return conn.execute("SELECT 1 FROM inbox WHERE event_id = %s", [event_id]).fetchone() is not None


def go_on_after_a_failure(database: Database, event_id: UUID) -> None:
    with database.transaction_with(_NOTE, [event_id]) as (conn, _):
        with contextlib.suppress(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1 / 0")
        commit_with(conn, _NOTE, [uuid4()])


def test_the_first_statement_is_in_the_transaction_and_its_row_is_given(database: Database) -> None:
    event_id = uuid4()

    with database.transaction_with(_NOTE, [event_id]) as (conn, row):
        assert row == {"event_id": event_id}
        assert conn.info.transaction_status is TransactionStatus.INTRANS
        conn.rollback()

    assert not noted(database, event_id)


def test_a_first_statement_that_gives_no_row_gives_none(database: Database) -> None:
    event_id = uuid4()
    with database.transaction_with(_NOTE, [event_id]):
        pass

    with database.transaction_with(_NOTE, [event_id]) as (_, row):
        assert row is None

    assert noted(database, event_id)


def test_what_is_committed_with_the_last_statement_is_committed_at_once(database: Database) -> None:
    first, last = uuid4(), uuid4()

    with database.transaction_with(_NOTE, [first]) as (conn, _):
        commit_with(conn, _NOTE, [last])
        assert conn.info.transaction_status is TransactionStatus.IDLE
        assert noted(database, first)

    assert noted(database, last)


def test_a_last_statement_that_fails_takes_everything_back(database: Database) -> None:
    event_id = uuid4()

    with (
        pytest.raises(psycopg.errors.NotNullViolation),
        database.transaction_with(_NOTE, [event_id]) as (conn, _),
    ):
        commit_with(conn, _NOTE, [None])

    assert not noted(database, event_id)


def test_a_transaction_that_has_failed_is_never_taken_for_committed(database: Database) -> None:
    event_id = uuid4()

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        go_on_after_a_failure(database, event_id)

    assert not noted(database, event_id)


def test_a_savepoint_within_gives_back_only_its_own(database: Database) -> None:
    kept, given_back = uuid4(), uuid4()

    with database.transaction_with(_NOTE, [kept]) as (conn, _), conn.transaction():
        conn.execute(_NOTE, [given_back])
        raise psycopg.Rollback

    assert noted(database, kept)
    assert not noted(database, given_back)
