"""A transaction that begins with its first statement and is committed with its last is a transaction like any other."""

import contextlib
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from chassis.database import Connection, Database, Result
from chassis.testing import DatabaseUrls

_NOTE = "INSERT INTO inbox (event_id, source) VALUES (%s, 'tests') ON CONFLICT DO NOTHING RETURNING event_id"


def commit_with(conn: Connection, query: LiteralString, parameters: list[object]) -> None:
    """Ends the transaction here, with this statement as its last."""
    conn.at_commit(query, parameters)
    conn.commit()


def noted(database: Database, event_id: UUID) -> bool:
    with database.transaction() as conn:
        return conn.execute("SELECT 1 FROM inbox WHERE event_id = %s", [event_id]).fetchone() is not None


def go_on_after_a_failure(database: Database, event_id: UUID) -> None:
    with database.transaction() as conn:
        conn.execute(_NOTE, [event_id])
        with contextlib.suppress(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1 / 0")
        commit_with(conn, _NOTE, [uuid4()])


def test_the_first_statement_is_in_the_transaction_and_its_row_is_given(database: Database) -> None:
    event_id = uuid4()

    with database.transaction() as conn:
        assert conn.execute(_NOTE, [event_id]).fetchone() == {"event_id": event_id}
        assert conn.info.transaction_status is TransactionStatus.INTRANS
        conn.rollback()

    assert not noted(database, event_id)


def test_a_first_statement_that_gives_no_row_gives_none(database: Database) -> None:
    event_id = uuid4()
    with database.transaction() as conn:
        conn.execute(_NOTE, [event_id])

    with database.transaction() as conn:
        assert conn.execute(_NOTE, [event_id]).fetchone() is None

    assert noted(database, event_id)


def test_what_is_committed_with_the_last_statement_is_committed_at_once(database: Database) -> None:
    first, last = uuid4(), uuid4()

    with database.transaction() as conn:
        conn.execute(_NOTE, [first])
        commit_with(conn, _NOTE, [last])
        assert conn.info.transaction_status is TransactionStatus.IDLE
        assert noted(database, first)

    assert noted(database, last)


def test_a_last_statement_that_fails_takes_everything_back(database: Database) -> None:
    event_id = uuid4()

    def end_by_a_failure() -> None:
        with database.transaction() as conn:
            conn.execute(_NOTE, [event_id])
            conn.at_commit(_NOTE, [None])

    with pytest.raises(psycopg.errors.NotNullViolation):
        end_by_a_failure()

    assert not noted(database, event_id)


def test_a_transaction_that_has_failed_is_never_taken_for_committed(database: Database) -> None:
    event_id = uuid4()

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        go_on_after_a_failure(database, event_id)

    assert not noted(database, event_id)


def test_a_savepoint_within_gives_back_only_its_own(database: Database) -> None:
    kept, given_back = uuid4(), uuid4()

    with database.transaction() as conn:
        conn.execute(_NOTE, [kept])
        with contextlib.suppress(LookupError), conn.savepoint():
            conn.execute(_NOTE, [given_back])
            raise LookupError

    assert noted(database, kept)
    assert not noted(database, given_back)


def test_a_savepoint_is_given_back_whole_where_one_within_was_before(database: Database) -> None:
    event_ids = outer, within, behind, last = [uuid4() for _ in range(4)]

    with database.transaction() as conn:
        with contextlib.suppress(LookupError), conn.savepoint():
            conn.execute(_NOTE, [outer])
            with contextlib.suppress(LookupError), conn.savepoint():
                conn.execute(_NOTE, [within])
                raise LookupError
            conn.execute(_NOTE, [behind])
            raise LookupError
        conn.execute(_NOTE, [last])

    assert [noted(database, event_id) for event_id in event_ids] == [False, False, False, True]


def test_a_savepoint_that_comes_first_is_in_the_transaction(database: Database) -> None:
    event_id = uuid4()

    def refuse() -> None:
        with database.transaction() as conn:
            with conn.savepoint():
                conn.execute(_NOTE, [event_id])
            raise LookupError

    with pytest.raises(LookupError):
        refuse()

    assert not noted(database, event_id)


def test_an_error_before_a_savepoint_is_told_as_it_is(database: Database) -> None:
    def fail_before_it_is_made() -> None:
        with database.transaction() as conn:
            conn.at_begin("SELECT 1 / %s", [0], lambda _: None)
            with conn.savepoint():
                conn.execute(_NOTE, [uuid4()])

    def refuse_behind_a_failure() -> None:
        with database.transaction() as conn:
            with contextlib.suppress(psycopg.errors.DivisionByZero):
                conn.execute("SELECT 1 / 0")
            with conn.savepoint():
                raise LookupError

    def lose_the_server() -> None:
        with database.transaction() as conn, conn.savepoint():
            conn.execute("SELECT 1")
            with contextlib.suppress(psycopg.OperationalError):
                conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise LookupError

    with pytest.raises(psycopg.errors.DivisionByZero):
        fail_before_it_is_made()
    with pytest.raises(LookupError):
        refuse_behind_a_failure()
    with pytest.raises(LookupError):
        lose_the_server()


def test_a_savepoint_that_is_given_back_takes_what_it_left_for_the_end(database: Database) -> None:
    before, within, behind = uuid4(), uuid4(), uuid4()

    with database.transaction() as conn:
        conn.at_commit(_NOTE, [before])
        with contextlib.suppress(LookupError), conn.savepoint():
            conn.at_commit(_NOTE, [within])
            raise LookupError
        with conn.savepoint():
            conn.at_commit(_NOTE, [behind])

    assert [noted(database, event_id) for event_id in (before, within, behind)] == [True, False, True]


def test_what_is_left_for_the_end_comes_in_its_order_and_behind_the_rest(database: Database) -> None:
    left, told = uuid4(), uuid4()

    with database.transaction() as conn:
        conn.at_commit(_NOTE, [left])
        conn.at_commit("UPDATE inbox SET source = 'later' WHERE event_id = %s", [left])
        seen = conn.execute("SELECT count(*) AS seen FROM inbox WHERE event_id = %s", [left]).fetchone()
        conn.execute(_NOTE, [told])

    assert seen == {"seen": 0}
    with database.transaction() as conn:
        row = conn.execute("SELECT source FROM inbox WHERE event_id = %s", [left]).fetchone()
    assert row == {"source": "later"}
    assert noted(database, told)


def test_nothing_that_was_left_for_the_end_outlives_an_error(database: Database) -> None:
    event_id = uuid4()

    def refuse() -> None:
        with database.transaction() as conn:
            conn.at_commit(_NOTE, [event_id])
            raise LookupError

    for _ in range(20):  # each of the pool's connections may be the one
        with pytest.raises(LookupError):
            refuse()
        with database.transaction() as conn:
            conn.execute("SELECT 1")

    assert not noted(database, event_id)


def test_a_transaction_in_which_nothing_is_asked_is_none(database: Database) -> None:
    with database.transaction() as conn:
        pass

    assert conn.info.transaction_status is TransactionStatus.IDLE


def test_what_comes_behind_a_commit_is_in_a_transaction_too(database: Database) -> None:
    before, behind = uuid4(), uuid4()

    def go_on() -> None:
        with database.transaction() as conn:
            conn.execute(_NOTE, [before])
            conn.commit()
            conn.execute(_NOTE, [behind])
            raise LookupError

    with pytest.raises(LookupError):
        go_on()

    assert (noted(database, before), noted(database, behind)) == (True, False)


def test_what_comes_behind_a_commit_that_was_refused_is_in_a_transaction_too(
    database: Database, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.owner) as owner:
        owner.execute("ALTER TABLE inbox ADD CONSTRAINT late UNIQUE (source) DEFERRABLE INITIALLY DEFERRED")
    before, last, behind = uuid4(), uuid4(), uuid4()
    note: LiteralString = "INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')"

    def go_on() -> None:
        with database.transaction() as conn:
            conn.execute(note, [before])
            with contextlib.suppress(psycopg.errors.UniqueViolation):
                commit_with(conn, note, [last])
            conn.execute(note, [behind])
            raise LookupError

    with pytest.raises(LookupError):
        go_on()

    assert [noted(database, event_id) for event_id in (before, last, behind)] == [False, False, False]


def test_what_comes_behind_a_rollback_is_in_a_transaction_too(database: Database) -> None:
    before, behind = uuid4(), uuid4()

    def go_on() -> None:
        with database.transaction() as conn:
            conn.execute(_NOTE, [before])
            conn.rollback()
            conn.execute(_NOTE, [behind])
            raise LookupError

    with pytest.raises(LookupError):
        go_on()

    assert (noted(database, before), noted(database, behind)) == (False, False)


def test_a_failure_that_somebody_passed_over_is_no_commit(database: Database) -> None:
    event_id = uuid4()

    def pass_over() -> None:
        with database.transaction() as conn:
            conn.execute(_NOTE, [event_id])
            with contextlib.suppress(psycopg.errors.DivisionByZero):
                conn.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        pass_over()

    assert not noted(database, event_id)


def test_a_block_that_raises_has_sent_nothing_and_the_transaction_goes_on(database: Database) -> None:
    before, within, behind = uuid4(), uuid4(), uuid4()

    with database.transaction() as conn:
        conn.at_begin(_NOTE, [before], lambda _: None)
        with contextlib.suppress(LookupError), conn.pipeline():
            conn.execute(_NOTE, [within])
            raise LookupError
        conn.execute(_NOTE, [behind])

    assert [noted(database, event_id) for event_id in (before, within, behind)] == [True, False, True]


class Told(Exception):
    """What a check makes of the first statement."""


def refuse_what_is_there(first: Result) -> None:
    if first.fetchone() is None:
        raise Told


def test_the_first_statement_is_looked_at_before_what_came_with_it(database: Database) -> None:
    known, other = uuid4(), uuid4()
    with database.transaction() as conn:
        conn.execute(_NOTE, [known])

    def do(query: LiteralString, parameters: list[object]) -> None:
        with database.transaction() as conn:
            conn.at_begin(_NOTE, [known], refuse_what_is_there)
            conn.execute(query, parameters)

    with pytest.raises(Told):
        do(_NOTE, [other])
    with pytest.raises(Told):
        do("SELECT 1 / %s", [0])

    assert not noted(database, other)


def test_a_first_statement_that_nothing_follows_is_sent_and_looked_at(database: Database) -> None:
    event_id = uuid4()

    def only_begin() -> None:
        with database.transaction() as conn:
            conn.at_begin(_NOTE, [event_id], refuse_what_is_there)

    only_begin()
    with pytest.raises(Told):
        only_begin()

    assert noted(database, event_id)


def test_a_first_statement_can_be_sent_before_an_error_leaves(database: Database) -> None:
    event_id = uuid4()
    with database.transaction() as conn:
        conn.execute(_NOTE, [event_id])

    def refuse() -> None:
        with database.transaction() as conn:
            conn.at_begin(_NOTE, [event_id], refuse_what_is_there)
            try:
                raise LookupError
            except LookupError:
                conn.begun()
                raise

    with pytest.raises(Told):
        refuse()
