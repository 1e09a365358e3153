"""Assessments and their items."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from assessment.domain.assessments import Assessment
from assessment.domain.items import Checked, Evidence, Item, ItemStatus
from assessment.domain.schemes import Desk
from assessment.domain.states import AssessmentState
from chassis.database import Connection, Row

# The assessment of a submitted claim.
READ = "SELECT * FROM assessments WHERE claim_ref = %s AND submit_time IS NOT NULL"

# The same, locked against other changes.
LOCK = READ + " FOR UPDATE"

# The items of an assessment.
ITEMS = "SELECT * FROM items WHERE claim_ref = %s"

# The changed columns of an assessment.
SAVE = """
    UPDATE assessments
    SET state = %(state)s, version = %(version)s, claim_version = %(claim_version)s, begun = %(begun)s,
        evidence_due_on = %(evidence_due_on)s, closed_schemes = %(closed_schemes)s,
        closed_reason = %(closed_reason)s, closed_time = %(closed_time)s,
        confirmed_schemes = %(confirmed_schemes)s, confirmed_by = %(confirmed_by)s, confirmed_time = %(confirmed_time)s
    WHERE claim_ref = %(claim_ref)s
"""

# New and changed items.
SAVE_ITEMS = """
    INSERT INTO items (
        claim_ref, fact, answered_version, status, evidence_kind, seen_on, checked_by, checked_time, schemes
    )
    SELECT %(claim_ref)s, fact, answered_version, status, evidence_kind, seen_on, checked_by, checked_time,
        string_to_array(schemes, ',')
    FROM unnest(
        %(fact)s::text[], %(answered_version)s::integer[], %(status)s::text[], %(evidence_kind)s::text[],
        %(seen_on)s::date[], %(checked_by)s::text[], %(checked_time)s::timestamptz[], %(schemes)s::text[]
    ) AS item (fact, answered_version, status, evidence_kind, seen_on, checked_by, checked_time, schemes)
    ON CONFLICT (claim_ref, fact) DO UPDATE
    SET answered_version = excluded.answered_version, status = excluded.status, evidence_kind = excluded.evidence_kind,
        schemes = excluded.schemes, seen_on = excluded.seen_on, checked_by = excluded.checked_by,
        checked_time = excluded.checked_time
"""

# Deletes items whose facts are gone.
DELETE_ITEMS = "DELETE FROM items WHERE claim_ref = %s AND fact = ANY(%s)"


def read_assessment(conn: Connection, claim_ref: str) -> Assessment | None:
    """The assessment of a submitted claim; None if there is none."""
    return _find(conn, READ, claim_ref)


def lock_assessment(conn: Connection, claim_ref: str) -> Assessment | None:
    """The same, locked until the transaction ends."""
    return _find(conn, LOCK, claim_ref)


def _find(conn: Connection, query: LiteralString, claim_ref: str) -> Assessment | None:
    # The second statement runs once the first holds the lock.
    with conn.pipeline():
        found = conn.execute(query, [claim_ref])
        items = conn.execute(ITEMS, [claim_ref])
    row = found.fetchone()
    return _assessment(row, items.fetchall()) if row else None


def save_assessment(conn: Connection, before: Assessment, after: Assessment) -> None:
    """Writes what changed. `before` must be as it was locked in this transaction."""
    if after == before:
        return
    gone = [fact for fact in before.items if fact not in after.items]
    changed = [item for fact, item in after.items.items() if before.items.get(fact) != item]
    with conn.pipeline():
        conn.execute(SAVE, _row(after))
        if gone:
            conn.execute(DELETE_ITEMS, [after.claim_ref, gone])
        if changed:
            conn.execute(SAVE_ITEMS, _columns(changed) | {"claim_ref": after.claim_ref})


def _assessment(row: Row, item_rows: list[Row]) -> Assessment:
    items = [_item(found) for found in item_rows]
    return Assessment(
        claim_ref=row["claim_ref"],
        state=AssessmentState(row["state"]),
        version=row["version"],
        claim_version=row["claim_version"],
        schemes=tuple(row["schemes"]),
        confirmed_schemes=tuple(row["confirmed_schemes"]),
        confirmed=_checked(row["confirmed_by"], row["confirmed_time"]),
        closed_schemes=tuple(row["closed_schemes"]),
        evidence_due_on=row["evidence_due_on"],
        begun=frozenset(Desk(desk) for desk in row["begun"]),
        closed_reason=row["closed_reason"],
        closed_time=row["closed_time"],
        appointment_id=row["appointment_id"],
        office_code=row["office_code"],
        interview_cancelled=row["cancelled_time"] is not None and row["appointment_id"] is None,
        items={item.fact: item for item in items},
    )


def _row(assessment: Assessment) -> Row:
    confirmed = assessment.confirmed
    return {
        "claim_ref": assessment.claim_ref,
        "state": assessment.state,
        "version": assessment.version,
        "claim_version": assessment.claim_version,
        "begun": sorted(assessment.begun),
        "evidence_due_on": assessment.evidence_due_on,
        "closed_schemes": list(assessment.closed_schemes),
        "closed_reason": assessment.closed_reason,
        "closed_time": assessment.closed_time,
        "confirmed_schemes": list(assessment.confirmed_schemes),
        "confirmed_by": confirmed.by if confirmed else None,
        "confirmed_time": confirmed.at if confirmed else None,
    }


def _item(row: Row) -> Item:
    kind = row["evidence_kind"]
    return Item(
        fact=row["fact"],
        answered_version=row["answered_version"],
        schemes=tuple(row["schemes"]),
        status=ItemStatus(row["status"]),
        evidence=Evidence(kind=kind, seen_on=row["seen_on"]) if kind else None,
        checked=_checked(row["checked_by"], row["checked_time"]),
    )


def _columns(items: Sequence[Item]) -> Row:
    rows = [_item_row(item) for item in items]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _item_row(item: Item) -> Row:
    return {
        "fact": item.fact,
        "answered_version": item.answered_version,
        "schemes": ",".join(item.schemes),
        "status": item.status.value,
        "evidence_kind": item.evidence.kind if item.evidence else None,
        "seen_on": item.evidence.seen_on if item.evidence else None,
        "checked_by": item.checked.by if item.checked else None,
        "checked_time": item.checked.at if item.checked else None,
    }


def _checked(by: str | None, at: datetime | None) -> Checked | None:
    return Checked(by=by, at=at) if by and at else None
