"""What is sent in one message fails like what is sent one by one: with its own error, undone, the connection whole."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.pq import PipelineStatus, TransactionStatus

from chassis.database import Connection, Database, Result
from chassis.testing import DatabaseUrls, Servers

_NOTE = "INSERT INTO inbox (event_id, source) VALUES (%s, 'tests')"
_DIES = "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"
_FAILS = "SELECT 1 / 0"
_LENGTH = "SELECT octet_length(%s::text) AS length"
_MANY_ROWS = "SELECT repeat('y', 1000) AS row FROM generate_series(1, 20000)"

_MORE_THAN_A_SOCKET_TAKES = "x" * 20_000_000
_RUNS_UNTIL_PREPARED = 8
"""psycopg prepares a statement when it runs for the sixth time on its connection."""


class Refused(Exception):
    """What a service makes of an error of the database."""


def commit_with(conn: Connection, query: LiteralString, parameters: list[object]) -> None:
    """Ends the transaction here, with this statement as its last."""
    conn.at_commit(query, parameters)
    conn.commit()


def noted(database: Database) -> set[UUID]:
    with database.transaction() as conn:
        return {row["event_id"] for row in conn.execute("SELECT event_id FROM inbox").fetchall()}


def note_around(conn: Connection, place: int, query: str) -> None:
    """Two notes and another statement, sent together."""
    with conn.pipeline():
        for each in range(3):
            if each == place:
                conn.execute(query.encode())
            else:
                conn.execute(_NOTE, [uuid4()])


def give_up(database: Database, place: int, query: str) -> None:
    with database.transaction() as conn:
        note_around(conn, place, query)


@contextmanager
def whole_afterwards(conn: Connection) -> Iterator[None]:
    """As the pool wants a connection back: after an error it is rolled back, and used again."""
    server = conn.info.backend_pid
    yield
    conn.rollback()
    assert conn.info.transaction_status is TransactionStatus.IDLE
    assert conn.info.pipeline_status is PipelineStatus.OFF
    with conn.pipeline():
        answers = [conn.execute("SELECT pg_backend_pid() AS pid") for _ in range(2)]
    assert [answer.fetchone() for answer in answers] == [{"pid": server}] * 2


@contextmanager
def ended_after(seconds: float, conn: Connection, servers: Servers) -> Iterator[None]:
    """A statement that would wait for ever fails the test instead."""

    def end() -> None:
        with psycopg.connect(f"{servers.postgres_url}/postgres", autocommit=True) as server:
            server.execute("SELECT pg_terminate_backend(%s)", [conn.info.backend_pid])

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def move(conn: Connection, event_id: UUID) -> None:
    """Has a block of its own, because its refusal is given another name."""
    try:
        with conn.pipeline():
            conn.execute(_NOTE, [event_id])
    except psycopg.errors.UniqueViolation as cause:
        raise Refused from cause


def fail_twice(conn: Connection) -> None:
    event_id = uuid4()
    with conn.pipeline():
        conn.execute(_NOTE, [event_id])
        conn.execute(_NOTE, [event_id])
        conn.execute(_FAILS)


def fail_before_much_is_sent(conn: Connection) -> None:
    with conn.pipeline():
        conn.execute(_FAILS)
        conn.execute(_LENGTH, [_MORE_THAN_A_SOCKET_TAKES])


def refuse_while_statements_wait(conn: Connection) -> None:
    with conn.pipeline():
        conn.execute(_NOTE, [uuid4()])
        raise Refused


def refuse_in_a_block_within(conn: Connection) -> None:
    event_id = uuid4()
    with conn.pipeline():
        conn.execute(_NOTE, [event_id])
        move(conn, event_id)


def fail_before_a_block_within(conn: Connection) -> None:
    with conn.pipeline():
        conn.execute(_FAILS)
        move(conn, uuid4())


def take_too_long(conn: Connection) -> None:
    conn.execute("SET LOCAL statement_timeout = '20ms'")
    note_around(conn, 1, "SELECT pg_sleep(10)")


TROUBLES: dict[str, tuple[Callable[[Connection], None], type[Exception]]] = {
    "the first fails": (lambda conn: note_around(conn, 0, _FAILS), psycopg.errors.DivisionByZero),
    "one in the middle fails": (lambda conn: note_around(conn, 1, _FAILS), psycopg.errors.DivisionByZero),
    "the last fails": (lambda conn: note_around(conn, 2, _FAILS), psycopg.errors.DivisionByZero),
    "of two that fail the first is told": (fail_twice, psycopg.errors.UniqueViolation),
    "one fails before much is sent": (fail_before_much_is_sent, psycopg.errors.DivisionByZero),
    "one takes too long": (take_too_long, psycopg.errors.QueryCanceled),
    "an error of ours while statements wait": (refuse_while_statements_wait, Refused),
    "a value that cannot be sent": (lambda conn: commit_with(conn, _NOTE, [object()]), psycopg.ProgrammingError),
    "a refusal in a block within comes there": (refuse_in_a_block_within, Refused),
    "a failure before a block within is no refusal of it": (fail_before_a_block_within, psycopg.errors.DivisionByZero),
}


@pytest.mark.parametrize(("act", "error"), TROUBLES.values(), ids=TROUBLES)
def test_the_error_is_told_all_is_undone_and_the_connection_is_used_on(
    database: Database, servers: Servers, act: Callable[[Connection], None], error: type[Exception]
) -> None:
    with database.transaction() as conn, ended_after(20, conn, servers), whole_afterwards(conn), pytest.raises(error):
        act(conn)

    assert noted(database) == set()


def test_a_statement_that_was_never_prepared_is_not_taken_for_prepared(database: Database) -> None:
    with database.transaction() as conn:
        for runs_before in range(_RUNS_UNTIL_PREPARED):
            for _ in range(runs_before):
                note_around(conn, 2, "SELECT 1")
            with pytest.raises(psycopg.errors.DivisionByZero):
                note_around(conn, 0, _FAILS)
            conn.rollback()
        note_around(conn, 2, "SELECT 1")

    assert len(noted(database)) == 2


def test_what_is_sent_after_a_block_within_is_in_the_same_transaction(database: Database) -> None:
    first, moved, last = uuid4(), uuid4(), uuid4()

    with database.transaction() as conn, conn.pipeline():
        conn.execute(_NOTE, [first])
        move(conn, moved)
        conn.execute(_NOTE, [last])

    assert noted(database) == {first, moved, last}


def test_a_savepoint_in_a_block_gives_back_only_its_own(database: Database) -> None:
    first, last = uuid4(), uuid4()

    with database.transaction() as conn, conn.pipeline():
        conn.execute(_NOTE, [first])
        with suppress(Refused), conn.savepoint():
            conn.execute(_NOTE, [uuid4()])
            raise Refused
        conn.execute(_NOTE, [last])

    assert noted(database) == {first, last}


def test_a_block_that_raises_behind_one_within_takes_back_what_was_not_sent(database: Database) -> None:
    first, moved = uuid4(), uuid4()

    with database.transaction() as conn:
        conn.at_begin(_NOTE, [first], lambda _: None)
        with suppress(Refused), conn.pipeline():
            move(conn, moved)
            conn.execute(_NOTE, [uuid4()])
            raise Refused
        conn.execute("SELECT 1")

    assert noted(database) == {first, moved}


def test_what_is_asked_in_a_block_is_not_had_there(database: Database) -> None:
    with database.transaction() as conn, conn.pipeline():
        asked = conn.execute("SELECT 1 AS one")
        with pytest.raises(psycopg.InterfaceError):
            asked.fetchone()

    assert asked.fetchone() == {"one": 1}


def test_nothing_is_had_of_what_comes_behind_a_failure(database: Database) -> None:
    asked: list[Result] = []

    def ask() -> None:
        with database.transaction() as conn, conn.pipeline():
            asked.extend(conn.execute(query) for query in ("SELECT 1 AS one", _FAILS, "SELECT 2 AS two"))

    with pytest.raises(psycopg.errors.DivisionByZero):
        ask()

    before, *rest = asked
    assert before.fetchone() == {"one": 1}
    for result in rest:
        with pytest.raises(psycopg.InterfaceError):
            result.fetchone()


def test_each_statement_has_the_whole_of_its_time(database: Database) -> None:
    with database.transaction() as conn, conn.pipeline():
        conn.execute("SET LOCAL statement_timeout = '500ms'")
        for _ in range(8):
            conn.execute("SELECT pg_sleep(0.08)")


def test_a_message_larger_than_the_system_takes_at_once_goes_while_answers_come(
    database: Database, servers: Servers
) -> None:
    with database.transaction() as conn, ended_after(20, conn, servers):
        with conn.pipeline():
            before = conn.execute(_MANY_ROWS)
            length = conn.execute(_LENGTH, [_MORE_THAN_A_SOCKET_TAKES])
            behind = conn.execute(_MANY_ROWS)

        assert (len(before.fetchall()), len(behind.fetchall())) == (20_000, 20_000)
        assert length.fetchone() == {"length": len(_MORE_THAN_A_SOCKET_TAKES)}


def test_a_server_that_dies_in_the_midst_is_a_lost_connection(database: Database) -> None:
    for place in (0, 1, 2):
        with pytest.raises(psycopg.OperationalError):
            give_up(database, place, _DIES)

    assert noted(database) == set()


def test_a_server_that_dies_while_much_is_being_sent_is_a_lost_connection(database: Database) -> None:
    def lose_it() -> None:
        with database.transaction() as conn, conn.pipeline():
            conn.execute(_DIES)
            conn.execute(_LENGTH, [_MORE_THAN_A_SOCKET_TAKES])
            conn.execute(_LENGTH, ["and more"])

    for _ in range(3):
        with pytest.raises(psycopg.OperationalError):
            lose_it()

    assert noted(database) == set()


def test_a_server_that_died_before_is_a_lost_connection(database: Database) -> None:
    def lose_it() -> None:
        with database.transaction() as conn:
            conn.execute(_NOTE, [uuid4()])
            with database.transaction() as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [conn.info.backend_pid])
            note_around(conn, 1, "SELECT 1")

    with pytest.raises(psycopg.OperationalError):
        lose_it()

    assert noted(database) == set()


def test_a_commit_whose_server_died_is_not_taken_for_a_commit(database: Database) -> None:
    reached = []

    def lose_it() -> None:
        with database.transaction() as conn:
            conn.execute(_NOTE, [uuid4()])
            commit_with(conn, _DIES, [])
            reached.append("the line behind the commit")

    for _ in range(3):
        with pytest.raises(psycopg.OperationalError):
            lose_it()

    assert reached == []
    assert noted(database) == set()


def test_a_commit_that_is_refused_is_an_error(database: Database, database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.owner) as owner:
        owner.execute("ALTER TABLE inbox ADD CONSTRAINT late UNIQUE (source) DEFERRABLE INITIALLY DEFERRED")

    for _ in range(_RUNS_UNTIL_PREPARED):
        with database.transaction() as conn, whole_afterwards(conn):
            conn.execute(_NOTE, [uuid4()])
            with pytest.raises(psycopg.errors.UniqueViolation):
                commit_with(conn, _NOTE, [uuid4()])

    assert noted(database) == set()


def test_many_threads_get_each_its_own_answers(database: Database) -> None:
    def ask(number: int) -> list[object]:
        with database.transaction() as conn:
            first = conn.execute("SELECT %s::int AS number", [number]).fetchone()
            with conn.pipeline():
                rest = [conn.execute("SELECT %s::int AS number", [number + each]) for each in (1, 2)]
            commit_with(conn, _NOTE, [UUID(int=number)])
        return [first, *(answer.fetchone() for answer in rest)]

    with ThreadPoolExecutor(20) as callers:
        answered = list(callers.map(ask, range(400)))

    assert answered == [[{"number": number + each} for each in range(3)] for number in range(400)]
    assert noted(database) == {UUID(int=number) for number in range(400)}
