"""An office holds no more interviews at once than it has rooms, whoever publishes at the same time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling.data import load_assessors, load_offices
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel
from scheduling.domain.rooms import NoRoomFree
from scheduling.domain.shifts import Shift
from scheduling.domain.working_time import working_days
from scheduling.service import rotas

LEEDS, ROOMS = "600021", 2
DAY = working_days(clock.today() + timedelta(days=1), Nation.ENGLAND, number=1)[0]
TEN = datetime(DAY.year, DAY.month, DAY.day, 10, tzinfo=UTC)


@pytest.fixture
def small() -> Directory:
    """Leeds has two rooms."""
    offices = [replace(one, rooms=ROOMS) if one.code == LEEDS else one for one in load_offices()]
    return Directory(offices, load_assessors())


def publish(
    database: Database, directory: Directory, assessor_id: str, *, channel: Channel = Channel.OFFICE, hours: int = 3
) -> bool:
    shift = Shift(
        assessor_id=assessor_id,
        office_code=LEEDS,
        start_time=TEN,
        end_time=TEN + timedelta(hours=hours),
        channel=channel,
    )
    try:
        with database.transaction() as conn:
            rota = rotas.rota_of(directory, assessor_id, LEEDS, work=[shift], weeks=[])
            rotas.publish(conn, rota, directory)
    except NoRoomFree:
        return False
    return True


def assessors(directory: Directory) -> Sequence[str]:
    return [one.assessor_id for one in directory.assessors if one.office_code == LEEDS]


def test_assessors_who_are_published_at_once_get_no_more_rooms_than_there_are(
    database: Database, small: Directory
) -> None:
    people = assessors(small)[:5]
    barrier = Barrier(len(people))

    def run(who: str) -> bool:
        barrier.wait(timeout=10)
        return publish(database, small, who)

    with ThreadPoolExecutor(len(people)) as threads:
        published = list(threads.map(run, people))

    assert published.count(True) == ROOMS
    assert publish(database, small, assessors(small)[5], channel=Channel.TELEPHONE)


def test_a_rota_that_is_published_anew_keeps_its_room_and_one_that_ends_gives_it_back(
    database: Database, small: Directory
) -> None:
    first, second, third, *_ = assessors(small)
    assert publish(database, small, first)
    assert publish(database, small, second)
    assert publish(database, small, first, hours=4)
    assert not publish(database, small, third)

    assert publish(database, small, first, channel=Channel.TELEPHONE)

    assert publish(database, small, third)


def test_the_database_keeps_two_assessors_out_of_one_room(database: Database, small: Directory) -> None:
    first, second, *_ = assessors(small)
    publish(database, small, first)
    publish(database, small, second)

    with pytest.raises(psycopg.errors.ExclusionViolation, match="shifts_of_a_room"), database.transaction() as conn:
        conn.execute("UPDATE shifts SET room = 1")
