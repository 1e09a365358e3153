"""Rows of what is over are pruned, a part at a time, by the platform's clock."""

from dataclasses import dataclass
from datetime import timedelta

from chassis import clock
from chassis.database import Connection
from scheduling.store import absences, appointments, diary, diary_links, shifts, waiting
from scheduling.store.absences import ABSENCE, CLOSURE

PRUNED_AT_ONCE = 500
DIARY_KEPT = timedelta(days=1)
"""An entry that was over keeps nobody away; a day, since the platform's clock can be set back where it can be moved."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How long is kept what is over: shifts so that a person can look up who worked, appointments as the claim's record.

    Absences and closures are kept as long as the shifts that they were in.
    """

    shifts: timedelta
    appointments: timedelta


def prune(conn: Connection, kept: Kept) -> bool:
    """Deletes a part of what is over for longer than it is kept; gives whether there may be more."""
    now = clock.now()
    pruned = (
        diary.prune(conn, before=now - DIARY_KEPT, number=PRUNED_AT_ONCE),
        waiting.prune(conn, now=now, number=PRUNED_AT_ONCE),
        shifts.prune(conn, before=now - kept.shifts, number=PRUNED_AT_ONCE),
        appointments.prune(conn, before=now - kept.appointments, number=PRUNED_AT_ONCE),
        absences.prune(conn, ABSENCE, before=now - kept.shifts, number=PRUNED_AT_ONCE),
        absences.prune(conn, CLOSURE, before=now - kept.shifts, number=PRUNED_AT_ONCE),
        diary_links.prune(conn, number=PRUNED_AT_ONCE),
    )
    return PRUNED_AT_ONCE in pruned
