"""A refused claim that is corrected goes once more, as what JSAPS's stand-in takes it for: new where nothing is held."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chassis.database import Database
from chassis.inbox import Event
from chassis.testing import eventually
from legacy_gateway import consumers
from legacy_gateway.domain import Answer, standing
from legacy_gateway.store import transfers
from simulators.testing import call

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
BOTH_ACCEPTED = ["ACCEPTED", "ACCEPTED"]
REFUSED_BY_JSAPS: dict[str, Any] = {"hours_available": 16.0}

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
        return bool(gateway.states(claim_ref, generation) == states)

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


@pytest.mark.parametrize("wrong", [REFUSED_BY_JSAPS, {"nino": None}], ids=["refused there", "refused here"])
def test_a_claim_of_which_nothing_is_held_goes_as_new_once_it_is_corrected(
    gateway: Any, correct: Callable[..., None], wrong: dict[str, Any]
) -> None:
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


def test_of_a_claim_that_is_held_by_half_the_first_phase_goes_as_a_change_and_the_second_as_new(
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
    assert second["es_legacy_ref"] == change["legacy_ref"]
    assert stands(gateway, claim_ref) == {"JSAPS": "ACCEPTED"}


def test_a_correction_that_is_refused_as_well_is_corrected_in_its_turn(
    gateway: Any, correct: Callable[..., None]
) -> None:
    gateway.order("refuse_record", dialogue="BA504", field="JB-CAPITAL", count=2)
    claim_ref = gateway.claim(version=7, **REFUSED_BY_JSAPS)
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


def test_what_was_amended_while_the_first_record_was_on_its_way_goes_when_that_is_refused(
    gateway: Any, correct: Callable[..., None]
) -> None:
    claim_ref = gateway.claim(version=7, **REFUSED_BY_JSAPS)
    correct(claim_ref, version=8)
    assert gateway.states(claim_ref, 2) == ["HELD", "HELD"]

    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert sent_as(gateway, claim_ref) == [("ES504", "N"), ("BA504", "N")]
    assert gateway.held(claim_ref) == HELD_ONCE


def test_an_amendment_while_the_correction_is_on_its_way_is_a_held_change_and_refuses_no_event(
    gateway: Any, correct: Callable[..., None]
) -> None:
    gateway.order("refuse_record", dialogue="BA504", field="JB-CAPITAL", count=1)
    claim_ref = gateway.claim(version=7)
    gateway.work_until(claim_ref, "ACCEPTED", "REJECTED")
    correct(claim_ref, version=8)

    correct(claim_ref, version=9)
    correct(claim_ref, version=10)
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert actions(gateway, claim_ref, 3) == [("CHANGE", 10), ("CHANGE", 10)]
    assert gateway.states(claim_ref, 3) == ["HELD", "HELD"]
    assert gateway.send() is False
    assert gateway.held(claim_ref) == HELD_ONCE
    assert stands(gateway, claim_ref) == {"JSAPS": "HELD"}


def test_an_old_amendment_and_one_heard_twice_correct_nothing_more(
    gateway: Any, correct: Callable[..., None], amendment: Amendment
) -> None:
    claim_ref = gateway.claim(version=7, **REFUSED_BY_JSAPS)
    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    gateway.hear(amendment(claim_ref, version=6), amendment(claim_ref, version=7))
    assert gateway.rows(claim_ref, 2) == []
    correct(claim_ref, version=8)
    correct(claim_ref, version=8)
    work_until(gateway, claim_ref, 2, BOTH_ACCEPTED)

    assert gateway.rows(claim_ref, 3) == []
    assert gateway.held(claim_ref) == HELD_ONCE


def test_what_waits_for_a_person_is_not_sent_for_an_amendment(gateway: Any, correct: Callable[..., None]) -> None:
    claim_ref = gateway.claim(version=7)
    gateway.change("UPDATE transfers SET state = 'CLERICAL', next_attempt_time = NULL WHERE phase = 1")

    correct(claim_ref, version=8)

    assert gateway.states(claim_ref, 2) == ["HELD", "HELD"]
    assert gateway.send() is False


def test_an_amendment_at_the_moment_of_the_refusal_is_sent_all_the_same(
    gateway: Any, database: Database, amendment: Amendment, facts: Callable[..., Any]
) -> None:
    claim_ref = gateway.claim(version=7, **REFUSED_BY_JSAPS)
    gateway.intake.known[claim_ref, 8] = facts()

    def amend_meanwhile(send: Callable[[], Answer]) -> Answer:
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
