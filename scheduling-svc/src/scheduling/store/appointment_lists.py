"""Lists of interviews, in the order of their starts."""

from datetime import datetime

from chassis.database import Connection
from scheduling.domain.appointment_lists import AppointmentFilter, Place
from scheduling.domain.appointments import Appointment
from scheduling.store.appointments import APPOINTMENTS, appointment_of

_CONDITIONS = {
    "claim_ref": "claim_ref = %(claim_ref)s",
    "office_code": "office_code = %(office_code)s",
    "assessor_id": "assessor_id = %(assessor_id)s",
    "since": "start_time >= %(since)s",
    "until": "start_time < %(until)s",
}
_MOST_SHOWN = 2_000
"""Interviews in a calendar: all that an assessor can hold in four months."""

# An assessor's interviews that were not cancelled, since a time.
CALENDAR_OF_ASSESSOR = f"""
    {APPOINTMENTS} WHERE assessor_id = %s AND start_time >= %s AND state <> 'CANCELLED' ORDER BY start_time LIMIT %s
"""


def list_statement(wanted: AppointmentFilter, *, after: Place | None) -> str:
    """The statement of a page: it reads by the index of the claim, the assessor or the office."""
    conditions = [condition for name, condition in _CONDITIONS.items() if getattr(wanted, name)]
    if after is not None:
        conditions.append("(start_time, appointment_id) > (%(after_time)s, %(after_id)s)")
    return f"{APPOINTMENTS} WHERE {' AND '.join(conditions)} ORDER BY start_time, appointment_id LIMIT %(limit)s"


def list_appointments(
    conn: Connection, wanted: AppointmentFilter, *, after: Place | None, limit: int
) -> list[Appointment]:
    """At most so many of the interviews wanted, soonest first, behind a place."""
    parameters = vars(wanted) | {"limit": limit}
    if after is not None:
        parameters |= {"after_time": after.start_time, "after_id": after.appointment_id}
    return [appointment_of(row) for row in conn.execute(list_statement(wanted, after=after), parameters)]


def calendar_of(conn: Connection, assessor_id: str, *, since: datetime) -> list[Appointment]:
    """The assessor's interviews that were not cancelled, from then on, soonest first."""
    found = conn.execute(CALENDAR_OF_ASSESSOR, [assessor_id, since, _MOST_SHOWN])
    return [appointment_of(row) for row in found]
