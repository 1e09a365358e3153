"""Evidence of claims."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from assessment.domain.evidence import Document, EvidenceState
from assessment.domain.items import Checked
from chassis.database import Connection, Row
from chassis.vault import ClaimCipher, Vault

OF_CLAIM = """
    -- Every document of a claim, in the order in which they became known.
    SELECT * FROM evidence WHERE claim_ref = %s ORDER BY evidence_id
"""

NEEDS = """
    -- What is noted of a claim's evidence, with the day that its rules go by.
    SELECT evidence_needs, evidence_complete_time, coalesce(first_contact_time, submit_time) AS since
    FROM assessments WHERE claim_ref = %s
"""

NOTE_NEEDS = """
    -- The needs of the claim's facts, as they are now.
    UPDATE assessments SET evidence_needs = %(needs)s
    WHERE claim_ref = %(claim_ref)s AND evidence_needs IS DISTINCT FROM %(needs)s::text[]
"""

NOTE_COMPLETE = """
    -- When all evidence was in; null while something is wanted.
    UPDATE assessments SET evidence_complete_time = %(time)s WHERE claim_ref = %(claim_ref)s
"""

ADD = """
    INSERT INTO evidence (claim_ref, kind, state, facts, requested_by, requested_time, due_on, remind_on, reminders, seen_on,
        settled_by, settled_time, reason)
    VALUES (%(claim_ref)s, %(kind)s, %(state)s, %(facts)s, %(requested_by)s, %(requested_time)s, %(due_on)s, %(remind_on)s,
        %(reminders)s, %(seen_on)s, %(settled_by)s, %(settled_time)s, %(reason)s)
"""

CHANGE = """
    UPDATE evidence
    SET state = %(state)s, facts = %(facts)s, requested_by = %(requested_by)s, requested_time = %(requested_time)s,
        due_on = %(due_on)s, remind_on = %(remind_on)s, reminders = %(reminders)s, seen_on = %(seen_on)s,
        settled_by = %(settled_by)s, settled_time = %(settled_time)s, reason = %(reason)s
    WHERE evidence_id = %(evidence_id)s
"""

TO_REMIND = """
    -- A claim with a reminder that is due, which no other worker has; the one that is due longest.
    SELECT assessments.claim_ref, version,
        assessments.state = 'EVIDENCE_OUTSTANDING'
        AND (assessor_state IS NULL OR assessor_state NOT IN ('CONFIRMED', 'CLOSED')) AS awaited
    FROM assessments
    JOIN evidence USING (claim_ref)
    WHERE remind_on <= %s ORDER BY remind_on, evidence.claim_ref LIMIT 1
    FOR UPDATE OF assessments SKIP LOCKED
"""

REMINDERS_OF = """
    -- The reminders of a claim that are due.
    SELECT evidence_id, due_on, reminders FROM evidence WHERE claim_ref = %s AND remind_on <= %s ORDER BY evidence_id
"""

NOTE_REMINDER = """
    UPDATE evidence SET remind_on = %(remind_on)s, reminders = reminders + %(is_told)s::boolean::integer
    WHERE evidence_id = %(evidence_id)s
"""

END_REMINDERS = "UPDATE evidence SET remind_on = NULL WHERE claim_ref = %s AND remind_on IS NOT NULL"

_REASON = "evidence.reason"


def documents_of(conn: Connection, vault: Vault, claim_ref: str) -> tuple[Document, ...]:
    """Every document of a claim."""
    rows = conn.execute(OF_CLAIM, [claim_ref]).fetchall()
    reasons = vault.cipher(conn, claim_ref) if any(row["reason"] for row in rows) else None
    return tuple(_document(row, reasons) for row in rows)


def noted(conn: Connection, claim_ref: str) -> Row:
    """The notes on a claim's evidence: `evidence_needs`, `evidence_complete_time`, `since`. KeyError for an unknown claim."""
    row = conn.execute(NEEDS, [claim_ref]).fetchone()
    if row is None:
        raise KeyError(claim_ref)
    return row


def note_needs(conn: Connection, claim_ref: str, needs: Collection[str]) -> None:
    """Notes the ids of the claim's needs."""
    conn.execute(NOTE_NEEDS, {"claim_ref": claim_ref, "needs": list(needs)})


def note_complete(conn: Connection, claim_ref: str, time: datetime | None) -> None:
    """Notes when all evidence was in."""
    conn.execute(NOTE_COMPLETE, {"claim_ref": claim_ref, "time": time})


def save_documents(
    conn: Connection, vault: Vault, claim_ref: str, *, before: Sequence[Document], after: Sequence[Document]
) -> None:
    """Writes the documents that are new or changed. The claim's assessment is locked by this transaction."""
    for document in after:
        if document not in before:
            reason = _sealed(vault.cipher(conn, claim_ref), document) if document.reason else None
            values = _row(document) | {"claim_ref": claim_ref, "reason": reason}
            conn.execute(ADD if document.evidence_id is None else CHANGE, values)


def claim_to_remind(conn: Connection, today: date) -> Row | None:
    """A claim with a reminder that is due, locked: `claim_ref`, `version`, `awaited`; None where there is none.

    `awaited`: whether the evidence still is. It is not once the assessor's part of the claim has ended.
    """
    return conn.execute(TO_REMIND, [today]).fetchone()


def reminders_of(conn: Connection, claim_ref: str, today: date) -> list[Row]:
    """Its documents whose reminder is due: `evidence_id`, `due_on`, `reminders`."""
    return conn.execute(REMINDERS_OF, [claim_ref, today]).fetchall()


def note_reminder(conn: Connection, evidence_id: int, *, remind_on: date | None, is_told: bool) -> None:
    """Counts a reminder that is told, and notes the day of the next."""
    conn.execute(NOTE_REMINDER, {"evidence_id": evidence_id, "remind_on": remind_on, "is_told": is_told})


def end_reminders(conn: Connection, claim_ref: str) -> None:
    """Lets nobody be reminded of this claim any more."""
    conn.execute(END_REMINDERS, [claim_ref])


def _sealed(cipher: ClaimCipher, document: Document) -> bytes:
    return cipher.seal(document.reason, field=_REASON, version=0)


def _reason(row: Row, cipher: ClaimCipher | None) -> str:
    return str(cipher.open(row["reason"], field=_REASON, version=0)) if cipher and row["reason"] else ""


def _document(row: Row, reasons: ClaimCipher | None) -> Document:
    return Document(
        evidence_id=row["evidence_id"],
        kind=row["kind"],
        state=EvidenceState(row["state"]),
        facts=tuple(row["facts"]),
        requested=_checked(row["requested_by"], row["requested_time"]),
        due_on=row["due_on"],
        remind_on=row["remind_on"],
        reminders=row["reminders"],
        seen_on=row["seen_on"],
        settled=_checked(row["settled_by"], row["settled_time"]),
        reason=_reason(row, reasons),
    )


def _row(document: Document) -> dict[str, Any]:
    requested, settled = document.requested, document.settled
    return {
        "evidence_id": document.evidence_id,
        "kind": document.kind,
        "state": document.state.value,
        "facts": list(document.facts),
        "requested_by": requested.by if requested else None,
        "requested_time": requested.at if requested else None,
        "due_on": document.due_on,
        "remind_on": document.remind_on,
        "reminders": document.reminders,
        "seen_on": document.seen_on,
        "settled_by": settled.by if settled else None,
        "settled_time": settled.at if settled else None,
    }


def _checked(by: str | None, at: datetime | None) -> Checked | None:
    return Checked(by=by, at=at) if by and at else None
