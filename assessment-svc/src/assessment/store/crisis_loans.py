"""Decisions on crisis loans. What was decided, and why, is sealed with the claim's key."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from assessment.domain.crisis import LoanDecided, LoanDecision, LoanOutcome
from chassis.database import Connection
from chassis.vault import Vault

_FIELD = "crisis_loan"

# A loan is decided once.
ADD = """
    INSERT INTO crisis_loans (claim_ref, outcome, sealed, version, office_code, decided_by, decided_time)
    VALUES (%(claim_ref)s, %(outcome)s, %(sealed)s, %(version)s, %(office_code)s, %(decided_by)s, %(decided_time)s)
"""

OF_CLAIM = "SELECT * FROM crisis_loans WHERE claim_ref = %s"

# When the loan was asked for. Of a claim that an earlier release heard of, only the submission is known.
APPLIED = "SELECT coalesce(first_contact_time, submit_time) AS applied_time, submit_time FROM assessments WHERE claim_ref = %s"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """When a loan was asked for, and when the claim was submitted."""

    applied_time: datetime
    submit_time: datetime


def add(conn: Connection, vault: Vault, claim_ref: str, decided: LoanDecided, *, version: int) -> None:
    """Keeps the decision, which made the assessment this version."""
    decision = decided.decision
    told = {"amount": "" if decision.amount is None else str(decision.amount), "reason": decision.reason}
    sealed = vault.cipher(conn, claim_ref).seal(told, field=_FIELD, version=version)
    values = {
        "claim_ref": claim_ref,
        "outcome": decision.outcome.value,
        "sealed": sealed,
        "version": version,
        "office_code": decided.office_code,
        "decided_by": decided.decided_by,
        "decided_time": decided.decided_time,
    }
    conn.execute(ADD, values)


def of_claim(conn: Connection, vault: Vault, claim_ref: str) -> LoanDecided | None:
    """The decision on the claim's loan, or None."""
    row = conn.execute(OF_CLAIM, [claim_ref]).fetchone()
    if row is None:
        return None
    told = vault.cipher(conn, claim_ref).open(row["sealed"], field=_FIELD, version=row["version"])
    decision = LoanDecision(
        outcome=LoanOutcome(row["outcome"]),
        amount=Decimal(told["amount"]) if told["amount"] else None,
        reason=told["reason"],
    )
    return LoanDecided(
        decision=decision,
        office_code=row["office_code"],
        decided_by=row["decided_by"],
        decided_time=row["decided_time"],
    )


def applied(conn: Connection, claim_ref: str) -> Applied:
    """When the loan of a submitted claim was asked for."""
    row = conn.execute(APPLIED, [claim_ref]).fetchone()
    assert row is not None  # noqa: S101 - the caller has read the assessment
    return Applied(**row)
