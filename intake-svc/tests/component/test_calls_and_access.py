"""Access to a claim's answers: a resumed call after its security questions, others for a purpose that they name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.testing import DatabaseUrls

RIGHT = [
    {"questionId": "date_of_birth", "value": "1980-02-29"},
    {"questionId": "telephone", "value": "0113 496 0999"},
    {"questionId": "last_job_ended", "value": "2026-02-13"},
]
WRONG = [RIGHT[0] | {"value": "1981-01-01"}, *RIGHT[1:]]


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim, taken by OP000001."""
    return desk().submitted(single_tenant)


def attempt(operator: Any, call: Any, answers: Any = RIGHT) -> Any:
    return operator.once("PassSecurity", callId=call["callId"], answers=answers)["call"]


def test_a_resumed_call_shows_nothing_of_the_claim_before_security(desk: Any, claim: Any) -> None:
    second = desk(subject="OP000002")

    started = second.start(purpose="CALL_PURPOSE_CHANGE")
    reply = second.call("GetInterview", claimRef=claim["claimRef"])

    assert started["resumed"]
    assert "interview" not in started
    assert started["claim"]["state"] == "CLAIM_STATE_SUBMITTED"
    assert "claimant" not in started["claim"]
    asked = [part["questionId"] for part in started["call"]["securityQuestions"]]
    assert asked == [part["questionId"] for part in RIGHT]
    assert (reply.code, reply.reason) == ("permission_denied", "CALL_REQUIRED")


def test_the_right_answers_open_the_claim_to_the_call_and_to_no_other(desk: Any, claim: Any) -> None:
    second = desk(subject="OP000002")
    call = second.start(purpose="CALL_PURPOSE_CHANGE")["call"]

    passed = attempt(second, call)
    amended = second.amend(claim, telephone="0113 496 0111")

    assert (passed["security"], passed["securityQuestions"]) == ("CALL_SECURITY_PASSED", [])
    assert amended["interview"]["version"] == claim["version"] + 1
    assert desk(subject="OP000003").call("GetInterview", claimRef=claim["claimRef"]).reason == "CALL_REQUIRED"


def test_three_wrong_tries_end_the_calls_access(desk: Any, claim: Any) -> None:
    second = desk(subject="OP000002")
    call = second.start()["call"]

    tries = [attempt(second, call, WRONG) for _ in range(3)]
    late = second.try_once("PassSecurity", callId=call["callId"], answers=RIGHT)

    seen = [(tried["security"].rpartition("_")[2], tried["triesLeft"]) for tried in tries]
    assert seen == [("REQUIRED", 2), ("REQUIRED", 1), ("FAILED", 0)]
    assert (late.code, late.reason) == ("failed_precondition", "SECURITY_FAILED")
    assert second.call("GetInterview", claimRef=claim["claimRef"]).reason == "CALL_REQUIRED"


def test_a_retried_try_counts_once(desk: Any, claim: Any) -> None:
    second = desk(subject="OP000002")
    request = {"requestId": str(uuid4()), "callId": second.start()["call"]["callId"], "answers": WRONG}

    tries = [second.get("PassSecurity", **request) for _ in range(3)]

    assert {seen["call"]["triesLeft"] for seen in tries} == {2}


def test_a_new_call_on_the_claim_replaces_one_that_was_never_ended(desk: Any, claim: Any) -> None:
    first = desk()
    first.get("GetInterview", claimRef=claim["claimRef"])

    first.start()

    assert first.call("GetInterview", claimRef=claim["claimRef"]).reason == "CALL_REQUIRED"


def test_access_ends_with_the_call(desk: Any) -> None:
    operator = desk()
    started = operator.start()
    claim_ref = started["claim"]["claimRef"]

    operator.once("EndCall", callId=started["call"]["callId"], outcome="CALL_OUTCOME_ABANDONED")

    replies = [
        operator.call("GetInterview", claimRef=claim_ref),
        operator.try_record(claim_ref, 1, surname="Hughes"),
        operator.try_once("SubmitClaim", claimRef=claim_ref, version=1),
    ]
    assert [reply.reason for reply in replies] == ["CALL_REQUIRED"] * 3


def test_operators_cannot_act_in_another_operators_call(desk: Any) -> None:
    call_id, other = desk().start()["call"]["callId"], desk(subject="OP000002")

    replies = [
        other.try_once("EndCall", callId=call_id, outcome="CALL_OUTCOME_COMPLETED"),
        other.try_once("PassSecurity", callId=call_id, answers=RIGHT),
    ]

    assert [reply.code for reply in replies] == ["permission_denied"] * 2


def test_a_claim_without_a_nino_is_found_and_goes_on(desk: Any) -> None:
    operator = desk()
    first = operator.start(nino=None)
    claim_ref = first["claim"]["claimRef"]
    operator.record(claim_ref, 1, surname="Siôn", date_of_birth="1980-02-29")
    back = {"outcome": "CALL_OUTCOME_CALL_BACK", "callBackTime": (clock.now() + timedelta(days=7)).isoformat()}
    operator.once("EndCall", callId=first["call"]["callId"], **back)

    born = {"year": 1980, "month": 2, "day": 29}
    found = operator.get("ListClaims", surname="sion", dateOfBirth=born)["claims"]
    second = operator.start(nino=None, claimRef=found[0]["claimRef"])

    assert [shown["claimRef"] for shown in found] == [claim_ref]
    assert second["resumed"]
    assert attempt(operator, second["call"], RIGHT[:1])["security"] == "CALL_SECURITY_PASSED"


