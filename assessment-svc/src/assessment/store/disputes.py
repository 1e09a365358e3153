"""Disputes about facts, with the other version sealed."""

from collections.abc import Mapping
from datetime import datetime

from assessment.domain.disputes import Dispute, Outcome
from assessment.domain.items import Checked
from chassis.database import Connection, Row
from chassis.vault import Vault

ADD = """
    -- A fact is in one dispute at a time.
    INSERT INTO disputes (claim_ref, fact, number, answered_version, sealed, raised_by, raised_time)
    VALUES (%(claim_ref)s, %(fact)s, %(number)s, %(answered_version)s, %(sealed)s, %(raised_by)s, %(raised_time)s)
"""

SETTLE = """
    -- Ends the open disputes of these facts.
    UPDATE disputes SET outcome = ended.outcome, settled_by = %(settled_by)s, settled_time = %(settled_time)s
    FROM unnest(%(facts)s::text[], %(outcomes)s::text[]) AS ended (fact, outcome)
    WHERE claim_ref = %(claim_ref)s AND disputes.fact = ended.fact AND disputes.outcome IS NULL
"""

OF_CLAIM = """
    -- All disputes of a claim, or the open ones, the oldest first.
    SELECT * FROM disputes WHERE claim_ref = %s AND (outcome IS NULL OR NOT %s) ORDER BY raised_time, fact
"""


def add(conn: Connection, vault: Vault, claim_ref: str, dispute: Dispute) -> None:
    """Keeps a new dispute."""
    version = {"other": dispute.other, "reason": dispute.reason}
    sealed = vault.cipher(conn, claim_ref).seal(version, field=_field(dispute.fact), version=dispute.number)
    values = {
        "claim_ref": claim_ref,
        "fact": dispute.fact,
        "number": dispute.number,
        "answered_version": dispute.answered_version,
        "sealed": sealed,
        "raised_by": dispute.raised.by,
        "raised_time": dispute.raised.at,
    }
    conn.execute(ADD, values)


def settle(conn: Connection, claim_ref: str, outcomes: Mapping[str, Outcome], *, by: str | None, at: datetime) -> None:
    """Ends the open disputes of these facts."""
    values = {
        "claim_ref": claim_ref,
        "facts": list(outcomes),
        "outcomes": [outcome.value for outcome in outcomes.values()],
        "settled_by": by,
        "settled_time": at,
    }
    conn.execute(SETTLE, values)


def of_claim(conn: Connection, vault: Vault, claim_ref: str, *, only_open: bool = False) -> tuple[Dispute, ...]:
    """The claim's disputes with both sides' words, the oldest first."""
    rows = conn.execute(OF_CLAIM, [claim_ref, only_open]).fetchall()
    if not rows:
        return ()
    cipher = vault.cipher(conn, claim_ref)
    return tuple(
        _dispute(row, cipher.open(bytes(row["sealed"]), field=_field(row["fact"]), version=row["number"]))
        for row in rows
    )


def _field(fact: str) -> str:
    return f"dispute.{fact}"


def _dispute(row: Row, version: Row) -> Dispute:
    return Dispute(
        fact=row["fact"],
        number=row["number"],
        answered_version=row["answered_version"],
        other=version["other"],
        reason=version["reason"],
        raised=Checked(by=row["raised_by"], at=row["raised_time"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        settled_by=row["settled_by"],
        settled_time=row["settled_time"],
    )
