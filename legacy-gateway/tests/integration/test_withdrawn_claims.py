"""Nothing more is sent for a withdrawn claim, and what a system holds of it is listed for a person."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock, deadlines
from chassis.database import Database
from chassis.errors import NotFound, Unavailable
from chassis.inbox import Event
from chassis.testing import eventually
from legacy_gateway import consumers
from legacy_gateway.deadlines import DEADLINES
from legacy_gateway.domain import SystemAnswer
from legacy_gateway.service import withdrawals
from legacy_gateway.store import withdrawals as store
from legacy_gateway.systems import RULES, SYSTEM_OF_SCHEME
from simulators.testing import call

MakeEvent = Callable[..., Event]


def overdue(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as conn:
        return [(late.state, late.reference) for late in deadlines.overdue(conn, DEADLINES)]


def held(database: Database, claim_ref: str) -> list[tuple[str, bool]]:
    with database.transaction() as conn:
        return [(record.system, record.half) for record in store.records_of(conn, claim_ref)]


def is_settled(database: Database, claim_ref: str) -> bool:
    with database.transaction() as conn:
        [row] = conn.execute("SELECT settled_time FROM withdrawals WHERE claim_ref = %s", [claim_ref]).fetchall()
    return row["settled_time"] is not None


def test_a_withdrawn_claim_is_never_sent_in_any_order_of_events(
    database: Database, confirmation: MakeEvent, amendment: MakeEvent, withdrawal: MakeEvent, clock_file: Path
) -> None:
    for number, order in enumerate(itertools.permutations(range(4))):
        claim_ref = f"C00000000{number:03d}"
        events = [
            confirmation(claim_ref, version=7),
            amendment(claim_ref, version=8),
            amendment(claim_ref, version=9),
            withdrawal(claim_ref),
        ]
        for index in (*order, *order):
            with database.transaction() as conn:
                consumers.HANDLERS[events[index].name](conn, events[index])

        with database.transaction() as conn:
            rows = conn.execute("SELECT state FROM transfers WHERE claim_ref = %s", [claim_ref]).fetchall()
        assert {row["state"] for row in rows} <= {"CANCELLED"}
        assert held(database, claim_ref) == []

    clock.advance(timedelta(days=30))
    assert overdue(database) == []


def test_nothing_leaves_for_a_claim_withdrawn_while_its_record_is_prepared(gateway: Any, withdrawal: MakeEvent) -> None:
    claim = gateway.claim()
    recording = gateway.recorded()
    prepared = gateway.intake.facts

    def withdrawn_meanwhile(claim_ref: str, version: int) -> Any:
        gateway.hear(withdrawal(claim_ref))
        return prepared(claim_ref, version)

    gateway.intake.facts = withdrawn_meanwhile
    gateway.send()
    gateway.work_for(seconds=0.3)

    assert recording.sent == []
    assert gateway.states(claim) == ["CANCELLED", "CANCELLED"]


def test_a_claim_that_is_held_whole_is_listed_until_a_person_has_ended_it(
    gateway: Any, withdrawal: MakeEvent, clock_file: Path
) -> None:
    claim = gateway.claim()
    gateway.work_until_accepted(claim)

    gateway.hear(withdrawal(claim))
    clock.advance(timedelta(hours=25))

    assert held(gateway.database, claim) == [("JSAPS", False)]
    assert overdue(gateway.database) == [("WITHDRAWN_HELD", claim)]
    with gateway.database.transaction() as conn:
        [removed] = withdrawals.record_removal(conn, claim, "JSAPS", by="PO000001")
    assert removed.removed_time is not None
    assert overdue(gateway.database) == []


def test_a_half_transfer_is_listed_as_such(gateway: Any, withdrawal: MakeEvent, clock_file: Path) -> None:
    claim = gateway.claim()
    gateway.send()
    assert gateway.states(claim) == ["ACCEPTED", "WAITING"]

    gateway.hear(withdrawal(claim))
    clock.advance(timedelta(hours=25))

    assert gateway.states(claim) == ["ACCEPTED", "CANCELLED"]
    assert overdue(gateway.database) == [("WITHDRAWN_HALF", claim)]


def is_removed(database: Database, claim_ref: str) -> bool:
    with database.transaction() as conn:
        return all(record.removed_time is not None for record in store.records_of(conn, claim_ref))


def withdraw_halves(gateway: Any) -> None:
    """Steps until none is due."""
    gateway.change(
        "UPDATE withdrawn_records SET next_attempt_time = clock_timestamp() WHERE next_attempt_time IS NOT NULL"
    )
    while withdrawals.withdraw_half(gateway.resources):
        pass


def half_claim(gateway: Any, withdrawal: MakeEvent) -> str:
    claim: str = gateway.claim()
    gateway.send()
    gateway.hear(withdrawal(claim))
    assert gateway.held(claim)["half"]
    return claim


def test_the_gateway_withdraws_a_half_transfer_from_jsaps(
    gateway: Any, withdrawal: MakeEvent, clock_file: Path
) -> None:
    claim = half_claim(gateway, withdrawal)

    withdraw_halves(gateway)
    clock.advance(timedelta(days=2))

    assert (gateway.held(claim)["es_held"], gateway.held(claim)["half"]) == (0, False)
    assert is_removed(gateway.database, claim)
    assert overdue(gateway.database) == []


@pytest.mark.parametrize("failure", ["busy", "lose_reply", "close_mid_frame"])
def test_the_withdrawal_of_a_half_transfer_is_repeated_until_it_is_done(
    gateway: Any, withdrawal: MakeEvent, failure: str
) -> None:
    claim = half_claim(gateway, withdrawal)
    gateway.order(failure, dialogue="CN504", count=1)

    withdraw_halves(gateway)
    first = is_removed(gateway.database, claim)
    withdraw_halves(gateway)

    assert (first, is_removed(gateway.database, claim)) == (False, True)
    assert gateway.held(claim)["half"] is False


def test_a_corrected_first_phase_is_withdrawn_with_the_one_that_it_replaced(
    gateway: Any, withdrawal: MakeEvent, amendment: MakeEvent
) -> None:
    claim = gateway.claim()
    gateway.order("refuse_record", dialogue="BA504", count=1)
    gateway.work_until(claim, "ACCEPTED", "REJECTED")
    gateway.intake.known[claim, 8] = gateway.intake.known[claim, 7]
    gateway.hear(amendment(claim, version=8))
    gateway.send()
    assert gateway.states(claim, generation=2) == ["ACCEPTED", "WAITING"]

    gateway.hear(withdrawal(claim))
    withdraw_halves(gateway)

    assert is_removed(gateway.database, claim)
    assert gateway.held(claim)["half"] is False


def test_a_half_transfer_that_jsaps_holds_whole_is_left_to_a_person(
    gateway: Any, withdrawal: MakeEvent, clock_file: Path
) -> None:
    claim = gateway.claim()
    gateway.work_until_accepted(claim)
    gateway.hear(withdrawal(claim))
    gateway.change("UPDATE withdrawn_records SET half = true")  # as if our ledger were wrong

    withdraw_halves(gateway)
    clock.advance(timedelta(days=2))

    assert not withdrawals.withdraw_half(gateway.resources)
    assert overdue(gateway.database) == [("WITHDRAWN_HALF", claim)]


def test_a_record_on_its_way_at_the_withdrawal_is_listed_once_it_is_accepted(
    gateway: Any, withdrawal: MakeEvent
) -> None:
    claim = gateway.claim()

    def withdrawn_on_the_way(send: Callable[[], SystemAnswer]) -> SystemAnswer:
        gateway.hear(withdrawal(claim))
        assert not is_settled(gateway.database, claim)
        return send()

    gateway.recorded(withdrawn_on_the_way)
    gateway.send()
    withdrawals.settle_all(gateway.database)

    assert gateway.states(claim) == ["ACCEPTED", "CANCELLED"]
    assert held(gateway.database, claim) == [("JSAPS", True)]
    assert is_settled(gateway.database, claim)


def test_a_record_that_was_not_taken_is_not_sent_again_after_the_withdrawal(
    gateway: Any, withdrawal: MakeEvent
) -> None:
    claim = gateway.claim()
    gateway.order("busy", dialogue="ES504", count=1, retry_after=0)
    recording = gateway.recorded(lambda send: _after(send, lambda: gateway.hear(withdrawal(claim))))

    gateway.send()
    assert gateway.states(claim) == ["WAITING", "CANCELLED"]
    gateway.change("UPDATE transfers SET next_attempt_time = clock_timestamp() WHERE state = 'WAITING'")
    gateway.send()  # before the withdrawal is looked at again
    withdrawals.settle_all(gateway.database)

    assert len(recording.sent) == 1
    assert gateway.states(claim) == ["CANCELLED", "CANCELLED"]
    assert held(gateway.database, claim) == []


def _after(send: Callable[[], SystemAnswer], act: Callable[[], None]) -> SystemAnswer:
    answer = send()
    act()
    return answer


def test_a_lost_reply_is_asked_about_before_a_withdrawal_is_settled(gateway: Any, withdrawal: MakeEvent) -> None:
    claim = gateway.claim()
    gateway.order("lose_reply", dialogue="ES504", count=1)
    gateway.send()
    assert gateway.states(claim) == ["UNKNOWN", "WAITING"]

    gateway.hear(withdrawal(claim))
    withdrawals.settle_all(gateway.database)
    assert not is_settled(gateway.database, claim)
    gateway.work_until(claim, "ACCEPTED", "CANCELLED")
    withdrawals.settle_all(gateway.database)

    assert held(gateway.database, claim) == [("JSAPS", True)]


def test_a_refused_record_asks_nobody_for_a_correction_any_more(
    gateway: Any, withdrawal: MakeEvent, amendment: MakeEvent, clock_file: Path
) -> None:
    claim = gateway.claim(nino=None)
    gateway.send()
    assert gateway.states(claim)[0] == "REJECTED"

    gateway.hear(withdrawal(claim), amendment(claim, version=8))
    clock.advance(timedelta(days=10))

    assert gateway.states(claim) == ["CANCELLED", "CANCELLED"]
    assert gateway.states(claim, generation=2) == []
    assert overdue(gateway.database) == []


def test_the_removal_of_what_is_not_listed_is_refused(gateway: Any) -> None:
    with gateway.database.transaction() as conn, pytest.raises(NotFound):
        withdrawals.record_removal(conn, "C00000000018", "JSAPS", by="PO000001")


@pytest.mark.parametrize("scheme", sorted(SYSTEM_OF_SCHEME))
@pytest.mark.parametrize("withdrawn_first", [True, False])
def test_nothing_of_a_withdrawn_claim_goes_to_any_system(
    database: Database, confirmation: MakeEvent, withdrawal: MakeEvent, scheme: str, *, withdrawn_first: bool
) -> None:
    claim_ref = "C00000000018"
    events = [confirmation(claim_ref, schemes=[scheme]), withdrawal(claim_ref)]
    for event in reversed(events) if withdrawn_first else events:
        with database.transaction() as conn:
            consumers.HANDLERS[event.name](conn, event)

    with database.transaction() as conn:
        rows = conn.execute(
            "SELECT state, next_attempt_time FROM transfers WHERE claim_ref = %s", [claim_ref]
        ).fetchall()
    phases = 0 if withdrawn_first else RULES[SYSTEM_OF_SCHEME[scheme]].phases
    assert [(row["state"], row["next_attempt_time"]) for row in rows] == [("CANCELLED", None)] * phases
    assert is_settled(database, claim_ref)
    assert held(database, claim_ref) == []


def test_a_first_phase_that_jsaps_lost_before_it_was_withdrawn_is_nobodys_work(
    gateway: Any, withdrawal: MakeEvent
) -> None:
    claim_ref = gateway.claim()
    gateway.send()
    assert gateway.states(claim_ref) == ["ACCEPTED", "WAITING"]
    assert call(gateway.jsaps.control_port, "POST", "/ledger/lose", body={"claim_ref": claim_ref}).status == 200

    gateway.hear(withdrawal(claim_ref))
    eventually(lambda: withdrawals.withdraw_half(gateway.resources) and not still_listed(gateway), what="its end")


def test_a_half_claim_is_left_to_a_person_where_intake_does_not_call_the_claim_withdrawn(
    gateway: Any, withdrawal: MakeEvent
) -> None:
    claim_ref = half_claim(gateway, withdrawal)
    gateway.intake.withdrawn.clear()

    withdraw_halves(gateway)

    assert gateway.held(claim_ref)["half"]
    assert not withdrawals.withdraw_half(gateway.resources)
    assert still_listed(gateway)


def test_a_half_claim_is_put_off_while_intake_is_away(gateway: Any, withdrawal: MakeEvent) -> None:
    claim_ref = half_claim(gateway, withdrawal)
    gateway.intake.error = Unavailable("AWAY", "away")
    assert withdrawals.withdraw_half(gateway.resources)
    assert gateway.held(claim_ref)["half"]

    gateway.intake.error = None
    withdraw_halves(gateway)

    assert is_removed(gateway.database, claim_ref)


def still_listed(gateway: Any) -> bool:
    with gateway.database.transaction() as conn:
        return bool(conn.execute("SELECT 1 FROM withdrawn_records WHERE removed_time IS NULL").fetchall())
