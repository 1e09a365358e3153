"""Nobody finds out by trying: security questions over many calls."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls, Reply

RIGHT = {"date_of_birth": "1980-02-29", "telephone": "0113 496 0999", "last_job_ended": "2026-02-13"}
START = {
    "purpose": "CALL_PURPOSE_NEW",
    "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
    "language": "LANGUAGE_EN",
    "caller": {"relation": "CALLER_RELATION_SELF"},
}
AN_HOUR_AGO = "UPDATE security_failures SET last_time = last_time - interval '1 hour'"


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim, taken by OP000001."""
    return desk().submitted(single_tenant)


def attempt(operator: Any, born: str = "1981-01-01") -> Reply:
    """A try in a new call, wrong unless the right birth date is given."""
    call_id = operator.start()["call"]["callId"]
    answers = [{"questionId": name, "value": value} for name, value in (RIGHT | {"date_of_birth": born}).items()]
    reply: Reply = operator.try_once("PassSecurity", callId=call_id, answers=answers)
    operator.once("EndCall", callId=call_id, outcome="CALL_OUTCOME_ABANDONED")
    return reply


def rows(database_urls: DatabaseUrls, query: str) -> list[Any]:
    with psycopg.connect(database_urls.owner) as conn:
        return conn.execute(query.encode()).fetchall()


def change(database_urls: DatabaseUrls, *queries: str) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        for query in queries:
            conn.execute(query.encode())


