"""What a transaction remembers is remembered once it is committed, and until the server may be another."""

from contextlib import ExitStack, suppress
from uuid import uuid4

import psycopg
import pytest

from chassis.database import Database
from chassis.testing import DatabaseUrls, commits_fail, eventually


def recalled(database: Database) -> object:
    with database.transaction() as conn:
        return conn.recall("C1", version=1)


def remembered(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')", [uuid4()])
        conn.remember("C1", "first", version=1)


def all_connections_made(database: Database) -> None:
    """A connection that is made later has everything forgotten."""
    eventually(lambda: database.memory.epoch >= 2, what="the pool's first connections")


def connections_grow(database: Database) -> None:
    """More transactions at once than there were connections for."""
    epoch = database.memory.epoch
    with ExitStack() as at_once:
        while database.memory.epoch == epoch:
            at_once.enter_context(database.transaction()).execute("SELECT 1")


def test_it_is_remembered_when_the_transaction_is_committed(database: Database) -> None:
    all_connections_made(database)
    with database.transaction() as conn:
        conn.execute("SELECT 1")
        conn.remember("C1", "first", version=1)
        assert conn.recall("C1", version=1) is None

    assert recalled(database) == "first"


def test_of_a_transaction_that_was_not_committed_nothing_is_remembered(database: Database) -> None:
    all_connections_made(database)
    with suppress(ZeroDivisionError), database.transaction() as conn:
        conn.execute("SELECT 1")
        conn.remember("C1", "never", version=1)
        raise ZeroDivisionError
    with database.transaction() as conn, suppress(ZeroDivisionError), conn.savepoint():
        conn.execute("SELECT 1")
        conn.remember("C1", "never", version=1)
        raise ZeroDivisionError

    assert recalled(database) is None


def test_where_the_commit_is_refused_nothing_is_remembered(database: Database, database_urls: DatabaseUrls) -> None:
    all_connections_made(database)
    with commits_fail(database_urls, "inbox"), pytest.raises(psycopg.errors.SerializationFailure):
        remembered(database)

    assert recalled(database) is None


def test_with_a_new_connection_everything_is_forgotten(database: Database) -> None:
    all_connections_made(database)
    remembered(database)
    assert recalled(database) == "first"

    connections_grow(database)

    assert recalled(database) is None


def test_what_was_begun_before_a_new_connection_is_not_remembered_after_it(database: Database) -> None:
    all_connections_made(database)
    with database.transaction() as conn:
        conn.execute("SELECT 1")
        conn.remember("C1", "late", version=1)
        connections_grow(database)

    assert recalled(database) is None
    remembered(database)
    assert recalled(database) == "first"
