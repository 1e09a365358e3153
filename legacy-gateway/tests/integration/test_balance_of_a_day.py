"""Each day's ledger is held against JSAPS's own list, over the real record link: what is lost, doubled or unknown is found."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.errors import FailedPrecondition
from chassis.testing import eventually
from legacy_gateway.domain import Closing, HeldRecord, ListingChanged, Result, System, SystemAnswer, new_transfer_id
from legacy_gateway.service import differences
from legacy_gateway.service.lost_records import ask_next
from legacy_gateway.service.reconciling import reconcile_next
from legacy_gateway.store import balances

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
DAY = timedelta(days=1)
CLAIM = "C00000000018"

pytestmark = pytest.mark.usefixtures("clock_file")


def test_both_ledgers_balance_when_nothing_was_lost(gateway: Any, books: Any) -> None:
    books.accepted()
    day = books.next_morning()

    books.run()

    assert books.columns(day) == (2, 2, 0, 0, 0, 0)
    assert books.found() == []
    assert [row["done_time"] is not None for row in books.days()] == [True]


def test_a_day_is_not_due_before_its_hour(gateway: Any, books: Any) -> None:
    books.accepted()
    books.next_morning()
    clock.advance(timedelta(hours=-2))

    assert reconcile_next(books.work) is False

    clock.advance(timedelta(hours=2))
    assert reconcile_next(books.work) is True


def test_a_second_phase_that_was_lost_overnight_is_sent_again_as_it_was(gateway: Any, books: Any) -> None:
    recording = gateway.recorded()
    claim_ref = books.accepted()
    books.lose(claim_ref, "BA504")
    day = books.next_morning()

    books.run()
    assert books.columns(day) == (2, 1, 0, 1, 0, 0)
    gateway.work_until_accepted(claim_ref)

    assert gateway.held(claim_ref) == HELD_ONCE
    assert recording.sent[1] == recording.sent[2]
    assert books.found() == [("MISSING_THERE", "CLOSED", "", "SENT_AGAIN")]
    assert books.columns(day) == (2, 2, 0, 0, 0, 0)


def test_both_phases_that_were_lost_overnight_go_under_new_ids(gateway: Any, books: Any) -> None:
    claim_ref = books.accepted()
    books.lose(claim_ref)
    books.next_morning()

    books.run()
    books.send_until_held_anew(claim_ref)

    assert gateway.states(claim_ref) == ["CANCELLED", "CANCELLED"]
    assert gateway.states(claim_ref, 2) == ["ACCEPTED", "ACCEPTED"]
    assert gateway.held(claim_ref) == HELD_ONCE
    assert [row["action"] for row in gateway.rows(claim_ref, 2)] == ["NEW", "NEW"]
    assert [row["replaces"] for row in gateway.rows(claim_ref, 2)] == [
        row["transfer_id"] for row in gateway.rows(claim_ref)
    ]
    assert sorted(reason for _, _, _, reason in books.found()) == ["GONE_ON", "SENT_ANEW"]


def test_a_lost_first_phase_whose_second_is_held_is_a_processing_officers_work(gateway: Any, books: Any) -> None:
    claim_ref = books.accepted()
    books.lose(claim_ref, "ES504")
    day = books.next_morning()

    books.run()

    assert books.found() == [("MISSING_THERE", "OPEN", "FIRST_PHASE_LOST", "")]
    assert gateway.states(claim_ref) == ["CLERICAL", "ACCEPTED"]
    assert books.columns(day) == (2, 1, 0, 0, 1, 0)
    shown = books.the_one()
    with gateway.database.transaction() as conn:
        deadline, owner = differences.deadline_of(shown)
        assert (deadline, owner) == (shown.since + DAY, "PROCESSING_OFFICER")
        differences.close(conn, shown.difference_id, Closing.HELD_THERE, by="PO000001")
    assert gateway.states(claim_ref) == ["ACCEPTED", "ACCEPTED"]
    with gateway.database.transaction() as conn, pytest.raises(FailedPrecondition):
        differences.close(conn, shown.difference_id, Closing.HELD_THERE, by="PO000001")


def test_a_difference_that_a_person_explained_is_not_found_again(gateway: Any, books: Any) -> None:
    claim_ref = books.accepted()
    books.lose(claim_ref, "ES504")
    day = books.next_morning()
    books.run()
    shown = books.the_one()
    with gateway.database.transaction() as conn:
        differences.close(conn, shown.difference_id, Closing.HELD_THERE, by="PO000001")

    books.ask_for(day)
    books.run()

    assert len(books.found()) == 1


def test_a_record_that_is_held_twice_is_found_once(gateway: Any, books: Any) -> None:
    recording = gateway.recorded()
    claim_ref = books.accepted()
    transfer_id, payload = recording.sent[0]
    recording.system.send(1, transfer_id, payload, send_by=math.inf)
    assert gateway.held(claim_ref)["duplicates"] == 1
    day = books.next_morning()

    books.run()
    books.ask_for(day)
    books.run()

    assert books.found() == [("HELD_TWICE", "OPEN", "", "")]
    assert books.balance(day).unexplained == 1


def test_a_record_that_the_ledger_does_not_know_is_found(gateway: Any, books: Any) -> None:
    recording = gateway.recorded()
    books.accepted()
    recording.system.send(1, new_transfer_id(), recording.sent[0][1], send_by=math.inf)
    day = books.next_morning()

    books.run()

    assert [kind for kind, *_ in books.found()] == ["UNKNOWN_HERE"]
    assert books.balance(day).unknown_here == 1


def test_a_record_that_a_change_replaced_stays_listed_and_is_no_difference(
    gateway: Any, books: Any, amendment: Any, facts: Any
) -> None:
    claim_ref = books.accepted()
    gateway.intake.known[claim_ref, 8] = facts(title="MS")
    gateway.hear(amendment(claim_ref, version=8))
    books.send_until_held_anew(claim_ref)
    day = books.next_morning()

    books.run()

    assert books.found() == []
    assert books.columns(day) == (4, 4, 0, 0, 0, 0)


def test_a_list_that_changes_while_it_is_read_is_begun_again(gateway: Any, books: Any) -> None:
    books.accepted()
    changing = Changing(books.work.adapter, times=2)
    books.next_morning()

    books.run(changing)

    assert [row["done_time"] is not None for row in books.days()] == [True]
    assert books.found() == []
    assert changing.times == 0


def test_a_list_that_changes_each_time_is_left_for_later(gateway: Any, books: Any) -> None:
    books.accepted()
    books.next_morning()

    books.run(Changing(books.work.adapter, times=100))

    assert [(row["failures"], row["done_time"]) for row in books.days()] == [(1, None)]
    assert books.found() == []


def test_only_the_last_lists_are_kept(gateway: Any, books: Any) -> None:
    books.accepted()
    day = books.next_morning(days=4)
    books.run(Changing(books.work.adapter, times=3))
    books.ask_for(day)
    books.run()

    with gateway.database.transaction() as conn:
        kept = conn.execute("SELECT day FROM listings ORDER BY day").fetchall()
        [row] = conn.execute("SELECT count(*) AS count FROM listed_records").fetchall()
    assert [row["day"] for row in kept] == [day - DAY, day, day + DAY]
    assert row["count"] == 2


def test_nothing_is_sent_again_of_a_withdrawn_claim(gateway: Any, books: Any, withdrawal: Any) -> None:
    claim_ref = books.accepted()
    gateway.hear(withdrawal(claim_ref))
    books.lose(claim_ref)
    books.next_morning()

    books.run()

    assert {reason for _, _, _, reason in books.found()} == {"WITHDRAWN"}
    assert gateway.send() is False


def test_a_record_sent_near_midnight_is_listed_under_the_next_day(gateway: Any, books: Any) -> None:
    """JSAPS lists it under its own day, which is the one after the day of our ledger."""
    books.accepted()
    gateway.change("UPDATE transfers SET updated = updated - interval '1 day', created = created - interval '1 day'")
    books.next_morning()

    books.run()

    assert books.found() == []


def test_a_record_under_another_day_still_is_asked_about_and_left(gateway: Any, books: Any) -> None:
    """Accepted by an enquiry long after it was sent: JSAPS lists it under the day on which it was received."""
    claim_ref = books.accepted()
    books.next_morning(days=5)
    gateway.change("UPDATE transfers SET updated = updated + interval '4 days'")

    books.run()

    assert set(books.found()) == {("MISSING_THERE", "CLOSED", "", "NONE")}
    assert gateway.held(claim_ref) == HELD_ONCE
    assert gateway.states(claim_ref) == ["ACCEPTED", "ACCEPTED"]


def test_all_missed_days_are_caught_up(gateway: Any, books: Any) -> None:
    claim_ref = books.accepted()
    books.lose(claim_ref, "BA504")
    books.next_morning(days=40)

    books.run()

    with gateway.database.transaction() as conn:
        [row] = conn.execute("SELECT count(*) AS days, count(done_time) AS done FROM reconciliation_days").fetchall()
    assert (row["days"], row["done"]) == (40, 40)
    gateway.work_until_accepted(claim_ref)
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_system_that_is_away_is_tried_again_by_a_back_off(gateway: Any, books: Any, tmp_path: Path) -> None:
    books.accepted()
    day = books.next_morning()
    gateway.jsaps.stop()

    assert reconcile_next(books.work) is False

    assert [(row["failures"], row["done_time"]) for row in books.days()] == [(1, None)]
    assert reconcile_next(books.work) is False
    assert [row["failures"] for row in books.days()] == [1]
    gateway.change("UPDATE reconciliation_days SET due_time = statement_timestamp()")
    with gateway.jsaps_started_again(tmp_path):
        books.run()
    assert books.columns(day) == (2, 2, 0, 0, 0, 0)
    assert [row["failures"] for row in books.days()] == [0]


def test_an_enquiry_that_fails_sends_nothing_again(gateway: Any, books: Any) -> None:
    claim_ref = books.accepted()
    books.lose(claim_ref, "BA504")
    gateway.order("lose_reply", dialogue="ENQ01", count=2)
    books.next_morning()
    books.run()

    assert books.found() == [("MISSING_THERE", "ASKING", "", "")]
    assert gateway.send() is False
    eventually(lambda: ask_next(books.work) and books.found()[0][1] == "CLOSED", seconds=20, what="the third enquiry")
    gateway.work_until_accepted(claim_ref)
    assert gateway.held(claim_ref) == HELD_ONCE


def test_two_processes_at_once_find_each_difference_once(gateway: Any, books: Any) -> None:
    claims = [f"C000000000{number}" for number in range(10, 16)]
    for claim_ref in claims:
        gateway.claim(claim_ref)
    gateway.work_until_accepted(*claims)
    gateway.change("UPDATE transfers SET updated = updated - interval '1 second'")
    for claim_ref in claims:
        books.lose(claim_ref)
    books.next_morning(days=3)

    threads = [threading.Thread(target=lambda: [books.run() for _ in range(3)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    books.run()

    # A claim's second record is no difference any more where its first was noted, asked about and sent anew before.
    for claim_ref in claims:
        found = books.found_of(claim_ref)
        assert len({transfer_id for transfer_id, _ in found}) == len(found) in {1, 2}
        assert [reason for _, reason in found].count("SENT_ANEW") == 1
    books.send_until_held_anew(*claims)
    assert [gateway.held(claim_ref) for claim_ref in claims] == [HELD_ONCE] * len(claims)


def test_only_one_process_reads_a_systems_lists(gateway: Any, books: Any) -> None:
    books.accepted()
    books.next_morning()

    with balances.locked(gateway.url, System.JSAPS) as ours:
        assert ours
        assert reconcile_next(books.work) is False

    assert reconcile_next(books.work) is True


class Changing:
    """JSAPS, whose list changes behind its first page so many times."""

    def __init__(self, adapter: Any, *, times: int) -> None:
        self.adapter = adapter
        self.times = times

    def ask(self, transfer_id: str) -> Any:
        return self.adapter.ask(transfer_id)

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        yield from self.adapter.held_on(day)
        if self.times:
            self.times -= 1
            raise ListingChanged("LISTING_CHANGED", "the list shrank while it was read")


def test_a_worker_that_was_stopped_with_an_old_answer_sends_nothing_again(gateway: Any, books: Any) -> None:
    """JSAPS holds twice what is sent twice: meanwhile another worker asked, and the record was sent and accepted again."""
    claim_ref = books.accepted()
    books.lose(claim_ref, "BA504")
    books.next_morning()
    books.run(Stopped(books.work.adapter))
    assert [found[1] for found in books.found()] == ["ASKING"]

    def stopped_meanwhile(_: Any) -> None:
        gateway.change("UPDATE differences SET next_attempt_time = statement_timestamp() WHERE state = 'ASKING'")
        assert ask_next(books.work) is True
        gateway.work_until_accepted(claim_ref)
        gateway.change("UPDATE transfers SET updated = updated - interval '1 minute'")
        assert gateway.held(claim_ref) == HELD_ONCE

    gateway.change("UPDATE differences SET next_attempt_time = statement_timestamp() WHERE state = 'ASKING'")
    stopped = replace(books.work, adapter=Stopped(books.work.adapter, then=stopped_meanwhile))
    assert ask_next(stopped) is True

    assert gateway.states(claim_ref) == ["ACCEPTED", "ACCEPTED"]
    assert gateway.send() is False
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_record_that_was_accepted_since_it_was_asked_about_is_not_sent_again(gateway: Any, books: Any) -> None:
    claim_ref = books.accepted()
    books.lose(claim_ref, "BA504")
    books.next_morning()
    books.run(Stopped(books.work.adapter))

    def accepted_meanwhile(transfer_id: str) -> None:
        with gateway.database.transaction() as conn:
            conn.execute("UPDATE transfers SET updated = %s WHERE transfer_id = %s", [clock.now(), transfer_id])
        clock.advance(timedelta(minutes=1))

    gateway.change("UPDATE differences SET next_attempt_time = statement_timestamp() WHERE state = 'ASKING'")
    assert ask_next(replace(books.work, adapter=Stopped(books.work.adapter, then=accepted_meanwhile))) is True

    assert [found[1] for found in books.found()] == ["ASKING"]
    assert gateway.states(claim_ref) == ["ACCEPTED", "ACCEPTED"]


class Stopped:
    """JSAPS, whose answer to an enquiry is read after something else has happened; without that it does not come at all."""

    def __init__(self, adapter: Any, *, then: Callable[[str], None] | None = None) -> None:
        self.adapter = adapter
        self.then = then

    def ask(self, transfer_id: str) -> Any:
        if self.then is None:
            return SystemAnswer(result=Result.NO_REPLY, reason="TIMED_OUT")
        answer, then = self.adapter.ask(transfer_id), self.then
        self.then = lambda _: None
        then(transfer_id)
        return answer

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        yield from self.adapter.held_on(day)
