"""PostgreSQL: one pool for a service, with limits on every connection, and short transactions."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from chassis import logs, metrics

__all__ = ["Connection", "Database", "Row"]

Row = dict[str, Any]
Act = Callable[[], object]

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
"""How long the pool itself tries to replace a connection; after that the next caller makes it try.

With the pool's own five minutes and doubling pauses it would sleep for half of an outage's length after the server is back.
"""

_OUTDATED = "RevalidateCachedQuery"
"""The server's function that finds that a prepared statement would give other columns by now."""


class Connection(psycopg.Connection[Row]):
    """A connection of the pool, in a transaction that `Database.transaction` began."""

    acts: list[Act]
    """Acts to be done after the commit."""

    def after_commit(self, act: Act) -> None:
        """Calls `act` once the transaction is committed, and never if it is not: for counting and measuring.

        A process that ends in between does not call it: what must not be lost is a row. If `act` raises, that is counted
        and logged (`chassis_left_undone_total`), for the commit stands.
        """
        self.acts.append(act)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction. An error in the block takes it back, and its acts for after the commit with it.

        Raises InFailedSqlTransaction if a statement failed and the block went on: without an error psycopg would not go
        back to the savepoint, and the whole transaction would stay failed.
        """
        kept = len(self.acts)
        try:
            with self.transaction():
                yield
                _check_sound(self)
        except BaseException:
            del self.acts[kept:]
            raise


class Database:
    """The service's own database, as the role that the address names, by at most `connections` at once."""

    def __init__(self, url: str, *, connections: int = _POOL_SIZE) -> None:
        self._url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=Connection,
            min_size=min(2, connections),
            max_size=connections,
            reconnect_timeout=_RECONNECT_SECONDS,
            # A transaction is a block: see `transaction`.
            kwargs={"options": _LIMITS, "row_factory": dict_row, "autocommit": True, **_NETWORK},
            open=False,
        )

    @property
    def url(self) -> str:
        """The address, with the role, without a password."""
        return self._url

    def open(self) -> None:
        """Opens the first connections in the background."""
        self._pool.open()

    def close(self) -> None:
        """Closes every connection."""
        self._pool.close(timeout=2.0)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Gives a connection in a transaction, which commits at the end of the block and which an error rolls back.

        Raises psycopg.OperationalError or psycopg_pool.PoolTimeout if there is no connection to be had, and
        InFailedSqlTransaction if a statement failed and the block went on: PostgreSQL would answer COMMIT by a rollback.
        """
        acts: list[Act] = []
        with _outdated_will_pass(), ExitStack() as stack:
            conn = self._begin(stack)
            conn.acts = acts
            yield conn
            _check_sound(conn)
        for act in acts:
            _do(act)

    def is_reachable(self) -> bool:
        """Whether the server takes a connection within two seconds.

        It is one of its own: a pool whose connections are all in use says nothing about the server.
        """
        try:
            psycopg.connect(self._url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _begin(self, stack: ExitStack) -> Connection:
        # BEGIN shows whether the server is still there. After its restart every idle connection is lost: the pool is then
        # made to look at all of them, for by itself it would look at one, sleep a second, look at the next, sleep two.
        conn = self._taken(stack)
        try:
            stack.enter_context(conn.transaction())
        except psycopg.OperationalError:
            stack.close()
            self._pool.check()
            conn = self._taken(stack)
            stack.enter_context(conn.transaction())
        return conn

    def _taken(self, stack: ExitStack) -> Connection:
        conn = self._pool.getconn(_POOL_WAIT_SECONDS)
        stack.callback(self._pool.putconn, conn)
        return conn


@contextmanager
def _outdated_will_pass() -> Iterator[None]:
    """Raises OperationalError for a statement that was prepared before a migration: the rollback makes psycopg forget it.

    What is tried again after an OperationalError must not take it for a defect.
    """
    try:
        yield
    except psycopg.errors.FeatureNotSupported as error:
        if error.diag.source_function != _OUTDATED:
            raise
        raise psycopg.OperationalError("a table was changed since the statement was prepared") from error


def _check_sound(conn: Connection) -> None:
    if conn.closed:  # a caller that passed over the loss may have gone on
        raise psycopg.OperationalError("the connection was lost in the transaction")
    if conn.info.transaction_status is TransactionStatus.INERROR:
        raise psycopg.errors.InFailedSqlTransaction("a statement had failed: what it belongs to is rolled back")


def _do(act: Act) -> None:
    try:
        act()
    except Exception as error:  # a defect: the caller must not hear that what is committed is not
        metrics.LEFT_UNDONE.inc()
        logs.get().error("left undone", error=type(error).__name__, location=logs.location_of(error))
