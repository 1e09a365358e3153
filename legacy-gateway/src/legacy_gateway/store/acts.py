"""Acts of persons with many transfers: what was chosen, and how far each act has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.database import Connection, Row
from chassis.vault import Vault
from legacy_gateway.domain.desk import Act, ActKind, Outcome, Result, ToCorrect

ADD = """
    -- An act begins.
    INSERT INTO bulk_acts (act_id, kind, reason, by, rate, created, finished_time)
    VALUES (%(act_id)s, %(kind)s, %(reason)s, %(by)s, %(rate)s, %(now)s, %(finished)s)
"""

CHOOSE = """
    -- The transfers that an act is to deal with, in this order.
    INSERT INTO bulk_act_items (act_id, number, transfer_id)
    SELECT %(act_id)s, chosen.number, chosen.transfer_id
    FROM unnest(%(transfer_ids)s::text[]) WITH ORDINALITY AS chosen (transfer_id, number)
"""

FIX_VERSIONS = """
    -- The version that a correction changes: the newest that is known of the claim. It must be the same on every try.
    UPDATE bulk_act_items AS item
    SET claim_version = greatest(
        transfers.claim_version, (SELECT version FROM amendments WHERE amendments.claim_ref = transfers.claim_ref)
    )
    FROM transfers
    WHERE act_id = %s AND transfers.transfer_id = item.transfer_id
