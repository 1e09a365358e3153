from datetime import date, timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling.domain.directory import Directory
from scheduling.domain.rotas import WEEK, monday_of
from scheduling.domain.working_time import is_working_day, london_day
from scheduling.service.patterns import WEEKS, Patterns


def open_days(database: Database, office_code: str = "600021") -> list[date]:
    with database.transaction() as conn:
        rows = conn.execute("SELECT start_time FROM shifts WHERE office_code = %s", [office_code]).fetchall()
    return sorted({london_day(row["start_time"]) for row in rows} - {clock.today()})


def working_days(nation: Nation, *, weeks: int) -> list[date]:
    """The nation's working days after today, until the end of so many weeks, of which this one is the first."""
    today = clock.today()
    days = [today + timedelta(days=number + 1) for number in range(7 * weeks)]
    return [day for day in days if day < monday_of(today) + weeks * WEEK and is_working_day(day, nation)]


def test_rotas_are_published_one_week_a_step(database: Database, directory: Directory, clock_file: Path) -> None:
    patterns = Patterns(directory)

    more = [patterns.publish_next_week(database) for _ in range(WEEKS + 1)]

    assert more == [True] * (WEEKS - 1) + [False, False]
    assert open_days(database) == working_days(Nation.ENGLAND, weeks=WEEKS)


def test_rotas_follow_the_platforms_clock(database: Database, directory: Directory, clock_file: Path) -> None:
    patterns = Patterns(directory)
    patterns.publish_next_week(database)

    clock.advance(timedelta(days=60))
    patterns.publish_next_week(database)

    assert open_days(database)[-3:] == working_days(Nation.ENGLAND, weeks=1)[-3:] or clock.today().weekday() > 1


@pytest.mark.parametrize("office_code", ["600111", "600151"])
def test_every_nation_has_its_own_working_days(
    database: Database, directory: Directory, clock_file: Path, office_code: str
) -> None:
    patterns = Patterns(directory)
    for _ in range(2):
        patterns.publish_next_week(database)

    assert open_days(database, office_code) == working_days(directory.office(office_code).nation, weeks=2)
