"""The lines of the call centre: what the switch reports, and the operators that are needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis import clock
from chassis.database import Connection
from intake.domain.call import LONGEST_CALL
from intake.domain.lines import MEASURED, HandlingTime, LineCounts, ServiceTarget, Staffing, staffing
from intake.store.lines import load_counts, load_handling_time, save_counts


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Quarters of an hour with the operators that they need, and the handling time by which these were reckoned."""

    quarter_hours: Sequence[Staffing]
    handling: HandlingTime
    target: ServiceTarget


def report_lines(conn: Connection, counts: Sequence[LineCounts]) -> int:
    """Takes the switch's counts. Returns how many were new or changed."""
    return save_counts(conn, counts, at=clock.now())


def get_lines(conn: Connection, *, since: datetime, until: datetime, target: ServiceTarget) -> Lines:
    """The counts of a period, with the operators that they need at the present handling time and by the fixed script."""
    handling = load_handling_time(conn, since=until - MEASURED, until=until, longest=LONGEST_CALL)
    counts = load_counts(conn, since=since, until=until)
    return Lines(
        quarter_hours=[staffing(found, handling, target) for found in counts], handling=handling, target=target
    )
