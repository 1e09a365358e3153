"""Work that nobody books, begins or ends in time is overdue."""

from datetime import timedelta
from pathlib import Path

import pytest

from assessment.deadlines import DEADLINES
from chassis import clock, deadlines
from chassis.database import Database

INSERT = """
    INSERT INTO assessments (claim_ref, state, submit_time, appointment_id, office_code, assessor_id, start_time,
        channel, booked_time)
    VALUES ('C1', %(state)s, CASE WHEN %(submitted)s THEN %(now)s::timestamptz END,
        CASE WHEN %(booked)s THEN 'A1' END, CASE WHEN %(booked)s THEN 'O1' END, CASE WHEN %(booked)s THEN 'S1' END,
        CASE WHEN %(booked)s THEN %(now)s::timestamptz END, CASE WHEN %(booked)s THEN 'OFFICE' END,
        CASE WHEN %(booked)s THEN %(now)s::timestamptz END)
"""


def overdue(database: Database) -> list[str]:
    with database.transaction() as conn:
        return [late.state for late in deadlines.overdue(conn, DEADLINES)]


@pytest.mark.parametrize(
    ("shown", "state", "submitted", "booked", "deadline"),
    [
        ("UNBOOKED", "READY", True, False, timedelta(minutes=30)),
        ("UNSUBMITTED", "READY", False, True, timedelta()),
        ("READY", "READY", True, True, timedelta(hours=4)),
        ("IN_PROGRESS", "IN_PROGRESS", True, True, timedelta(days=2)),
    ],
)
def test_work_is_overdue_after_its_deadline(
    database: Database, clock_file: Path, shown: str, state: str, *, submitted: bool, booked: bool, deadline: timedelta
) -> None:
    now = clock.now() + timedelta(minutes=1)
    with database.transaction() as conn:
        conn.execute(INSERT, {"state": state, "submitted": submitted, "booked": booked, "now": now})
    clock.advance(deadline + timedelta(seconds=30))
    assert overdue(database) == []

    clock.advance(timedelta(minutes=1))
    assert overdue(database) == [shown]


def test_confirmed_work_is_never_overdue(database: Database, clock_file: Path) -> None:
    with database.transaction() as conn:
        conn.execute(INSERT, {"state": "CONFIRMED", "submitted": True, "booked": True, "now": clock.now()})

    clock.advance(timedelta(days=100))

    assert overdue(database) == []


def test_a_rejection_is_overdue_until_the_system_accepts(database: Database, clock_file: Path) -> None:
    with database.transaction() as conn:
        conn.execute(
            "INSERT INTO outcomes (claim_ref, system, rejected_time) VALUES ('C1', 'JSAPS', %s)", [clock.now()]
        )
    clock.advance(timedelta(hours=25))
    assert overdue(database) == ["REFUSED"]

    with database.transaction() as conn:
        conn.execute("UPDATE outcomes SET accepted_time = %s", [clock.now()])
    assert overdue(database) == []
