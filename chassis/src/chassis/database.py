"""PostgreSQL: one pool for a service, with limits on every connection, and short transactions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg.abc import Params
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, dict_row
from psycopg_pool import ConnectionPool

from chassis import logs, metrics
from chassis.memory import Memory
from chassis.statements import Result, Row, Statements

__all__ = ["Connection", "Database", "Result", "Row"]


class Connection:
    """A connection of the pool in one transaction. BEGIN goes with its first statements, and COMMIT with its last.

    Whatever is executed is in a transaction: behind a commit or a rollback in the next one.
    """

    on_events: Sequence[Callable[[], object]] = ()
    """What is called after the commit of a transaction that wrote events."""

    def __init__(self, server: "_Server", memory: Memory) -> None:
        self._server = server
        self._memory = memory
        self._statements = server.statements
        self._pipelines = 0
        self._first: tuple[Result, Callable[[Result], None]] | None = None
        self._last: list[tuple[LiteralString, Params]] = []
        self._afterwards: list[Callable[[], object]] = []

    @property
    def info(self) -> psycopg.ConnectionInfo:
        """What psycopg tells of the connection."""
        return self._server.info

    @property
    def closed(self) -> bool:
        """Whether the connection is lost."""
        return self._server.closed

    def at_begin(self, query: LiteralString, parameters: Params, check: Callable[[Result], None]) -> None:
        """Executes a statement together with BEGIN, before all others. To be said before anything is executed.

        `check` sees what came of it before anybody sees what came of the others; what it raises goes before their errors.
        """
        self._first = (self._statements.bind(query, parameters), check)

    def at_commit(self, query: LiteralString, parameters: Params) -> None:
        """Executes a statement together with COMMIT, behind all others: one whose answer nobody reads.

        What the server has against it is raised where the transaction ends.
        """
        self._last.append((query, parameters))

    def after_commit(self, act: Callable[[], object]) -> None:
        """Calls `act` once the transaction is committed, and never where it is not: for what counts, measures or wakes.

        A process that ends in between does not call it: what must not be lost is a row. What it raises is counted and
        logged (`chassis_left_undone_total`): the commit stands.
        """
        self._afterwards.append(act)

    def recall(self, record: str, *, version: int) -> Any:
        """What a transaction before has remembered of a record at a version; None where that is nothing, or forgotten."""
        return self._memory.recall(record, version=version, server=self._server.name)

    def remember(self, record: str, value: object, *, version: int) -> None:
        """Once the transaction is committed, keeps for others what can be no other from then on: see `chassis.memory`."""
        server = self._server.name
        self.after_commit(lambda: self._memory.remember(record, value, version=version, server=server))

    def execute(self, query: LiteralString | bytes, parameters: Params | None = None) -> Result:
        """Executes a statement: `%s` in it are of a sequence, `%(name)s` of a mapping. Raises psycopg.Error."""
        result = self._statements.bind(query, parameters)
        if not self._pipelines:
            self._exchange()
        return result

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """What is executed in the block is sent in one message at its end; nothing of it where the block raises."""
        before = self._statements.bound
        self._pipelines += 1
        try:
            yield
        except BaseException:
            self._statements.forget(behind=before)
            raise
        finally:
            self._pipelines -= 1
        self._exchange()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What an error takes back is what was done in the block, and what was left in it for the end."""
        left, left_to_follow = len(self._last), len(self._afterwards)
        before = self._statements.bound
        name = b"block_%d" % before  # of its own: one that was given back still stands, and would be gone back to again
        saved = self._statements.command(b"SAVEPOINT " + name)
        try:
            yield
        except BaseException:
            del self._last[left:], self._afterwards[left_to_follow:]
            self._statements.forget(behind=before)
            # Where there is none to go back to the error is told as it is.
            if saved.has_arrived and not self.closed:
                self._statements.command(b"ROLLBACK TO SAVEPOINT " + name)
                self._exchange()
            raise
        self._statements.command(b"RELEASE SAVEPOINT " + name)

    def begun(self) -> None:
        """Sends what was left for the beginning, where nothing was executed since; raises what its check does."""
        if self._first:
            self._exchange()

    def commit(self) -> None:
        """Commits, with what was left for the end. Raises InFailedSqlTransaction where a statement failed before."""
        self._commit()
        afterwards, self._afterwards = self._afterwards, []
        for act in afterwards:
            try:
                act()
            except Exception as error:  # a defect: the caller must not be told that what is committed is not
                metrics.LEFT_UNDONE.inc()
                logs.get().error("left undone", error=type(error).__name__, location=logs.location_of(error))
                with suppress(psycopg.OperationalError):  # a connection that is lost has nothing to be taken back
                    self.rollback()

    def _commit(self) -> None:
        self.begun()
        if self._statements.is_idle and not self._statements.waiting and not self._last:
            return
        last, self._last = self._last, []
        for query, parameters in last:
            self._statements.bind(query, parameters)
        committed = self._statements.command(b"COMMIT")
        self._exchange()
        if committed.command != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("a statement of the transaction had failed: it is rolled back")

    def rollback(self) -> None:
        """Takes everything back."""
        self._statements.forget()
        self._first, self._last, self._afterwards = None, [], []
        if not self._statements.is_idle and not self.closed:
            self._statements.command(b"ROLLBACK")
            self._statements.exchange()

    def _exchange(self) -> None:
        first, self._first = self._first, None
        try:
            self._statements.exchange()
        finally:
            if first and first[0].has_arrived:
                first[1](first[0])


