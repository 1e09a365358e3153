"""The floor of a source: what it wrote before that moment is finished, so whoever heard it may forget that it did.

docs/adr/0009-what-may-be-forgotten.md tells why this is sound. The source says its floor on its stream of events; each
hearer keeps the highest it has heard, and hands no event below it to a handler.
"""

from datetime import datetime, timedelta
from typing import LiteralString

from chassis.bus import Delivery
from chassis.database import Connection

_FIELD = "finished_before"

# The oldest unfinished event holds the floor down, and so do those who may be writing one now.
_OWN = """
    SELECT least(
        clock_timestamp() - %(keep)s, (SELECT min(created) FROM outbox WHERE finished_time IS NULL)
    ) AS floor
"""
_RAISE = """
    INSERT INTO inbox_floors (source, floor) VALUES (%s, %s)
    ON CONFLICT (source) DO UPDATE SET floor = greatest(inbox_floors.floor, excluded.floor)
"""
IS_BELOW: LiteralString = "SELECT 1 FROM inbox_floors WHERE source = %s AND floor > %s"
"""Gives a row where an event of this source, created then, is below the floor.

To be asked after the inbox row was written, never before.
"""


def own_floor(conn: Connection, *, keep: timedelta) -> datetime:
    """The floor that this service may say now: `keep` ago, or before the oldest event that is not finished."""
    row = conn.execute(_OWN, {"keep": keep}).fetchone()
    floor: datetime = (row or {})["floor"]
    return floor


def entry(floor: datetime) -> dict[str, bytes | str]:
    """The stream's entry that says a floor."""
    return {_FIELD: floor.isoformat()}


def is_said_by(delivery: Delivery) -> bool:
    """Whether the delivery says a floor and bears no event."""
    return _FIELD.encode() in delivery.fields


def said_by(delivery: Delivery) -> datetime | None:
    """The floor that a delivery says; None where it cannot be read."""
    return moment(delivery, _FIELD)


def moment(delivery: Delivery, field: str) -> datetime | None:
    """A time in a delivery, with its zone; None where there is none that can be read."""
    try:
        found = datetime.fromisoformat(delivery.fields[field.encode()].decode())
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else None


def raise_floor(conn: Connection, source: str, floor: datetime) -> None:
    """Keeps a source's floor; it never sinks."""
    conn.execute(_RAISE, [source, floor])
