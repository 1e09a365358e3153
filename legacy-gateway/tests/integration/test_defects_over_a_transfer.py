"""A defect of our own code is tried ten times and then shown to a person; nothing is held twice."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from chassis.database import Database
from chassis.metrics import REGISTRY
from legacy_gateway.domain import MOST_DEFECTS, SystemAnswer
from legacy_gateway.domain.desk import ActKind
from legacy_gateway.records import RecordError
from legacy_gateway.service import acts

HELD_ONCE = {"es_held": 1, "ba_held": 1, "duplicates": 0, "half": False}
NOTHING_HELD = {"es_held": 0, "ba_held": 0, "duplicates": 0, "half": False}


def failed_by_defects() -> float:
    labels = {"system": "JSAPS", "reason": "DEFECT"}
    return REGISTRY.get_sample_value("gateway_failed_pushes_total", labels) or 0.0


def step_at_once(gateway: Any) -> None:
    gateway.change("UPDATE transfers SET next_attempt_time = clock_timestamp() WHERE next_attempt_time IS NOT NULL")
    gateway.change(
        "UPDATE transfers SET connection_closed_time = connection_closed_time - interval '1 minute' WHERE state = 'UNKNOWN'"
    )
    gateway.send()


def fails_until_clerical(gateway: Any, claim_ref: str, error: type[Exception]) -> int:
    """Steps until the first phase is with a person; gives how often our own code failed."""
    failures = 0
    for _ in range(4 * MOST_DEFECTS):
        if gateway.states(claim_ref)[0] == "CLERICAL":
            break
        try:
            step_at_once(gateway)
        except error:
            failures += 1
    return failures


def test_ten_defects_while_making_a_record_make_it_clerical(gateway: Any) -> None:
    counted = failed_by_defects()
    claim_ref = gateway.claim(address=5)

    assert fails_until_clerical(gateway, claim_ref, TypeError) == MOST_DEFECTS

    first, second = gateway.rows(claim_ref)
    assert (first["state"], first["attempts"], first["defects"]) == ("CLERICAL", 0, MOST_DEFECTS)
    assert (second["state"], second["next_attempt_time"]) == ("WAITING", None)
    assert failed_by_defects() - counted == MOST_DEFECTS
    assert gateway.send() is False
    assert gateway.held(claim_ref) == NOTHING_HELD


def test_a_defect_holds_up_no_other_claim(gateway: Any) -> None:
    broken = gateway.claim("C00000000018", address=5)
    with pytest.raises(TypeError):
        gateway.send()
    [row, _] = gateway.rows(broken)
    assert (row["state"], row["lease_token"]) == ("WAITING", None)
    assert row["next_attempt_time"] > row["updated"]
    gateway.change("UPDATE transfers SET next_attempt_time = next_attempt_time + interval '1 hour' WHERE defects > 0")

    gateway.work_until_accepted(gateway.claim("C00000000026"))


def test_a_sealed_record_that_cannot_be_opened_becomes_clerical(gateway: Any) -> None:
    gateway.order("system_error", dialogue="ES504", count=1)
    claim_ref = gateway.claim()
    gateway.send()
    gateway.change("UPDATE transfers SET payload = decode(repeat('00', 64), 'hex') WHERE attempts = 1")

    assert fails_until_clerical(gateway, claim_ref, InvalidTag) == MOST_DEFECTS
    assert gateway.held(claim_ref) == NOTHING_HELD


def test_after_a_defect_while_sending_the_system_is_asked(gateway: Any) -> None:
    def around(send: Callable[[], SystemAnswer]) -> SystemAnswer:
        send()
        raise RuntimeError

    recording = gateway.recorded(around)
    claim_ref = gateway.claim()
    with pytest.raises(RuntimeError):
        gateway.send()
    assert gateway.states(claim_ref) == ["UNKNOWN", "WAITING"]

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")

    assert len(recording.sent) == 2
    assert gateway.held(claim_ref) == HELD_ONCE


def test_a_defect_is_raised_even_if_the_lease_was_lost(gateway: Any) -> None:
    def around(_: Callable[[], SystemAnswer]) -> SystemAnswer:
        gateway.expire_leases()
        gateway.sweep()
        raise RuntimeError

    gateway.recorded(around)
    claim_ref = gateway.claim()

    with pytest.raises(RuntimeError):
        gateway.send()

    [first, _] = gateway.rows(claim_ref)
    assert (first["state"], first["defects"]) == ("UNKNOWN", 0)


def test_a_record_too_long_for_a_frame_becomes_clerical(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legacy_gateway.link.frames.LONGEST_FRAME", 100)
    claim_ref = gateway.claim()

    assert fails_until_clerical(gateway, claim_ref, RecordError) == MOST_DEFECTS
    assert gateway.held(claim_ref) == NOTHING_HELD


def test_an_absent_database_is_no_defect_of_the_transfer(gateway: Any, database: Database) -> None:
    claim_ref = gateway.claim()
    with psycopg.connect(database._url) as blocking:

        def around(send: Callable[[], SystemAnswer]) -> SystemAnswer:
            blocking.execute("SELECT 1 FROM transfers FOR UPDATE")
            return send()

        gateway.recorded(around)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            gateway.send()

    [first, _] = gateway.rows(claim_ref)
    assert (first["state"], first["defects"]) == ("SENDING", 0)
    gateway.expire_leases()
    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")
    assert gateway.held(claim_ref) == HELD_ONCE


@pytest.mark.parametrize("fails_in", ["the record", "the send"])
def test_a_retry_releases_a_transfer_after_a_defect(gateway: Any, fails_in: str) -> None:
    if fails_in == "the record":
        claim_ref = gateway.claim(address=5)
        fails_until_clerical(gateway, claim_ref, TypeError)
    else:

        def around(send: Callable[[], SystemAnswer]) -> SystemAnswer:
            send()
            raise RuntimeError

        gateway.recorded(around)
        claim_ref = gateway.claim()
        gateway.change("UPDATE transfers SET defects = %s", MOST_DEFECTS - 1)
        with pytest.raises(RuntimeError):
            gateway.send()
    assert gateway.states(claim_ref) == ["CLERICAL", "WAITING"]
    gateway.intake.known.clear()
    gateway.claim(claim_ref)

    [first, _] = gateway.rows(claim_ref)
    with gateway.database.transaction() as conn:
        acts.act_on_named(
            conn, gateway.vault, ActKind.RETRY, [first["transfer_id"]], reason="The defect is mended", by="PO000001"
        )

    gateway.work_until(claim_ref, "ACCEPTED", "ACCEPTED")
    assert gateway.held(claim_ref) == HELD_ONCE
