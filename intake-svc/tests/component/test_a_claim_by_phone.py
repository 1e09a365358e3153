"""The story of a claim, from the first question to the facts that other services get."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from psycopg import sql

from chassis.testing import DatabaseUrls


def events_of(urls: DatabaseUrls, claim_ref: str) -> list[tuple[str, int]]:
    with psycopg.connect(urls.owner) as conn:
        rows = conn.execute(
            "SELECT type, version FROM outbox WHERE claim_ref = %s ORDER BY created", [claim_ref]
        ).fetchall()
    return [(name.rpartition(".")[2], version) for name, version in rows]


def question(interview: Any, name: str) -> Any:
    return next(part for part in interview["questions"] if part["id"] == name)


def test_a_claim_goes_from_the_first_question_to_its_submission(
    desk: Any, rest: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk(grade="EO")

    started = operator.start()
    claim_ref = started["claim"]["claimRef"]
    identity = {name: rest[name] for name in ("surname", "forenames", "date_of_birth")}
    interview = operator.record(claim_ref, 1, **identity)
    whole = operator.record(claim_ref, 2, **rest)
    claim = operator.submit(claim_ref, 3)

    assert started["call"]["security"] == "CALL_SECURITY_PASSED"
    assert not started["resumed"]
    assert question(started["interview"], "nino")["answer"] == "AB123456C"
    assert (interview["version"], interview["asked"]) == (2, 6)
    assert all(section["complete"] for section in whole["sections"])
    assert (claim["state"], claim["version"]) == ("CLAIM_STATE_SUBMITTED", 4)
    assert "claimant" not in claim
    assert events_of(database_urls, claim_ref) == [("FirstContactRecorded", 3), ("ClaimSubmitted", 4)]


def test_a_welsh_call_is_held_in_welsh(desk: Any) -> None:
    started = desk().start(language="CY")

    assert question(started["interview"], "surname")["text"] == "Beth yw eich cyfenw neu eich enw teuluol?"
    assert question(started["interview"], "language")["answer"] == "CY"
    assert {"name": "identity", "title": "Amdanoch chi"}.items() <= started["interview"]["sections"][3].items()


def test_a_name_that_the_record_cannot_hold_carries_a_proposal_until_the_claimant_agrees(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    recorded = operator.record(claim_ref, 1, surname="O’Brien-Łukasz")
    answer = {"questionId": "surname", "value": "O’Brien-Łukasz", "acceptTransliteration": True}
    agreed = operator.once("RecordAnswers", claimRef=claim_ref, version=2, answers=[answer])["interview"]

    assert question(recorded, "surname")["answer"] == "O’Brien-Łukasz"
    assert question(recorded, "surname")["proposal"] == "O'BRIEN-LUKASZ"
    assert "proposal" not in question(agreed, "surname")
    facts = desk("SERVICE", "legacy-gateway").get("GetClaimFacts", claimRef=claim_ref)["facts"]
    assert (facts["answers"]["surname"], facts["recordForms"]) == ("O’Brien-Łukasz", {"surname": "O'BRIEN-LUKASZ"})


def test_each_caller_reads_the_interview_in_the_language_of_their_work(
    desk: Any, book: Any, database_urls: DatabaseUrls
) -> None:
    claim_ref = desk().start(language="EN")["claim"]["claimRef"]
    saved = desk().record(claim_ref, 1, surname="Hughes", language="CY")
    book(claim_ref)
    with psycopg.connect(database_urls.owner) as conn:  # assessors see submitted claims alone
        conn.execute("UPDATE claims SET state = 'SUBMITTED', submit_time = first_contact_time")

    assessor = desk("ASSESSOR", "AS000001", "own work", office="100101")
    seen = assessor.get("GetInterview", claimRef=claim_ref)["interview"]

    assert question(saved, "surname")["text"] == "What is your surname or family name?"
    assert question(seen, "surname")["text"] == "Beth yw eich cyfenw neu eich enw teuluol?"
    assert desk().get("GetInterview", claimRef=claim_ref)["interview"] == saved


def test_a_section_is_read_alone(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    interview = operator.get("GetInterview", claimRef=claim_ref, section="contact")["interview"]

    assert {part["section"] for part in interview["questions"]} == {"contact"}
    assert len(interview["sections"]) > 1


def test_the_history_says_who_changed_which_answer_and_why(
    desk: Any, book: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    claim = desk().submitted(single_tenant)
    book(claim["claimRef"])
    assessor = desk("ASSESSOR", "AS000001", purpose="own work", office="100101")

    amended = assessor.amend(claim, capital="400.00")
    entries = assessor.get("GetHistory", claimRef=claim["claimRef"])["entries"]

    last = entries[-1]
    assert [last] == amended["changes"]
    assert (last["questionId"], last["old"], last["new"]) == ("capital", "350.00", "400.00")
    assert (last["by"], last["reason"], last["version"]) == ("AS000001", "corrected", claim["version"] + 1)
    assert {entry["questionId"] for entry in entries} == set(single_tenant)
    assert events_of(database_urls, claim["claimRef"])[-1] == ("ClaimAmended", claim["version"] + 1)


def test_an_amendment_that_would_leave_a_submitted_claim_incomplete_is_refused(
    desk: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    operator = desk()
    claim = operator.submitted(single_tenant)

    reply = operator.try_amend(claim, hours_available=20, capital="1.00")

    assert (reply.reason, reply.fields) == ("CLAIM_INCOMPLETE", {"restrictions", "restriction_cause"})
    assert operator.get("GetInterview", claimRef=claim["claimRef"])["interview"]["version"] == claim["version"]
    assert "ClaimAmended" not in dict(events_of(database_urls, claim["claimRef"]))


def test_a_retried_amendment_gets_the_first_response_although_the_claim_has_changed_since(desk: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    request = operator.amendment(claim, surname="Hughes", sex="F")

    first = operator.get("AmendAnswers", **request)
    operator.record(claim["claimRef"], 2, surname="Price")

    assert operator.get("AmendAnswers", **request) == first
    assert len(first["changes"]) == 2


def test_a_retried_amendment_that_changed_nothing_shows_no_changes(desk: Any) -> None:
    operator = desk()
    claim = operator.start()["claim"]
    operator.record(claim["claimRef"], 1, surname="Hughes")
    request = operator.amendment(claim | {"version": 2}, surname="Hughes")

    first, again = operator.get("AmendAnswers", **request), operator.get("AmendAnswers", **request)

    assert first == again
    assert (first["changes"], first["interview"]["version"]) == ([], 2)


def test_a_retried_start_of_a_call_gets_the_first_response_although_call_and_claim_have_changed_since(
    desk: Any, book: Any, rest: Any
) -> None:
    operator, other = desk(), desk(subject="OP000002")
    request = {"requestId": str(uuid4()), "needs": ["CALL_NEED_TEXTPHONE"]}

    first = operator.start(**request)
    claim_ref = first["claim"]["claimRef"]
    operator.record(claim_ref, 1, **rest, language="CY")
    operator.submit(claim_ref, 2)
    book(claim_ref)
    resumed = other.start(**request)
    for person, started in ((operator, first), (other, resumed)):
        person.once("EndCall", callId=started["call"]["callId"], outcome="CALL_OUTCOME_ABANDONED")

    again = operator.start(**request)
    without = first["interview"] | {
        name: again["interview"][name] for name in ("sections", "questions", "nextQuestionId")
    }
    counts = dict.fromkeys(("asked", "remaining", "notRelevant"), 0)
    assert again == first | {"interview": without | counts | {"gaps": []}}
    assert again["interview"]["questions"] == []
    assert other.start(**request) == resumed
    assert (first["resumed"], resumed["resumed"]) == (False, True)


def test_of_many_calls_for_one_person_at_one_moment_one_makes_the_claim(desk: Any) -> None:
    operators = [desk(subject=f"OP{number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda operator: operator.start(), operators))

    assert len({answer["claim"]["claimRef"] for answer in started}) == 1
    assert [answer["resumed"] for answer in started].count(False) == 1


def test_of_several_saves_of_one_version_one_succeeds_and_the_others_are_stale(desk: Any) -> None:
    operator = desk()
    claim_ref = operator.start()["claim"]["claimRef"]

    with ThreadPoolExecutor(4) as pool:
        names = ["Hughes", "Price", "Evans", "Rees"]
        replies = list(pool.map(lambda name: operator.try_record(claim_ref, 1, surname=name), names))

    assert sorted(reply.code for reply in replies) == ["aborted", "aborted", "aborted", "ok"]


def test_answers_are_not_in_the_database_in_the_clear(
    desk: Any, book: Any, single_tenant: Any, database_urls: DatabaseUrls
) -> None:
    canary = "Zzyzxcanary"
    claim = desk().submitted(single_tenant | {"surname": canary})
    book(claim["claimRef"])
    desk("ASSESSOR", "AS1", purpose="own work", office="100101").amend(claim, landlord=canary)

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

    shown = httpx.get(f"http://127.0.0.1:{process.operations.port}/metrics").text
    assert ended["outcome"] == "CALL_OUTCOME_COMPLETED"
    assert 'intake_call_duration_seconds_count{outcome="COMPLETED"}' in shown
    assert 'intake_questions_asked_count{scheme="JOBSEEKERS_ALLOWANCE"}' in shown
