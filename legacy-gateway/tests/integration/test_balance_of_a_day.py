"""Each day's ledger is held against JSAPS's own list, over the real record link: what is lost, doubled or unknown is found."""

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.database import Row
from chassis.errors import FailedPrecondition
from chassis.testing import eventually
from legacy_gateway.domain import Balance, Closing, HeldRecord, ListingChanged, System, new_transfer_id
from legacy_gateway.service import differences
from legacy_gateway.service.lost_records import ask_next, reconcile
from legacy_gateway.service.reconciling import Reconciliation, balance, reconcile_next
from legacy_gateway.store import balances
from legacy_gateway.systems import RULES
from simulators.testing import call

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
DAY = timedelta(days=1)
CLAIM = "C00000000018"

pytestmark = pytest.mark.usefixtures("clock_file")


@pytest.fixture
def work(gateway: Any) -> Reconciliation:
    """JSAPS's reconciler."""
    return Reconciliation(
        database=gateway.database,
        database_url=gateway.url,
        rules=RULES[System.JSAPS],
        adapter=gateway.resources.systems[System.JSAPS],
        hour=5,
        lease_seconds=5.0,
        time_scale=gateway.resources.time_scale,
    )


def next_morning(*, days: int = 1) -> date:
    """Moves the gateway's clock to six in the morning so many days later; JSAPS's stays. Gives the day before it moved."""
    today = clock.today()
    now = clock.now().astimezone(clock.LONDON)
    clock.advance((now + days * DAY).replace(hour=6, minute=0) - now)
    return today


def lose(gateway: Any, claim_ref: str, dialogue: str | None = None) -> None:
    order = {"claim_ref": claim_ref} | ({"dialogue": dialogue} if dialogue else {})
    assert call(gateway.jsaps.control_port, "POST", "/ledger/lose", body=order).body["lost"] > 0


def accepted(gateway: Any, claim_ref: str = CLAIM) -> str:
    """A claim that JSAPS holds whole. Its acceptance lies far enough back for an enquiry to know of it."""
    gateway.claim(claim_ref)
    gateway.work_until_accepted(claim_ref)
    gateway.change(
        "UPDATE transfers SET updated = updated - interval '1 second', created = created - interval '1 second'"
    )
    return claim_ref


def run_all(work: Reconciliation) -> int:
    """Steps of the reconciler until nothing is due; gives their number."""
    steps = 0
    while reconcile(work):
        steps += 1
    return steps


def found(gateway: Any) -> list[tuple[str, str, str, str]]:
    """Kind, state, cause and why it was closed, of every difference."""
    with gateway.database.transaction() as conn:
        rows = conn.execute(
            "SELECT kind, state, cause, closing_reason FROM differences ORDER BY kind, since"
        ).fetchall()
    return [(row["kind"], row["state"], row["cause"], row["closing_reason"]) for row in rows]


def send_until_held_anew(gateway: Any, *claims: str) -> None:
    def there() -> bool:
        gateway.send()
        return all(gateway.states(one, 2) == ["ACCEPTED", "ACCEPTED"] for one in claims)

    eventually(there, seconds=30, what="every claim held anew")


def of_today(work: Reconciliation, day: date | None = None) -> Balance:
    return balance(work.database, work.system, day or clock.today())


def columns(of: Balance) -> tuple[int, int, int, int, int, int]:
    """Captured, accepted, rejected, waiting, clerical, unexplained."""
    return of.captured, of.accepted, of.rejected, of.waiting, of.clerical, of.unexplained


def test_both_ledgers_balance_when_nothing_was_lost(gateway: Any, work: Reconciliation) -> None:
    accepted(gateway)
    day = next_morning()

    run_all(work)

    assert columns(of_today(work, day)) == (2, 2, 0, 0, 0, 0)
    assert found(gateway) == []
    assert [row["done_time"] is not None for row in days(gateway)] == [True]


