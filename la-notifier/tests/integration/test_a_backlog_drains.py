"""The backlog of an authority that was away goes out in order, one at a time, and no other authority waits behind it."""

import itertools
from datetime import timedelta
from uuid import uuid4

import pytest

from chassis import clock
from chassis.database import Database
from la_notifier.domain.notices import HeldNotice, HeldState, NoticeVersion, SendAnswer, SendResult, Waits
from la_notifier.service import sending
from la_notifier.store import versions

AWAY = SendAnswer(result=SendResult.NOT_TAKEN, status=503)
TAKEN = SendAnswer(result=SendResult.SENT, status=202, receipt="R1")
WAITS = Waits(scale=1.0, jitter=1.0, poll_seconds=0.0)
NUMBERS = itertools.count(1)


class Line:
    """The notices that wait, and a sender that has one connection to each authority."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, authority: str, *, state: str = "WAITING") -> str:
        """A notice that waits for the authority; each is made a second after the one before."""
        number = next(NUMBERS)
        claim_ref, made = f"C{number}", clock.now() + timedelta(seconds=number)
        values = {"id": uuid4(), "claim": claim_ref, "code": authority, "now": made, "state": state}
        with self._database.transaction() as conn:
            conn.execute(
                "INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)"
                " VALUES (%(id)s, %(claim)s, %(code)s, '', 'API', '2026-11-30')",
                values,
            )
            conn.execute(
                "INSERT INTO notice_versions (notice_id, version, channel, kind, body, first_contact_time,"
                " first_contact_on, proof_due_on, created, state)"
                " VALUES (%(id)s, 1, 'API', 'INTENTION', '', %(now)s, '2026-11-30', '2026-12-30', %(now)s, %(state)s)",
                values,
            )
        return claim_ref

    def take(self) -> NoticeVersion | None:
        with self._database.transaction() as conn:
            found = versions.take_to_send(conn, channel="API", seconds=30)
        return found[0] if found else None

    def answer(self, version: NoticeVersion, answer: SendAnswer) -> None:
        with self._database.transaction() as conn:
            sending.settle_send(conn, version, answer, WAITS)

    def end_waits(self) -> None:
        """The time of every wait passes."""
        with self._database.transaction() as conn:
            conn.execute("UPDATE authority_rests SET rests_until = statement_timestamp()")
            conn.execute("UPDATE notice_versions SET next_attempt_time = statement_timestamp()")

    def take_to_ask(self) -> NoticeVersion | None:
        with self._database.transaction() as conn:
            return versions.take_to_ask(conn, channel="API", seconds=30)

    def hear(self, version: NoticeVersion, state: HeldState) -> None:
        with self._database.transaction() as conn:
            sending.settle_question(conn, version, HeldNotice(state=state, version=1), WAITS)


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)


def test_an_authority_that_is_away_is_tried_with_one_notice_and_no_other_waits_for_it(line: Line) -> None:
    first, *_ = [line.add("E1") for _ in range(3)]
    tried = line.take()
    assert tried is not None
    assert tried.claim_ref == first

    assert line.take() is None  # one at a time
    line.answer(tried, AWAY)
    assert line.take() is None  # it rests

    elsewhere = line.add("E2")
    other = line.take()
    assert other is not None
    assert other.claim_ref == elsewhere


def test_a_week_of_waiting_notices_goes_out_in_order(line: Line) -> None:
    made = [line.add("E1") for _ in range(5)]
    for _ in range(12):
        line.end_waits()
        tried = line.take()
        assert tried is not None
        assert tried.claim_ref == made[0]
        line.answer(tried, AWAY)
    line.end_waits()

    sent = []
    while (version := line.take()) is not None:
        assert line.take() is None
        sent.append(version.claim_ref)
        line.answer(version, TAKEN)

    assert sent == made


def test_a_notice_that_the_authority_cannot_take_holds_up_no_later_one(line: Line) -> None:
    bad, good = line.add("E1"), line.add("E1")
    tried = line.take()
    assert tried is not None
    assert tried.claim_ref == bad
    line.answer(tried, SendAnswer(result=SendResult.UNKNOWN, status=500))
    with line._database.transaction() as conn:
        conn.execute("UPDATE authority_rests SET rests_until = statement_timestamp()")

    following = line.take()

    assert following is not None
    assert following.claim_ref == good


def test_an_authority_that_says_nothing_is_asked_no_more_for_a_while(line: Line) -> None:
    for _ in range(2):
        line.add("E1", state="SENT")
    line.add("E2", state="SENT")
    asked = [line.take_to_ask(), line.take_to_ask()]
    assert {one.authority_code for one in asked if one} == {"E1", "E2"}
    assert line.take_to_ask() is None

    for one in asked:
        assert one is not None
        line.hear(one, HeldState.UNKNOWN if one.authority_code == "E1" else HeldState.LOADED)

    assert line.take_to_ask() is None
