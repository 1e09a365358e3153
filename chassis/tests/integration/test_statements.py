"""A statement says what psycopg would have it say; what was prepared is used again and does not pile up."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import statements
from chassis.database import Connection, Database, Result
from chassis.testing import DatabaseUrls

PREPARED = "SELECT count(*)::int AS count FROM pg_prepared_statements"

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(
    st.tuples(st.just("text"), TEXT),
    st.tuples(st.just("bytea"), st.binary(max_size=40)),
    st.tuples(st.just("bigint"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just("uuid"), st.uuids()),
    st.tuples(st.just("date"), st.dates()),
    st.tuples(st.just("timestamptz"), st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
    st.tuples(st.just("numeric"), st.decimals(allow_nan=False, allow_infinity=False, places=2)),
    st.tuples(st.just("text[]"), st.lists(TEXT | st.none(), max_size=3)),
    st.tuples(st.just("bytea[]"), st.lists(st.binary(max_size=9) | st.none(), max_size=3)),
)


def ask(database: Database, query: str, parameters: Any = None) -> list[dict[str, Any]]:
    with database.transaction() as conn:
        return conn.execute(query.encode(), parameters).fetchall()


def count_prepared(conn: Connection) -> int:
    row = conn.execute(PREPARED).fetchone()
    assert row is not None
    return int(row["count"])


@given(values=st.lists(VALUES | VALUES.map(lambda typed: (typed[0], None)), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_comes_back_as_it_was_sent(database: Database, values: list[tuple[str, Any]]) -> None:
    given = [(place, kind, value) for kind, value in values for place in ("%s", "%b")]
    columns = ", ".join(f"{place}::{kind} AS value_{number}" for number, (place, kind, _) in enumerate(given))

    (row,) = ask(database, f"SELECT {columns}", [value for _, _, value in given])

    assert list(row.values()) == [value for _, _, value in given]
    assert list(row) == [f"value_{number}" for number in range(len(given))]


@pytest.mark.parametrize(
    ("query", "parameters", "row"),
    [
        (
            "SELECT %(a)s::text AS a, %(b)s::int AS b, %(a)s::text AS c",
            {"a": "x", "b": 2},
            {"a": "x", "b": 2, "c": "x"},
        ),
        ("SELECT %(a)s::text AS a", {"a": "x", "unused": 1}, {"a": "x"}),
        ("SELECT 7 %% %s::int AS rest, '100%%' AS text", [4], {"rest": 3, "text": "100%"}),
        ("SELECT '100%' AS text", None, {"text": "100%"}),
        ("SELECT '%s' AS text", None, {"text": "%s"}),
        ("SELECT %s::text AS text", ["%s $1 %(a)s"], {"text": "%s $1 %(a)s"}),
        ("SELECT '100%%' AS text", [], {"text": "100%"}),
    ],
)
def test_parameters_take_their_places(database: Database, query: str, parameters: Any, row: dict[str, Any]) -> None:
    assert ask(database, query, parameters) == [row]


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("SELECT %s", []),
        ("SELECT %s", [1, 2]),
        ("SELECT 1", [1]),
        ("SELECT %(a)s", {"b": 1}),
        ("SELECT %(a)s", [1]),
        ("SELECT %s", {"a": 1}),
        ("SELECT %s, %(a)s", {"a": 1}),
        ("SELECT 100%, %s", [1]),
        ("SELECT %d", [1]),
        ("SELECT %s", [object()]),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_anything_is_sent(
    database: Database, query: str, parameters: Any
) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        ask(database, query, parameters)


def test_rows_are_fetched_one_by_one_or_all(database: Database) -> None:
    with database.transaction() as conn:
        numbers = conn.execute("SELECT generate_series(1, 4) AS number")
        changed = conn.execute(
            "INSERT INTO inbox (event_id, source) SELECT gen_random_uuid(), 's' FROM generate_series(1, 3)"
        )
        nothing = conn.execute("DELETE FROM inbox WHERE source = 'other'")

    assert numbers.rowcount == 4
    assert numbers.fetchone() == {"number": 1}
    assert [row["number"] for row in numbers] == [2, 3, 4]
    assert (numbers.fetchone(), numbers.fetchall()) == (None, [])
    assert (changed.rowcount, nothing.rowcount) == (3, 0)


def test_a_result_is_its_own_where_others_of_its_connection_are_read(database: Database) -> None:
    with database.transaction() as conn, conn.pipeline():
        results = {
            number: [conn.execute("SELECT %s::int AS number", [number]) for _ in range(6000)] for number in (1, 2, 3)
        }
    interval = sys.getswitchinterval()

    def read(number: int) -> list[Result]:
        return [result for result in results[number] if result.fetchall() != [{"number": number}]]

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(3) as readers:
            taken_for_others = list(readers.map(read, results))
    finally:
        sys.setswitchinterval(interval)

    assert taken_for_others == [[], [], []]


def test_a_statement_is_prepared_once_for_its_connection(database: Database) -> None:
    with database.transaction() as conn:
        before = count_prepared(conn)
        for number in range(20):
            conn.execute("SELECT %s::int AS number", [number])

        assert count_prepared(conn) == before + 1


def test_what_was_prepared_does_not_pile_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MOST_PREPARED", 20)

    counts = []
    for number in range(200):
        with database.transaction() as conn:
            conn.execute(f"SELECT {number} AS number".encode())
            counts.append(count_prepared(conn))

    assert max(counts) <= 20 + 3


def test_a_statement_that_cannot_be_prepared_is_tried_anew(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(database, "SELECT * FROM nowhere")

    with database.transaction() as conn:
        conn.execute("CREATE TEMPORARY TABLE nowhere (here int) ON COMMIT DROP")
        assert conn.execute("SELECT * FROM nowhere").fetchall() == []


def test_after_a_change_of_a_table_each_connection_fails_once_and_passes(
    database: Database, database_urls: DatabaseUrls
) -> None:
    def is_answered() -> bool:
        try:
            return ask(database, "SELECT * FROM inbox") == []
        except psycopg.OperationalError:
            return False

    with database.transaction() as conn, database.transaction() as other:
        for each in (conn, other):
            each.execute("SELECT * FROM inbox")
    with psycopg.connect(database_urls.owner) as owner:
        owner.execute("ALTER TABLE inbox ADD COLUMN more int")

    assert sorted(is_answered() for _ in range(20)) == [False, False] + [True] * 18


def test_what_the_server_cannot_do_is_no_change_of_a_table(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            ask(database, "DO $$ BEGIN RAISE feature_not_supported; END $$")


def test_the_server_says_what_was_wrong_with_which_table(database: Database) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation) as refused:
        ask(database, "INSERT INTO inbox (event_id) VALUES (%s)", [UUID(int=1)])

    assert (refused.value.diag.table_name, refused.value.diag.column_name) == ("inbox", "source")
    assert refused.value.sqlstate == "23502"


def test_a_server_that_says_nothing_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "LONGEST_WAIT_SECONDS", 0.3)
    stopped: list[int] = []

    def ask_one_that_is_stopped() -> None:
        with database.transaction() as conn:
            conn.execute("SELECT 1")
            stopped.append(conn.info.backend_pid)
            os.kill(stopped[0], signal.SIGSTOP)
            conn.execute("SELECT 1")

    try:
        with pytest.raises(psycopg.OperationalError, match="said nothing"):
            ask_one_that_is_stopped()
    finally:
        os.kill(stopped[0], signal.SIGCONT)

    assert ask(database, "SELECT 1 AS one") == [{"one": 1}]


def test_dates_and_amounts_are_of_pythons_own_kinds(database: Database) -> None:
    (row,) = ask(database, "SELECT date '2005-08-01' AS day, 1.50::numeric AS amount")

    assert row == {"day": date(2005, 8, 1), "amount": Decimal("1.50")}
