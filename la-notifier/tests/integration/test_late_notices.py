"""A notice that is late is told of once, and stands on the late list with the date at stake."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.database import Database
from la_notifier.domain.listing import DueWithin, NoticeFilter
from la_notifier.service.lateness import tell_late
from la_notifier.store import clocks, listing, rests

NOTICE = """
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    VALUES (gen_random_uuid(), 'C1', 'E1', 'One', 'API', %(day)s) RETURNING notice_id
"""
VERSION = """
    INSERT INTO notice_versions (notice_id, version, channel, kind, state, body, first_contact_time, first_contact_on,
        proof_due_on, created)
    VALUES (%(notice_id)s, 1, 'API', 'INTENTION', 'WAITING', '', %(now)s, %(day)s, %(day)s, %(now)s)
"""
TOLD = "SELECT type FROM outbox WHERE type LIKE '%NoticeLate'"


@pytest.fixture
def notice(database: Database, clock_file: Path) -> Database:
    """A notice that waits, made now."""
    values = {"day": clock.today(), "now": clock.now()}
    with database.transaction() as conn:
        [row] = conn.execute(NOTICE, values)
        conn.execute(VERSION, values | row)
        clocks.start(conn, row["notice_id"])
    return database


def told(database: Database) -> int:
    with database.transaction() as conn:
        return len(conn.execute(TOLD).fetchall())


def late(database: Database) -> list[str]:
    with database.transaction() as conn:
        found = listing.list_notices(conn, NoticeFilter(is_late=True), after=None, limit=10)
    return [one.state for one in found if one.is_late and one.at_stake_on]


def test_a_late_notice_is_told_of_once_for_each_state(notice: Database) -> None:
    tell_late(notice)
    assert (told(notice), late(notice)) == (0, [])

    clock.advance(timedelta(seconds=61))
    for _ in range(3):
        tell_late(notice)
    assert (told(notice), late(notice)) == (1, ["WAITING"])

    with notice.transaction() as conn:
        conn.execute("UPDATE notice_versions SET state = 'SENT', sent = %s", [clock.now()])
    tell_late(notice)
    assert (told(notice), late(notice)) == (1, [])

    clock.advance(timedelta(hours=5))
    tell_late(notice)
    assert (told(notice), late(notice)) == (2, ["SENT"])


@pytest.mark.parametrize(
    ("day", "due"), [("2026-01-31", "2026-02-28"), ("2028-01-31", "2028-02-29"), ("2026-05-06", "2026-06-06")]
)
def test_the_clocks_run_for_a_calendar_month(database: Database, day: str, due: str) -> None:
    values = {"day": day, "now": clock.now()}
    with database.transaction() as conn:
        [row] = conn.execute(NOTICE, values)
        conn.execute(VERSION, values | row)
        clocks.start(conn, row["notice_id"])
        within = DueWithin(authority_codes=("E1",), from_on=date(2020, 1, 1), until_on=date(2030, 1, 1))
        found = listing.due(conn, within, after=None, limit=10)

    assert [(str(one.due_on), one.notice.intention_due_on, one.notice.claim_due_on) for one in found] == [
        (due, one.due_on, one.due_on) for one in found
    ]
    assert len(found) == 2


def test_an_authority_for_which_nothing_is_open_is_not_away(notice: Database) -> None:
    def resting() -> list[tuple[str, str]]:
        with notice.transaction() as conn:
            rows = conn.execute("SELECT authority_code, act FROM authority_rests ORDER BY authority_code, act")
            return [(row["authority_code"], row["act"]) for row in rows]

    acts: tuple[rests.Act, ...] = ("ASK", "SEND")
    with notice.transaction() as conn:
        for code in ("E1", "E2"):
            for act in acts:
                rests.failed(conn, code, act, now=clock.now())

    tell_late(notice)
    assert resting() == [("E1", "SEND")]

    with notice.transaction() as conn:
        conn.execute("UPDATE notice_versions SET state = 'SUPERSEDED'")
    tell_late(notice)
    assert resting() == []
