"""The watermark of a source: every event that it wrote before that moment is finished.

A hearer may therefore forget that it handled such an event. docs/adr/0009-what-may-be-forgotten.md says why this is safe.
The source publishes its watermark on its stream of events. A hearer keeps the highest watermark of each source, and hands
no event below it to a handler.

A watermark is signed as every entry is, and none above now less the keeping time is believed: it would have events dropped that
are still to come.
"""

from datetime import datetime, timedelta
from typing import LiteralString

from chassis.bus import Delivery
from chassis.database import Connection

_CLOCKS_DIFFER = timedelta(minutes=1)
_FIELD = "finished_before"
"""The last release reads this field as well: its name stays."""

# The table and its column keep the names under which the last release knows them: `inbox_floors (source, floor)`.

# The oldest unfinished event holds the watermark down, and `keep` keeps it below events that are being written now.
_OWN = """
    SELECT least(
        statement_timestamp() - %(keep)s, (SELECT min(created) FROM outbox WHERE finished_time IS NULL)
    ) AS watermark
"""
_RAISE = """
    INSERT INTO inbox_floors (source, floor)
    SELECT %(source)s, %(watermark)s WHERE %(watermark)s <= statement_timestamp() - %(keep)s
    ON CONFLICT (source) DO UPDATE SET floor = greatest(inbox_floors.floor, excluded.floor)
"""
IS_BELOW: LiteralString = "SELECT 1 FROM inbox_floors WHERE source = %s AND floor > %s"
"""Gives a row where an event of this source, created at this time, is below the watermark.

Ask this after the inbox row is written, never before.
"""


def own_watermark(conn: Connection, *, keep: timedelta) -> datetime:
    """The watermark of this service now: `keep` ago, or the creation of its oldest unfinished event if that is earlier."""
    row = conn.execute(_OWN, {"keep": keep}).fetchone()
    watermark: datetime = (row or {})["watermark"]
    return watermark


def entry(watermark: datetime) -> dict[str, bytes | str]:
    """The entry on the stream that carries a watermark."""
    return {_FIELD: watermark.isoformat()}


def is_in(delivery: Delivery) -> bool:
    """Whether the delivery carries a watermark and no event."""
    return _FIELD.encode() in delivery.fields


def read_from(delivery: Delivery) -> datetime | None:
    """The watermark in a delivery; None where it cannot be read."""
    return moment(delivery, _FIELD)


def moment(delivery: Delivery, field: str) -> datetime | None:
    """A time in a delivery, with its zone; None where there is none that can be read."""
    try:
        found = datetime.fromisoformat(delivery.fields[field.encode()].decode())
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else None


def raise_watermark(conn: Connection, source: str, watermark: datetime, *, keep: timedelta) -> bool:
    """Keeps a source's watermark, which never goes down; gives whether it may be true.

    No source that keeps its finished events for `keep` says a later one than now less that; a minute is for clocks that differ.
    """
    given = {"source": source, "watermark": watermark, "keep": keep - _CLOCKS_DIFFER}
    return conn.execute(_RAISE, given).rowcount > 0
