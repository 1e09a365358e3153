"""Times of use cases: the whole of each, and the part that was spent in the database.

In the database is the time from sending a statement until its whole result is here, as the client sees it: the server's work
and the way there and back. BEGIN and COMMIT, and making Python's objects of the rows, are in the whole alone.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg


@dataclass(frozen=True, kw_only=True)
class Times:
    """Milliseconds of something that was done many times."""

    number: int
    median: float
    p99: float
    largest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        """The median, the 99th percentile and the largest of these."""
        in_order = sorted(seconds)
        return cls(
            number=len(in_order),
            median=round(1000 * statistics.median(in_order), 2),
            p99=round(1000 * in_order[int(0.99 * (len(in_order) - 1))], 2),
            largest=round(1000 * in_order[-1], 2),
        )


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Seconds of each turn: the whole of it, and within statements."""

    whole: list[float] = field(default_factory=list)
    in_database: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One turn of what is measured."""
        execute, spent, number = psycopg.Cursor.execute, 0.0, 0

        def executing(cursor: Any, *args: Any, **more: Any) -> Any:
            nonlocal spent, number
            number += 1
            begun = time.perf_counter()
            try:
                return execute(cursor, *args, **more)
            finally:
                spent += time.perf_counter() - begun

        with mock.patch.object(psycopg.Cursor, "execute", executing):
            started = time.perf_counter()
            yield
            self.whole.append(time.perf_counter() - started)
        self.in_database.append(spent)
        self.statements.append(number)


class Pages:
    """The pages that the statements of a database read, hit or not, by pg_stat_statements."""

    def __init__(self, conn: psycopg.Connection) -> None:
        """`conn` is a superuser's, in autocommit."""
        self._conn = conn
        conn.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def of(self, act: Callable[[], object], *, number: int) -> int:
        """The pages of a turn, of so many that the act makes."""
        self._conn.execute("SELECT pg_stat_statements_reset()")
        act()
        row = self._conn.execute(
            "SELECT sum(shared_blks_hit + shared_blks_read) FROM pg_stat_statements WHERE userid <> current_user::regrole"
        ).fetchone()
        return round(int(row[0] or 0) / number) if row else 0