def test_a_call_with_another_purpose_than_a_new_claim_makes_none(desk: Any) -> None:
    reply = desk().try_once(
        "StartCall",
        purpose="CALL_PURPOSE_PROGRESS",
        nino="AB123456C",
        schemes=["SCHEME_JOBSEEKERS_ALLOWANCE"],
        language="LANGUAGE_EN",
        caller={"relation": "CALLER_RELATION_SELF"},
    )

    assert (reply.code, reply.reason) == ("not_found", "NO_OPEN_CLAIM")


def test_the_nino_of_another_open_claim_is_refused_and_nothing_is_saved(desk: Any) -> None:
    operator = desk()
    operator.start("CE123456A")
    second = operator.start(nino=None)["claim"]["claimRef"]

    reply = operator.try_record(second, 1, nino="ce 12 34 56 a", surname="Hughes")

    assert (reply.code, reply.reason, reply.fields) == ("already_exists", "OPEN_CLAIM", {"nino"})
    interview = operator.record(second, 1, forenames="Ann")
    answered = {part["id"] for part in interview["questions"] if "answer" in part}
    assert (interview["version"], answered) == (2, {"language", "caller_role", "forenames"})


def test_of_many_claims_that_are_given_one_nino_at_one_moment_one_has_it(desk: Any) -> None:
    operator = desk()
    references = [operator.start(nino=None)["claim"]["claimRef"] for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        replies = pool.map(lambda claim_ref: operator.try_record(claim_ref, 1, nino="CE123456A"), references)

    assert sorted(reply.reason for reply in replies) == ["", "OPEN_CLAIM", "OPEN_CLAIM", "OPEN_CLAIM"]


def test_a_corrected_nino_moves_the_claim_to_the_right_person(desk: Any) -> None:
    operator = desk()
    claim = operator.start("CE123456A")["claim"]

    operator.amend(claim, nino="CE123456B")

    assert operator.start("CE123456B")["claim"]["claimRef"] == claim["claimRef"]
    assert not operator.start("CE123456A")["resumed"]


@pytest.mark.parametrize("role", ["ASSESSOR", "PROCESSING_OFFICER", "SERVICE_MANAGER"])
def test_the_claimant_is_shown_to_those_who_name_a_purpose(desk: Any, book: Any, claim: Any, role: str) -> None:
    book(claim["claimRef"])
    office = {"office": "100101"} if role == "ASSESSOR" else {}

    plain, named = (
        desk(role, "ST000001", purpose=purpose, **office).get("GetClaim", claimRef=claim["claimRef"])["claim"]
        for purpose in ("", "own work")
    )

    sees_office = role != "PROCESSING_OFFICER"
    assert plain == claim | ({"officeCode": "100101"} if sees_office else {})
    assert named["officeCode"] == "100101"
    assert named["claimant"] == {
        "nino": "AB123456C",
        "title": "",
        "surname": "Hughes",
        "forenames": "Ann Mary",
        "dateOfBirth": {"year": 1980, "month": 2, "day": 29},
        "postcode": "LS1 4AP",
    }


@pytest.mark.parametrize(("role", "subject"), [("SUPPORT", "SU000001"), ("OPERATOR", "OP000002")])
def test_no_purpose_shows_the_claimant_to_others(desk: Any, claim: Any, role: str, subject: str) -> None:
    named = desk(role, subject, purpose="own work").get("GetClaim", claimRef=claim["claimRef"])["claim"]

    assert named == claim


def test_operators_see_the_claimant_in_their_call(desk: Any, claim: Any) -> None:
    assert "claimant" in desk().get("GetClaim", claimRef=claim["claimRef"])["claim"]


def test_assessors_who_name_no_purpose_can_neither_read_nor_change_answers(desk: Any, claim: Any) -> None:
    assessor = desk("ASSESSOR", "AS1")

    replies = [
        assessor.call("GetInterview", claimRef=claim["claimRef"]),
        assessor.call("GetHistory", claimRef=claim["claimRef"]),
        assessor.try_amend(claim, capital="1.00"),
    ]

    assert [(reply.code, reply.reason) for reply in replies] == [("permission_denied", "PURPOSE_REQUIRED")] * 3


def test_reads_and_refusals_are_in_the_access_log(
    desk: Any, book: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    claim_ref = claim["claimRef"]
    book(claim_ref)
    reader = desk("ASSESSOR", "AS1", purpose="own work", office="100101")
    reader.get("GetInterview", claimRef=claim_ref)
    reader.get("GetHistory", claimRef=claim_ref)
    desk("ASSESSOR", "AS2").call("GetInterview", claimRef=claim_ref)

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute(
            "SELECT subject, claim_ref, purpose, outcome, reason FROM access_log WHERE subject LIKE 'AS%'"
            " ORDER BY access_id"
        ).fetchall()
    shown = ("AS1", claim_ref, f"work item {claim_ref}", "SHOWN", None)
    assert rows == [shown, shown, ("AS2", claim_ref, "", "DENIED", "PURPOSE_REQUIRED")]


def test_nothing_is_shown_or_saved_while_the_access_log_cannot_be_written(
    desk: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("REVOKE INSERT ON access_log FROM intake_app")

    replies = [desk().call("GetInterview", claimRef=claim["claimRef"]), desk().try_amend(claim, capital="1.00")]

    assert [(reply.code, reply.reason) for reply in replies] == [("unavailable", "ACCESS_LOG_AWAY")] * 2
    assert not any("Hughes" in reply.text for reply in replies)
    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT version FROM claims").fetchall() == [(claim["version"],)]
