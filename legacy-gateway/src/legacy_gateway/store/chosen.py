"""Choosing transfers among many: pages of them, the oldest first, and rejections by cause.

Open transfers go by the time at which they were made, ended ones by that at which they ended: each by an index.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import LiteralString

from chassis.database import Connection, Row
from legacy_gateway.domain import State, System
from legacy_gateway.domain.desk import Filter, Place, Rejections

_OPEN: LiteralString = """
    (state IN ('WAITING', 'SENDING', 'UNKNOWN', 'HELD', 'CLERICAL') OR (state = 'REJECTED' AND NOT corrected))
"""

OPEN: LiteralString = f"""
    -- Open transfers of these systems and states behind a place, the oldest first.
    SELECT found.* FROM unnest(%(systems)s::text[]) AS of_system, unnest(%(states)s::text[]) AS of_state, LATERAL (
        SELECT *, created AS since FROM transfers
        WHERE system = of_system AND state = of_state AND {_OPEN}
            AND created < %(before)s AND (created, transfer_id) > (%(since)s, %(transfer_id)s)
        ORDER BY created, transfer_id LIMIT %(limit)s
    ) AS found
    ORDER BY since, transfer_id LIMIT %(limit)s
"""  # noqa: S608 - of literals alone

ENDED = """
    -- Transfers that ended in this state behind a place, the oldest first.
    SELECT *, updated AS since FROM transfers
    WHERE state IN ('ACCEPTED', 'CANCELLED') AND state = ANY(%(states)s) AND system = ANY(%(systems)s)
        AND updated < %(before)s AND updated >= %(since)s AND (updated, transfer_id) > (%(since)s, %(transfer_id)s)
    ORDER BY updated, transfer_id LIMIT %(limit)s
"""

OF_CAUSE = """
    -- Rejections for a cause that wait for a correction, behind a place, the oldest first.
    SELECT *, created AS since FROM transfers
    WHERE transfer_id IN (
            SELECT transfer_id FROM transfer_causes
            WHERE (code = %(code)s OR %(code)s = '') AND (field = %(field)s OR %(field)s = '')
        )
        AND state = 'REJECTED' AND NOT corrected AND state = ANY(%(states)s) AND system = ANY(%(systems)s)
        AND created < %(before)s AND (created, transfer_id) > (%(since)s, %(transfer_id)s)
    ORDER BY created, transfer_id LIMIT %(limit)s
"""

CAUSES = """
    -- How many rejections wait for a correction, by system and cause; those without a cause are older than causes are.
    SELECT system, coalesce(code, '') AS code, coalesce(field, '') AS field, count(*) AS count,
        min(updated) AS oldest, max(updated) AS newest
    FROM transfers LEFT JOIN transfer_causes USING (transfer_id)
    WHERE system = ANY(%(systems)s) AND state = 'REJECTED' AND NOT corrected
    GROUP BY 1, 2, 3
    ORDER BY count DESC, system, code, field LIMIT %(limit)s
"""

_OPEN_STATES = (State.WAITING, State.SENDING, State.UNKNOWN, State.HELD, State.CLERICAL, State.REJECTED)
_ENDED_STATES = (State.ACCEPTED, State.CANCELLED)


FIRST = Place(since=datetime.min.replace(tzinfo=UTC), transfer_id="")


def rows(conn: Connection, wanted: Filter, *, after: Place, limit: int) -> list[Row]:
    """Rows of transfers behind a place, the oldest first, each with `since`, by which they are ordered."""
    return conn.execute(_query(wanted), _values(wanted, after, limit)).fetchall()


def transfer_ids(conn: Connection, wanted: Filter, *, limit: int) -> list[str]:
    """The transfers of a filter, the oldest first."""
    query: LiteralString = f"SELECT transfer_id FROM ({_query(wanted)}) AS chosen ORDER BY since, transfer_id"  # noqa: S608
    return [row["transfer_id"] for row in conn.execute(query, _values(wanted, FIRST, limit)).fetchall()]


def _values(wanted: Filter, after: Place, limit: int) -> dict[str, object]:
    return {
        "systems": list(System) if wanted.system is None else [wanted.system],
        "states": [wanted.state] if wanted.state else list(_OPEN_STATES),
        "before": wanted.older_than or datetime.max.replace(tzinfo=UTC),
        "code": wanted.code,
        "field": wanted.field,
        "since": after.since,
        "transfer_id": after.transfer_id,
        "limit": limit,
    }


def _query(wanted: Filter) -> LiteralString:
    if wanted.by_cause:
        return OF_CAUSE
    return ENDED if wanted.state in _ENDED_STATES else OPEN


def place_of(row: Row) -> Place:
    """The place of a row."""
    return Place(since=row["since"], transfer_id=row["transfer_id"])


def rejections(conn: Connection, systems: Sequence[System], *, limit: int) -> list[Rejections]:
    """Rejections that wait for a correction, by system and cause, the most frequent first."""
    found = conn.execute(CAUSES, {"systems": list(systems), "limit": limit})
    return [Rejections(**row | {"system": System(row["system"])}) for row in found.fetchall()]
