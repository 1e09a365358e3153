"""A claim that nobody books an interview for is overdue two hours after its first contact."""

from datetime import timedelta
from pathlib import Path

from chassis import clock, deadlines
from chassis.database import Database
from scheduling.deadlines import DEADLINES
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Wish
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings


def overdue(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as conn:
        return [(late.state, late.reference) for late in deadlines.overdue(conn, DEADLINES)]


def test_a_first_contact_is_overdue_until_there_is_an_interview(
    database: Database, opened: Directory, clock_file: Path
) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO first_contacts VALUES ('C1', %s)", [clock.now()])
    clock.advance(timedelta(minutes=119))
    assert overdue(database) == []

    clock.advance(timedelta(minutes=2))
    assert overdue(database) == [("FIRST_CONTACT", "C1")]

    office = NearOffice(office=opened.office("600021"), distance_km=0.0)
    wish = Wish(offices=[office], channel=Channel.OFFICE, needs=frozenset())
    claim = Claim(claim_ref="C1", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now())
    with database.transaction() as conn:
        bookings.book_earliest(conn, claim, directory=opened, wish=wish, target=TARGET)
    assert overdue(database) == []