def test_a_day_is_not_due_before_its_hour(gateway: Any, work: Reconciliation) -> None:
    accepted(gateway)
    next_morning()
    clock.advance(timedelta(hours=-2))

    assert reconcile_next(work) is False

    clock.advance(timedelta(hours=2))
    assert reconcile_next(work) is True


def test_a_second_phase_that_was_lost_overnight_is_sent_again_as_it_was(gateway: Any, work: Reconciliation) -> None:
    recording = gateway.recorded()
    claim_ref = accepted(gateway)
    lose(gateway, claim_ref, "BA504")
    day = next_morning()

    run_all(work)
    assert columns(of_today(work, day)) == (2, 1, 0, 1, 0, 0)
    gateway.work_until_accepted(claim_ref)

    assert gateway.held(claim_ref) == HELD_ONCE
    assert recording.sent[1] == recording.sent[2]
    assert found(gateway) == [("MISSING_THERE", "CLOSED", "", "SENT_AGAIN")]
    assert columns(of_today(work, day)) == (2, 2, 0, 0, 0, 0)


def test_both_phases_that_were_lost_overnight_go_under_new_ids(gateway: Any, work: Reconciliation) -> None:
    claim_ref = accepted(gateway)
    lose(gateway, claim_ref)
    next_morning()

    run_all(work)
    send_until_held_anew(gateway, claim_ref)

    assert gateway.states(claim_ref) == ["CANCELLED", "CANCELLED"]
    assert gateway.states(claim_ref, 2) == ["ACCEPTED", "ACCEPTED"]
    assert gateway.held(claim_ref) == HELD_ONCE
    assert [row["action"] for row in gateway.rows(claim_ref, 2)] == ["NEW", "NEW"]
    assert [row["replaces"] for row in gateway.rows(claim_ref, 2)] == [
        row["transfer_id"] for row in gateway.rows(claim_ref)
    ]
    assert sorted(reason for _, _, _, reason in found(gateway)) == ["GONE_ON", "SENT_ANEW"]


def test_a_lost_first_phase_whose_second_is_held_is_a_processing_officers_work(
    gateway: Any, work: Reconciliation
) -> None:
    claim_ref = accepted(gateway)
    lose(gateway, claim_ref, "ES504")
    day = next_morning()

    run_all(work)

    assert found(gateway) == [("MISSING_THERE", "OPEN", "FIRST_PHASE_LOST", "")]
    assert gateway.states(claim_ref) == ["CLERICAL", "ACCEPTED"]
    assert columns(of_today(work, day)) == (2, 1, 0, 0, 1, 0)
    with gateway.database.transaction() as conn:
        [shown] = differences.page(conn, None, after=_FIRST, limit=10)
        deadline, owner = differences.deadline_of(shown)
        assert (deadline, owner) == (shown.since + DAY, "PROCESSING_OFFICER")
        differences.close(conn, shown.difference_id, Closing.HELD_THERE, by="PO000001")
    assert gateway.states(claim_ref) == ["ACCEPTED", "ACCEPTED"]
    with gateway.database.transaction() as conn, pytest.raises(FailedPrecondition):
        differences.close(conn, shown.difference_id, Closing.HELD_THERE, by="PO000001")


def test_a_difference_that_a_person_explained_is_not_found_again(gateway: Any, work: Reconciliation) -> None:
    claim_ref = accepted(gateway)
    lose(gateway, claim_ref, "ES504")
    day = next_morning()
    run_all(work)
    with gateway.database.transaction() as conn:
        [shown] = differences.page(conn, None, after=_FIRST, limit=10)
        differences.close(conn, shown.difference_id, Closing.HELD_THERE, by="PO000001")

    ask_for(gateway, day)
    run_all(work)

    assert len(found(gateway)) == 1


