"""The database's own guarantees for claims, and the binding of each answer to its place."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from chassis.database import Connection, Database
from chassis.errors import AlreadyExists
from chassis.testing import DatabaseUrls, as_owner
from chassis.vault import Vault
from intake.domain.call import Call, Caller, OpenCall, Outcome, Security
from intake.domain.claim import Claim, ClaimState
from intake.domain.history import Origin
from intake.domain.interview import Answer
from intake.domain.search import LookUps
from intake.store.answers import load_answers, save_answers
from intake.store.calls import insert_call, lock_call, save_call
from intake.store.claims import CLAIM, find_open_claim, insert_claim, load_claim, move_nino

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.transaction() as connection:
        yield connection


def claim(claim_ref: str = "C00000000000", **more: Any) -> Claim:
    whole: dict[str, Any] = {
        "schemes": ("JOBSEEKERS_ALLOWANCE",),
        "catalogue": 1,
        "state": ClaimState.DRAFT,
        "version": 1,
        "language": "EN",
        "first_contact_time": NOW,
        "operator": "OP000001",
        "operator_grade": "AO",
    }
    return Claim(claim_ref=claim_ref, **whole | more)


def call(**more: Any) -> Call:
    whole: dict[str, Any] = {
        "claim_ref": "C00000000000",
        "operator": "OP000001",
        "purpose": "NEW",
        "language": "CY",
        "needs": ("TEXTPHONE",),
        "catalogue": 1,
        "security": Security.PASSED,
        "started": NOW,
    }
    return Call(call_id=uuid.uuid4(), **whole | more)


def test_a_claim_is_loaded_as_it_was_inserted(conn: Connection) -> None:
    insert_claim(conn, claim(), LookUps())

    found = load_claim(conn, "C00000000000", caller="OP000001")

    assert (found.claim, found.open_call) == (claim(), None)


def test_a_person_has_one_open_claim_in_a_scheme(database: Database) -> None:
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


def test_another_broken_constraint_is_not_reported_as_an_open_claim(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), database.transaction() as conn:
        insert_claim(conn, claim(schemes=("JOBSEEKERS_ALLOWANCE",) * 2), LookUps())


def test_an_answer_moved_to_another_place_does_not_open(database: Database, vault: Vault) -> None:
    origin = Origin(by="OP000001", roles=("OPERATOR",), at=NOW, reason="", script_version=1)
    changed = {"capital": Answer(value="1.00", version=2)}
    with database.transaction() as conn:
        insert_claim(conn, claim(), LookUps())
        cipher = vault.cipher(conn, "C00000000000")
        save_answers(conn, cipher, claim(version=2), changed, origin=origin, look_ups=LookUps())
        assert load_answers(conn, cipher, version=1) == {}
        assert load_answers(conn, cipher, version=2) == changed

    with as_owner(database) as owner:
        owner.execute("UPDATE answers SET question_id = 'pension_weekly'")

    with pytest.raises(InvalidTag), database.transaction() as conn:
        load_answers(conn, cipher, version=2)


def test_the_callers_latest_open_call_comes_with_the_claim_and_earlier_calls_are_marked(
    conn: Connection, vault: Vault
) -> None:
    insert_claim(conn, claim(), LookUps())
    first, second = call(), call(started=NOW.replace(hour=10), security=Security.REQUIRED)
    for made in (first, second, call(started=NOW.replace(hour=11), operator="OP000002")):
        cipher = vault.cipher(conn, "C00000000000")
        insert_call(conn, cipher, made, Caller(relation="SELF", name="", authority=""))

    latest = load_claim(conn, "C00000000000", caller="OP000001").open_call
    save_call(conn, second.end(Outcome.ABANDONED, at=NOW.replace(hour=12), call_back_time=None))
    left = load_claim(conn, "C00000000000", caller="OP000001").open_call

    assert latest is not None
    assert latest.call_id == second.call_id
    assert left == OpenCall(call_id=first.call_id, security=Security.PASSED, language="CY")
    assert lock_call(conn, second.call_id).outcome is Outcome.ABANDONED
    marks = conn.execute("SELECT has_later_call FROM calls ORDER BY started").fetchall()
    assert [row["has_later_call"] for row in marks] == [True, True, False]


CALLS = """
    INSERT INTO calls (call_id, claim_ref, operator, purpose, language, needs, caller, security, security_questions,
        tries_left, started, ended, outcome)
    SELECT gen_random_uuid(), 'C00000000000', 'OP' || n, 'NEW', 'EN', '{}', '', 'PASSED', '{}', 3, now(),
        CASE WHEN %(ended)s THEN now() END, CASE WHEN %(ended)s THEN 'COMPLETED' END
    FROM generate_series(1, %(number)s) AS n
"""


def test_an_open_call_is_found_by_its_claim_though_statistics_know_of_no_open_call(
    database: Database, database_urls: DatabaseUrls
) -> None:
    with database.transaction() as conn:
        insert_claim(conn, claim(), LookUps())
    with psycopg.connect(database_urls.owner, autocommit=True) as owner:
        owner.execute(CALLS, {"ended": True, "number": 5000})
        owner.execute("VACUUM ANALYZE calls")
        owner.execute(CALLS, {"ended": False, "number": 500})

        [row] = owner.execute(f"EXPLAIN (FORMAT JSON) {CLAIM}", {"claim_ref": "C00000000000", "caller": "OP7"})

    assert indexes_of(row[0][0]["Plan"], "calls") == {"calls_open"}


def indexes_of(plan: dict[str, Any], table: str) -> set[str]:
    """The indexes by which a plan reads a table."""
    own = {plan["Index Name"]} if plan.get("Relation Name") == table else set()
    return own.union(*(indexes_of(part, table) for part in plan.get("Plans", ())))
