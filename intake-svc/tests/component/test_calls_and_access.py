"""Who may see a claim's answers: a resumed call after its security questions, others for a purpose they name."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls

DAY_OF_BIRTH = [
    {"questionId": "date_of_birth", "value": "1980-02-29"},
    {"questionId": "telephone", "value": "0113 496 0999"},
    {"questionId": "last_job_ended", "value": "2026-02-13"},
]
WRONG = [DAY_OF_BIRTH[0] | {"value": "1981-01-01"}, *DAY_OF_BIRTH[1:]]


@pytest.fixture
def claim(desk: Any, single_tenant: Any) -> Any:
    """A submitted claim, taken by OP000001."""
    return desk().submitted(single_tenant)


def attempt(operator: Any, call_id: str, answers: Any = DAY_OF_BIRTH) -> Any:
    return operator.once("PassSecurity", callId=call_id, answers=answers)["call"]


def test_a_resumed_call_shows_nothing_of_the_claim_before_security(desk: Any, refused: Any, claim: Any) -> None:
    second = desk(subject="OP000002")

    started = second.start(purpose="CALL_PURPOSE_CHANGE")
    with pytest.raises(refused) as raised:
        second.call("GetInterview", claimRef=claim["claimRef"])

    assert started["resumed"]
    assert "interview" not in started
    assert started["claim"]["state"] == "CLAIM_STATE_SUBMITTED"
    assert "claimant" not in started["claim"]
    assert [part["questionId"] for part in started["call"]["securityQuestions"]] == [
        part["questionId"] for part in DAY_OF_BIRTH
    ]
    assert (raised.value.code, raised.value.reason) == ("permission_denied", "CALL_REQUIRED")


def test_the_right_answers_open_the_claim_to_the_call_and_to_no_other(desk: Any, refused: Any, claim: Any) -> None:
    second = desk(subject="OP000002")
    call = second.start(purpose="CALL_PURPOSE_CHANGE")["call"]

    passed = attempt(second, call["callId"])
    amended = second.amend(claim["claimRef"], claim["version"], telephone="0113 496 0111")
    with pytest.raises(refused) as raised:
        desk(subject="OP000003").call("GetInterview", claimRef=claim["claimRef"])

    assert (passed["security"], passed["securityQuestions"]) == ("CALL_SECURITY_PASSED", [])
    assert amended["interview"]["version"] == claim["version"] + 1
    assert raised.value.reason == "CALL_REQUIRED"


def test_three_wrong_tries_end_the_calls_access(desk: Any, refused: Any, claim: Any) -> None:
    second = desk(subject="OP000002")
    call_id = second.start()["call"]["callId"]

    tries = [attempt(second, call_id, WRONG) for _ in range(3)]
    with pytest.raises(refused) as late:
        attempt(second, call_id)
    with pytest.raises(refused) as reading:
        second.call("GetInterview", claimRef=claim["claimRef"])

    assert [(seen["security"].rpartition("_")[2], seen["triesLeft"]) for seen in tries] == [
        ("REQUIRED", 2),
        ("REQUIRED", 1),
        ("FAILED", 0),
    ]
    assert (late.value.code, late.value.reason) == ("failed_precondition", "SECURITY_FAILED")
    assert reading.value.reason == "CALL_REQUIRED"


def test_a_retried_try_counts_once(desk: Any, claim: Any) -> None:
    second, request_id = desk(subject="OP000002"), str(uuid4())
    call_id = second.start()["call"]["callId"]

    tries = [second.call("PassSecurity", requestId=request_id, callId=call_id, answers=WRONG) for _ in range(3)]

    assert {seen["call"]["triesLeft"] for seen in tries} == {2}


def test_a_new_call_on_the_claim_takes_the_place_of_one_that_was_never_ended(
    desk: Any, refused: Any, claim: Any
) -> None:
    first = desk()
    first.call("GetInterview", claimRef=claim["claimRef"])

    first.start()
    with pytest.raises(refused) as raised:
        first.call("GetInterview", claimRef=claim["claimRef"])

    assert raised.value.reason == "CALL_REQUIRED"


def test_access_ends_with_the_call(desk: Any, refused: Any) -> None:
    operator = desk()
    started = operator.start()

    operator.once("EndCall", callId=started["call"]["callId"], outcome="CALL_OUTCOME_ABANDONED")

    acts: list[Callable[[], Any]] = [
        lambda: operator.call("GetInterview", claimRef=started["claim"]["claimRef"]),
        lambda: operator.record(started["claim"]["claimRef"], 1, surname="Hughes"),
        lambda: operator.submit(started["claim"]["claimRef"], 1),
    ]
    for act in acts:
        with pytest.raises(refused) as raised:
            act()
        assert raised.value.reason == "CALL_REQUIRED"


def test_a_call_is_its_operators_own(desk: Any, refused: Any) -> None:
    call_id = desk().start()["call"]["callId"]

    for method, more in (
        ("EndCall", {"outcome": "CALL_OUTCOME_COMPLETED"}),
        ("PassSecurity", {"answers": DAY_OF_BIRTH}),
    ):
        with pytest.raises(refused) as raised:
            desk(subject="OP000002").once(method, callId=call_id, **more)
        assert raised.value.code == "permission_denied"


def test_a_claim_without_a_nino_is_found_and_goes_on(desk: Any) -> None:
    operator = desk()
    first = operator.start(nino=None)
    claim_ref = first["claim"]["claimRef"]
    operator.record(claim_ref, 1, surname="Siôn", date_of_birth="1980-02-29")
    operator.once(
        "EndCall",
        callId=first["call"]["callId"],
        outcome="CALL_OUTCOME_CALL_BACK",
        callBackTime="2099-01-01T10:00:00Z",
    )

    born = {"year": 1980, "month": 2, "day": 29}
    found = operator.call("ListClaims", surname="sion", dateOfBirth=born)["claims"]
    second = operator.start(nino=None, claimRef=found[0]["claimRef"])
    passed = attempt(operator, second["call"]["callId"], DAY_OF_BIRTH[:1])

    assert [shown["claimRef"] for shown in found] == [claim_ref]
    assert second["resumed"]
    assert passed["security"] == "CALL_SECURITY_PASSED"


def test_a_call_that_is_not_to_make_a_claim_makes_none(desk: Any, refused: Any) -> None:
    with pytest.raises(refused) as raised:
        desk().start(purpose="CALL_PURPOSE_PROGRESS")

    assert (raised.value.code, raised.value.reason) == ("not_found", "NO_OPEN_CLAIM")


def test_a_nino_of_another_open_claim_is_refused_in_the_interview(desk: Any, refused: Any) -> None:
    operator = desk()
    operator.start("CE123456A")
    second = operator.start(nino=None)["claim"]["claimRef"]

    with pytest.raises(refused) as raised:
        operator.record(second, 1, nino="ce 12 34 56 a", surname="Hughes")

    assert (raised.value.code, raised.value.reason, raised.value.fields) == ("already_exists", "OPEN_CLAIM", {"nino"})
    assert operator.call("GetInterview", claimRef=second)["interview"]["version"] == 1


def test_of_many_who_give_one_nino_at_one_moment_one_claim_has_it(desk: Any, refused: Any) -> None:
    operator = desk()
    references = [operator.start(nino=None)["claim"]["claimRef"] for _ in range(4)]

    def give(claim_ref: str) -> str:
        try:
            operator.record(claim_ref, 1, nino="CE123456A")
        except refused as error:
            return str(error.reason)
        return "ok"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(give, references))

    assert sorted(outcomes) == ["OPEN_CLAIM", "OPEN_CLAIM", "OPEN_CLAIM", "ok"]


def test_a_corrected_nino_moves_the_claim_to_the_right_person(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start("CE123456A")["claim"]["claimRef"]

    operator.amend(claim_ref, 1, nino="CE123456B")

    assert operator.start("CE123456B")["claim"]["claimRef"] == claim_ref
    assert not operator.start("CE123456A")["resumed"]


@pytest.mark.parametrize("role", ["ASSESSOR", "PROCESSING_OFFICER", "SERVICE_MANAGER"])
def test_who_claims_is_shown_to_those_who_name_a_purpose(desk: Any, book: Any, claim: Any, role: str) -> None:
    book(claim["claimRef"], "100101")
    office = {"office": "100101"} if role == "ASSESSOR" else {}
    plain = desk(role, "ST000001", **office).call("GetClaim", claimRef=claim["claimRef"])["claim"]
    named = desk(role, "ST000001", purpose="work item 7", **office).call("GetClaim", claimRef=claim["claimRef"])[
        "claim"
    ]

    assert plain == claim | {"officeCode": "100101"}
    assert named["claimant"] == {
        "nino": "AB123456C",
        "title": "",
        "surname": "Hughes",
        "forenames": "Ann Mary",
        "dateOfBirth": {"year": 1980, "month": 2, "day": 29},
        "postcode": "LS1 4AP",
    }


@pytest.mark.parametrize(
    ("role", "subject"), [("SUPPORT", "SU000001"), ("SERVICE", "scheduling-svc"), ("OPERATOR", "OP000002")]
)
def test_no_purpose_shows_who_claims_to_others(desk: Any, claim: Any, role: str, subject: str) -> None:
    named = desk(role, subject, purpose="work item 7").call("GetClaim", claimRef=claim["claimRef"])["claim"]

    assert named == claim


def test_an_operator_sees_who_claims_in_the_call(desk: Any, claim: Any) -> None:
    assert "claimant" in desk().call("GetClaim", claimRef=claim["claimRef"])["claim"]


def test_without_a_purpose_an_assessor_reads_and_writes_no_answers(desk: Any, refused: Any, claim: Any) -> None:
    assessor = desk("ASSESSOR", "AS1")

    acts: list[Callable[[], Any]] = [
        lambda: assessor.call("GetInterview", claimRef=claim["claimRef"]),
        lambda: assessor.call("GetHistory", claimRef=claim["claimRef"]),
        lambda: assessor.amend(claim["claimRef"], claim["version"], capital="1.00"),
    ]
    for act in acts:
        with pytest.raises(refused) as raised:
            act()
        assert (raised.value.code, raised.value.reason) == ("permission_denied", "PURPOSE_REQUIRED")


def test_what_was_shown_and_what_was_refused_is_in_the_access_log(
    desk: Any, book: Any, refused: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    book(claim["claimRef"], "100101")
    reader = desk("ASSESSOR", "AS1", purpose="appointment 17", office="100101")
    reader.call("GetInterview", claimRef=claim["claimRef"])
    with pytest.raises(refused):
        desk("ASSESSOR", "AS2").call("GetInterview", claimRef=claim["claimRef"])

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute(
            "SELECT subject, claim_ref, purpose, outcome, reason FROM access_log WHERE method LIKE '%/GetInterview'"
            " ORDER BY access_id"
        ).fetchall()
    assert rows == [
        ("AS1", claim["claimRef"], "appointment 17", "SHOWN", None),
        ("AS2", claim["claimRef"], "", "DENIED", "PURPOSE_REQUIRED"),
    ]


def test_where_the_access_log_cannot_be_written_nothing_is_shown(
    desk: Any, refused: Any, claim: Any, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("REVOKE INSERT ON access_log FROM intake_app")

    with pytest.raises(refused) as reading:
        desk().call("GetInterview", claimRef=claim["claimRef"])
    with pytest.raises(refused) as writing:
        desk().amend(claim["claimRef"], claim["version"], capital="1.00")

    for raised in (reading.value, writing.value):
        assert (raised.code, raised.reason) == ("unavailable", "ACCESS_LOG_AWAY")
        assert "Hughes" not in raised.text
    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT version FROM claims").fetchall() == [(claim["version"],)]
