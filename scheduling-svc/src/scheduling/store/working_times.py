"""The working times of whole offices, for their load."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Connection
from scheduling.domain.diary import WorkingTime
from scheduling.domain.shifts import LONGEST_SHIFT
from scheduling.store.free_time import TAKEN, working_time
from scheduling.store.shifts import COLUMNS, shift_of

# Every shift of some offices in a stretch of time, with what is taken of it: by office, and by their starts.
OF_OFFICES = f"""
    SELECT shift.*, taken.*
    FROM (
        SELECT {COLUMNS} FROM shifts
        WHERE office_code = ANY(%(offices)s) AND start_time >= %(since)s AND start_time < %(until)s
    ) AS shift
    CROSS JOIN LATERAL ({TAKEN}) AS taken
    ORDER BY shift.office_code, shift.start_time, shift.assessor_id
"""  # noqa: S608 - of literals alone


def of_offices(conn: Connection, offices: Sequence[str], *, since: datetime, until: datetime) -> list[WorkingTime]:
    """The working times of these offices that start from `since` on and before `until`, in every channel."""
    parameters = {"offices": list(offices), "since": since, "until": until, "longest": LONGEST_SHIFT, "claim_ref": ""}
    return [working_time(shift_of(row), row) for row in conn.execute(OF_OFFICES, parameters)]
