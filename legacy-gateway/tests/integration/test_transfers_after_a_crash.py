"""Senders die, hang and come back: nothing is lost and nothing is held twice."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from legacy_gateway.domain import SystemAnswer
from legacy_gateway.store import leases

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "transfers.md"
HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}


def warnings(lines: Any) -> list[tuple[str, str, str]]:
    return [(line["event"], line["transfer_id"], line["claim_ref"]) for line in lines if line["log_level"] == "warning"]


class Killed(BaseException):
    """The process ends."""


def test_a_held_record_of_a_dead_sender_is_not_sent_again(gateway: Any) -> None:
    def around(send: Any) -> SystemAnswer:
        send()
        raise Killed

    recording = gateway.recorded(around)
    claim_ref = gateway.claim()
    with pytest.raises(Killed):
        gateway.send()
    gateway.restart()
    assert gateway.states(claim_ref) == ["SENDING", "WAITING"]

    assert gateway.expire_leases() == 1
    gateway.sweep()
    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert len(recording.sent) == 2
    assert gateway.held(claim_ref) == HELD_ONCE


def test_jsaps_is_asked_before_the_record_of_a_dead_sender_is_sent(
    gateway: Any,
) -> None:
    def around(_: Any) -> SystemAnswer:
        raise Killed

    recording = gateway.recorded(around)
    claim_ref = gateway.claim()
    with pytest.raises(Killed):
        gateway.send()
    gateway.restart()

    gateway.expire_leases()
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert recording.sent[0] == recording.sent[1]
    assert gateway.rows(claim_ref)[0]["attempts"] == 2
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_lease_that_has_not_run_out_is_not_swept(gateway: Any) -> None:
    def around(_: Any) -> SystemAnswer:
        raise Killed

    gateway.recorded(around)
    claim_ref = gateway.claim()
    with pytest.raises(Killed):
        gateway.send()
    gateway.restart()

    assert gateway.sweep() is False
    assert gateway.states(claim_ref) == ["SENDING", "WAITING"]
    assert gateway.send() is False


def test_a_sender_that_was_swept_stores_nothing_and_logs_a_warning(gateway: Any) -> None:
    def around(send: Any) -> SystemAnswer:
        answer: SystemAnswer = send()
        gateway.expire_leases()
        gateway.sweep()
        return answer

    gateway.recorded(around)
    claim_ref = gateway.claim()

    with capture_logs() as lines:
        assert gateway.send() is True

    assert warnings(lines) == [("lease lost", gateway.rows(claim_ref)[0]["transfer_id"], claim_ref)]
    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_sender_whose_lease_was_taken_sends_nothing_and_logs_a_warning(gateway: Any) -> None:
    recording = gateway.recorded()
    claim_ref = gateway.claim()
    facts = gateway.intake.facts

    def slow(*asked: Any) -> Any:
        gateway.expire_leases()
        return facts(*asked)

    gateway.intake.facts = slow
    with capture_logs() as lines:
        assert gateway.send() is True

    assert warnings(lines) == [("lease lost", gateway.rows(claim_ref)[0]["transfer_id"], claim_ref)]
    assert recording.sent == []
    assert gateway.states(claim_ref) == ["WAITING", "WAITING"]


def test_with_too_little_of_the_lease_left_nothing_is_sent(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legacy_gateway.service.sending.SEND_WITHIN_SECONDS", 0.0)
    claim_ref = gateway.claim()

    gateway.send()
    monkeypatch.undo()
    first, _ = gateway.rows(claim_ref)
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert (first["state"], first["attempts"], first["setbacks"]) == ("WAITING", 0, 1)
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_record_is_not_sent_again_while_its_sender_may_have_its_connection_open(gateway: Any) -> None:
    def around(_: Any) -> SystemAnswer:
        raise Killed

    recording = gateway.recorded(around)
    claim_ref = gateway.claim()
    with pytest.raises(Killed):
        gateway.send()  # hung: the process lives on, and says nothing
    gateway.expire_leases()
    gateway.work_until(claim_ref, "UNKNOWN", "WAITING")

    with capture_logs() as lines:
        gateway.work_for(seconds=1.5)
    states = gateway.states(claim_ref)
    gateway.restart()
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert states == ["UNKNOWN", "WAITING"]
    assert "CONNECTION_MAY_BE_OPEN" in {line.get("reason") for line in lines}
    assert len(recording.sent) == 3
    assert gateway.held(claim_ref) == HELD_ONCE


def test_the_runbooks_statements_release_a_transfer_whose_sender_is_in_doubt(gateway: Any) -> None:
    def around(_: Any) -> SystemAnswer:
        raise Killed

    gateway.recorded(around)
    claim_ref = gateway.claim()
    with pytest.raises(Killed):
        gateway.send()
    gateway.restart()
    gateway.change("UPDATE sender_locks SET server_started = server_started - interval '1 day'")
    gateway.change("UPDATE senders SET machine = 'another boot'")
    gateway.expire_leases()
    gateway.work_for(seconds=1.5)
    shown, release = [
        statement
        for statement in re.findall(r"```sql\n(.*?)```", RUNBOOK.read_text(), re.DOTALL)
        if "gone_time" in statement
    ]

    with gateway.database.transaction() as conn:
        [row] = conn.execute(shown).fetchall()
    gateway.change(release.replace("<sender_id>", str(row["sender_id"])))
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert row["claim_ref"] == claim_ref
    assert gateway.held(claim_ref) == HELD_ONCE


@pytest.mark.parametrize(
    ("seen", "became", "held"),
    [
        ("UNKNOWN", ["ACCEPTED", "ACCEPTED"], HELD_ONCE),
        ("CANCELLED", ["CANCELLED", "CANCELLED"], {"es_held": 1, "ba_held": 0, "duplicates": 0, "half": True}),
    ],
)
def test_the_runbooks_statements_end_what_a_system_contradicted(
    gateway: Any, seen: str, became: list[str], held: dict[str, Any]
) -> None:
    gateway.order("lose_reply", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    gateway.change(
        "UPDATE transfers SET state = 'CLERICAL', next_attempt_time = NULL, connection_closed_time = NULL WHERE phase = 1"
    )
    [statement] = [
        statement
        for statement in re.findall(r"```sql\n(.*?)```", RUNBOOK.read_text(), re.DOTALL)
        if f"SET state = '{seen}'" in statement
    ]
    first = gateway.rows(claim_ref)[0]["transfer_id"]

    gateway.change(statement.replace("<transfer id>", first).replace("<officer>", "PO000001"))
    if seen == "UNKNOWN":
        gateway.work_until_accepted(claim_ref)

    assert gateway.states(claim_ref) == became
    assert gateway.held(claim_ref) == held
    with gateway.database.transaction() as conn:
        seen_to = conn.execute("SELECT state, by FROM transfer_events WHERE reason = 'SEEN_TO'").fetchall()
    assert {(row["state"], row["by"]) for row in seen_to} == {(seen, "PO000001")}


def test_a_sender_that_cannot_store_its_result_says_later_that_its_connection_is_closed(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.order("system_error", count=1)
    claim_ref = gateway.claim()
    settle = leases.settle

    def away(*_: Any, **__: Any) -> None:
        raise psycopg.OperationalError

    monkeypatch.setattr(leases, "settle", away)
    with pytest.raises(psycopg.OperationalError):
        gateway.send()
    monkeypatch.setattr(leases, "settle", settle)
    before = gateway.rows(claim_ref)[0]["sender_id"]
    gateway.expire_leases()
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert before is not None
    assert gateway.held(claim_ref) == HELD_ONCE
