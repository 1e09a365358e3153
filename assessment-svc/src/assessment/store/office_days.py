"""The figures of each office for a day: crisis loans, interviews with their lead times, and transfers that stalled."""

from collections.abc import Sequence
from datetime import date

from assessment.domain.emergencies import OfficeDay
from chassis.database import Connection

# Adds to an office's day.
COUNT = """
    INSERT INTO office_days AS counted (
        office_code, day, crisis_loans, refused, stalled_transfers, interviews, lead_seconds
    )
    VALUES (
        %(office_code)s, %(day)s, %(crisis_loans)s, %(refused)s, %(stalled_transfers)s, %(interviews)s, %(lead_seconds)s
    )
    ON CONFLICT (office_code, day) DO UPDATE
    SET crisis_loans = counted.crisis_loans + excluded.crisis_loans,
        refused = counted.refused + excluded.refused,
        stalled_transfers = counted.stalled_transfers + excluded.stalled_transfers,
        interviews = counted.interviews + excluded.interviews,
        lead_seconds = counted.lead_seconds + excluded.lead_seconds
"""

# Of these offices, or of all: two sums, of the days before one day and of those from it on.
OF_OFFICES = """
    SELECT office_code, max(day) AS day, sum(crisis_loans)::integer AS crisis_loans, sum(refused)::integer AS refused,
        sum(stalled_transfers)::integer AS stalled_transfers, sum(interviews)::integer AS interviews,
        sum(lead_seconds)::bigint AS lead_seconds
    FROM office_days
    WHERE day BETWEEN %(first)s AND %(last)s AND (%(offices)s::text[] IS NULL OR office_code = ANY(%(offices)s))
    GROUP BY office_code, day >= %(parted)s
    ORDER BY office_code
"""

BEGUN = "SELECT min(day) AS day FROM office_days"

# The office at which a claim is dealt with: that of its interview, or of the decision on its crisis loan.
OFFICE_OF_CLAIM = """
    SELECT coalesce(assessments.office_code, crisis_loans.office_code) AS office_code
    FROM assessments LEFT JOIN crisis_loans USING (claim_ref) WHERE claim_ref = %s
"""


def count(conn: Connection, counted: OfficeDay) -> None:
    """Adds to what the office had on the day."""
    conn.execute(COUNT, vars(counted))


def of_offices(conn: Connection, offices: Sequence[str], *, first: date, parted: date, last: date) -> list[OfficeDay]:
    """The figures of these offices, or of all: for each office a sum of the days before `parted`, and of those from it on."""
    values = {"first": first, "parted": parted, "last": last, "offices": list(offices) or None}
    return [OfficeDay(**row) for row in conn.execute(OF_OFFICES, values)]


def begun(conn: Connection) -> date | None:
    """The first day on which anything was counted."""
    row = conn.execute(BEGUN).fetchone()
    return row["day"] if row else None


def office_of_claim(conn: Connection, claim_ref: str) -> str | None:
    """The office at which the claim is dealt with; None where that is not known."""
    row = conn.execute(OFFICE_OF_CLAIM, [claim_ref]).fetchone()
    return row["office_code"] if row else None
