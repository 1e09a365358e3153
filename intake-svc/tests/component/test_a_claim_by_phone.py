"""The story of a claim, from the first question to the facts that other services get."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql

from chassis.testing import DatabaseUrls


def events_of(urls: DatabaseUrls, claim_ref: str) -> list[tuple[str, int]]:
    with psycopg.connect(urls.owner) as conn:
        rows = conn.execute(
            "SELECT type, version FROM outbox WHERE claim_ref = %s ORDER BY created", [claim_ref]
        ).fetchall()
    return [(name.rpartition(".")[2], version) for name, version in rows]


def accesses(urls: DatabaseUrls, method: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(urls.owner) as conn:
        return conn.execute(
            "SELECT subject, purpose, outcome FROM access_log WHERE method LIKE %s ORDER BY access_id", [f"%/{method}"]
        ).fetchall()


def question(interview: Any, name: str) -> Any:
    return next(part for part in interview["questions"] if part["id"] == name)


def test_a_claim_goes_from_the_first_question_to_its_submission(
    desk: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk(grade="EO")

    started = operator.start()
    claim_ref = started["claim"]["claimRef"]
    identity = {name: single_tenant[name] for name in ("surname", "forenames", "date_of_birth")}
    interview = operator.record(claim_ref, 1, **identity)
    rest = {name: value for name, value in single_tenant.items() if name not in ("nino", "language", *identity)}
    whole = operator.record(claim_ref, interview["version"], **rest)
    claim = operator.submit(claim_ref, whole["version"])

    assert started["call"]["security"] == "CALL_SECURITY_PASSED"
    assert not started["resumed"]
    assert question(started["interview"], "nino")["answer"] == "AB123456C"
    assert (interview["version"], interview["asked"]) == (2, 5)
    assert all(section["complete"] for section in whole["sections"])
    assert (claim["state"], claim["version"]) == ("CLAIM_STATE_SUBMITTED", 4)
    assert "claimant" not in claim
    assert events_of(database_urls, claim_ref) == [("FirstContactRecorded", 3), ("ClaimSubmitted", 4)]


def test_a_welsh_call_is_held_in_welsh(desk: Any) -> None:
    started = desk().start(language="CY")

    assert question(started["interview"], "surname")["text"] == "Beth yw eich cyfenw neu eich enw teuluol?"
    assert question(started["interview"], "language")["answer"] == "CY"
    assert started["interview"]["sections"][0]["title"] == "Amdanoch chi"


def test_a_name_that_the_record_cannot_hold_carries_a_proposal_until_it_is_agreed_to(
    desk: Any, single_tenant: Any
) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    told = operator.record(claim_ref, 1, surname="O’Brien-Łukasz")
    answer = {"questionId": "surname", "value": "O’Brien-Łukasz", "acceptTransliteration": True}
    agreed = operator.once("RecordAnswers", claimRef=claim_ref, version=2, answers=[answer])["interview"]

    assert question(told, "surname")["answer"] == "O’Brien-Łukasz"
    assert question(told, "surname")["proposal"] == "O'BRIEN-LUKASZ"
    assert "proposal" not in question(agreed, "surname")
    facts = desk("SERVICE", "legacy-gateway").call("GetClaimFacts", claimRef=claim_ref)["facts"]
    assert (facts["answers"]["surname"], facts["recordForms"]) == ("O’Brien-Łukasz", {"surname": "O'BRIEN-LUKASZ"})


def test_each_caller_reads_the_interview_in_the_language_of_their_work(desk: Any, book: Any) -> None:
    claim_ref = desk().start(language="EN")["claim"]["claimRef"]
    saved = desk().record(claim_ref, 1, surname="Hughes", language="CY")
    book(claim_ref)

    seen = desk("ASSESSOR", "AS000001", "A1", office="100101").call("GetInterview", claimRef=claim_ref)["interview"]

    assert question(saved, "surname")["text"] == "What is your surname or family name?"
    assert question(seen, "surname")["text"] == "Beth yw eich cyfenw neu eich enw teuluol?"
    assert desk().call("GetInterview", claimRef=claim_ref)["interview"] == saved


def test_a_section_is_read_alone(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    interview = operator.call("GetInterview", claimRef=claim_ref, section="contact")["interview"]

    assert {part["section"] for part in interview["questions"]} == {"contact"}
    assert len(interview["sections"]) > 1


def test_the_history_tells_who_changed_what_when_and_why(
    desk: Any, book: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    claim = desk().submitted(single_tenant)
    book(claim["claimRef"], "100101")
    assessor = desk("ASSESSOR", "AS000001", purpose="appointment 17", office="100101")

    amended = assessor.amend(claim["claimRef"], claim["version"], capital="400.00")
    entries = assessor.call("GetHistory", claimRef=claim["claimRef"])["entries"]

    assert [(change["old"], change["new"]) for change in amended["changes"]] == [("350.00", "400.00")]
    assert entries[-1] == amended["changes"][0]
    assert {name: entries[-1][name] for name in ("questionId", "by", "reason", "version")} == {
        "questionId": "capital",
        "by": "AS000001",
        "reason": "corrected",
        "version": claim["version"] + 1,
    }
    assert {entry["questionId"] for entry in entries} == set(single_tenant)
    assert events_of(database_urls, claim["claimRef"])[-1] == ("ClaimAmended", claim["version"] + 1)
    assert accesses(database_urls, "GetHistory") == [("AS000001", "appointment 17", "SHOWN")]


def test_an_amendment_that_would_leave_a_submitted_claim_open_is_refused_whole(
    desk: Any, single_tenant: Any, refused: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant)

    with pytest.raises(refused) as raised:
        operator.amend(claim["claimRef"], claim["version"], hours_available=20, capital="1.00")

    assert (raised.value.reason, raised.value.fields) == ("CLAIM_INCOMPLETE", {"restrictions"})
    assert operator.call("GetInterview", claimRef=claim["claimRef"])["interview"]["version"] == claim["version"]
    assert "ClaimAmended" not in dict(events_of(database_urls, claim["claimRef"]))


def test_a_retry_gets_the_first_answer_although_the_claim_has_gone_on(desk: Any) -> None:
    operator, request_id = desk(), str(uuid4())
    claim_ref = operator.start()["claim"]["claimRef"]
    body: Any = {
        "requestId": request_id,
        "claimRef": claim_ref,
        "version": 1,
        "reason": "misheard",
        "answers": [{"questionId": "surname", "value": "Hughes"}, {"questionId": "sex", "value": "F"}],
    }

    first = operator.call("AmendAnswers", **body)
    operator.record(claim_ref, 2, surname="Price")
    again = operator.call("AmendAnswers", **body)

    assert again == first
    assert len(first["changes"]) == 2


def test_a_retry_of_a_call_gets_the_claim_as_it_was_begun_although_it_has_been_booked_and_submitted(
    desk: Any, book: Any, single_tenant: Any
) -> None:
    operator = desk()
    body: Any = {
        "requestId": str(uuid4()),
        "purpose": "CALL_PURPOSE_NEW",
        "nino": "AB123456C",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "caller": {"relation": "CALLER_RELATION_SELF"},
    }
    first = operator.call("StartCall", **body)
    claim_ref = first["claim"]["claimRef"]
    rest = {name: value for name, value in single_tenant.items() if name not in ("nino", "language")}
    operator.record(claim_ref, 1, **rest)
    operator.submit(claim_ref, 2)
    book(claim_ref)

    again = operator.call("StartCall", **body)

    assert again == first


def test_a_retry_of_an_amendment_that_changed_nothing_shows_no_changes(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]
    operator.record(claim_ref, 1, surname="Hughes")
    body: Any = {
        "requestId": str(uuid4()),
        "claimRef": claim_ref,
        "version": 2,
        "reason": "misheard",
        "answers": [{"questionId": "surname", "value": "Hughes"}],
    }

    first, again = operator.call("AmendAnswers", **body), operator.call("AmendAnswers", **body)

    assert first == again
    assert (first["changes"], first["interview"]["version"]) == ([], 2)


def test_a_retried_start_of_a_call_gives_the_first_call_and_its_interview(desk: Any) -> None:
    operator = desk()
    body: Any = {
        "requestId": str(uuid4()),
        "purpose": "CALL_PURPOSE_NEW",
        "nino": "AB123456C",
        "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
        "language": "LANGUAGE_EN",
        "needs": ["CALL_NEED_TEXTPHONE"],
        "caller": {"relation": "CALLER_RELATION_SELF"},
    }

    first = operator.call("StartCall", **body)
    operator.record(first["claim"]["claimRef"], 1, surname="Hughes", language="CY")
    operator.once("EndCall", callId=first["call"]["callId"], outcome="CALL_OUTCOME_ABANDONED")
    other = desk(subject="OP000002")
    resumed = other.call("StartCall", **body)
    other.once("EndCall", callId=resumed["call"]["callId"], outcome="CALL_OUTCOME_ABANDONED")

    assert operator.call("StartCall", **body) == first
    assert other.call("StartCall", **body) == resumed
    assert (first["resumed"], resumed["resumed"]) == (False, True)


def test_of_many_calls_for_one_person_at_one_moment_one_makes_the_claim(desk: Any) -> None:
    operators = [desk(subject=f"OP{number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda operator: operator.start(), operators))

    assert len({answer["claim"]["claimRef"] for answer in started}) == 1
    assert [answer["resumed"] for answer in started].count(False) == 1


def test_of_two_who_answer_at_one_moment_one_is_told_to_read_again(desk: Any, refused: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    def answer(surname: str) -> str:
        try:
            operator.record(claim_ref, 1, surname=surname)
        except refused as error:
            return str(error.code)
        return "ok"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(answer, ["Hughes", "Price", "Evans", "Rees"]))

    assert sorted(outcomes) == ["aborted", "aborted", "aborted", "ok"]


def test_what_a_claimant_said_is_not_in_the_database_in_the_clear(
    desk: Any, book: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    canary = "Zzyzxcanary"
    claim = desk().submitted(single_tenant | {"surname": canary})
    book(claim["claimRef"], "100101")
    assessor = desk("ASSESSOR", "AS1", purpose="appointment 1", office="100101")
    assessor.amend(claim["claimRef"], claim["version"], landlord=canary)

    with psycopg.connect(database_urls.owner) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        queries = [sql.SQL("TABLE {}").format(sql.Identifier(name)) for (name,) in tables]
        rows = [str(row) for query in queries for row in conn.execute(query)]

    assert len(rows) > len(single_tenant)
    assert not any(canary in row or "AB123456C" in row for row in rows)


def test_calls_and_questions_are_counted(desk: Any, single_tenant: Any, process: Any) -> None:
    operator = desk()
    operator.submitted(single_tenant)
    call_id = operator.start()["call"]["callId"]

    ended = operator.once("EndCall", callId=call_id, outcome="CALL_OUTCOME_COMPLETED")["call"]

    shown = httpx.get(f"http://127.0.0.1:{process.http.port}/metrics").text
    assert ended["outcome"] == "CALL_OUTCOME_COMPLETED"
    assert 'intake_call_duration_seconds_count{outcome="COMPLETED"}' in shown
    assert 'intake_questions_asked_count{scheme="JOBSEEKERS_ALLOWANCE"}' in shown
