"""PostgreSQL: one pool for a service, with limits on every connection, and short transactions."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

_LIMITS = "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
_NETWORK = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_POOL_SIZE = 10
_POOL_WAIT_SECONDS = 5.0

_events_appended: ContextVar[bool] = ContextVar("events_appended", default=False)


def events_were_appended() -> None:
    """Says that the transaction of this thread holds outbox rows, so that the relay is woken after its commit."""
    _events_appended.set(True)


class Database:
    """The service's own database, as its `_app` role."""

    def __init__(self, url: str) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=2,
            max_size=_POOL_SIZE,
            kwargs={"options": _LIMITS, "row_factory": dict_row, **_NETWORK},
            open=False,
        )
        self._wake: list[Callable[[], None]] = []

    def open(self) -> None:
        """Opens the first connections in the background."""
        self._pool.open()

    def close(self) -> None:
        """Closes every connection."""
        self._pool.close(timeout=2.0)

    def on_events(self, wake: Callable[[], None]) -> None:
        """Calls `wake` after every commit of a transaction that appended to the outbox."""
        self._wake.append(wake)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end, rolled back by an error.

        Raises psycopg.OperationalError or psycopg_pool.PoolTimeout when there is no connection to be had.
        """
        _events_appended.set(False)
        with self._connection(_POOL_WAIT_SECONDS) as connection:
            yield connection
        if _events_appended.get():
            for wake in self._wake:
                wake()

    def is_reachable(self) -> bool:
        """Whether a statement is answered within about a second."""
        try:
            with self._connection(1.0) as connection:
                connection.execute("SELECT 1")
        except (psycopg.OperationalError, PoolTimeout):
            return False
        return True

    @contextmanager
    def _connection(self, wait_seconds: float) -> Iterator[Connection]:
        connection = self._open_connection(wait_seconds)
        try:
            with connection:
                yield connection
        finally:
            self._pool.putconn(connection)

    def _open_connection(self, wait_seconds: float) -> Connection:
        # After a restart of the server every idle connection is closed. The pool's own `check` would sleep a second,
        # then two, then four, between one of them and the next.
        for _ in range(_POOL_SIZE):
            connection = self._pool.getconn(wait_seconds)
            if _is_open(connection):
                return connection
            self._pool.putconn(connection)
        return self._pool.getconn(wait_seconds)


def _is_open(connection: Connection) -> bool:
    """Whether the server has not closed the connection.

    It says something on an idle one only when it ends it: no round trip where there is nothing to read.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if not waiting.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True
