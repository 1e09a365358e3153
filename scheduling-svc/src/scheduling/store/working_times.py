"""The working times of whole offices, for their load."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from chassis.database import Connection
from scheduling.domain.diary import WorkingTime
from scheduling.domain.shifts import LONGEST_SHIFT
from scheduling.store.free_time import TAKEN, working_time
from scheduling.store.shifts import COLUMNS, shift_of

OFFICES_AT_ONCE = 50
"""A working week of them is some five thousand shifts."""

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


def of_offices(conn: Connection, offices: Sequence[str], *, since: datetime, until: datetime) -> Iterator[WorkingTime]:
    """The working times of these offices that start from `since` on and before `until`, in every channel.

    They are read OFFICES_AT_ONCE offices at a time: those of the country would take more memory than all the rest.
    """
    for begin in range(0, len(offices), OFFICES_AT_ONCE):
        parameters = {
            "offices": list(offices[begin : begin + OFFICES_AT_ONCE]),
            "since": since,
            "until": until,
            "longest": LONGEST_SHIFT,
            "claim_ref": "",
        }
        for row in conn.execute(OF_OFFICES, parameters):
            yield working_time(shift_of(row), row)
