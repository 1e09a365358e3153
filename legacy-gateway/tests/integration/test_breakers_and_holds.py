"""A system that does not answer is left alone until a probe is answered; one that somebody holds is sent nothing."""

from dataclasses import replace
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from chassis import clock, deadlines
from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.testing import eventually
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.domain import (
    FIRST_LET_GO,
    OPENS_AFTER,
    Breaker,
    Condition,
    Gate,
    NotHeld,
    Result,
    System,
    SystemAnswer,
    SystemStatus,
)
from legacy_gateway.service import breakers
from legacy_gateway.service.sending import send_next
from legacy_gateway.store import systems

ACCEPTED = ["ACCEPTED", "ACCEPTED"]


def gate(database: Database) -> Gate:
    with database.transaction() as conn:
        return systems.gate(conn, System.JSAPS)


def note(gateway: Any, *results: Result) -> None:
    for result in results:
        with gateway.database.transaction() as conn:
            breakers.note(conn, gateway.resources, System.JSAPS, SystemAnswer(result=result))


def claims(gateway: Any, count: int) -> list[str]:
    return [gateway.claim(f"C{number:011}") for number in range(count)]


def shown(database: Database) -> SystemStatus:
    with database.transaction() as conn:
        [status] = [one for one in breakers.show_systems(conn) if one.counts.system is System.JSAPS]
    return status


def hold(database: Database, *, minutes: int | None = None, reason: str = "planned outage") -> None:
    until = None if minutes is None else clock.now() + timedelta(minutes=minutes)
    with database.transaction() as conn:
        breakers.hold(conn, System.JSAPS, reason=reason, until=until, by="SUPPORT1")


def release(database: Database) -> None:
    with database.transaction() as conn:
        breakers.release(conn, System.JSAPS, by="SUPPORT1")


def open_breaker(gateway: Any) -> list[str]:
    """Five more claims than it takes to open the breaker, each with its first attempt due; none is answered."""
    made = claims(gateway, OPENS_AFTER + 5)
    gateway.jsaps.stop()
    while gateway.send():
        pass
    return made


def test_after_twenty_attempts_without_a_reply_nothing_more_is_sent(gateway: Any) -> None:
    recording = gateway.recorded()

    open_breaker(gateway)

    assert len(recording.sent) == OPENS_AFTER
    assert gate(gateway.database) == Gate(breaker=Breaker.OPEN, unanswered=OPENS_AFTER, hold=None)
    assert shown(gateway.database).gate.condition is Condition.DOWN


def test_a_probe_closes_the_breaker_and_what_waited_goes_in_order(gateway: Any, tmp_path: Path) -> None:
    made = open_breaker(gateway)
    with gateway.jsaps_started_again(tmp_path):
        recording = gateway.recorded()

        gateway.work_until_accepted(*made)

        first = [transfer_id for transfer_id, _ in recording.sent]
        rows = [gateway.rows(claim_ref)[0]["transfer_id"] for claim_ref in made]
        assert [one for one in first if one in rows] == rows
        assert all(gateway.held(claim_ref)["duplicates"] == 0 for claim_ref in made)
        eventually(
            lambda: not gateway.send() and gate(gateway.database).breaker is Breaker.CLOSED, what="the drain's end"
        )


def test_a_probe_without_an_answer_is_put_off_and_leaves_nothing_behind(gateway: Any) -> None:
    made = open_breaker(gateway)
    before = [gateway.rows(claim_ref) for claim_ref in made]

    def probed() -> bool:
        gateway.send()
        return gate(gateway.database).unanswered > OPENS_AFTER + 1

    eventually(probed, what="two probes")

    assert [gateway.rows(claim_ref) for claim_ref in made] == before


def test_a_system_that_answers_with_errors_is_sick_and_not_away(gateway: Any) -> None:
    note(gateway, *[Result.NO_REPLY] * (OPENS_AFTER - 1), Result.SYSTEM_ERROR)
    note(gateway, *[Result.NOT_SENT] * (OPENS_AFTER - 1), Result.BUSY)
    note(gateway, *[Result.SYSTEM_ERROR] * OPENS_AFTER)

    assert gate(gateway.database) == Gate(breaker=Breaker.CLOSED, unanswered=0, hold=None)

    # A connection that we did not have says nothing of the system.
    for _ in range(OPENS_AFTER):
        with gateway.database.transaction() as conn:
            answer = SystemAnswer(result=Result.NOT_SENT, reason="ALL_CONNECTIONS_BUSY")
            breakers.note(conn, gateway.resources, System.JSAPS, answer)

    assert gate(gateway.database).unanswered == 0


