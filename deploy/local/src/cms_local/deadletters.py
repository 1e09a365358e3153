"""Dead letters: events that a service could not handle, listed, and replayed when what was wrong has been put right."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from cms_local.layout import DATABASES, Layout


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One event in one service."""

    service: str
    event_id: str
    source: str
    type: str
    claim_ref: str
    reason: str
    tries: int
    died_time: datetime
    replay_wanted: bool


_LIST = """
    SELECT %(service)s AS service, event_id::text, source, type, claim_ref, reason, tries, died_time, replay_wanted
    FROM dead_letters WHERE replayed_time IS NULL ORDER BY died_time
"""


def list_dead_letters(layout: Layout) -> list[DeadLetter]:
    """All that wait for a person, service by service, oldest first."""
    found: list[DeadLetter] = []
    for service, conn in _databases(layout):
        with conn.cursor(row_factory=class_row(DeadLetter)) as cursor:
            found += cursor.execute(_LIST, {"service": service}).fetchall()
    return found


def ask_for_replay(layout: Layout, event_ids: list[str]) -> int:
    """Asks the services to handle these again (all, when none is named); gives how many were found."""
    asked = 0
    for _, conn in _databases(layout):
        asked += conn.execute(
            "UPDATE dead_letters SET replay_wanted = true"
            " WHERE replayed_time IS NULL AND (%(all)s OR event_id::text = ANY(%(ids)s))",
            {"all": not event_ids, "ids": event_ids},
        ).rowcount
    return asked


def _databases(layout: Layout) -> Iterator[tuple[str, psycopg.Connection]]:
    for service, database in DATABASES.items():
        url = f"postgresql://{database}_owner@127.0.0.1:{layout.postgres_port}/{database}"
        with psycopg.connect(url) as conn:
            yield service, conn
