"""Gauges of state: they are read from PostgreSQL when they are scraped."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import psycopg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg_pool import PoolTimeout

from chassis import logs
from chassis.database import Connection, Database

_SCRAPE_CACHE_SECONDS = 3.0

Samples = Sequence[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, kw_only=True)
class StateGauge:
    """A gauge of state. `read` returns (label values, value) rows, by a query that costs the same however much is done with."""

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[Connection], Samples]


class StateCollector(Collector):
    """Reads the gauges of state, at most every few seconds. Without the database it returns none, and the scrape goes on."""

    def __init__(self, database: Database, gauges: Iterable[StateGauge]) -> None:
        self._database = database
        self._gauges = tuple(gauges)
        self._lock = Lock()
        self._read_at = float("-inf")
        self._families: list[GaugeMetricFamily] = []

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Returns names and labels, without asking the database."""
        return [GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels) for gauge in self._gauges]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Returns the gauges with the values that the database holds."""
        with self._lock:
            if time.monotonic() - self._read_at > _SCRAPE_CACHE_SECONDS:
                self._families = self._read()
                self._read_at = time.monotonic()
            return self._families

    def _read(self) -> list[GaugeMetricFamily]:
        families = list(self.describe())
        try:
            with self._database.transaction() as conn:
                samples = [gauge.read(conn) for gauge in self._gauges]
        except (psycopg.Error, PoolTimeout) as error:
            logs.get().warning("gauges not read", error=type(error).__name__)
            return families
        for family, rows in zip(families, samples, strict=True):
            for labels, value in rows:
                family.add_metric(list(labels), value)
        return families


def _outbox_unfinished(conn: Connection) -> Samples:
    row = conn.execute("SELECT count(*) AS count FROM outbox WHERE finished_time IS NULL").fetchone()
    return [((), float(row["count"] if row else 0))]


def _outbox_oldest(conn: Connection) -> Samples:
    row = conn.execute(
        "SELECT coalesce(extract(epoch FROM statement_timestamp() - min(created)), 0) AS age"
        " FROM outbox WHERE finished_time IS NULL"
    ).fetchone()
    return [((), float(row["age"] if row else 0))]


def _dead_letters(conn: Connection) -> Samples:
    row = conn.execute("SELECT count(*) AS count FROM dead_letters WHERE replayed_time IS NULL").fetchone()
    return [((), float(row["count"] if row else 0))]


OWN_GAUGES = (
    StateGauge(
        name="chassis_outbox_unfinished",
        help="Events that some of their hearers have not receipted yet.",
        labels=(),
        read=_outbox_unfinished,
    ),
    StateGauge(
        name="chassis_outbox_oldest_seconds",
        help="Age of the oldest unfinished event; 0 if there is none.",
        labels=(),
        read=_outbox_oldest,
    ),
    StateGauge(
        name="chassis_dead_letters",
        help="Events that could not be handled and wait for a person.",
        labels=(),
        read=_dead_letters,
    ),
)
