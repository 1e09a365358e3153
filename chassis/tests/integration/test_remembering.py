"""What a transaction remembers is remembered once it is committed, and until the server may be another."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from uuid import uuid4

import psycopg
import pytest

from chassis import embedded
from chassis.database import Database
from chassis.testing import DatabaseUrls, Servers, commits_fail, free_port


def recalled(database: Database) -> object:
    with database.transaction() as conn:
        return conn.recall("C1", version=1)


def remembered(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')", [uuid4()])
        conn.remember("C1", "first", version=1)


@pytest.fixture
def other_server(servers: Servers) -> Iterator[str]:
    """The URL of a database at a server of its own, as after a failover."""
    folder = servers.folder / f"other-{uuid4()}"
    postgres = embedded.start_postgres(folder, port=free_port(), open_folder=servers.folder / "open", durable=False)
    yield f"{postgres.url}/postgres"
    postgres.stop()


@contextmanager
def closing_database(url: str, like: Database) -> Iterator[Database]:
    """Another database for the same process, with what that remembers."""
    made = Database(url)
    made.memory = like.memory
    made.open()
    yield made
    made.close()


def test_it_is_remembered_when_the_transaction_is_committed(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("SELECT 1")
        conn.remember("C1", "first", version=1)
        assert conn.recall("C1", version=1) is None

    assert recalled(database) == "first"


def test_of_a_transaction_that_was_not_committed_nothing_is_remembered(database: Database) -> None:
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
    with commits_fail(database_urls, "inbox"), pytest.raises(psycopg.errors.SerializationFailure):
        remembered(database)

    assert recalled(database) is None


def test_it_is_recalled_by_every_connection_to_the_same_server(database: Database) -> None:
    remembered(database)

    with ExitStack() as at_once:
        connections = [at_once.enter_context(database.transaction()) for _ in range(5)]
        assert [conn.recall("C1", version=1) for conn in connections] == ["first"] * 5


def test_what_was_committed_at_one_server_is_not_recalled_from_another(
    database: Database, database_urls: DatabaseUrls, other_server: str
) -> None:
    remembered(database)

    with closing_database(database_urls.app, database) as same, closing_database(other_server, database) as other:
        assert recalled(same) == "first"
        assert recalled(other) is None
