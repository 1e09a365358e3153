from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from scheduling import store
from scheduling.domain.directory import OPEN_WEEKS, Directory
from scheduling.domain.working_time import london_day, working_days
from scheduling.service.rotas import Rotas


def open_days(database: Database, office_code: str = "600021") -> list[date]:
    with database.transaction() as conn:
        rows = conn.execute("SELECT start_time FROM slots WHERE office_code = %s", [office_code]).fetchall()
    return sorted({london_day(row["start_time"]) for row in rows})


def test_rotas_open_one_week_a_step(database: Database, directory: Directory, clock_file: Path) -> None:
    rota, today = Rotas(directory), clock.today()

    more = [rota.open_next_week(database)]
    after_one = open_days(database)
    more += [rota.open_next_week(database) for _ in range(OPEN_WEEKS)]

    assert after_one == working_days(today, Nation.ENGLAND, number=5)
    assert open_days(database) == working_days(today, Nation.ENGLAND, number=20)
    assert more == [True, True, True, False, False]


def test_opening_a_week_again_opens_no_slot_twice(database: Database, directory: Directory, clock_file: Path) -> None:
    Rotas(directory).open_next_week(database)
    with database.transaction() as conn:
        assert store.open_slots(conn, directory.slots_of_week(clock.today(), 0)) == 0


def test_rotas_follow_the_platforms_clock(database: Database, directory: Directory, clock_file: Path) -> None:
    rota = Rotas(directory)
    while rota.open_next_week(database):
        pass

    clock.advance(timedelta(days=60))
    rota.open_next_week(database)

    assert open_days(database)[-5:] == working_days(clock.today(), Nation.ENGLAND, number=5)


def test_a_step_does_not_wait_for_another_replica_that_opens_slots(
    database: Database, directory: Directory, clock_file: Path
) -> None:
    rota, locked, done = Rotas(directory), Event(), Event()

    def other_replica() -> None:
        with database.transaction() as conn:
            assert store.try_rota_lock(conn)
            locked.set()
            done.wait(timeout=10)

    other = Thread(target=other_replica)
    other.start()
    assert locked.wait(timeout=10)
    more = rota.open_next_week(database)
    opened_meanwhile = open_days(database)
    done.set()
    other.join()

    assert not more
    assert opened_meanwhile == []
    assert rota.open_next_week(database)
    assert open_days(database) == working_days(clock.today(), Nation.ENGLAND, number=5)


@pytest.mark.parametrize("office_code", ["600111", "600151"])
def test_every_nation_has_its_own_working_days(
    database: Database, directory: Directory, clock_file: Path, office_code: str
) -> None:
    Rotas(directory).open_next_week(database)

    nation = directory.office(office_code).nation
    assert open_days(database, office_code) == working_days(clock.today(), nation, number=5)
