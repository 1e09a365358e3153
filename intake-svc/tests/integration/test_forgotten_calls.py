"""The sweeper ends calls that nobody ended; overdue calls and drafts are listed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chassis import clock, deadlines
from chassis.database import Database
from chassis.metrics import REGISTRY
from chassis.testing import DatabaseUrls, commits_fail
from intake.deadlines import DEADLINES
from intake.domain.call import LONGEST_CALL
from intake.service.calls import end_forgotten_calls, end_forgotten_wrap_ups

INSERT_CLAIM = """
    INSERT INTO claims (claim_ref, state, version, language, first_contact_time, first_contact_recorded, operator,
        operator_grade) VALUES ('C1', 'DRAFT', 1, 'EN', %(now)s, false, 'OP000001', 'AO')
"""
INSERT_CALL = """
    INSERT INTO calls (call_id, claim_ref, operator, purpose, language, needs, caller, security, security_questions,
        tries_left, started, ended, outcome, call_back_time, wrap_up_ended, held_since, letter_due_time)
    VALUES (gen_random_uuid(), 'C1', 'OP000001', 'NEW', 'EN', '{}', '', 'PASSED', '{}', 3, %(now)s,
        %(ended)s, %(outcome)s, %(back)s, %(over)s, %(held)s, %(letter)s)
"""


@pytest.fixture
def claim(database: Database, clock_file: Path) -> Any:
    """Adds calls to a draft that began now."""
    with database.transaction() as conn:
        conn.execute(INSERT_CLAIM, {"now": clock.now()})

    def call(*, outcome: str | None = None, back: timedelta | None = None, **more: Any) -> None:
        now = clock.now()
        ended = now if outcome else None
        values = {"now": now, "ended": ended, "outcome": outcome, "back": now + back if back else None, "over": ended}
        with database.transaction() as conn:
            conn.execute(INSERT_CALL, values | {"held": None, "letter": None} | more)

    return call


def sweep(database: Database) -> bool:
    with database.transaction() as conn:
        return end_forgotten_calls(conn)


def sweep_wrap_ups(database: Database) -> bool:
    with database.transaction() as conn:
        return end_forgotten_wrap_ups(conn)


def outcomes(database: Database) -> list[Any]:
    with database.transaction() as conn:
        return [row["outcome"] for row in conn.execute("SELECT outcome FROM calls ORDER BY started")]


def abandoned() -> float:
    return REGISTRY.get_sample_value("intake_call_duration_seconds_count", {"outcome": "ABANDONED"}) or 0.0


def overdue(database: Database) -> set[str]:
    with database.transaction() as conn:
        return {late.state for late in deadlines.overdue(conn, DEADLINES)}


def test_a_call_is_ended_after_a_shift(database: Database, claim: Any) -> None:
    claim()

    clock.advance(LONGEST_CALL - timedelta(minutes=1))
    assert not sweep(database)
    assert outcomes(database) == [None]

    clock.advance(timedelta(minutes=2))
    assert sweep(database)
    assert outcomes(database) == ["ABANDONED"]
    assert not sweep(database)


def test_abandoned_calls_are_counted_only_when_their_end_is_committed(
    database: Database, database_urls: DatabaseUrls, claim: Any
) -> None:
    claim()
    claim()
    clock.advance(LONGEST_CALL + timedelta(minutes=1))
    before = abandoned()

    with commits_fail(database_urls, "calls"), pytest.raises(psycopg.errors.SerializationFailure):
        sweep(database)
    assert (outcomes(database), abandoned()) == ([None, None], before)

    sweep(database)

    assert (outcomes(database), abandoned()) == (["ABANDONED", "ABANDONED"], before + 2)


def test_the_sweeper_leaves_a_call_alone_that_is_being_ended(database: Database, claim: Any) -> None:
    claim()
    clock.advance(timedelta(days=1))

    with database.transaction() as conn:
        conn.execute("SELECT 1 FROM calls FOR UPDATE")
        assert not sweep(database)

    assert outcomes(database) == [None]


def test_an_open_call_that_no_sweeper_ends_is_overdue(database: Database, claim: Any) -> None:
    claim()
    assert overdue(database) == set()

    clock.advance(timedelta(hours=13))

    assert overdue(database) == {"CALL_OPEN"}


def test_a_call_back_is_overdue_until_there_is_a_call(database: Database, claim: Any) -> None:
    claim(outcome="CALL_BACK", back=timedelta(days=1))
    clock.advance(timedelta(hours=24, minutes=59))
    assert overdue(database) == set()

    clock.advance(timedelta(minutes=2))
    assert overdue(database) == {"CALL_BACK"}

    claim(outcome="COMPLETED")
    assert overdue(database) == set()


def test_an_idle_draft_is_overdue_after_two_weeks(database: Database, claim: Any) -> None:
    claim(outcome="ABANDONED")
    clock.advance(timedelta(days=14, minutes=1))

    assert overdue(database) == {"DRAFT"}


def test_a_wrap_up_that_nobody_ends_is_over_after_half_an_hour(database: Database, claim: Any) -> None:
    claim(outcome="COMPLETED", over=None)
    clock.advance(timedelta(minutes=29))
    assert not sweep_wrap_ups(database)

    clock.advance(timedelta(minutes=32))
    assert overdue(database) == {"CALL_WRAP_UP"}
    assert sweep_wrap_ups(database)
    assert overdue(database) == set()

    with database.transaction() as conn:
        lasted = conn.execute("SELECT wrap_up_ended - ended AS lasted FROM calls").fetchone()
    assert lasted == {"lasted": timedelta(minutes=30)}


def test_a_caller_who_is_left_on_hold_is_overdue(database: Database, claim: Any) -> None:
    claim(held=clock.now())
    clock.advance(timedelta(minutes=31))

    assert overdue(database) == {"CALL_ON_HOLD"}


def test_a_letter_is_overdue_in_the_place_of_its_call_back(database: Database, claim: Any) -> None:
    claim(outcome="CALL_BACK", back=timedelta(hours=1), letter=clock.now())
    assert overdue(database) == set()

    clock.advance(timedelta(days=7))

    assert overdue(database) == {"LETTER_DUE"}
