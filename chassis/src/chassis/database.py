"""PostgreSQL: one pool for a service, with limits on every connection, and short transactions."""

import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, LiteralString

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import send
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

Row = dict[str, Any]
Connection = psycopg.Connection[Row]


class _Together(psycopg.Pipeline):
    """A pipeline whose statements are sent in one message when it ends.

    psycopg sends each as it comes: a system call, a packet and a wake-up of the server's process for every statement.
    """

    def _communicate_gen(self) -> PQGen[None]:
        yield from ()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        yield from self._send_gen()
        yield from super()._fetch_gen(flush=flush)

    def _exit_gen(self) -> PQGen[None]:
        yield from self._sync_gen()

    def _send_gen(self) -> PQGen[None]:
        while self.command_queue:
            self.command_queue.popleft()()
        yield from send(self.pgconn)  # what is more than the system takes at once it sends while answers come


class _PooledConnection(psycopg.Connection[Row]):
    @contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        outermost = self._pipeline is None
        if outermost:
            self._pipeline = _Together(self)
        try:
            with super().pipeline() as pipeline:
                yield pipeline
        finally:
            if outermost:
                self._pipeline = None


_LIMITS = "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_POOL_SIZE = 10
_POOL_WAIT_SECONDS = 5.0
_RECONNECT_SECONDS = 2.0
"""How long the pool tries by itself, with doubling pauses, to replace a connection; then whoever needs one makes it try.

Left to try for its usual five minutes it would sleep for half of an outage's length after the server is back.
"""

_events_appended: ContextVar[bool] = ContextVar("events_appended", default=False)


def events_were_appended() -> None:
    """Says that the transaction of this thread holds outbox rows, so that the relay is woken after its commit."""
    _events_appended.set(True)


def commit_with(connection: Connection, query: LiteralString, parameters: Sequence[object]) -> None:
    """The transaction's last statement together with its commit: one round trip."""
    with connection.pipeline():
        connection.execute(query, parameters)
        connection.execute("COMMIT")


class Database:
    """The service's own database, as its `_app` role."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=_PooledConnection,
            min_size=2,
            max_size=_POOL_SIZE,
            reconnect_timeout=_RECONNECT_SECONDS,
            # Transactions are begun here, not by psycopg, which would wait for the answer to BEGIN alone.
            kwargs={"options": _LIMITS, "row_factory": dict_row, "autocommit": True, **_NETWORK},
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
        with self._waking() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def transaction_with(
        self, query: LiteralString, parameters: Sequence[object]
    ) -> Iterator[tuple[Connection, Row | None]]:
        """A transaction as above that begins with this statement, and the statement's first row: one round trip."""
        with self._waking() as connection:
            with connection.pipeline():
                connection.execute("BEGIN")
                answer = connection.execute(query, parameters)
            yield connection, answer.fetchone()

    @contextmanager
    def _waking(self) -> Iterator[Connection]:
        """A connection whose transaction ends with the block; then whoever waits for events is woken."""
        _events_appended.set(False)
        connection = self._open_connection()
        try:
            with connection:
                yield connection
                if connection.closed:  # psycopg would leave without a commit and without an error
                    raise psycopg.OperationalError("the connection was lost in the transaction")
        finally:
            self._pool.putconn(connection)
        if _events_appended.get():
            for wake in self._wake:
                wake()

    def is_reachable(self) -> bool:
        """Whether the server takes a connection within two seconds.

        It is one of its own: a pool whose connections are all in use says nothing about the server.
        """
        try:
            psycopg.connect(self._url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _open_connection(self) -> Connection:
        # After a restart of the server every idle connection is closed. The pool's own `check` would sleep a second,
        # then two, then four, between one of them and the next.
        for _ in range(_POOL_SIZE):
            connection = self._pool.getconn(_POOL_WAIT_SECONDS)
            if _is_open(connection):
                return connection
            self._pool.putconn(connection)
        return self._pool.getconn(_POOL_WAIT_SECONDS)


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
