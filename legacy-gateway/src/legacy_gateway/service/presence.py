"""Which processes that send are alive: a record is not sent again while the process that sent it may be.

Each process holds an advisory lock for as long as it lives. If the lock is missing the process has ended and its machine
has closed its connections, unless the lock was lost in another way. ADR 22 tells what each failure leads to.
"""

import secrets
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from chassis import logs
from chassis.database import Connection, Database, Row
from legacy_gateway import machine
from legacy_gateway.domain import Leased, NotPresent
from legacy_gateway.store import senders

_LOOK_SECONDS = 1.0
_NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "sender lock",
}
"""With these keep-alives a process that is cut off from the server notices it within half a minute."""
_OPTIONS = (
    "-c tcp_keepalives_idle=7200 -c tcp_keepalives_interval=75 -c tcp_keepalives_count=9 "
    "-c idle_session_timeout=0 -c statement_timeout=5000 -c lock_timeout=2000 -c timezone=UTC"
)
"""The server drops a silent machine only after two hours, because a frozen machine keeps its connections open."""


class Presence:
    """The lock of this process, on a database connection of its own.

    While the lock is held no statement is sent on that connection: the server would end the session within minutes if a
    silent machine did not acknowledge the answer.
    """

    def __init__(self, database_url: str, *, close_links: Callable[[], None]) -> None:
        """`close_links` ends the calls to systems that are under way, and closes the connections."""
        self._url = database_url
        self._close_links = close_links
        self._changed = threading.Condition()
        self._sender_id: int | None = None
        self._sending = 0
        self._conn: psycopg.Connection[Row] | None = None
        self._former: list[int] = []

    @property
    def is_held(self) -> bool:
        """Whether this process holds its lock. It sends only while it does."""
        return self._sender_id is not None

    @property
    def sender_id(self) -> int | None:
        """This process's number while it holds its lock."""
        return self._sender_id

    @contextmanager
    def sending(self) -> Iterator[int]:
        """Gives this process's number for a block that sends. While the block runs the number is not given up.

        Raises NotPresent.
        """
        with self._changed:
            if self._sender_id is None:
                raise NotPresent("NOT_PRESENT", "this process does not hold its lock")
            self._sending += 1
            sender_id = self._sender_id
        try:
            yield sender_id
        finally:
            with self._changed:
                self._sending -= 1
                self._changed.notify_all()

    def keep(self) -> bool:
        """Takes the lock, or waits up to a second for its loss. After a loss it closes every connection to a system."""
        if self._conn is None:
            self._take()
        elif self._is_lost(self._conn):
            logs.get().warning("sender lock lost", sender_id=self._sender_id)
            self._give_up(self._conn)
        return True

    def close(self) -> None:
        """Notes that this process is gone, and releases the lock. Close the connections to systems before."""
        with self._changed:
            sender_id, self._sender_id = self._sender_id, None
        if self._conn is None or sender_id is None:
            return
        with suppress(psycopg.OperationalError):  # the server is away: others find out by the process's end
            senders.tell_gone(self._conn, [sender_id])
        self._conn.close()

    def _take(self) -> None:
        url = make_conninfo(self._url, options=_OPTIONS, **_NETWORK)
        conn = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        try:
            sender_id = secrets.randbits(63)
            senders.lock_and_register(conn, sender_id, machine.this_process())
            senders.tell_gone(conn, self._former)
        except BaseException:
            conn.close()
            raise
        self._former.clear()
        self._conn = conn
        with self._changed:
            self._sender_id = sender_id

    def _give_up(self, conn: psycopg.Connection[Row]) -> None:
        """Gives the number up: ends all sending under it and closes every connection that was opened meanwhile."""
        with self._changed:
            former, self._sender_id = self._sender_id, None
        self._close_links()
        with self._changed:
            self._changed.wait_for(lambda: not self._sending)
        self._close_links()  # a sender that had begun may have opened a connection meanwhile
        conn.close()
        self._conn = None
        if former is not None:
            self._former.append(former)

    def _is_lost(self, conn: psycopg.Connection[Row]) -> bool:
        poll = select.poll()
        poll.register(conn.fileno(), select.POLLIN)
        if not poll.poll(_LOOK_SECONDS * 1000):
            return False
        try:
            conn.execute("SELECT 1")  # it may have been a notice
        except psycopg.OperationalError:
            return True
        return False


class Watch:
    """A process's memory between two sweeps: which locks were missing, and which of its own connections it closed."""

    def __init__(self, *, missing_seconds: float = _LOOK_SECONDS) -> None:
        """`missing_seconds`: a missing lock is believed no sooner, however soon the next look comes."""
        self._missing_seconds = missing_seconds
        self._missing: dict[int, float] = {}
        """Since when, on time.monotonic()'s scale, nobody was seen to hold these locks."""
        self._closed: deque[tuple[str, UUID]] = deque()
        """Transfers and leases whose sending has ended, of which the ledger may not know it yet."""

    @contextmanager
    def owing(self, leased: Leased) -> Iterator[None]:
        """If the block fails its result is not stored: the next sweep then notes that the connection is closed."""
        try:
            yield
        except Exception:
            self._closed.append((leased.transfer.transfer_id, leased.token))
            raise

    def tell_closed(self, database: Database) -> None:
        """Notes in the ledger which connections of this process are closed, where it may not know yet."""
        while self._closed:
            transfer_id, token = self._closed[0]
            with database.transaction() as conn:
                senders.tell_closed(conn, transfer_id, token=token)
            self._closed.popleft()

    def look(self, conn: Connection) -> None:
        """Notes which processes are gone. A lock is believed to be missing if it was a second ago as well."""
        ended = senders.sessions_ended(conn)
        held = senders.held(conn)
        senders.note_held(conn, held, ended=ended)
        found = senders.missing(conn, held, ended=ended)
        now = time.monotonic()
        since = {sender.sender_id: self._missing.get(sender.sender_id, now) for sender in found}
        gone = [
            sender.sender_id
            for sender in found
            if sender.is_gone(
                has_ended=machine.has_ended(sender.process),
                was_missing=sender.sender_id in self._missing
                and now - since[sender.sender_id] >= self._missing_seconds,
            )
        ]
        self._missing = {sender_id: at for sender_id, at in since.items() if sender_id not in gone}
        if gone:
            senders.tell_gone(conn, gone)
            logs.get().info("senders gone", sender_ids=gone)
