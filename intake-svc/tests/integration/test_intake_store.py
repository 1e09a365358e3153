"""What the database holds of claims, and what it refuses."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from chassis.database import Connection, Database
from chassis.errors import AlreadyExists, NotFound
from chassis.vault import Vault
from intake.domain.call import Call, Caller, OpenCall, Outcome, Security
from intake.domain.claim import Claim, ClaimState
from intake.domain.history import Origin
from intake.domain.interview import Answer
from intake.domain.search import LookUps
from intake.store.answers import load_answers, load_history, save_answers
from intake.store.calls import insert_call, lock_call, save_call
from intake.store.claims import find_open_claim, insert_claim, load_claim, move_nino

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ORIGIN = Origin(by="OP000001", at=NOW, reason="", script_version=1)


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.transaction() as connection:
        yield connection


def claim(claim_ref: str = "C00000000000", **more: Any) -> Claim:
    whole: dict[str, Any] = {
        "schemes": ("JOBSEEKERS_ALLOWANCE",),
        "state": ClaimState.DRAFT,
        "version": 1,
        "language": "EN",
        "first_contact_time": NOW,
        "operator": "OP000001",
        "operator_grade": "AO",
    }
    return Claim(claim_ref=claim_ref, **whole | more)


def call(claim_ref: str, **more: Any) -> Call:
    whole: dict[str, Any] = {
        "operator": "OP000001",
        "purpose": "NEW",
        "language": "CY",
        "needs": ("TEXTPHONE",),
        "security": Security.PASSED,
        "started": NOW,
    }
    return Call(call_id=uuid.uuid4(), claim_ref=claim_ref, **whole | more)


def test_a_claim_comes_back_as_it_was_kept(conn: Connection) -> None:
    insert_claim(conn, claim(), LookUps())

    found = load_claim(conn, "C00000000000", caller="OP000001")

    assert (found.claim, found.open_call) == (claim(), None)
    with pytest.raises(NotFound):
        load_claim(conn, "C00000000001", caller="OP000001")


def test_one_person_has_one_open_claim_in_a_scheme(database: Database) -> None:
    with database.transaction() as conn:
        insert_claim(conn, claim(), LookUps(nino=b"one"))
        insert_claim(conn, claim("C00000000001"), LookUps())
        insert_claim(conn, claim("C00000000002", schemes=("INCOME_SUPPORT",)), LookUps(nino=b"one"))

    with pytest.raises(AlreadyExists) as second, database.transaction() as conn:
        insert_claim(conn, claim("C00000000003"), LookUps(nino=b"one"))
    with pytest.raises(AlreadyExists) as moved, database.transaction() as conn:
        move_nino(conn, "C00000000001", b"one")

    assert (second.value.reason, moved.value.reason) == ("OPEN_CLAIM", "OPEN_CLAIM")
    with database.transaction() as conn:
        assert find_open_claim(conn, b"one", ["JOBSEEKERS_ALLOWANCE"]) == "C00000000000"


def test_another_broken_constraint_is_not_taken_for_an_open_claim(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), database.transaction() as conn:
        insert_claim(conn, claim(schemes=("JOBSEEKERS_ALLOWANCE",) * 2), LookUps())


def test_answers_are_read_as_they_stood_at_any_version(conn: Connection, vault: Vault) -> None:
    insert_claim(conn, claim(), LookUps())
    cipher = vault.cipher(conn, "C00000000000")
    for version, changed in [
        (2, {"surname": Answer(value="Siân", record_form="SIAN", version=2), "sex": Answer(value="F", version=2)}),
        (3, {"surname": Answer(value="Price", version=3)}),
        (4, {"sex": Answer(value=None, version=4)}),
    ]:
        origin = replace(ORIGIN, reason=f"reason {version}")
        save_answers(conn, cipher, claim(version=version), changed, origin=origin, look_ups=LookUps(person=b"person"))

    assert load_answers(conn, cipher, version=1) == {}
    assert load_answers(conn, cipher, version=2)["surname"].record_form == "SIAN"
    assert {name: answer.value for name, answer in load_answers(conn, cipher, version=4).items()} == {
        "surname": "Price",
        "sex": None,
    }
    history = load_history(conn, cipher, version=3)
    assert [(entry.question_id, entry.old, entry.new, entry.origin.reason) for entry in history] == [
        ("sex", None, "F", "reason 2"),
        ("surname", None, "Siân", "reason 2"),
        ("surname", "Siân", "Price", "reason 3"),
    ]
    assert load_claim(conn, "C00000000000", caller="OP000001").claim.version == 4


def test_an_answer_moved_to_another_place_does_not_open(conn: Connection, vault: Vault) -> None:
    insert_claim(conn, claim(), LookUps())
    cipher = vault.cipher(conn, "C00000000000")
    changed = {"capital": Answer(value="1.00", version=2)}
    save_answers(conn, cipher, claim(version=2), changed, origin=ORIGIN, look_ups=LookUps())

    conn.execute("UPDATE answers SET question_id = 'pension_weekly'")

    with pytest.raises(InvalidTag):
        load_answers(conn, cipher, version=2)


def test_the_callers_latest_open_call_comes_with_the_claim(conn: Connection, vault: Vault) -> None:
    insert_claim(conn, claim(), LookUps())
    cipher = vault.cipher(conn, "C00000000000")
    on_the_line = Caller(relation="SELF", name="", authority="")
    first = call("C00000000000")
    second = call("C00000000000", started=NOW.replace(hour=10), security=Security.REQUIRED)
    other = call("C00000000000", started=NOW.replace(hour=11), operator="OP000002")
    for made in (first, second, other):
        insert_call(conn, cipher, made, on_the_line)

    open_call = load_claim(conn, "C00000000000", caller="OP000001").open_call
    save_call(conn, second.end(Outcome.ABANDONED, at=NOW.replace(hour=12), call_back_time=None))
    left = load_claim(conn, "C00000000000", caller="OP000001").open_call

    assert (open_call and open_call.call_id, left and left.call_id) == (second.call_id, first.call_id)
    assert left == OpenCall(call_id=first.call_id, security=Security.PASSED, language="CY")
    assert lock_call(conn, second.call_id).outcome is Outcome.ABANDONED
    with pytest.raises(NotFound):
        lock_call(conn, uuid.uuid4())
