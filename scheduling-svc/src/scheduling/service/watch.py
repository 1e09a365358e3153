"""Offices are measured every quarter of an hour, and a breach that is likely soon is told of once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from chassis import clock
from chassis.database import Connection
from scheduling.domain.directory import Directory
from scheduling.domain.events import TargetBreachExpected
from scheduling.domain.load import DayLoad, together
from scheduling.domain.measures import DAYS_AHEAD, Measures
from scheduling.domain.offices import Channel, Office
from scheduling.domain.working_time import ONE_DAY, target_due, working_days
from scheduling.service.events import tell
from scheduling.service.load import OfficeLoads, loads_of
from scheduling.store import free_time, measures

EVERY = timedelta(minutes=15)
AT_ONCE = 25
"""Offices in a step: a part of a second's work."""
_LOOKED_BACK = timedelta(days=7)


def measure_next(conn: Connection, directory: Directory, *, target: timedelta) -> bool:
    """Measures offices where somebody works, or worked before, that were not measured lately; gives whether more are due.

    An office whose rotas ran out would otherwise show for ever what it could hold when somebody last worked there.
    """
    if not measures.try_lock(conn):
        return False
    now = clock.now()
    known = measures.measured(conn)
    # A moment that is still to come is of a clock that was set back.
    due = sorted(
        code
        for code in _staffed(conn, directory, now) | set(filter(directory.has, known))
        if not now - EVERY < known.get(code, datetime.min.replace(tzinfo=now.tzinfo)) <= now
    )
    if due:
        _measure(conn, directory, near_each_other(directory, due), now=now, target=target)
    else:
        measures.forget_told(conn, before=clock.today())
    return len(due) > AT_ONCE


def near_each_other(directory: Directory, offices: Sequence[str]) -> list[str]:
    """AT_ONCE of these offices at most, the first with those near it, and so on: what neighbours share is reckoned once."""
    left, found = dict.fromkeys(offices), list[str]()
    while left and len(found) < AT_ONCE:
        near = (one.office.code for one in directory.near_office(next(iter(left))))
        for code in islice((code for code in near if code in left), AT_ONCE - len(found)):
            found.append(code)
            del left[code]
    return found


def _staffed(conn: Connection, directory: Directory, now: datetime) -> set[str]:
    every = [office.code for office in directory.offices]
    return {
        code for channel in Channel for code in free_time.offices_with_rotas(conn, every, channel=channel, since=now)
    }


def _measure(
    conn: Connection, directory: Directory, offices: Sequence[str], *, now: datetime, target: timedelta
) -> None:
    today = clock.today()
    last = max(working_days(today, nation, number=DAYS_AHEAD)[-1] for nation in directory.nations)
    loads = loads_of(conn, directory, offices, first=today, last=last, target=target)
    booked = measures.bookings(conn, offices, since=today - _LOOKED_BACK)
    for code in offices:
        office = directory.office(code)
        ahead = _days_ahead(loads, office)
        measures.save(conn, replace(Measures.of(code, ahead, at=now), **booked.get(code, {})))
        _tell(conn, office, [day for day in ahead if day.breach_expected], now=now, target=target)


def _days_ahead(loads: OfficeLoads, office: Office) -> list[DayLoad]:
    ahead = working_days(loads.first, office.nation, number=DAYS_AHEAD)
    days = loads.days(office.code)
    return [together(list(days[day].values())) for day in ahead if day in days]


def _tell(conn: Connection, office: Office, likely: Sequence[DayLoad], *, now: datetime, target: timedelta) -> None:
    new = measures.mark_told(conn, office.code, [day.day for day in likely], at=now) if likely else set()
    for day in likely:
        if day.day in new:
            midnight = datetime.combine(day.day + ONE_DAY, datetime.min.time(), tzinfo=clock.LONDON)
            tell(
                conn,
                TargetBreachExpected(
                    claim_ref="",
                    version=1,
                    occurred_time=now,
                    target_time=target_due(midnight - timedelta.resolution, office.nation, target=target),
                    office_code=office.code,
                    day=day.day,
                    expected_breaches=day.late,
                    breach_probability=day.breach_probability,
                ),
            )