"""

TAKE = """
    -- The act that is due for longest; its next transfer is due by its rate, and no burst makes up for a pause.
    UPDATE bulk_acts
    SET next_time = greatest(next_time, statement_timestamp() - interval '1 second') + make_interval(secs => 60.0 / rate)
    WHERE act_id = (
        SELECT act_id FROM bulk_acts
        WHERE finished_time IS NULL AND stopped_time IS NULL AND kind <> 'CORRECT' AND next_time <= statement_timestamp()
        ORDER BY next_time LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING act_id, kind, by
"""

NEXT_ITEM = """
    -- The next transfer of an act.
    SELECT number, transfer_id FROM bulk_act_items WHERE act_id = %s AND outcome IS NULL ORDER BY number LIMIT 1
"""

OPEN_ITEMS = """
    -- The transfers that a correction has not dealt with, each with its claim and the version that it changes.
    SELECT number, item.transfer_id, claim_ref, item.claim_version
    FROM bulk_act_items AS item JOIN transfers USING (transfer_id)
    WHERE act_id = %s AND outcome IS NULL ORDER BY number
"""

SETTLE_ITEM = """
    -- The outcome of an act for a transfer; noted once.
    UPDATE bulk_act_items SET outcome = %(outcome)s, fields = %(fields)s
    WHERE act_id = %(act_id)s AND number = %(number)s AND outcome IS NULL
"""

FINISH = """
    -- An act is through.
    UPDATE bulk_acts SET finished_time = coalesce(finished_time, %(now)s) WHERE act_id = %(act_id)s
"""

STOP = """
    -- An act goes no further; one that is through or was stopped stays as it is.
    UPDATE bulk_acts SET stopped_time = %(now)s, stopped_by = %(by)s
    WHERE act_id = %(act_id)s AND stopped_time IS NULL AND finished_time IS NULL
"""

FIND = """
    -- An act.
    SELECT * FROM bulk_acts WHERE act_id = %s
"""

PAGE = """
    -- Acts before a place, the newest first.
    SELECT * FROM bulk_acts WHERE (created, act_id) < (%(created)s, %(act_id)s)
    ORDER BY created DESC, act_id DESC LIMIT %(limit)s
"""

COUNTS = """
    -- How many transfers of each act came to which outcome.
    SELECT act_id, coalesce(outcome, 'NOT_YET') AS outcome, count(*) AS count FROM bulk_act_items
    WHERE act_id = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2
"""

RESULTS = """
    -- The outcome of an act for each transfer.
    SELECT item.transfer_id, coalesce(claim_ref, '') AS claim_ref, coalesce(outcome, 'NOT_YET') AS outcome, fields
    FROM bulk_act_items AS item LEFT JOIN transfers USING (transfer_id)
    WHERE act_id = %s ORDER BY number
"""


def add(conn: Connection, vault: Vault, act: Act, transfer_ids: Sequence[str]) -> None:
    """Begins an act with these transfers."""
    values = {
        "act_id": act.act_id,
        "kind": act.kind,
        "reason": vault.seal_response(act.reason.encode(), place=_place(act.act_id)),
        "by": act.by,
        "rate": act.rate,
        "now": act.created,
        "finished": act.finished_time,
    }
    conn.execute(ADD, values)
    conn.execute(CHOOSE, {"act_id": act.act_id, "transfer_ids": list(transfer_ids)})


def take(conn: Connection) -> tuple[UUID, ActKind, str] | None:
    """The act that is due for longest, locked: its id, its kind and who began it. None where none is due."""
    row = conn.execute(TAKE).fetchone()
    return None if row is None else (row["act_id"], ActKind(row["kind"]), row["by"])


def next_item(conn: Connection, act_id: UUID) -> tuple[int, str] | None:
    """The number and the transfer of an act's next item; None where there is none."""
    row = conn.execute(NEXT_ITEM, [act_id]).fetchone()
    return None if row is None else (row["number"], row["transfer_id"])


def fix_versions(conn: Connection, act_id: UUID) -> None:
    """Fixes the version of each claim that a correction changes."""
    conn.execute(FIX_VERSIONS, [act_id])


def open_items(conn: Connection, act_id: UUID) -> list[ToCorrect]:
    """The transfers that a correction has not dealt with."""
    return [ToCorrect(**row) for row in conn.execute(OPEN_ITEMS, [act_id]).fetchall()]


def settle_item(conn: Connection, act_id: UUID, number: int, outcome: Outcome, *, fields: Sequence[str] = ()) -> bool:
    """Keeps what was done with a transfer. The first word stays; says whether this is it."""
    values = {"act_id": act_id, "number": number, "outcome": outcome, "fields": list(fields)}
    return conn.execute(SETTLE_ITEM, values).rowcount == 1


def finish(conn: Connection, act_id: UUID, *, now: datetime) -> None:
    """Keeps that an act is through."""
    conn.execute(FINISH, {"act_id": act_id, "now": now})


def stop(conn: Connection, act_id: UUID, *, by: str, now: datetime) -> None:
    """Stops an act, unless it is through."""
    conn.execute(STOP, {"act_id": act_id, "by": by, "now": now})


def find(conn: Connection, vault: Vault, act_id: UUID) -> Act | None:
    """An act with how far it has come; None where there is no such act."""
    row = conn.execute(FIND, [act_id]).fetchone()
    return None if row is None else _acts(conn, vault, [row])[0]


def page(conn: Connection, vault: Vault, *, before: tuple[datetime, UUID], limit: int) -> list[Act]:
    """Acts before a place, the newest first."""
    created, act_id = before
    rows = conn.execute(PAGE, {"created": created, "act_id": act_id, "limit": limit}).fetchall()
    return _acts(conn, vault, rows)


def results(conn: Connection, act_id: UUID) -> list[Result]:
    """The result of an act for each transfer, in the order of the request."""
    return [
        Result(**row | {"outcome": Outcome(row["outcome"]), "fields": tuple(row["fields"])})
        for row in conn.execute(RESULTS, [act_id]).fetchall()
    ]


def words(vault: Vault, act_id: UUID, sealed: bytes) -> str:
    """The person's words of an act."""
    return vault.open_response(sealed, place=_place(act_id)).decode()


def _acts(conn: Connection, vault: Vault, rows: Sequence[Row]) -> list[Act]:
    counts: dict[UUID, list[tuple[Outcome, int]]] = {row["act_id"]: [] for row in rows}
    for row in conn.execute(COUNTS, [list(counts)]).fetchall():
        counts[row["act_id"]].append((Outcome(row["outcome"]), row["count"]))
    return [_act(vault, row, counts[row["act_id"]]) for row in rows]


def _act(vault: Vault, row: dict[str, Any], counts: Sequence[tuple[Outcome, int]]) -> Act:
    return Act(
        act_id=row["act_id"],
        kind=ActKind(row["kind"]),
        reason=words(vault, row["act_id"], row["reason"]),
        by=row["by"],
        rate=row["rate"],
        total=sum(number for _, number in counts),
        counts=counts,
        created=row["created"],
        stopped_time=row["stopped_time"],
        stopped_by=row["stopped_by"] or "",
        finished_time=row["finished_time"],
    )


def _place(act_id: UUID) -> str:
    return f"bulk act {act_id}"
