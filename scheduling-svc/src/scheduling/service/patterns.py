"""The weekly patterns of the data are published as rotas, a week at a time."""

from datetime import UTC, date, datetime, time, timedelta

from chassis import clock
from chassis.database import Connection, Database
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Assessor
from scheduling.domain.rotas import WEEK, monday_of
from scheduling.domain.shifts import Shift
from scheduling.domain.working_time import LONDON, is_working_day
from scheduling.service.rotas import publish, rota_of

WEEKS = 5
"""This week and those after it: twenty working days at least."""


class Patterns:
    """The weeks that this process has published."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._monday: date | None = None
        self._weeks = 0

    def publish_next_week(self, database: Database) -> bool:
        """Publishes the next week that is not published yet; gives whether one more is left."""
        monday = monday_of(clock.today())
        if monday != self._monday:
            self._monday, self._weeks = monday, 0
        if self._weeks == WEEKS:
            return False
        with database.transaction() as conn:
            publish_week(conn, self._directory, monday + self._weeks * WEEK)
        self._weeks += 1
        return self._weeks < WEEKS


def publish_week(conn: Connection, directory: Directory, monday: date) -> None:
    """Publishes the patterns of every assessor for the week that begins then."""
    for assessor in directory.assessors:
        work = [shift for shift in _shifts(directory, assessor, monday) if shift.end_time > clock.now()]
        if work:
            publish(
                conn, rota_of(directory, assessor.assessor_id, assessor.office_code, work=work, weeks=()), directory
            )


def _shifts(directory: Directory, assessor: Assessor, monday: date) -> list[Shift]:
    nation = directory.office(assessor.office_code).nation
    days = [(pattern, monday + timedelta(days=pattern.weekday)) for pattern in assessor.rota]
    return [
        Shift(
            assessor_id=assessor.assessor_id,
            office_code=assessor.office_code,
            start_time=_moment(day, pattern.start),
            end_time=_moment(day, pattern.end),
            channel=pattern.channel,
            skills=assessor.skills,
        )
        for pattern, day in days
        if is_working_day(day, nation)
    ]


def _moment(day: date, local: time) -> datetime:
    return datetime.combine(day, local, tzinfo=LONDON).astimezone(UTC)
