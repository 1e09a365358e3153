"""The queue of call-backs: each is made by one operator, climbs the ladder, and is settled by a call."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.testing import DatabaseUrls, eventually

NINOS = ["AB123456C", "CE123456A", "CE123456B"]
TELEPHONE = "0113 496 0999"


@pytest.fixture
def promised(desk: Any, clock_file: Path) -> Any:
    """Promises a call-back in an hour about a claim of its own."""

    def promise(nino: str = NINOS[0], **more: Any) -> Any:
        operator = desk()
        started = operator.start(nino, **more)
        claim_ref = started["claim"]["claimRef"]
        operator.record(claim_ref, 1, surname="Hughes", forenames="Ann", telephone=TELEPHONE)
        later = (clock.now() + timedelta(hours=1)).isoformat()
        back = {"outcome": "CALL_OUTCOME_CALL_BACK", "callBackTime": later}
        operator.once("EndCall", callId=started["call"]["callId"], **back)
        return started

    return promise


def due(person: Any, **more: Any) -> list[Any]:
    return [found["callId"] for found in person.get("ListCallBacks", **more)["callBacks"]]


def take(person: Any, **more: Any) -> Any:
    return person.once("TakeCallBack", **more)


def record(person: Any, call_id: str, outcome: str = "NO_ANSWER") -> Any:
    return person.once("RecordCallBack", callId=call_id, outcome=f"CALL_BACK_OUTCOME_{outcome}")["callBack"]


def test_a_call_back_is_listed_when_it_is_due_and_settled_by_a_call(desk: Any, promised: Any) -> None:
    operator = desk()
    call_id = promised()["call"]["callId"]
    early = due(operator), due(operator, state="CALL_BACK_STATE_WAITING")
    clock.advance(timedelta(minutes=61))
    listed = due(desk("SERVICE_MANAGER", "SM000001"))

    operator.start(NINOS[0])

    assert (early, listed, due(operator)) == (([], [call_id]), [call_id], [])


def test_the_operator_who_takes_a_call_back_learns_whom_to_call(
    desk: Any, promised: Any, database_urls: DatabaseUrls
) -> None:
    started = promised(needs=["CALL_NEED_INTERPRETER"], language="CY")
    clock.advance(timedelta(minutes=61))

    taken = take(desk(subject="OP000002"))

    call_back, contact = taken["callBack"], taken["contact"]
    assert contact == {"name": "Ann Hughes", "telephone": "+441134960999", "addressLines": [], "unsafe": False}
    assert (call_back["callId"], call_back["state"], call_back["takenBy"]) == (
        started["call"]["callId"],
        "CALL_BACK_STATE_TAKEN",
        "OP000002",
    )
    for_15_minutes = datetime.fromisoformat(call_back["takenUntil"]) - clock.now()
    assert timedelta(minutes=14) < for_15_minutes <= timedelta(minutes=15)
    assert (call_back["language"], call_back["needs"]) == ("LANGUAGE_CY", ["CALL_NEED_INTERPRETER"])
    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT claim_ref, purpose FROM access_log WHERE subject = 'OP000002'").fetchall()
    assert rows == [(started["claim"]["claimRef"], f"call back {call_back['callId']}")]


def test_two_operators_never_take_the_same_call_back(desk: Any, promised: Any) -> None:
    promises = {promised(nino)["call"]["callId"] for nino in NINOS}
    clock.advance(timedelta(hours=2))
    people = [desk(subject=f"OP00000{number}") for number in range(1, 6)]

    with ThreadPoolExecutor(5) as pool:
        replies = list(pool.map(lambda person: person.try_once("TakeCallBack"), people))

    taken = [reply.body["callBack"]["callId"] for reply in replies if reply.code == "ok"]
    assert sorted(taken) == sorted(promises)
    assert [reply.reason for reply in replies if reply.code != "ok"] == ["NO_CALL_BACK"] * 2
    assert people[4].try_once("TakeCallBack", callId=taken[0]).reason in {"CALL_BACK_TAKEN", ""}


def test_a_call_back_whose_call_is_changed_at_this_moment_is_taken_after_the_change(
    desk: Any, promised: Any, database_urls: DatabaseUrls
) -> None:
    call_id = promised()["call"]["callId"]
    clock.advance(timedelta(hours=2))
    colleague = desk(subject="OP000002")

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE calls SET wrap_up_ended = ended WHERE call_id = %s", [call_id])
        taken = pool.submit(take, colleague)
        eventually(lambda: taken.done() or waits_for_a_lock(database_urls))
        conn.commit()

        assert taken.result()["callBack"]["callId"] == call_id


def waits_for_a_lock(database_urls: DatabaseUrls) -> bool:
    with psycopg.connect(database_urls.owner) as conn:
        return conn.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None


def test_call_backs_are_taken_in_their_order_and_language(desk: Any, promised: Any) -> None:
    first = promised(NINOS[0])["call"]["callId"]
    clock.advance(timedelta(minutes=1))
    welsh = promised(NINOS[1], language="CY")["call"]["callId"]
    clock.advance(timedelta(hours=2))
    operator = desk()

    listed, page = due(operator), operator.get("ListCallBacks", pageSize=1)
    rest = due(operator, pageSize=1, pageToken=page["nextPageToken"])

    assert (listed, rest) == ([first, welsh], [welsh])
    assert due(operator, language="LANGUAGE_CY") == [welsh]
    assert take(operator, language="LANGUAGE_CY")["callBack"]["callId"] == welsh
    assert take(operator)["callBack"]["callId"] == first
    assert due(operator, state="CALL_BACK_STATE_TAKEN") == [first, welsh]


def test_an_unanswered_call_back_ends_in_a_letter(desk: Any, promised: Any) -> None:
    operator = desk()
    call_id = promised()["call"]["callId"]
    seen = []
    for _ in range(5):
        clock.advance(timedelta(days=4))
        taken = take(operator, callId=call_id)
        assert taken["contact"]["addressLines"] == []
        seen.append(record(operator, call_id)["state"].removeprefix("CALL_BACK_STATE_"))

    listed = due(operator, state="CALL_BACK_STATE_LETTER_DUE")
    letter = take(operator)["callBack"]
    sent = record(operator, call_id, "LETTER_SENT")

    assert seen == ["WAITING"] * 4 + ["LETTER_DUE"]
    assert (listed, letter["attempts"]) == ([call_id], 5)
    assert sent["state"] == "CALL_BACK_STATE_LETTER_SENT"
    assert due(operator) == due(operator, state="CALL_BACK_STATE_LETTER_DUE") == []


def test_nobody_is_called_back_about_a_claim_that_was_withdrawn(
    desk: Any, promised: Any, book: Any, database_urls: DatabaseUrls
) -> None:
    claim_ref = promised()["claim"]["claimRef"]
    book(claim_ref)
    with psycopg.connect(database_urls.owner) as conn:  # assessors see submitted claims alone
        conn.execute("UPDATE claims SET state = 'SUBMITTED', submit_time = first_contact_time")
    assessor = desk("ASSESSOR", "AS000001", purpose="own work", office="100101")
    assessor.once("WithdrawClaim", claimRef=claim_ref, version=2, reason="found work")
    clock.advance(timedelta(hours=2))

    assert due(desk()) == []


def test_a_call_back_that_a_call_has_settled_takes_no_outcome(desk: Any, promised: Any) -> None:
    started = promised()
    clock.advance(timedelta(hours=2))
    first, second = desk(), desk(subject="OP000002")
    request = {"requestId": str(uuid4())}
    first.get("TakeCallBack", **request)
    second.start(nino=None, claimRef=started["claim"]["claimRef"])

    outcome = first.try_once("RecordCallBack", callId=started["call"]["callId"], outcome="CALL_BACK_OUTCOME_NO_ANSWER")

    assert (outcome.code, outcome.reason) == ("failed_precondition", "CALL_BACK_SETTLED")
    assert first.call("TakeCallBack", **request).reason == "CALL_BACK_SETTLED"


def test_a_person_in_danger_is_written_to_only_at_an_address_that_is_safe(desk: Any, clock_file: Path) -> None:
    operator = desk()
    home, safe = ({"lines": [line, "Leeds"], "postcode": "LS1 4AP"} for line in ("1 High Street", "c/o 7 Park Row"))
    letters = []
    for nino, more in ((NINOS[0], {}), (NINOS[1], {"post_address": safe})):
        started = operator.start(nino, schemes=["SCHEME_CHILD_MAINTENANCE"])
        operator.record(started["claim"]["claimRef"], 1, contact_unsafe=True, surname="Hughes", address=home, **more)
        this = {"callId": started["call"]["callId"]}
        later = (clock.now() + timedelta(hours=1)).isoformat()
        operator.once("EndCall", **this, outcome="CALL_OUTCOME_CALL_BACK", callBackTime=later)
        clock.advance(timedelta(minutes=61))
        take(operator, **this)
        record(operator, this["callId"], "NO_NUMBER")
        letters.append(take(operator, **this)["contact"])

    given_up = record(operator, due(operator, state="CALL_BACK_STATE_TAKEN")[0], "NO_LETTER")

    assert [letter["unsafe"] for letter in letters] == [True, True]
    assert [letter["addressLines"] for letter in letters] == [[], [*safe["lines"], "LS1 4AP"]]
    assert given_up["state"] == "CALL_BACK_STATE_GIVEN_UP"


def test_a_representative_is_called_back_by_their_own_name(desk: Any, promised: Any) -> None:
    helper = {"relation": "CALLER_RELATION_REPRESENTATIVE", "name": "Sean Price", "claimantPresent": True}
    promised(caller=helper | {"capacity": "REPRESENTATIVE_CAPACITY_HELPER"})
    clock.advance(timedelta(hours=2))

    assert take(desk())["contact"]["name"] == "Sean Price"
