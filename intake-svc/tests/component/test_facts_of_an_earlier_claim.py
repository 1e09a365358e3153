"""Facts of an earlier claim are shown to be confirmed and not asked again: after security, in the log, and not if stale."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.testing import DatabaseUrls

RIGHT = {"date_of_birth": "1980-02-29", "telephone": "0113 496 0999", "last_job_ended": "2026-02-13"}


def given(answers: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"questionId": name, "value": value} for name, value in answers.items()]


@pytest.fixture
def earlier(desk: Any, single_tenant: Any) -> str:
    """A claim that was submitted and withdrawn: its reference."""
    operator = desk()
    claim = operator.submitted(single_tenant)
    operator.once("WithdrawClaim", claimRef=claim["claimRef"], version=claim["version"], reason="found work")
    return str(claim["claimRef"])


@pytest.fixture
def second(desk: Any, earlier: str) -> Any:
    """A new claim of the same person, in a call of OP000002: what StartCall gave."""
    assert earlier
    return desk(subject="OP000002").start()


def passed(desk: Any, second: Any) -> Any:
    """The operator, once security about the earlier claim is passed."""
    operator = desk(subject="OP000002")
    tried = operator.once("PassSecurity", callId=second["call"]["callId"], answers=given(RIGHT))
    assert tried["earlier"]["security"] == "CALL_SECURITY_PASSED"
    return operator


def offered(interview: Any) -> dict[str, Any]:
    return {part["id"]: part["earlier"]["value"] for part in interview["questions"] if "earlier" in part}


def test_before_security_only_the_questions_of_the_earlier_claim_are_shown(second: Any, earlier: str) -> None:
    assert not second["resumed"]
    assert second["interview"]["earlier"]["claimRef"] == earlier
    assert second["interview"]["earlier"]["security"] == "CALL_SECURITY_REQUIRED"
    assert {part["questionId"] for part in second["call"]["securityQuestions"]} == RIGHT.keys()
    assert offered(second["interview"]) == {}


def test_after_security_the_facts_are_shown_with_their_day_and_dated_ones_are_asked_afresh(
    desk: Any, second: Any, database_urls: DatabaseUrls, earlier: str
) -> None:
    operator = passed(desk, second)

    interview = operator.get("GetInterview", claimRef=second["claim"]["claimRef"])["interview"]

    known = offered(interview)
    assert (known["surname"], known["telephone"], known["has_partner"]) == ("Hughes", "+441134960999", False)
    assert (
        not {"capital", "last_job_ended", "sort_code", "account_number", "declaration", "available_from"} & known.keys()
    )
    [surname] = [part for part in interview["questions"] if part["id"] == "surname"]
    assert surname["earlier"]["answeredOn"]["year"] >= 2026
    with psycopg.connect(database_urls.owner) as conn:
        logged = conn.execute(
            "SELECT subject, outcome FROM access_log WHERE claim_ref = %s AND purpose LIKE 'to confirm%%'", [earlier]
        ).fetchall()
    assert logged == [("OP000002", "SHOWN")]


def test_one_act_confirms_a_section_and_a_new_answer_goes_before(desk: Any, second: Any, earlier: str) -> None:
    operator, claim_ref = passed(desk, second), second["claim"]["claimRef"]

    saved = operator.once(
        "RecordAnswers",
        claimRef=claim_ref,
        version=1,
        answers=given({"forenames": "Ann"}),
        confirmEarlier=["identity", "telephone", "has_partner"],
    )["interview"]

    answers = {part["id"]: part["answer"] for part in saved["questions"] if "answer" in part}
    assert (answers["surname"], answers["forenames"], answers["telephone"]) == ("Hughes", "Ann", "+441134960999")
    assert answers["has_partner"] is False
    assert "surname" not in offered(saved)
    history = operator.get("GetHistory", claimRef=claim_ref)["entries"]
    confirmed = {entry["questionId"]: entry["confirmedFrom"] for entry in history if entry["version"] == 2}
    assert (confirmed["surname"], confirmed["forenames"]) == (earlier, "")


def test_nothing_is_confirmed_before_security_or_without_an_earlier_answer(desk: Any, second: Any) -> None:
    operator, body = desk(subject="OP000002"), {"claimRef": second["claim"]["claimRef"], "version": 1}

    early = operator.try_once("RecordAnswers", **body, confirmEarlier=["identity"])
    passed(desk, second)
    wrong = operator.try_once("RecordAnswers", **body, confirmEarlier=["identity", "capital", "nonsense"])
    nothing = operator.try_once("RecordAnswers", **body)

    assert (early.code, early.reason) == ("failed_precondition", "EARLIER_SECURITY")
    assert (wrong.code, wrong.fields) == ("invalid_argument", {"confirm_earlier[1]", "confirm_earlier[2]"})
    assert (nothing.code, nothing.fields) == ("invalid_argument", {"answers"})
    interview = operator.get("GetInterview", claimRef=body["claimRef"])["interview"]
    assert interview["version"] == 1


def test_three_wrong_tries_leave_the_claim_open_and_the_earlier_answers_hidden(desk: Any, second: Any) -> None:
    operator, wrong = desk(subject="OP000002"), given(RIGHT | {"date_of_birth": "1981-01-01"})
    call_id, claim_ref = second["call"]["callId"], second["claim"]["claimRef"]

    tries = [operator.once("PassSecurity", callId=call_id, answers=wrong)["earlier"] for _ in range(3)]
    late = operator.try_once("PassSecurity", callId=call_id, answers=given(RIGHT))

    assert [tried["triesLeft"] for tried in tries] == [2, 1, 0]
    assert (late.code, late.reason) == ("failed_precondition", "SECURITY_FAILED")
    interview = operator.record(claim_ref, 1, surname="Hughes")
    assert interview["earlier"]["security"] == "CALL_SECURITY_FAILED"
    assert offered(interview) == {}


def test_the_next_call_on_the_draft_passes_security_about_the_earlier_claim_for_itself(desk: Any, second: Any) -> None:
    passed(desk, second)
    third = desk(subject="OP000003")
    call = third.start()["call"]
    third.once("PassSecurity", callId=call["callId"], answers=given({"nino": "AB123456C"}))

    interview = third.get("GetInterview", claimRef=second["claim"]["claimRef"])["interview"]

    assert interview["earlier"]["security"] == "CALL_SECURITY_REQUIRED"
    assert offered(interview) == {}


def test_an_answer_that_is_too_old_is_asked_again(
    desk: Any, second: Any, database_urls: DatabaseUrls, earlier: str
) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute(
            "UPDATE answers SET at = at - interval '25 months' WHERE claim_ref = %s AND question_id = 'telephone'",
            [earlier],
        )
    operator = passed(desk, second)

    known = offered(operator.get("GetInterview", claimRef=second["claim"]["claimRef"])["interview"])

    assert "telephone" not in known
    assert "surname" in known


def test_a_nino_that_is_given_later_finds_the_earlier_claim_then(desk: Any, earlier: str) -> None:
    operator = desk(subject="OP000002")
    claim_ref = operator.start(nino=None)["claim"]["claimRef"]

    interview = operator.record(claim_ref, 1, nino="AB123456C")

    assert interview["earlier"]["claimRef"] == earlier


def test_a_repeated_request_is_answered_as_at_first_although_security_was_passed_since(desk: Any, earlier: str) -> None:
    operator, nino = desk(subject="OP000002"), "AB123456C"
    request = {
        "purpose": "CALL_PURPOSE_NEW",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
        "nino": nino,
        "requestId": str(uuid4()),
    }
    first = operator.get("StartCall", **request)
    passed(desk, first)
    body = {
        "claimRef": first["claim"]["claimRef"],
        "version": 1,
        "requestId": str(uuid4()),
        "confirmEarlier": ["contact"],
    }
    confirmed = operator.get("RecordAnswers", **body)
    operator.record(first["claim"]["claimRef"], 2, surname="Hewes")

    assert operator.get("StartCall", **request) == first
    assert operator.get("RecordAnswers", **body) == confirmed
    assert "surname" in offered(confirmed["interview"])
    assert earlier


def test_another_nino_brings_its_own_security_and_no_further_tries(
    desk: Any, second: Any, single_tenant: Any, earlier: str
) -> None:
    neighbour = desk(subject="OP000009")
    other = neighbour.submitted(single_tenant | {"surname": "Price", "date_of_birth": "1971-05-05"}, nino="CE654321B")
    neighbour.once("WithdrawClaim", claimRef=other["claimRef"], version=other["version"], reason="found work")
    operator, claim_ref = passed(desk, second), second["claim"]["claimRef"]

    moved = operator.record(claim_ref, 1, nino="CE654321B")
    early = operator.try_once("RecordAnswers", claimRef=claim_ref, version=2, confirmEarlier=["identity"])
    wrong = given({"date_of_birth": "1981-01-01", "telephone": "0113 496 0999", "last_job_ended": "2026-02-13"})
    tried = operator.once("PassSecurity", callId=second["call"]["callId"], answers=wrong)["earlier"]
    without = operator.record(claim_ref, 2, nino={"gap": "NOT_KNOWN"})
    back = operator.record(claim_ref, 3, nino="AB123456C")

    assert moved["earlier"]["claimRef"] == other["claimRef"]
    assert moved["earlier"]["security"] == "CALL_SECURITY_REQUIRED"
    assert offered(moved) == {}
    assert early.reason == "EARLIER_SECURITY"
    assert tried["triesLeft"] == 2
    assert "earlier" not in without
    assert (back["earlier"]["claimRef"], back["earlier"]["triesLeft"]) == (earlier, 2)
    assert back["earlier"]["security"] == "CALL_SECURITY_REQUIRED"


def test_a_caller_who_goes_on_after_a_dropped_call_passes_security_about_the_earlier_claim_again(
    desk: Any, second: Any
) -> None:
    operator, claim_ref = passed(desk, second), second["claim"]["claimRef"]
    operator.once("EndCall", callId=second["call"]["callId"], outcome="CALL_OUTCOME_ABANDONED")
    third = desk(subject="OP000003")

    resumed = third.once("ResumeCall", claimRef=claim_ref)
    third.once("PassSecurity", callId=resumed["call"]["callId"], answers=given({"nino": "AB123456C"}))
    interview = third.get("GetInterview", claimRef=claim_ref)["interview"]

    assert interview["earlier"]["security"] == "CALL_SECURITY_REQUIRED"
    assert offered(interview) == {}