def test_an_answer_closes_an_open_breaker_and_the_drain_lets_twice_as_many_go_with_every_step(gateway: Any) -> None:
    note(gateway, *[Result.NO_REPLY] * (OPENS_AFTER + 3))
    assert gate(gateway.database).breaker is Breaker.OPEN
    note(gateway, Result.HELD)
    assert gate(gateway.database) == Gate(breaker=Breaker.DRAINING, unanswered=0, hold=None)
    note(gateway, Result.HELD, Result.NO_REPLY)
    assert gate(gateway.database) == Gate(breaker=Breaker.DRAINING, unanswered=1, hold=None)
    begun = "UPDATE systems SET draining_since = statement_timestamp() - make_interval(secs => %s)"

    def let_go(after_seconds: float) -> int:
        gateway.change(begun, after_seconds)
        return len(list(takewhile(bool, (_let_go(gateway.database) for _ in range(1000)))))

    assert [let_go(seconds) for seconds in (0.0, 100.0, 200.0)] == [FIRST_LET_GO, FIRST_LET_GO, 2 * FIRST_LET_GO]
    assert gate(gateway.database).breaker is Breaker.DRAINING
    assert let_go(701.0) > 0
    assert gate(gateway.database).breaker is Breaker.CLOSED


def _let_go(database: Database) -> bool:
    with database.transaction() as conn:
        return systems.let_go(conn, System.JSAPS, first=FIRST_LET_GO, doubling_seconds=100.0, drain_seconds=700.0)


def test_a_held_system_is_sent_nothing_until_it_is_released(gateway: Any) -> None:
    recording = gateway.recorded()
    hold(gateway.database)
    claim_ref = gateway.claim()

    assert not any(gateway.send() for _ in range(5))
    assert recording.sent == []
    status = shown(gateway.database)
    assert (status.gate.condition, status.counts.waiting) == (Condition.HELD, 2)
    assert status.gate.hold is not None
    assert (status.gate.hold.reason, status.gate.hold.held_by) == ("planned outage", "SUPPORT1")

    release(gateway.database)
    gateway.work_until_accepted(claim_ref)
    assert shown(gateway.database).counts.accepted == 2


def test_a_held_system_is_not_probed(gateway: Any) -> None:
    note(gateway, *[Result.NO_REPLY] * OPENS_AFTER)
    hold(gateway.database)
    gateway.change("UPDATE systems SET next_probe_time = statement_timestamp() - interval '1 second'")

    assert not gateway.send()

    release(gateway.database)
    assert gateway.send()
    assert gate(gateway.database).breaker is Breaker.DRAINING


def test_a_hold_ends_by_itself_at_its_time(gateway: Any, clock_file: Path) -> None:
    hold(gateway.database, minutes=30)
    hold(gateway.database, minutes=60, reason="takes longer")
    claim_ref = gateway.claim()
    clock.advance(timedelta(minutes=31))
    assert not gateway.send()

    clock.advance(timedelta(minutes=30))
    gateway.work_until_accepted(claim_ref)

    with pytest.raises(NotHeld):
        release(gateway.database)


def test_a_hold_that_nobody_ends_is_overdue_after_a_day(gateway: Any, clock_file: Path) -> None:
    hold(gateway.database)
    clock.advance(timedelta(hours=25))

    with gateway.database.transaction() as conn:
        late = [(one.state, one.reference, one.owner) for one in deadlines.overdue(conn, DEADLINES)]

    assert late == [("SYSTEM_HELD", "JSAPS", "SUPPORT")]
    with pytest.raises(FailedPrecondition):
        hold(gateway.database, minutes=-1)


def test_the_breaker_is_every_processs(gateway: Any) -> None:
    open_breaker(gateway)
    recording = gateway.recorded()
    other = replace(gateway.resources, turns=dict(gateway.resources.turns))

    assert not send_next(other, System.JSAPS)

    assert recording.sent == []
