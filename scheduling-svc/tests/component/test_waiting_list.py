"""Claimants who wait are given earlier slots, through the doors, with intake faked at the protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.testing import DatabaseUrls, Tokens, eventually

CLAIM = "C0000000000A"
LEEDS, CARDIFF = "600021", "600111"


def moment(text: str) -> datetime:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp.ToDatetime(UTC)


def slots(http: Any, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http("FindSlots", {"officeCode": LEEDS, "pageSize": 100}, token).body["slots"]
    return found


def book(http: Any, token: str, intake: Any, slot: dict[str, Any], claim_ref: str = CLAIM) -> dict[str, Any]:
    intake.open(claim_ref)
    body = {"claimRef": claim_ref, "slotId": slot["slotId"], "requestId": str(uuid4())}
    booked: dict[str, Any] = http("BookAppointment", body, token).body["appointment"]
    return booked


def act(http: Any, method: str, token: str, appointment: dict[str, Any], **more: Any) -> Any:
    return http(method, {"appointmentId": appointment["appointmentId"], "requestId": str(uuid4())} | more, token)


def now_of(http: Any, token: str, claim_ref: str = CLAIM) -> dict[str, Any]:
    found: dict[str, Any] = http("GetAppointment", {"claimRef": claim_ref}, token).body["appointment"]
    return found


def listed(urls: DatabaseUrls, table: str = "waiting_list") -> int:
    with psycopg.connect(urls.owner) as conn:
        row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - a name of ours
    return int(row[0]) if row else 0


def test_who_joins_the_list_is_moved_to_the_first_free_slot_that_leaves_the_notice(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    token = tokens.issue("OPERATOR")
    booked = book(http, token, intake, slots(http, token)[-1])
    notice = clock.now() + timedelta(hours=24)
    first = next(slot for slot in slots(http, token) if moment(slot["startTime"]) >= notice)

    place = act(http, "JoinWaitingList", token, booked).body["place"]

    assert (place["officeCodes"], place["noticeHours"], place["claimRef"]) == ([LEEDS], 24, CLAIM)
    moved = eventually(lambda: one if (one := now_of(http, token))["version"] > 1 else None, what="the move")
    assert (moved["state"], moved["startTime"]) == ("APPOINTMENT_STATE_MOVED", first["startTime"])
    with psycopg.connect(database_urls.owner) as conn:
        told = conn.execute("SELECT claim_ref FROM outbox WHERE type LIKE '%AppointmentMoved'").fetchall()
    assert told == [(CLAIM,)]
    assert listed(database_urls) == 0
    assert act(http, "LeaveWaitingList", token, moved).reason == "NOT_WAITING"


def test_a_slot_that_is_freed_goes_to_who_waits_for_it(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    token = tokens.issue("OPERATOR")
    free = slots(http, token)
    later = next(number for number, slot in enumerate(free) if slot["startTime"] > free[0]["startTime"])
    fillers = [book(http, token, intake, slot, f"C{number:011}") for number, slot in enumerate(free[:later])]
    booked = book(http, token, intake, free[later])
    act(http, "JoinWaitingList", token, booked, noticeHours=0)
    eventually(lambda: not listed(database_urls, "freed_days"), what="the look at what is free")
    assert now_of(http, token) == booked

    cancelled = act(http, "CancelAppointment", token, fillers[0], version=1, reason="found work")

    assert cancelled.code == "ok"
    moved = eventually(lambda: one if (one := now_of(http, token))["version"] > 1 else None, what="the move")
    assert (moved["startTime"], moved["assessorId"]) == (free[0]["startTime"], free[0]["assessorId"])


def test_a_slot_that_a_caller_did_not_take_goes_to_who_waits_for_it(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    token = tokens.issue("OPERATOR")
    free = slots(http, token)
    later = next(number for number, slot in enumerate(free) if slot["startTime"] > free[1]["startTime"])
    fillers = {number: slot for number, slot in enumerate(free[:later]) if number > 1}
    for number, slot in fillers.items():
        book(http, token, intake, slot, f"C{number:011}")
    booked = book(http, token, intake, free[later])
    with psycopg.connect(database_urls.owner) as conn:
        for slot in free[:2]:
            conn.execute(
                "INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, held_until, held_since)"
                " VALUES (%s, 'C00000000099', %s, %s, now() + interval '10 minutes', now())",
                [slot["assessorId"], moment(slot["startTime"]), moment(slot["endTime"])],
            )
    act(http, "JoinWaitingList", token, booked, noticeHours=0)
    eventually(lambda: not listed(database_urls, "freed_days"), what="the look at what is free")
    assert now_of(http, token) == booked

    book(http, token, intake, free[0], "C00000000099")

    moved = eventually(lambda: one if (one := now_of(http, token))["version"] > 1 else None, what="the move")
    assert (moved["startTime"], moved["assessorId"]) == (free[1]["startTime"], free[1]["assessorId"])


def test_the_time_of_an_assessor_who_is_back_goes_to_who_waits_for_it(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    token, manager = tokens.issue("OPERATOR"), tokens.issue("SERVICE_MANAGER")
    free = slots(http, token)
    later = next(number for number, slot in enumerate(free) if slot["startTime"] > free[0]["startTime"])
    for number, slot in enumerate(free[1:later], start=1):
        book(http, token, intake, slot, f"C{number:011}")
    booked = book(http, token, intake, free[later])
    away = {"assessorId": free[0]["assessorId"], "from": free[0]["startTime"], "until": free[0]["endTime"]}
    http("RecordAbsence", away | {"reason": "ill", "requestId": str(uuid4())}, manager)
    act(http, "JoinWaitingList", token, booked, noticeHours=0)
    eventually(lambda: not listed(database_urls, "freed_days"), what="the look at what is free")
    assert now_of(http, token) == booked

    http("CancelAbsence", {"assessorId": free[0]["assessorId"], "requestId": str(uuid4())}, manager)

    moved = eventually(lambda: one if (one := now_of(http, token))["version"] > 1 else None, what="the move")
    assert (moved["startTime"], moved["assessorId"]) == (free[0]["startTime"], free[0]["assessorId"])


def test_who_left_the_list_keeps_the_appointment(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    token = tokens.issue("OPERATOR")
    free = slots(http, token)
    later = next(number for number, slot in enumerate(free) if slot["startTime"] > free[0]["startTime"])
    fillers = [book(http, token, intake, slot, f"C{number:011}") for number, slot in enumerate(free[:later])]
    booked = book(http, token, intake, free[later])
    act(http, "JoinWaitingList", token, booked, noticeHours=0)

    left = act(http, "LeaveWaitingList", token, booked)
    act(http, "CancelAppointment", token, fillers[0], version=1, reason="found work")

    assert left.code == "ok"
    eventually(lambda: not listed(database_urls, "freed_days"), what="the look at what is free")
    assert now_of(http, token) == booked


def test_joining_is_refused_where_nothing_could_come_of_it(http: Any, tokens: Tokens, intake: Any) -> None:
    token = tokens.issue("OPERATOR")
    booked = book(http, token, intake, slots(http, token)[0])

    soon = act(http, "JoinWaitingList", token, booked, noticeHours=336)
    nowhere = act(http, "JoinWaitingList", token, booked, noticeHours=0, officeCodes=["699999"])
    elsewhere = act(http, "JoinWaitingList", tokens.issue("ASSESSOR", office=CARDIFF), booked, noticeHours=0)
    act(http, "CancelAppointment", token, booked, version=1, reason="found work")
    ended = act(http, "JoinWaitingList", token, booked, noticeHours=0)

    assert [one.reason for one in (soon, nowhere, elsewhere, ended)] == [
        "TOO_SOON_TO_WAIT",
        "OFFICE_UNKNOWN",
        "OTHER_OFFICE",
        "APPOINTMENT_ENDED",
    ]
    assert nowhere.fields == {"office_codes[0]"}
