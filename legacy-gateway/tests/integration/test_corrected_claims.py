"""A refused claim is sent again after a correction: as a change where JSAPS holds the phase, else as new."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chassis.database import Database
from chassis.inbox import Event
from chassis.testing import eventually
from legacy_gateway import consumers
from legacy_gateway.domain import SystemAnswer, standing
from legacy_gateway.store import transfers
from simulators.testing import call

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
BOTH_ACCEPTED = ["ACCEPTED", "ACCEPTED"]
AGAINST_A_RULE: dict[str, Any] = {"hours_available": 16.0}
"""Breaks ES0020, which the gateway finds by itself."""

Amendment = Callable[..., Event]


@pytest.fixture
def correct(gateway: Any, amendment: Amendment, facts: Callable[..., Any]) -> Callable[..., None]:
    """Amends a claim: good facts with these answers changed, at a version."""

    def amend(claim_ref: str, *, version: int, **answers: Any) -> None:
        gateway.intake.known[claim_ref, version] = facts(**answers)
        gateway.hear(amendment(claim_ref, version=version))

    return amend


def work_until(gateway: Any, claim_ref: str, generation: int, states: list[str]) -> None:
    def there() -> bool:
        gateway.send()
        gateway.sweep()
        if gateway.states(claim_ref, generation) == states:
            return True
        gateway.turn()
        return False

    eventually(there, what=f"{states} of generation {generation}")


def actions(gateway: Any, claim_ref: str, generation: int) -> list[tuple[str, int]]:
    return [(row["action"], row["claim_version"]) for row in gateway.rows(claim_ref, generation)]


def records(gateway: Any, claim_ref: str) -> list[dict[str, Any]]:
    body = call(gateway.jsaps.control_port, "GET", f"/ledger?claim_ref={claim_ref}").body
    found: list[dict[str, Any]] = body["records"]
    return found


def sent_as(gateway: Any, claim_ref: str) -> list[tuple[str, str]]:
    return [(record["dialogue"], record["action"]) for record in records(gateway, claim_ref)]


def stands(gateway: Any, claim_ref: str) -> dict[str, str]:
    with gateway.database.transaction() as conn:
        return {
            str(system): state for system, state in standing(transfers.of_claim(conn, gateway.vault, claim_ref)).items()
        }


@pytest.mark.parametrize(
    ("wrong", "refused_there"),
    [({}, 1), (AGAINST_A_RULE, 0), ({"nino": None}, 0)],
    ids=["refused there", "against a rule", "missing"],
)
def test_a_corrected_claim_goes_as_new_if_jsaps_holds_nothing(
    gateway: Any, correct: Callable[..., None], wrong: dict[str, Any], refused_there: int
) -> None:
    if refused_there:
        gateway.order("refuse_record", dialogue="ES504", count=refused_there)
    claim_ref = gateway.claim(version=7, **wrong)
    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    correct(claim_ref, version=8)
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE
    assert actions(gateway, claim_ref, 2) == [("NEW", 8), ("NEW", 8)]
    assert gateway.states(claim_ref) == ["REJECTED", "CANCELLED"]
    assert [row["replaces"] for row in gateway.rows(claim_ref, 2)] == [
        row["transfer_id"] for row in gateway.rows(claim_ref)
    ]
    assert stands(gateway, claim_ref) == {"JSAPS": "ACCEPTED"}


def test_a_half_held_claim_sends_a_change_and_then_a_new_second_phase(
    gateway: Any, correct: Callable[..., None]
) -> None:
    gateway.order("refuse_record", dialogue="BA504", field="JB-CAPITAL", count=1)
    claim_ref = gateway.claim(version=7)
    gateway.work_until(claim_ref, "ACCEPTED", "REJECTED")

    correct(claim_ref, version=8, capital="900.00")
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("ES504", "C"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE
    _, change, second = records(gateway, claim_ref)
    assert second["first_reference"] == change["legacy_ref"]
    assert stands(gateway, claim_ref) == {"JSAPS": "ACCEPTED"}


def test_a_refused_correction_can_be_corrected_again(gateway: Any, correct: Callable[..., None]) -> None:
    gateway.order("refuse_record", dialogue="BA504", field="JB-CAPITAL", count=2)
    claim_ref = gateway.claim(version=7, **AGAINST_A_RULE)
    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")
    for version, refused in ((8, ["ACCEPTED", "REJECTED"]), (9, ["ACCEPTED", "REJECTED"])):
        correct(claim_ref, version=version)
        work_until(gateway, claim_ref, version - 6, refused)
        assert gateway.send() is False

    correct(claim_ref, version=10)
    work_until(gateway, claim_ref, 4, BOTH_ACCEPTED)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("ES504", "C"), ("ES504", "C"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE
    assert gateway.send() is False


def test_an_amendment_before_the_refusal_goes_with_the_refusal(gateway: Any, correct: Callable[..., None]) -> None:
    gateway.order("system_error", dialogue="ES504", count=1)
    claim_ref = gateway.claim(version=7)
    gateway.send()
    correct(claim_ref, version=8)
    assert gateway.states(claim_ref, 2) == ["HELD", "HELD"]
    gateway.order("refuse_record", dialogue="ES504", count=1)

    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE


def test_an_amendment_while_the_correction_is_under_way_is_held(gateway: Any, correct: Callable[..., None]) -> None:
    gateway.order("refuse_record", dialogue="BA504", field="JB-CAPITAL", count=1)
    claim_ref = gateway.claim(version=7)
    gateway.work_until(claim_ref, "ACCEPTED", "REJECTED")
    correct(claim_ref, version=8)
    gateway.order("system_error", dialogue="ES504", count=1)
    gateway.send()

    correct(claim_ref, version=9)
    correct(claim_ref, version=10)
    held = gateway.states(claim_ref, 3)
    work_until(gateway, claim_ref, 2, ["ACCEPTED", "WAITING"])
    before = stands(gateway, claim_ref)
    work_until(gateway, claim_ref, 3, BOTH_ACCEPTED)

    assert held == ["HELD", "HELD"]
    assert before == {"JSAPS": "WAITING"}
    assert actions(gateway, claim_ref, 3) == [("CHANGE", 10), ("NEW", 10)]
    assert gateway.states(claim_ref, 2) == ["CANCELLED", "CANCELLED"]
    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("ES504", "C"), ("ES504", "C"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE
    assert stands(gateway, claim_ref) == {"JSAPS": "ACCEPTED"}


def test_an_amendment_before_the_correction_is_made_goes_with_it(gateway: Any, correct: Callable[..., None]) -> None:
    claim_ref = gateway.claim(version=7, **AGAINST_A_RULE)
    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")
    correct(claim_ref, version=8)

    correct(claim_ref, version=9)
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert actions(gateway, claim_ref, 2) == [("NEW", 9), ("NEW", 9)]
    assert gateway.rows(claim_ref, 3) == []


def test_old_and_repeated_amendments_correct_nothing_more(
    gateway: Any, correct: Callable[..., None], amendment: Amendment
) -> None:
    claim_ref = gateway.claim(version=7, **AGAINST_A_RULE)
    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    gateway.hear(amendment(claim_ref, version=6), amendment(claim_ref, version=7))
    assert gateway.rows(claim_ref, 2) == []
    correct(claim_ref, version=8)
    correct(claim_ref, version=8)
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert gateway.rows(claim_ref, 3) == []
    assert gateway.held(claim_ref) == HELD_ONCE


def test_an_amendment_does_not_send_a_clerical_transfer(gateway: Any, correct: Callable[..., None]) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.change("UPDATE transfers SET state = 'CLERICAL', next_attempt_time = NULL WHERE phase = 1")

    correct(claim_ref, version=8)

    assert gateway.states(claim_ref, 2) == ["HELD", "HELD"]
    assert gateway.send() is False


def test_an_amendment_at_the_moment_of_the_refusal_is_sent(
    gateway: Any, database: Database, amendment: Amendment, facts: Callable[..., Any]
) -> None:
    gateway.order("refuse_record", dialogue="ES504", count=1)
    claim_ref = gateway.claim(version=7)
    gateway.intake.known[claim_ref, 8] = facts()

    def amend_meanwhile(send: Callable[[], SystemAnswer]) -> SystemAnswer:
        answer = send()
        amending.start()
        eventually(heard.is_set, what="the amendment, not yet committed")
        return answer

    def amend() -> None:
        with database.transaction() as conn:
            consumers.HANDLERS["ClaimAmended"](conn, amendment(claim_ref, version=8))
            heard.set()
            eventually(lambda: waits_for_a_lock(database), what="the refusal at the lock")

    heard, amending = threading.Event(), threading.Thread(target=amend)
    gateway.recorded(amend_meanwhile)
    gateway.send()
    amending.join()

    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)
    assert gateway.held(claim_ref) == HELD_ONCE


def waits_for_a_lock(database: Database) -> bool:
    with database.transaction() as conn:
        found = conn.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone()
    return found is not None
