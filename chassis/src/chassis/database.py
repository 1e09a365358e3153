"""PostgreSQL: one pool for a service, with limits on every connection, and short transactions."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, LiteralString

import psycopg
from psycopg import Transaction
from psycopg.abc import Params, PQGen, QueryNoTemplate
from psycopg.generators import send
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, dict_row
from psycopg_pool import ConnectionPool

Row = dict[str, Any]


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


class Connection(psycopg.Connection[Row]):
    """A connection of the pool. BEGIN goes with a transaction's first statements, and COMMIT with its last."""

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row] = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self._begin_is_owed = False
        self._last: list[tuple[LiteralString, Params]] = []

    def begin(self) -> None:
        """Begins a transaction; the server hears of it with the first statement."""
        self._begin_is_owed, self._last = True, []

    def at_commit(self, query: LiteralString, parameters: Params) -> None:
        """Executes a statement together with COMMIT, behind all others: one whose answer nobody reads.

        What the server has against it is raised where the transaction ends.
        """
        self._last.append((query, parameters))

    def execute(  # type: ignore[override]  # without templates
        self, query: QueryNoTemplate, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> psycopg.Cursor[Row]:
        """As psycopg's, at the head of a transaction together with BEGIN."""
        if not self._begin_is_owed:
            return super().execute(query, params, prepare=prepare, binary=binary)
        with self.pipeline():
            return super().execute(query, params, prepare=prepare, binary=binary)

    @contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        """What is executed in the block is sent in one message at its end."""
        outermost = self._pipeline is None
        if outermost:
            self._pipeline = _Together(self)
        try:
            with super().pipeline() as pipeline:
                self._say_begin()
                yield pipeline
        finally:
            if outermost:
                self._pipeline = None

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[Transaction]:  # noqa: FBT001, FBT002
        """A savepoint, as psycopg's; what an error takes back includes what was left for the end."""
        self._say_begin()
        left, kept = len(self._last), False
        with super().transaction(savepoint_name, force_rollback) as savepoint:
            try:
                yield savepoint
                kept = not force_rollback
            finally:
                if not kept:
                    del self._last[left:]

    def _say_begin(self) -> None:
        if self._begin_is_owed:
            self._begin_is_owed = False
            super().execute("BEGIN")

    def commit(self) -> None:
        """Commits, with what was left for the end."""
        if not self._last:
            self._begin_is_owed = False
            super().commit()
            return
        last, self._last = self._last, []
        with self.pipeline():
            for query, parameters in last:
                self.execute(query, parameters)
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Takes everything back."""
        self._begin_is_owed, self._last = False, []
        super().rollback()


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


class Database:
    """The service's own database, as its `_app` role."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=Connection,
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

        Who waits for events is woken after it. Raises psycopg.OperationalError or psycopg_pool.PoolTimeout when there is
        no connection to be had, and at its end what the server has against the statements that were left for it.
        """
        _events_appended.set(False)
        connection = self._open_connection()
        try:
            with connection:
                connection.begin()
                yield connection
                if connection.closed:  # psycopg would leave without a commit and without an error
                    raise psycopg.OperationalError("the connection was lost in the transaction")
                connection.commit()
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
