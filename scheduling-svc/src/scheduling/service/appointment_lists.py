"""Lists of interviews."""

from chassis.database import Connection
from scheduling.domain.appointment_lists import AppointmentFilter, Place
from scheduling.domain.appointments import Appointment
from scheduling.store import appointment_lists


def list_appointments(
    conn: Connection, wanted: AppointmentFilter, *, after: Place | None, limit: int
) -> list[Appointment]:
    """At most so many of the interviews wanted, soonest first, behind a place."""
    return appointment_lists.list_appointments(conn, wanted, after=after, limit=limit)
