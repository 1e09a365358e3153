"""Notices, referrals and reviews are overdue after their deadlines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock, deadlines
from chassis.database import Connection, Database
from chassis.testing import eventually
from la_notifier.deadlines import DEADLINES
from la_notifier.store import notices

NOTICE = """
    WITH notice AS (
        INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
        VALUES (gen_random_uuid(), 'C1', %(code)s, 'One', %(channel)s, '2026-11-22') RETURNING notice_id
    )
    INSERT INTO notice_versions (notice_id, version, kind, state, body, first_contact_time, first_contact_on,
        proof_due_on, sent, disputed, created)
    SELECT notice_id, 1, 'CLAIM', %(state)s, '', %(now)s, '2026-11-22', '2026-12-22',
        CASE WHEN %(state)s IN ('SENT', 'RECEIVED') AND NOT %(disputed)s THEN %(now)s::timestamptz END,
        CASE WHEN %(disputed)s THEN %(now)s::timestamptz END, %(now)s
    FROM notice
"""


def notice(database: Database, channel: str, state: str, *, code: str = "E1", disputed: bool = False) -> None:
    values = {"code": code, "channel": channel, "state": state, "disputed": disputed, "now": clock.now()}
    with database.transaction() as conn:
        conn.execute(NOTICE, values)


def overdue(database: Database) -> list[str]:
    with database.transaction() as conn:
        return [late.state for late in deadlines.overdue(conn, DEADLINES)]


@pytest.mark.parametrize(
    ("channel", "state", "shown", "in_time", "late"),
    [
        ("API", "WAITING", "WAITING_API", timedelta(seconds=50), timedelta(seconds=70)),
        ("SFTP", "WAITING", "WAITING_SFTP", timedelta(minutes=34), timedelta(minutes=36)),
        ("POST", "WAITING", "WAITING_POST", timedelta(hours=23), timedelta(days=6)),
        ("API", "SENT", "SENT_API", timedelta(hours=3.9), timedelta(hours=4.1)),
        ("SFTP", "SENT", "SENT_SFTP", timedelta(hours=23), timedelta(days=6)),
        ("POST", "SENT", "SENT_POST", timedelta(days=4.9), timedelta(days=14)),
        ("API", "RECEIVED", "RECEIVED", timedelta(hours=23), timedelta(hours=25)),
        ("API", "REFUSED", "REFUSED", timedelta(hours=23), timedelta(hours=25)),
    ],
)
def test_a_notice_is_overdue_by_the_deadline_of_its_channel(
    database: Database,
    clock_file: Path,
    *,
    channel: str,
    state: str,
    shown: str,
    in_time: timedelta,
    late: timedelta,
) -> None:
    notice(database, channel, state)
    clock.advance(in_time)
    assert overdue(database) == []

    clock.advance(late - in_time)
    assert overdue(database) == [shown]


@pytest.mark.parametrize(
    ("code", "shown"),
    [("E07000066", []), ("W06000001", []), ("S12000005", ["SENT_SFTP"]), ("S12000049", ["SENT_SFTP"])],
)
def test_bank_holidays_of_the_authoritys_nation_do_not_count(
    database: Database, clock_file: Path, code: str, shown: list[str]
) -> None:
    good_friday = datetime(2026, 4, 3, 12, tzinfo=UTC)
    clock.advance(good_friday - clock.now())
    notice(database, "SFTP", "SENT", code=code)

    # Easter Monday has passed, which is a working day in Scotland alone.
    clock.advance(timedelta(days=4))

    assert overdue(database) == shown


def test_a_disputed_version_is_overdue_after_four_hours(database: Database, clock_file: Path) -> None:
    notice(database, "API", "SENT", disputed=True)
    clock.advance(timedelta(hours=3.9))
    assert overdue(database) == []

    clock.advance(timedelta(hours=0.2))

    assert overdue(database) == ["DISPUTED"]


@pytest.mark.parametrize("disputed", [False, True])
@pytest.mark.parametrize("state", ["LOADED", "SUPERSEDED"])
def test_an_ended_version_is_never_overdue(database: Database, clock_file: Path, *, state: str, disputed: bool) -> None:
    notice(database, "API", state, disputed=disputed)

    clock.advance(timedelta(days=100))

    assert overdue(database) == []


def follow(database: Database) -> None:
    """A later version of the one notice there is."""
    with database.transaction() as conn:
        row: Any = conn.execute(
            "SELECT notice_id, 2 AS version, channel, 'CHANGE' AS kind, body, first_contact_time, first_contact_on,"
            " proof_due_on, created FROM notice_versions"
        ).fetchone()
        notices.add_version(conn, row)
        conn.execute("UPDATE notice_versions SET state = 'LOADED', loaded = created WHERE version = 2")


def test_a_refused_version_that_a_later_one_follows_is_not_overdue(database: Database, clock_file: Path) -> None:
    notice(database, "API", "REFUSED")
    follow(database)

    clock.advance(timedelta(days=100))

    assert overdue(database) == []


def test_a_disputed_version_that_waits_is_not_disputed_once_a_later_one_follows(
    database: Database, clock_file: Path
) -> None:
    notice(database, "API", "WAITING", disputed=True)
    follow(database)

    clock.advance(timedelta(days=100))

    assert overdue(database) == []
    with database.transaction() as conn:
        assert conn.execute("SELECT 1 FROM notice_versions WHERE disputed IS NOT NULL").fetchall() == []


def test_a_version_refused_while_a_later_one_is_made_is_not_overdue(database: Database, clock_file: Path) -> None:
    notice(database, "API", "SENT")

    with ThreadPoolExecutor(1) as reviewer:
        with database.transaction() as conn:
            conn.execute("UPDATE notice_versions SET state = 'REFUSED'")
            following = reviewer.submit(follow, database)
            eventually(lambda: somebody_waits_for_a_lock(conn), what="the wait for the refusal")
        following.result()
    clock.advance(timedelta(days=100))

    assert overdue(database) == []


def somebody_waits_for_a_lock(conn: Connection) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return conn.execute(waiting).fetchone() is not None


def test_a_claim_that_was_not_reviewed_is_overdue(database: Database, clock_file: Path) -> None:
    with database.transaction() as conn:
        conn.execute("INSERT INTO heard_events VALUES (gen_random_uuid(), 'C1', 1, %s)", [clock.now()])

    clock.advance(timedelta(minutes=11))

    assert overdue(database) == ["REVIEW_DUE"]


@pytest.mark.parametrize("code", ["", "S12000005"])
def test_a_referral_is_overdue_after_a_working_day(database: Database, clock_file: Path, code: str) -> None:
    with database.transaction() as conn:
        conn.execute(
            "INSERT INTO not_told (claim_ref, authority_code, reason, since) VALUES ('C1', %s, 'MOVED_AWAY', %s)",
            [code, clock.now()],
        )
    clock.advance(timedelta(hours=23))
    assert overdue(database) == []

    clock.advance(timedelta(days=5))

    assert overdue(database) == ["REFERRED"]
