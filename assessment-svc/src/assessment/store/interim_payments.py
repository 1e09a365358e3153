"""Delays of claims, and the interim payments that they suggest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from assessment.domain.interim import BENEFITS, Delay, DelayCause, InterimOutcome, InterimPayment, Place
from chassis.database import Connection, Row

# A delay, once.
NOTE_DELAY = """
    INSERT INTO delays (claim_ref, cause, subject, system, since_time)
    VALUES (%(claim_ref)s, %(cause)s, %(subject)s, %(system)s, %(since_time)s) ON CONFLICT DO NOTHING
"""

# Recommends an interim payment, again after a decision that is older than the delay.
RECOMMEND = """
    INSERT INTO interim_payments (claim_ref, since_time) VALUES (%(claim_ref)s, %(since_time)s)
    ON CONFLICT (claim_ref) DO UPDATE
    SET state = 'OPEN', since_time = excluded.since_time, version = interim_payments.version + 1, outcome = NULL,
        reason = NULL, decided_by = NULL, decided_time = NULL
    WHERE interim_payments.state = 'DONE' AND interim_payments.decided_time < excluded.since_time
"""

# Of claims that are not closed, and have a benefit that is neither decided nor closed.
_CAN_BE_PAID = """
    assessments.state <> 'CLOSED' AND EXISTS (
        SELECT 1 FROM unnest(schemes) AS claimed (scheme)
        WHERE claimed.scheme = ANY(%(benefits)s) AND NOT claimed.scheme = ANY(closed_schemes) AND NOT EXISTS (
            SELECT 1 FROM decisions
            WHERE decisions.claim_ref = assessments.claim_ref AND decisions.scheme = claimed.scheme
        )
    )
"""

# Of those that wait.
_IS_DUE = f"interim_payments.state = 'OPEN' AND submit_time IS NOT NULL AND {_CAN_BE_PAID}"

# Takes a recommendation back that nobody needs to consider any more, so that the list reads only what it shows.
TAKE_BACK = f"""
    DELETE FROM interim_payments USING assessments
    WHERE interim_payments.claim_ref = %(claim_ref)s AND assessments.claim_ref = interim_payments.claim_ref
        AND interim_payments.state = 'OPEN' AND submit_time IS NOT NULL AND NOT ({_CAN_BE_PAID})
"""  # noqa: S608 - of constants alone

_CLAIMS = """
    SELECT claim_ref, since_time, interim_payments.version, outcome, schemes, office_code
    FROM interim_payments JOIN assessments USING (claim_ref)
"""

# A claim's recommendation, locked.
LOCK = f"{_CLAIMS} WHERE claim_ref = %s AND submit_time IS NOT NULL FOR UPDATE OF interim_payments"

# A page of those that wait.
WAITING = f"""
    {_CLAIMS}
    WHERE {_IS_DUE}
        AND (%(office)s::text IS NULL OR office_code = %(office)s)
        AND (since_time, claim_ref) > (%(after_time)s, %(after_ref)s)
    ORDER BY since_time, claim_ref LIMIT %(limit)s
"""

COUNT_WAITING = f"""
    SELECT count(*) AS count FROM interim_payments JOIN assessments USING (claim_ref) WHERE {_IS_DUE}
"""  # noqa: S608 - of constants alone

DELAYS = "SELECT * FROM delays WHERE claim_ref = ANY(%s) ORDER BY since_time, cause, subject"

CONSIDER = """
    UPDATE interim_payments
    SET state = 'DONE', version = %(version)s, outcome = %(outcome)s, reason = %(reason)s, decided_by = %(decided_by)s,
        decided_time = %(decided_time)s
    WHERE claim_ref = %(claim_ref)s
"""


def note_delay(conn: Connection, claim_ref: str, delay: Delay) -> bool:
    """Keeps the delay and recommends an interim payment, where something can be paid; False where the delay was known."""
    values = vars(delay) | {"claim_ref": claim_ref}
    if conn.execute(NOTE_DELAY, values).rowcount == 0:
        return False
    conn.execute(RECOMMEND, values)
    take_back_needless(conn, claim_ref)
    return True


def take_back_needless(conn: Connection, claim_ref: str) -> None:
    """Takes the recommendation back where all benefits of the claim are decided or closed: nothing can be paid on account."""
    conn.execute(TAKE_BACK, {"claim_ref": claim_ref, "benefits": list(BENEFITS)})


def waiting(conn: Connection, *, office: str | None, after: Place | None, limit: int) -> list[InterimPayment]:
    """A page of the claims that wait, those that wait longest first."""
    place = {"after_time": after.since_time if after else None, "after_ref": after.claim_ref if after else ""}
    if after is None:
        place["after_time"] = "-infinity"
    values = {"benefits": list(BENEFITS), "office": office, "limit": limit}
    return _with_delays(conn, conn.execute(WAITING, {**place, **values}).fetchall())


def count_waiting(conn: Connection) -> int:
    """How many wait."""
    row = conn.execute(COUNT_WAITING, {"benefits": list(BENEFITS)}).fetchone()
    return int(row["count"]) if row else 0


def lock(conn: Connection, claim_ref: str) -> InterimPayment | None:
    """The claim's recommendation, locked; None where there is none."""
    rows = conn.execute(LOCK, [claim_ref]).fetchall()
    found = _with_delays(conn, rows)
    return found[0] if found else None


def save_considered(
    conn: Connection, payment: InterimPayment, *, reason: bytes, decided_by: str, decided_time: datetime
) -> None:
    """Writes what became of a recommendation. The reason is sealed."""
    values = {"reason": reason, "decided_by": decided_by, "decided_time": decided_time}
    conn.execute(CONSIDER, vars(payment) | values)


def _with_delays(conn: Connection, rows: Sequence[Row]) -> list[InterimPayment]:
    found = [_payment(row) for row in rows]
    delays: dict[str, list[Delay]] = {payment.claim_ref: [] for payment in found}
    for row in conn.execute(DELAYS, [list(delays)]):
        delays[row.pop("claim_ref")].append(Delay(**row | {"cause": DelayCause(row["cause"])}))
    return [replace(payment, delays=tuple(delays[payment.claim_ref])) for payment in found]


def _payment(row: Row) -> InterimPayment:
    outcome = row["outcome"]
    return InterimPayment(**row | {"outcome": InterimOutcome(outcome) if outcome else None})
