"""Confirmed claims go to JSAPS's stand-in, over real sockets and a real ledger, through all its failures."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from chassis.errors import Unavailable
from chassis.testing import eventually
from cms.gateway.v1 import events_pb2
from legacy_gateway.store import transfers
from simulators.testing import LinkClient, call

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
NOTHING_HELD = {"es_held": 0, "ba_held": 0, "duplicates": 0, "half": False}


def rejected_questions(gateway: Any) -> list[list[str]]:
    return [
        list(events_pb2.TransferRejected.FromString(row["payload"]).question_ids)
        for row in gateway.events()
        if row["type"] == "cms.gateway.v1.TransferRejected"
    ]


def messages(gateway: Any, claim_ref: str) -> list[tuple[str, str, str]]:
    with gateway.database.transaction() as conn:
        found = transfers.of_claim(conn, gateway.vault, claim_ref)
    return [(one.code, one.field, one.question_id) for shown in found for one in shown.messages]


def test_both_phases_of_a_claim_are_held_and_one_event_goes_out(gateway: Any) -> None:
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    first, second = gateway.rows(claim_ref)
    assert gateway.held(claim_ref) == HELD_ONCE
    assert (first["attempts"], second["attempts"]) == (1, 1)
    assert first["transfer_id"] != second["transfer_id"]
    [told] = gateway.events()
    event = events_pb2.TransferAccepted.FromString(told["payload"])
    assert (told["type"], told["claim_ref"]) == ("cms.gateway.v1.TransferAccepted", claim_ref)
    assert (event.transfer_id, event.legacy_ref) == (second["transfer_id"], second["legacy_ref"])


def test_the_second_phase_is_not_due_before_the_first_is_accepted(gateway: Any) -> None:
    gateway.order("hang", dialogue="ES504")
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, "UNKNOWN", "WAITING")

    _, second = gateway.rows(claim_ref)
    assert second["next_attempt_time"] is None
    assert gateway.events() == []


FAILURES: dict[str, dict[str, Any]] = {
    "lose_reply": {},
    "cut_reply": {},
    "other_transfer": {},
    "hang": {},
    "answer_late": {"seconds": 0.8},
    "hold_late": {},
    "close_mid_frame": {},
    "system_error": {},
    "busy": {"retry_after": 0},
}


@pytest.mark.parametrize("dialogue", ["ES504", "BA504"])
def test_after_any_single_failure_each_phase_is_held_once(gateway: Any, dialogue: str) -> None:
    claims = {failure: f"C000000000{number}" for number, failure in enumerate(FAILURES, start=10)}
    for failure, more in FAILURES.items():
        gateway.order(failure, dialogue=dialogue, claim_ref=claims[failure], count=1, **more)
        gateway.claim(claims[failure])

    gateway.work_until_accepted(*claims.values())

    happened = call(gateway.jsaps.control_port, "GET", "/failures/counts").body["counts"]
    assert happened == dict.fromkeys(FAILURES, 1)
    assert {failure: gateway.held(claim) for failure, claim in claims.items()} == dict.fromkeys(FAILURES, HELD_ONCE)
    assert sorted(row["claim_ref"] for row in gateway.events()) == sorted(claims.values())


@pytest.mark.parametrize(
    ("failure", "enquiry_fails"),
    [("lose_reply", "lose_reply"), ("hang", "system_error"), ("cut_reply", "busy"), ("hold_late", "hang")],
)
def test_after_a_failed_enquiry_the_record_is_held_once(gateway: Any, failure: str, enquiry_fails: str) -> None:
    gateway.order(failure, dialogue="BA504", count=1)
    gateway.order(enquiry_fails, dialogue="ENQ01", count=1, retry_after=0)
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert gateway.held(claim_ref) == HELD_ONCE
    assert len(gateway.events()) == 1


def test_refused_connections_are_tried_again(gateway: Any) -> None:
    gateway.order("refuse", count=3)
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert gateway.held(claim_ref) == HELD_ONCE


def test_an_enquiry_is_no_attempt_and_its_setbacks_are_forgotten(gateway: Any) -> None:
    gateway.order("lose_reply", dialogue="ES504", count=1)
    gateway.order("system_error", dialogue="ENQ01", count=2)
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert [row["attempts"] for row in gateway.rows(claim_ref)] == [1, 1]
    assert [(row["setbacks"], row["enquiry_setbacks"]) for row in gateway.rows(claim_ref)] == [(0, 0), (0, 0)]


def test_several_senders_and_an_unreliable_system_double_nothing(gateway: Any) -> None:
    for failure in ("lose_reply", "hold_late", "cut_reply", "close_mid_frame", "system_error", "other_transfer"):
        gateway.order(failure, rate=0.15, seed=len(failure), count=6)
    claims = [gateway.claim(f"C000000000{number:02d}") for number in range(10, 24)]
    stopping = threading.Event()

    def work() -> None:
        while not stopping.is_set():
            gateway.send() or stopping.wait(0.01)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        eventually(
            lambda: all(gateway.states(claim) == ["ACCEPTED", "ACCEPTED"] for claim in claims),
            seconds=40,
            what="every claim accepted",
        )
    finally:
        stopping.set()
        for thread in threads:
            thread.join()

    failures = call(gateway.jsaps.control_port, "GET", "/failures/counts").body["counts"]
    assert sum(failures.values()) >= 5
    assert [gateway.held(claim) for claim in claims] == [HELD_ONCE] * len(claims)
    assert len(gateway.events()) == len(claims)


@pytest.mark.parametrize(
    ("dialogue", "states"), [("ES504", ["REJECTED", "CANCELLED"]), ("BA504", ["ACCEPTED", "REJECTED"])]
)
def test_a_refusal_names_the_question_and_is_never_sent_again(gateway: Any, dialogue: str, states: list[str]) -> None:
    gateway.order("refuse_record", dialogue=dialogue, field="CM-TITLE", count=1)
    claim_ref = gateway.claim()

    gateway.work_until(claim_ref, *states)

    assert messages(gateway, claim_ref) == [(f"{dialogue[:2]}0090", "CM-TITLE", "title")]
    assert rejected_questions(gateway) == [["title"]]
    assert gateway.send() is False
    assert [row["next_attempt_time"] for row in gateway.rows(claim_ref)] == [None, None]


def test_an_edit_rule_that_the_claim_breaks_names_its_question(gateway: Any) -> None:
    claim_ref = gateway.claim(hours_available=16.0)

    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    assert messages(gateway, claim_ref) == [("ES0020", "JE-HOURS-AVAILABLE", "hours_available")]
    assert rejected_questions(gateway) == [["hours_available"]]


def test_a_claim_without_a_nino_is_refused_unsent(gateway: Any) -> None:
    claim_ref = gateway.claim(nino=None)

    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    assert gateway.rows(claim_ref)[0]["attempts"] == 0
    assert messages(gateway, claim_ref) == [("GW0001", "CM-NINO", "nino")]
    assert rejected_questions(gateway) == [["nino"]]
    assert gateway.held(claim_ref) == NOTHING_HELD


@pytest.mark.parametrize("postcode", ["ZZ99 9ZZ", "NOWHERE"])
def test_an_address_outside_every_authority_is_refused_unsent(gateway: Any, postcode: str) -> None:
    claim_ref = gateway.claim(address={"lines": ["1 HIGH ST", "LEEDS"], "postcode": postcode})

    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    assert rejected_questions(gateway) == [["address"]]


def test_a_busy_system_is_left_alone_until_the_time_that_it_named(gateway: Any) -> None:
    gateway.order("busy", retry_after=3600)
    claim_ref = gateway.claim()

    gateway.send()

    [first, _] = gateway.rows(claim_ref)
    assert (first["state"], first["attempts"]) == ("WAITING", 1)
    assert first["next_attempt_time"] - first["updated"] > timedelta(seconds=3590)
    assert gateway.send() is False


def test_a_wait_for_intake_is_no_attempt(gateway: Any) -> None:
    gateway.intake.error = Unavailable("AWAY", "intake is away")
    claim_ref = gateway.claim()

    gateway.send()
    first, _ = gateway.rows(claim_ref)
    gateway.intake.error = None
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert (first["state"], first["attempts"], first["setbacks"]) == ("WAITING", 0, 1)
    assert [row["attempts"] for row in gateway.rows(claim_ref)] == [1, 1]


def test_intake_is_asked_once_for_the_facts_of_the_confirmed_version(gateway: Any) -> None:
    claim_ref = gateway.claim(version=7, surname="Canary")
    gateway.work_until(claim_ref, "ACCEPTED", "WAITING")
    [kept] = kept_facts(gateway)

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert gateway.intake.asked == [(claim_ref, 7)]
    assert b"Canary" not in kept["facts"]
    assert kept_facts(gateway) == []


def test_facts_of_a_refused_claim_are_not_kept(gateway: Any) -> None:
    claim_ref = gateway.claim(hours_available=16.0)

    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    assert kept_facts(gateway) == []


def kept_facts(gateway: Any) -> list[dict[str, Any]]:
    with gateway.database.transaction() as conn:
        found: list[dict[str, Any]] = conn.execute("SELECT * FROM kept_facts").fetchall()
    return found


def test_every_attempt_has_the_same_id_and_bytes(gateway: Any) -> None:
    recording = gateway.recorded()
    gateway.order("system_error", dialogue="ES504", count=1)
    gateway.order("close_mid_frame", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    gateway.claim(claim_ref, surname="CHANGED")

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    [*of_the_first, _] = recording.sent
    assert len(of_the_first) == 3
    assert len(set(of_the_first)) == 1
    assert gateway.rows(claim_ref)[0]["attempts"] == 3


def test_an_enquiry_too_early_for_a_final_no_is_made_again(gateway: Any) -> None:
    recording = gateway.recorded()
    gateway.order("hang", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    gateway.change("UPDATE transfers SET next_attempt_time = clock_timestamp() WHERE state = 'UNKNOWN'")
    gateway.change("UPDATE transfers SET connection_closed_time = clock_timestamp() WHERE state = 'UNKNOWN'")

    gateway.send()

    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]
    assert len(recording.sent) == 1
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_withdrawn_first_phase_becomes_clerical(gateway: Any) -> None:
    gateway.order("lose_reply", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    with LinkClient(gateway.jsaps._link, gateway.jsaps.port) as client:
        client.enquire(gateway.rows(claim_ref)[0]["transfer_id"], "CN504")

    gateway.work_until(claim_ref, "CLERICAL", "WAITING")

    assert [code for code, _, _ in messages(gateway, claim_ref)] == ["ES0031"]
    assert gateway.send() is False


def test_a_refusal_that_quotes_the_record_is_shown_in_our_words(gateway: Any) -> None:
    quoting = {"field": "CANARY", "text": "MR CANARY IS UNKNOWN"}
    gateway.order("refuse_record", dialogue="ES504", code="CA0001", count=1, **quoting)
    claim_ref = gateway.claim(surname="Canary")

    gateway.work_until(claim_ref, "REJECTED", "CANCELLED")

    with gateway.database.transaction() as conn:
        shown = transfers.of_claim(conn, gateway.vault, claim_ref)
    [message] = shown[0].messages
    assert (message.code, message.field, message.question_id) == ("GW0003", "", "")
    assert "CANARY" not in repr(message)


def test_a_claimants_answers_are_sealed_in_the_ledger(gateway: Any) -> None:
    gateway.order("refuse_record", dialogue="BA504", text="MR CANARY IS UNKNOWN", count=1)
    claim_ref = gateway.claim(surname="Canary", account_name="CANARY")

    gateway.work_until(claim_ref, "ACCEPTED", "REJECTED")

    stored = repr(gateway.rows(claim_ref)) + repr(gateway.events())
    assert "CANARY" not in stored
    assert "CANARY".encode("cp285") not in b"".join(row["payload"] for row in gateway.rows(claim_ref))
