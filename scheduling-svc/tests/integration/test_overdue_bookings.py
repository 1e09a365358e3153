"""A claim that nobody books an interview for is overdue two hours after its first contact."""

from datetime import timedelta
from pathlib import Path

from chassis import clock, deadlines
from chassis.database import Database
from scheduling.deadlines import DEADLINES


def overdue(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as conn:
        return [(late.state, late.reference) for late in deadlines.overdue(conn, DEADLINES)]


def test_a_first_contact_is_overdue_until_there_is_an_interview(database: Database, clock_file: Path) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO first_contacts VALUES ('C1', %s)", [clock.now()])
    clock.advance(timedelta(minutes=119))
    assert overdue(database) == []

    clock.advance(timedelta(minutes=2))
    assert overdue(database) == [("FIRST_CONTACT", "C1")]

    with database.transaction() as conn:
        conn.execute(
            "WITH slot AS (INSERT INTO slots VALUES (gen_random_uuid(), 'S1', 'O1', now(), now() + interval '1 hour',"
            " 'OFFICE') RETURNING slot_id)"
            " INSERT INTO appointments SELECT gen_random_uuid(), 'C1', slot_id, 'BOOKED', now(), now(),"
            " interval '1 hour', 1, now() FROM slot"
        )
    assert overdue(database) == []
