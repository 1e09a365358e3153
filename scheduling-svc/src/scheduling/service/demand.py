"""The history of demand: every day is counted once it is over, and learnt from."""

from datetime import date, datetime, time, timedelta

from chassis import clock
from chassis.clock import LONDON
from chassis.database import Connection
from scheduling.domain.demand import WEEKS, Common, History
from scheduling.domain.directory import Directory
from scheduling.domain.working_time import ONE_DAY, london_day
from scheduling.store import demand

KEPT = timedelta(days=2 * 366)
"""Counts are kept for two years: the year before shows what a season does."""


def keep_up(conn: Connection, directory: Directory) -> bool:
    """Counts the next day that is over, or learns from what was counted; gives whether there may be more to do."""
    if not demand.try_lock(conn):
        return False
    today = clock.today()
    last, first_booking = demand.counted(conn)
    day = last + ONE_DAY if last else _first_day(first_booking, today)
    if (day := max(day, _earliest(today))) < today:
        demand.count_day(conn, day, since=_midnight(day), until=_midnight(day + ONE_DAY))
        return True
    if last is None or demand.learnt_until(conn) == last:
        return demand.prune(conn, before=today - KEPT)
    learn(conn, directory, last)
    return True


def learn(conn: Connection, directory: Directory, last: date) -> None:
    """Learns from the weeks to a day, and keeps what was learnt in the place of what was known before."""
    since = _earliest(last + ONE_DAY)
    first = max(since, demand.first_day(conn) or last)
    histories = {
        key: History.of(counts, nation=directory.office(key.office_code).nation, first=first, last=last)
        for key, counts in demand.counts(conn, since=since).items()
        if directory.has(key.office_code)
    }
    common = Common.of(histories.values())
    levels = {key: common.level(history) for key, history in histories.items()}
    weeks = ((last - first).days + 1) // 7 if histories else 0
    demand.save(conn, common.learnt(weeks=weeks), levels, until_day=last)


def _first_day(first_booking: datetime | None, today: date) -> date:
    """The day of the first booking, or yesterday where there was none before today."""
    yesterday = today - ONE_DAY
    return min(london_day(first_booking), yesterday) if first_booking else yesterday


def _earliest(today: date) -> date:
    """The first of the days before today that count."""
    return today - timedelta(weeks=WEEKS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LONDON)
