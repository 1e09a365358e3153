"""Work that nobody books, begins or ends in time is overdue."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assessment.deadlines import DEADLINES
from assessment.domain.reports import Withdrawal
from assessment.service import reports
from chassis import clock, deadlines
from chassis.database import Database

INSERT = """
    INSERT INTO assessments (claim_ref, schemes, state, submit_time, appointment_id, office_code, assessor_id, start_time,
        channel, booked_time)
    VALUES ('C1', '{JOBSEEKERS_ALLOWANCE}', %(state)s, CASE WHEN %(submitted)s THEN %(now)s::timestamptz END,
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


BY_SCHEME = """
    INSERT INTO assessments (claim_ref, schemes, state, begun, submit_time)
    VALUES ('C1', %(schemes)s, %(state)s, CASE WHEN %(state)s <> 'READY' THEN %(begun)s::text[] ELSE '{}' END, %(now)s)
"""


def submit(database: Database, *schemes: str, state: str = "READY", begun: str = "ASSESSOR") -> None:
    values = {"schemes": list(schemes), "state": state, "begun": [begun], "now": clock.now()}
    with database.transaction() as conn:
        conn.execute(BY_SCHEME, values)


@pytest.mark.parametrize("state", ["READY", "IN_PROGRESS"])
def test_child_maintenance_is_a_caseworkers_and_never_unbooked(
    database: Database, clock_file: Path, state: str
) -> None:
    submit(database, "CHILD_MAINTENANCE", state=state, begun="CASEWORKER")
    clock.advance(timedelta(hours=47))
    assert overdue(database) == []

    clock.advance(timedelta(hours=2))
    assert overdue(database) == ["CHILD_MAINTENANCE"]


def test_a_caseworkers_start_hides_no_delay_of_the_assessors(database: Database, clock_file: Path) -> None:
    submit(database, "INCOME_SUPPORT", "CHILD_MAINTENANCE", state="IN_PROGRESS", begun="CASEWORKER")
    clock.advance(timedelta(minutes=31))

    assert overdue(database) == ["UNBOOKED"]


@pytest.mark.parametrize("hour", [0, 10, 22])
def test_a_crisis_loan_is_overdue_when_the_london_day_ends(database: Database, clock_file: Path, hour: int) -> None:
    midnight = datetime(2025, 7, 11, tzinfo=clock.LONDON)
    clock.advance(midnight + timedelta(days=365, hours=hour) - clock.now())
    submit(database, "CRISIS_LOAN")

    clock.advance(midnight + timedelta(days=366, seconds=-1) - clock.now())
    assert overdue(database) == []
    clock.advance(timedelta(seconds=2))
    assert overdue(database) == ["CRISIS_LOAN"]
    with database.transaction() as conn:
        conn.execute("UPDATE assessments SET confirmed_schemes = '{CRISIS_LOAN}', state = 'CONFIRMED'")
    assert overdue(database) == []


def test_the_work_of_a_withdrawn_claim_is_never_overdue(database: Database, clock_file: Path) -> None:
    submit(database, "JOBSEEKERS_ALLOWANCE", "CRISIS_LOAN", "CHILD_MAINTENANCE")
    with database.transaction() as conn:
        conn.execute(
            "INSERT INTO outcomes (claim_ref, system, rejected_time) VALUES ('C1', 'JSAPS', %s)", [clock.now()]
        )
        reports.take_withdrawal(conn, "C1", Withdrawal(withdraw_time=clock.now()))

    clock.advance(timedelta(days=100))

    assert overdue(database) == []


def test_a_missed_interview_is_nobodys_once_the_assessors_part_is_closed(database: Database, clock_file: Path) -> None:
    submit(database, "INCOME_SUPPORT", "CHILD_MAINTENANCE")
    with database.transaction() as conn:
        conn.execute("UPDATE assessments SET missed_time = %s, office_code = NULL", [clock.now()])
    clock.advance(timedelta(days=9))
    before = set(overdue(database))
    with database.transaction() as conn:
        conn.execute("UPDATE assessments SET closed_schemes = '{INCOME_SUPPORT}'")

    assert "MISSED" in before
    assert overdue(database) == ["CHILD_MAINTENANCE"]


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