_SERVER_NAME = "SELECT format('%s of %s', inet_server_addr(), pg_postmaster_start_time()) AS name"


class _Server(psycopg.Connection[Row]):
    """A connection, with what is kept for it between transactions: what it has prepared."""

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row] = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self.statements = Statements(self)
        self.name = ""
        """Tells the server from any other, and from itself after a restart."""

    def ask_name(self) -> None:
        """Asks the server who it is, once for a connection."""
        row = self.execute(_SERVER_NAME).fetchone()
        self.name = row["name"] if row else ""

    def is_open(self) -> bool:
        """Whether the server has not closed the connection, between transactions.

        It says something then only when it ends it: no round trip where there is nothing to read.
        """
        if self.statements.is_silent():
            return True
        try:
            ConnectionPool.check_connection(self)
        except psycopg.OperationalError:
            return False
        return True


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


class Database:
    """The service's own database, as its `_app` role."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.memory = Memory()
        self._pool: ConnectionPool[_Server] = ConnectionPool(
            url,
            connection_class=_Server,
            min_size=2,
            max_size=_POOL_SIZE,
            reconnect_timeout=_RECONNECT_SECONDS,
            # Transactions are begun here, not by psycopg, which would wait for the answer to BEGIN alone.
            kwargs={"options": _LIMITS, "row_factory": dict_row, "autocommit": True, **_NETWORK},
            configure=_Server.ask_name,
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

        Raises psycopg.OperationalError or psycopg_pool.PoolTimeout when there is no connection to be had, and at its end
        what the server has against the statements that were left for it.
        """
        server = self._open_connection()
        conn = Connection(server, self.memory)
        conn.on_events = self._wake
        try:
            yield conn
            if conn.closed:  # whoever saw its loss may have gone on
                raise psycopg.OperationalError("the connection was lost in the transaction")
            conn.commit()
        except BaseException:
            with suppress(psycopg.OperationalError):  # a server that is lost has taken it back
                conn.rollback()
            raise
        finally:
            self._pool.putconn(server)

    def is_reachable(self) -> bool:
        """Whether the server takes a connection within two seconds.

        It is one of its own: a pool whose connections are all in use says nothing about the server.
        """
        try:
            psycopg.connect(self._url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _open_connection(self) -> _Server:
        # After a restart of the server every idle connection is closed. The pool's own `check` would sleep a second,
        # then two, then four, between one of them and the next.
        for _ in range(_POOL_SIZE):
            server = self._pool.getconn(_POOL_WAIT_SECONDS)
            if server.is_open():
                return server
            self._pool.putconn(server)
        return self._pool.getconn(_POOL_WAIT_SECONDS)
