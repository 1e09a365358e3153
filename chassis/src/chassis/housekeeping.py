"""What is done with is removed, in batches, by one replica at a time; nothing that is still needed is.

docs/adr/0009-what-may-be-forgotten.md tells which row may go when.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import LiteralString

from chassis import floors, logs
from chassis.bus import Bus
from chassis.database import Connection, Database
from chassis.outbox import events_stream

_BATCH = 1000
_LOCK = 0x636D7334
"""One above the migrations' lock: one replica keeps house at a time."""
_DEAD_CONSUMER_SECONDS = 86_400.0

# What each job removes: a table's name and the rows that may go.
_JOBS: Mapping[str, LiteralString] = {
    "outbox": """
        DELETE FROM outbox WHERE event_id IN (
            SELECT event_id FROM outbox WHERE finished_time < clock_timestamp() - %(keep)s
            ORDER BY finished_time LIMIT %(batch)s
        )
    """,
    "requests": """
        DELETE FROM requests WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM requests WHERE created < clock_timestamp() - %(keep)s ORDER BY created LIMIT %(batch)s
        ))
    """,
    "inbox": """
        DELETE FROM inbox WHERE event_id IN (
            SELECT event_id FROM inbox JOIN inbox_floors USING (source)
            WHERE inbox.created < inbox_floors.floor LIMIT %(batch)s
        )
    """,
    "inbox_tries": """
        DELETE FROM inbox_tries WHERE event_id IN (
            SELECT event_id FROM inbox_tries WHERE last_time < clock_timestamp() - %(keep)s
            ORDER BY last_time LIMIT %(batch)s
        )
    """,
}


class Housekeeping:
    """Prunes a service's tables, says its floor, and removes consumers of processes that are gone from its groups."""

    def __init__(
        self,
        service: str,
        database: Database,
        bus: Bus,
        *,
        keep: timedelta,
        streams: Sequence[str],
        dead_after_seconds: float = _DEAD_CONSUMER_SECONDS,
    ) -> None:
        """`keep` is how long what is done with stays; `streams` are those that the service's group reads."""
        self._service = service
        self._database = database
        self._bus = bus
        self._keep = keep
        self._streams = streams
        self._dead_after_seconds = dead_after_seconds

    def prune(self) -> bool:
        """Removes one batch of each kind; gives whether there may be more."""
        removed = {name: self._remove(query) for name, query in _JOBS.items()}
        for name, count in removed.items():
            if count:
                logs.get().info("pruned", name=name, amount_of_rows=count)
        return _BATCH in removed.values()

    def _remove(self, query: LiteralString) -> int:
        with self._database.transaction() as conn:
            if not _is_ours(conn):
                return 0
            return conn.execute(query, {"keep": self._keep, "batch": _BATCH}).rowcount

    def tell(self) -> bool:
        """Says the floor to all who hear this service, and removes dead consumers."""
        with self._database.transaction() as conn:
            floor = floors.own_floor(conn, keep=self._keep)
        self._bus.add(events_stream(self._service), [floors.entry(floor)])
        for stream in self._streams:
            self._bus.remove_dead_consumers(self._service, stream, idle_seconds=self._dead_after_seconds)
        return False


def _is_ours(conn: Connection) -> bool:
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS ours", [_LOCK]).fetchone()
    return bool(row and row["ours"])
