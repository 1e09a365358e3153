"""Removes rows that nobody needs any more, in batches, from one replica at a time.

docs/adr/0009-what-may-be-forgotten.md says which row may go when.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import LiteralString

import psycopg

from chassis import logs, metrics, watermarks
from chassis.bus import Bus
from chassis.database import Connection, Database
from chassis.outbox import events_stream
from chassis.signatures import Signatures

_BATCH = 1000
_LOCK = 0x636D7334
"""One above the migrations' lock: one replica prunes at a time."""
_DEAD_CONSUMER_SECONDS = 86_400.0

# The rows that each job removes. A batch is found by an index, however many rows there are, and none of these rows is
# changed any more: so it may be deleted by its place.
_JOBS: Mapping[str, LiteralString] = {
    "outbox": """
        DELETE FROM outbox WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM outbox WHERE finished_time < statement_timestamp() - %(keep)s
            ORDER BY finished_time LIMIT %(batch)s
        ))
    """,
    "requests": """
        DELETE FROM requests WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM requests WHERE created < statement_timestamp() - %(keep)s ORDER BY created LIMIT %(batch)s
        ))
    """,
    "inbox": """
        DELETE FROM inbox WHERE ctid = ANY(ARRAY(
            SELECT old.place FROM inbox_floors AS watermark CROSS JOIN LATERAL (
                SELECT inbox.ctid AS place FROM inbox
                WHERE inbox.source = watermark.source AND inbox.created < watermark.floor
                ORDER BY inbox.created LIMIT %(batch)s
            ) AS old
            LIMIT %(batch)s
        ))
    """,
    "inbox_tries": """
        DELETE FROM inbox_tries WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM inbox_tries WHERE last_time < statement_timestamp() - %(keep)s
            ORDER BY last_time LIMIT %(batch)s
        ))
    """,
    "dead_letters": """
        DELETE FROM dead_letters WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM dead_letters WHERE refused AND died_time < statement_timestamp() - %(keep)s
            ORDER BY died_time LIMIT %(batch)s
        ))
    """,
}


class Housekeeping:
    """Prunes a service's tables, publishes its watermark, and removes dead consumers from its groups."""

    def __init__(
        self,
        service: str,
        database: Database,
        bus: Bus,
        signatures: Signatures,
        *,
        keep: timedelta,
        streams: Sequence[str],
        dead_after_seconds: float = _DEAD_CONSUMER_SECONDS,
    ) -> None:
        """`keep` is how long finished rows stay; `streams` are those that the service's group reads."""
        self._service = service
        self._database = database
        self._bus = bus
        self._signatures = signatures
        self._keep = keep
        self._streams = streams
        self._dead_after_seconds = dead_after_seconds

    def prune(self) -> bool:
        """Removes one batch of each kind; gives whether there may be more.

        A job that fails is logged and counted, and the others run all the same. Raises psycopg.Error where all fail.
        """
        failures: list[psycopg.Error] = []
        full = [self._run(name, query, failures) == _BATCH for name, query in _JOBS.items()]
        if len(failures) == len(_JOBS):
            raise failures[0]
        return any(full)

    def _run(self, name: str, query: LiteralString, failures: list[psycopg.Error]) -> int:
        try:
            count = self._remove(query)
        except psycopg.Error as error:
            failures.append(error)
            metrics.PRUNING_FAILURES.labels(name).inc()
            logs.get().error("not pruned", name=name, error=type(error).__name__)
            return 0
        if count:
            logs.get().info("pruned", name=name, amount_of_rows=count)
        return count

    def _remove(self, query: LiteralString) -> int:
        with self._database.transaction() as conn:
            if not _is_ours(conn):
                return 0
            return conn.execute(query, {"keep": self._keep, "batch": _BATCH}).rowcount

    def publish_watermark(self) -> bool:
        """Publishes the watermark to all who hear this service, and removes dead consumers."""
        with self._database.transaction() as conn:
            watermark = watermarks.own_watermark(conn, keep=self._keep)
        stream = events_stream(self._service)
        self._bus.add(stream, [self._signatures.signed(stream, watermarks.entry(watermark))])
        for heard in self._streams:
            self._bus.remove_dead_consumers(self._service, heard, idle_seconds=self._dead_after_seconds)
        return False


def _is_ours(conn: Connection) -> bool:
    row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS ours", [_LOCK]).fetchone()
    return bool(row and row["ours"])