def test_wrong_tries_of_many_calls_and_operators_count_together_until_the_claim_is_locked(
    desk: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    for number in range(6):
        change(database_urls, AN_HOUR_AGO)
        assert attempt(desk(subject=f"OP00001{number}")).code == "ok"
    change(database_urls, AN_HOUR_AGO)

    guessed = attempt(desk(subject="OP000020"), "1980-02-29")

    assert (guessed.code, guessed.reason) == ("permission_denied", "SECURITY_LOCKED")


def test_after_three_wrong_tries_a_right_one_waits_as_a_wrong_one_does(
    desk: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk(subject="OP000002")
    for _ in range(3):
        assert attempt(operator).code == "ok"

    wrong, right = attempt(operator), attempt(desk(subject="OP000003"), "1980-02-29")
    change(database_urls, AN_HOUR_AGO)
    waited = attempt(operator, "1980-02-29")

    assert [(reply.code, reply.reason) for reply in (wrong, right)] == [("resource_exhausted", "SECURITY_WAIT")] * 2
    assert "retry_time" in right.text
    assert waited.code == "ok"


def test_of_many_tries_at_one_moment_only_those_without_a_wait_are_taken(
    desk: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    operators = [desk(subject=f"OP00002{number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(attempt, operators))

    assert sorted(reply.reason for reply in replies) == [""] * 3 + ["SECURITY_WAIT"] * 5
    assert rows(database_urls, "SELECT failures FROM security_failures WHERE kind = 'CLAIM'") == [(3,)]


def test_passing_clears_the_claims_failures_and_not_the_operators(
    desk: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk(subject="OP000002")
    attempt(operator)
    attempt(operator)

    attempt(operator, "1980-02-29")

    known = rows(database_urls, "SELECT kind, failures FROM security_failures ORDER BY kind")
    assert known == [("CLAIM", 0), ("OPERATOR", 2)]


def test_the_fifteenth_wrong_try_of_a_day_locks_the_operator_for_every_claim(
    desk: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    operator, wait_over = (
        desk(subject="OP000002"),
        "UPDATE security_failures SET last_time = now() - interval '20 hours'",
    )
    attempt(operator)
    change(database_urls, "UPDATE security_failures SET failures = 14 WHERE kind = 'OPERATOR'", wait_over)
    attempt(operator)
    change(database_urls, wait_over)

    locked, other = attempt(operator, "1980-02-29"), attempt(desk(subject="OP000003"), "1980-02-29")

    assert (locked.reason, other.code) == ("SECURITY_LOCKED", "ok")
    assert "OPERATOR" in locked.text


def test_every_try_is_noted_and_a_refused_one_is_a_denial(desk: Any, claim: Any, database_urls: DatabaseUrls) -> None:
    operator = desk(subject="OP000002")
    attempt(operator)
    attempt(operator, "1980-02-29")
    change(database_urls, "UPDATE security_failures SET locked_time = now() WHERE kind = 'CLAIM'")
    attempt(operator)

    tries = rows(database_urls, "SELECT claim_ref, operator, passed FROM security_tries ORDER BY try_id")
    denied = rows(database_urls, "SELECT subject FROM access_log WHERE reason = 'SECURITY_LOCKED'")

    assert tries == [(claim["claimRef"], "OP000002", False), (claim["claimRef"], "OP000002", True)]
    assert denied == [("OP000002",)]


def test_a_manager_sees_and_lifts_a_lock_and_not_their_own(desk: Any, claim: Any, database_urls: DatabaseUrls) -> None:
    manager, operator = desk("SERVICE_MANAGER", "SM000001"), desk(subject="OP000002")
    attempt(operator)
    change(
        database_urls,
        "UPDATE security_failures SET locked_time = now(), failures = 6 WHERE kind = 'CLAIM'",
        "INSERT INTO security_failures (kind, name, failures, locked_time)"
        " VALUES ('OPERATOR', 'SM000001', 15, now() + interval '1 second')",
    )

    first = manager.get("ListSecurityLocks", pageSize=1)
    second = manager.get("ListSecurityLocks", pageSize=1, pageToken=first["nextPageToken"])
    (lock,) = first["locks"]
    lifted = manager.once("LiftSecurityLock", claimRef=claim["claimRef"], version=lock["version"])
    again = manager.try_once("LiftSecurityLock", claimRef=claim["claimRef"], version=lock["version"] + 1)
    own = manager.try_once("LiftSecurityLock", operator="SM000001", version=1)

    assert (lock["kind"], lock["claimRef"], lock["failures"]) == ("SECURITY_LOCK_KIND_CLAIM", claim["claimRef"], 6)
    assert [shown["operator"] for shown in second["locks"]] == ["SM000001"]
    assert (lifted["lock"]["failures"], attempt(operator, "1980-02-29").code) == (0, "ok")
    assert [reply.reason for reply in (again, own)] == ["NOT_LOCKED", "OWN_LOCK"]


def test_the_repeat_of_a_request_after_its_call_has_the_result_without_the_interview(desk: Any) -> None:
    operator = desk()
    begin = {**START, "nino": "AB123456C", "requestId": str(uuid4())}
    started = operator.get("StartCall", **begin)
    claim_ref = started["claim"]["claimRef"]
    answers = [{"questionId": "surname", "value": "Hughes"}]
    save = {"claimRef": claim_ref, "version": 1, "answers": answers, "requestId": str(uuid4())}
    change = save | {"version": 2, "answers": [{"questionId": "surname", "value": "Price"}], "requestId": str(uuid4())}
    first = operator.get("RecordAnswers", **save)
    operator.get("AmendAnswers", **change, reason="misheard")
    in_call = operator.get("RecordAnswers", **save)

    operator.once("EndCall", callId=started["call"]["callId"], outcome="CALL_OUTCOME_COMPLETED")
    again = {
        "StartCall": operator.get("StartCall", **begin),
        "RecordAnswers": operator.get("RecordAnswers", **save),
        "AmendAnswers": operator.get("AmendAnswers", **change, reason="misheard"),
    }

    assert in_call == first
    assert [reply["interview"]["version"] for reply in again.values()] == [1, 2, 3]
    assert all(reply["interview"]["claimRef"] == claim_ref for reply in again.values())
    assert all(reply["interview"]["questions"] == [] for reply in again.values())
    assert again["AmendAnswers"]["changes"] == []
    assert not any(name in str(again) for name in ("Hughes", "Price", "AB123456C"))