def test_a_record_that_is_held_twice_is_found_once(gateway: Any, work: Reconciliation) -> None:
    recording = gateway.recorded()
    claim_ref = accepted(gateway)
    transfer_id, payload = recording.sent[0]
    recording.system.send(1, transfer_id, payload, send_by=math.inf)
    assert gateway.held(claim_ref)["duplicates"] == 1
    day = next_morning()

    run_all(work)
    ask_for(gateway, day)
    run_all(work)

    assert found(gateway) == [("HELD_TWICE", "OPEN", "", "")]
    assert of_today(work, day).unexplained == 1


def test_a_record_that_the_ledger_does_not_know_is_found(gateway: Any, work: Reconciliation) -> None:
    recording = gateway.recorded()
    accepted(gateway)
    recording.system.send(1, new_transfer_id(), recording.sent[0][1], send_by=math.inf)
    day = next_morning()

    run_all(work)

    assert [kind for kind, *_ in found(gateway)] == ["UNKNOWN_HERE"]
    assert of_today(work, day).unknown_here == 1


def test_what_a_change_replaced_stays_listed_and_is_no_difference(
    gateway: Any, work: Reconciliation, amendment: Any, facts: Any
) -> None:
    claim_ref = accepted(gateway)
    gateway.intake.known[claim_ref, 8] = facts(title="MS")
    gateway.hear(amendment(claim_ref, version=8))
    send_until_held_anew(gateway, claim_ref)
    day = next_morning()

    run_all(work)

    assert found(gateway) == []
    assert columns(of_today(work, day)) == (4, 4, 0, 0, 0, 0)


def test_a_list_that_changes_while_it_is_read_is_begun_again(gateway: Any, work: Reconciliation) -> None:
    accepted(gateway)
    changing = Changing(work.adapter, times=2)
    next_morning()

    run_all(replace(work, adapter=changing))

    assert [row["done_time"] is not None for row in days(gateway)] == [True]
    assert found(gateway) == []
    assert changing.times == 0


def test_a_list_that_changes_each_time_is_left_for_later(gateway: Any, work: Reconciliation) -> None:
    accepted(gateway)
    next_morning()

    run_all(replace(work, adapter=Changing(work.adapter, times=100)))

    assert [(row["failures"], row["done_time"]) for row in days(gateway)] == [(1, None)]
    assert found(gateway) == []


def test_only_the_last_lists_are_kept(gateway: Any, work: Reconciliation) -> None:
    accepted(gateway)
    day = next_morning(days=4)
    run_all(replace(work, adapter=Changing(work.adapter, times=3)))
    ask_for(gateway, day)
    run_all(work)

    with gateway.database.transaction() as conn:
        kept = conn.execute("SELECT day FROM listings ORDER BY day").fetchall()
        [row] = conn.execute("SELECT count(*) AS count FROM listed_records").fetchall()
    assert [row["day"] for row in kept] == [day - DAY, day, day + DAY]
    assert row["count"] == 2


def test_nothing_is_sent_again_of_a_withdrawn_claim(gateway: Any, work: Reconciliation, withdrawal: Any) -> None:
    claim_ref = accepted(gateway)
    gateway.hear(withdrawal(claim_ref))
    lose(gateway, claim_ref)
    next_morning()

    run_all(work)

    assert {reason for _, _, _, reason in found(gateway)} == {"WITHDRAWN"}
    assert gateway.send() is False


def test_what_was_sent_near_midnight_stands_under_the_next_day(gateway: Any, work: Reconciliation) -> None:
    """JSAPS lists it under its own day, which is the one after the day of our ledger."""
    accepted(gateway)
    gateway.change("UPDATE transfers SET updated = updated - interval '1 day', created = created - interval '1 day'")
    next_morning()

    run_all(work)

    assert found(gateway) == []


