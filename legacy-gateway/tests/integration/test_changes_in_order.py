"""Amendments after the confirmation reach JSAPS in order: as what it holds demands, and never twice."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chassis.testing import eventually
from legacy_gateway.domain import System, SystemAnswer
from legacy_gateway.service.changes import take_turn
from legacy_gateway.store import claims
from simulators.testing import call

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
BOTH_ACCEPTED = ["ACCEPTED", "ACCEPTED"]
ENDED = ["CANCELLED", "CANCELLED"]


def records(gateway: Any, claim_ref: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(gateway.jsaps.control_port, "GET", f"/ledger?claim_ref={claim_ref}").body[
        "records"
    ]
    return found


def sent_as(gateway: Any, claim_ref: str) -> list[tuple[str, str]]:
    return [(record["dialogue"], record["action"]) for record in records(gateway, claim_ref)]


def work_until(gateway: Any, claim_ref: str, generation: int, states: list[str]) -> None:
    def there() -> bool:
        gateway.send()
        gateway.sweep()
        gateway.turn()
        return bool(gateway.states(claim_ref, generation) == states)

    eventually(there, what=f"{states} of generation {generation}")


def versions(gateway: Any, claim_ref: str, generation: int) -> list[int]:
    return [row["claim_version"] for row in gateway.rows(claim_ref, generation)]


def test_a_change_of_what_is_held_goes_at_once_as_both_phases(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.work_until_accepted(claim_ref)

    gateway.amend(claim_ref, version=8, capital="900.00")
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N"), ("ES504", "C"), ("BA504", "C")]
    assert versions(gateway, claim_ref, 2) == [8, 8]
    assert gateway.held(claim_ref) == HELD_ONCE
    accepted = [event["version"] for event in gateway.events() if event["type"].endswith("TransferAccepted")]
    assert accepted == [7, 8]


def test_an_amendment_that_feeds_no_field_of_jsaps_sends_nothing(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.work_until_accepted(claim_ref)

    gateway.amend(claim_ref, "fathers_employer", version=8)
    gateway.turn()

    assert gateway.send() is False
    assert gateway.rows(claim_ref, 2) == []


def test_a_record_not_made_yet_goes_once_with_the_amendment(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)

    gateway.amend(claim_ref, version=8, job_goal_1="Baker")
    gateway.work_until_accepted(claim_ref)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N")]
    assert versions(gateway, claim_ref, 1) == [8, 8]
    assert gateway.intake.asked == [(claim_ref, 8)]


def test_an_amendment_waits_until_what_may_be_held_is_known(gateway: Any) -> None:
    gateway.order("lose_reply", dialogue="BA504", count=1)
    claim_ref = gateway.claim(version=7)
    gateway.work_until(claim_ref, "ACCEPTED", "UNKNOWN")

    for version in (8, 9):
        gateway.amend(claim_ref, version=version, capital="900.00")
        gateway.turn()
    waits = gateway.states(claim_ref, 2)
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert waits == ["HELD", "HELD"]
    assert versions(gateway, claim_ref, 2) == [9, 9]
    assert gateway.rows(claim_ref, 3) == []
    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N"), ("ES504", "C"), ("BA504", "C")]
    assert gateway.held(claim_ref) == HELD_ONCE


def half_held(gateway: Any) -> str:
    """A claim of which the first phase is accepted and the second was not made yet."""
    claim_ref: str = gateway.claim(version=7)
    gateway.send()
    assert gateway.states(claim_ref) == ["ACCEPTED", "WAITING"]
    return claim_ref


def test_an_amendment_that_touches_the_first_phase_withdraws_it_and_sends_both(gateway: Any) -> None:
    claim_ref = half_held(gateway)

    gateway.amend(claim_ref, version=8, job_goal_1="Baker")
    assert gateway.states(claim_ref) == ["ACCEPTED", "CANCELLED"]
    assert gateway.send() is False
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert gateway.states(claim_ref) == ENDED
    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("ES504", "N"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE
    assert records(gateway, claim_ref)[0]["state"] == "withdrawn"


def test_an_amendment_of_the_second_phase_alone_goes_with_it(gateway: Any) -> None:
    claim_ref = half_held(gateway)

    gateway.amend(claim_ref, version=8, capital="900.00")
    gateway.work_until_accepted(claim_ref)

    assert versions(gateway, claim_ref, 1) == [7, 8]
    assert gateway.rows(claim_ref, 2) == []
    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N")]
    with gateway.database.transaction() as conn:
        assert conn.execute("SELECT 1 FROM kept_facts").fetchall() == []


@pytest.mark.parametrize("facts", ["job_goal_1", "capital"])
def test_an_amendment_while_the_first_phase_is_under_way_comes_before_the_second(gateway: Any, facts: str) -> None:
    claim_ref = gateway.claim(version=7)

    def amend_meanwhile(send: Callable[[], SystemAnswer]) -> SystemAnswer:
        gateway.amend(claim_ref, facts, version=8)
        return send()

    gateway.recorded(amend_meanwhile)
    gateway.send()
    assert gateway.states(claim_ref) == ["ACCEPTED", "WAITING"]
    assert gateway.send() is False

    if facts == "capital":
        work_until(gateway, claim_ref, 1, BOTH_ACCEPTED)
        assert versions(gateway, claim_ref, 1) == [7, 8]
        assert gateway.states(claim_ref, 2) == ENDED
    else:
        work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)
        assert gateway.states(claim_ref) == ENDED
    assert gateway.held(claim_ref) == HELD_ONCE


@pytest.mark.parametrize("failure", ["lose_reply", "system_error", "hang"])
def test_a_withdrawal_whose_reply_is_lost_is_repeated(gateway: Any, failure: str) -> None:
    gateway.order(failure, dialogue="CN504", count=1)
    claim_ref = half_held(gateway)

    gateway.amend(claim_ref, version=8, job_goal_1="Baker")
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_first_phase_that_jsaps_lost_counts_as_withdrawn(gateway: Any) -> None:
    claim_ref = half_held(gateway)
    call(gateway.jsaps.control_port, "POST", "/ledger/lose", body={"claim_ref": claim_ref})

    gateway.amend(claim_ref, version=8, job_goal_1="Baker")
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_withdrawal_that_jsaps_refuses_is_left_to_a_person(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.work_until_accepted(claim_ref)
    gateway.change("UPDATE transfers SET state = 'WAITING', attempts = 0, payload = NULL WHERE phase = 2")

    gateway.amend(claim_ref, version=8, job_goal_1="Baker")
    for _ in range(3):
        gateway.turn()

    assert gateway.states(claim_ref) == ["ACCEPTED", "CANCELLED"]
    assert gateway.states(claim_ref, 2) == ["HELD", "HELD"]
    assert gateway.send() is False


def test_a_first_phase_whose_second_is_given_up_is_withdrawn(gateway: Any) -> None:
    claim_ref = half_held(gateway)
    gateway.change("UPDATE transfers SET state = 'CANCELLED', next_attempt_time = NULL WHERE phase = 2")

    with gateway.database.transaction() as conn:
        claims.note_amendment(conn, claim_ref, version=0)
        take_turn(conn, claim_ref, System.JSAPS)
    work_until(gateway, claim_ref, 1, ENDED)

    assert gateway.held(claim_ref) == {"es_held": 0, "ba_held": 0, "duplicates": 0, "half": False}


def test_a_half_change_that_is_given_up_restores_what_it_replaced(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.work_until_accepted(claim_ref)
    gateway.amend(claim_ref, version=8, job_goal_1="Baker")
    gateway.send()
    assert gateway.states(claim_ref, 2) == ["ACCEPTED", "WAITING"]

    gateway.amend(claim_ref, version=9, job_goal_1="Cook")
    work_until(gateway, claim_ref, 3, BOTH_ACCEPTED)

    sent = [("ES504", "N"), ("BA504", "N"), ("ES504", "C"), ("ES504", "C"), ("BA504", "C")]
    assert sent_as(gateway, claim_ref) == sent
    assert gateway.states(claim_ref, 2) == ENDED
    assert gateway.held(claim_ref) == HELD_ONCE


def test_nothing_follows_from_the_amendment_of_a_withdrawn_claim(gateway: Any, withdrawal: Callable[..., Any]) -> None:
    claim_ref = half_held(gateway)
    gateway.amend(claim_ref, version=8, job_goal_1="Baker")

    gateway.hear(withdrawal(claim_ref))
    gateway.amend(claim_ref, version=9, job_goal_1="Cook")
    work_until(gateway, claim_ref, 1, ENDED)
    gateway.turn()

    assert gateway.states(claim_ref, 2) == ENDED
    assert gateway.rows(claim_ref, 3) == []
    assert gateway.send() is False
    assert gateway.held(claim_ref)["es_held"] == 0


def test_an_amendment_at_the_moment_of_the_acceptance_is_not_missed(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7)

    def amend_meanwhile(send: Callable[[], SystemAnswer]) -> SystemAnswer:
        answer = send()
        amending.start()
        return answer

    amending = threading.Thread(target=gateway.amend, args=(claim_ref,), kwargs={"version": 8, "job_goal_1": "Baker"})
    gateway.recorded(amend_meanwhile)
    gateway.send()
    amending.join()

    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)
    assert gateway.held(claim_ref) == HELD_ONCE