def test_a_record_under_another_day_still_is_asked_about_and_left(gateway: Any, work: Reconciliation) -> None:
    """Accepted by an enquiry long after it was sent: JSAPS lists it under the day on which it was received."""
    claim_ref = accepted(gateway)
    next_morning(days=5)
    gateway.change("UPDATE transfers SET updated = updated + interval '4 days'")

    run_all(work)

    assert set(found(gateway)) == {("MISSING_THERE", "CLOSED", "", "NONE")}
    assert gateway.held(claim_ref) == HELD_ONCE
    assert gateway.states(claim_ref) == ["ACCEPTED", "ACCEPTED"]


def test_all_missed_days_are_caught_up(gateway: Any, work: Reconciliation) -> None:
    claim_ref = accepted(gateway)
    lose(gateway, claim_ref, "BA504")
    next_morning(days=40)

    run_all(work)

    with gateway.database.transaction() as conn:
        [row] = conn.execute("SELECT count(*) AS days, count(done_time) AS done FROM reconciliation_days").fetchall()
    assert (row["days"], row["done"]) == (40, 40)
    gateway.work_until_accepted(claim_ref)
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_system_that_is_away_is_tried_again_by_a_back_off(gateway: Any, work: Reconciliation, tmp_path: Path) -> None:
    accepted(gateway)
    day = next_morning()
    gateway.jsaps.stop()

    assert reconcile_next(work) is False

    assert [(row["failures"], row["done_time"]) for row in days(gateway)] == [(1, None)]
    assert reconcile_next(work) is False
    assert [row["failures"] for row in days(gateway)] == [1]
    gateway.change("UPDATE reconciliation_days SET due_time = statement_timestamp()")
    with gateway.jsaps_started_again(tmp_path):
        run_all(work)
    assert columns(of_today(work, day)) == (2, 2, 0, 0, 0, 0)
    assert [row["failures"] for row in days(gateway)] == [0]


def test_an_enquiry_that_fails_sends_nothing_again(gateway: Any, work: Reconciliation) -> None:
    claim_ref = accepted(gateway)
    lose(gateway, claim_ref, "BA504")
    gateway.order("lose_reply", dialogue="ENQ01", count=2)
    next_morning()
    run_all(work)

    assert found(gateway) == [("MISSING_THERE", "ASKING", "", "")]
    assert gateway.send() is False
    eventually(lambda: ask_next(work) and found(gateway)[0][1] == "CLOSED", seconds=20, what="the third enquiry")
    gateway.work_until_accepted(claim_ref)
    assert gateway.held(claim_ref) == HELD_ONCE


def test_two_processes_at_once_find_each_difference_once(gateway: Any, work: Reconciliation) -> None:
    claims = [f"C000000000{number}" for number in range(10, 16)]
    for claim_ref in claims:
        gateway.claim(claim_ref)
    gateway.work_until_accepted(*claims)
    gateway.change("UPDATE transfers SET updated = updated - interval '1 second'")
    for claim_ref in claims:
        lose(gateway, claim_ref)
    next_morning(days=3)

    threads = [threading.Thread(target=lambda: [run_all(work) for _ in range(3)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_all(work)

    assert len(found(gateway)) == 2 * len(claims)
    send_until_held_anew(gateway, *claims)
    assert [gateway.held(claim_ref) for claim_ref in claims] == [HELD_ONCE] * len(claims)


def test_only_one_process_reads_a_systems_lists(gateway: Any, work: Reconciliation) -> None:
    accepted(gateway)
    next_morning()

    with balances.locked(gateway.url, System.JSAPS) as ours:
        assert ours
        assert reconcile_next(work) is False

    assert reconcile_next(work) is True


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


_FIRST = differences.FIRST


def ask_for(gateway: Any, day: date) -> None:
    with gateway.database.transaction() as conn:
        differences.request(conn, System.JSAPS, day)


def days(gateway: Any) -> list[Row]:
    with gateway.database.transaction() as conn:
        rows: list[Row] = conn.execute("SELECT * FROM reconciliation_days ORDER BY day").fetchall()
    return rows
