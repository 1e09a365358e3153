"""Interviews are listed by claim, office, assessor and day, through both doors."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.errors import PermissionDenied
from chassis.testing import DatabaseUrls, Tokens

CLAIMS = ["C0000000000A", "C00000000010", "C0000000002X", "C0000000003Y", "C0000000004Z"]
LEEDS, CARDIFF = "600021", "600111"


@pytest.fixture
def operator(tokens: Tokens) -> str:
    return tokens.issue("OPERATOR")


@pytest.fixture
def booked(http: Any, operator: str, intake: Any) -> list[dict[str, Any]]:
    """Four interviews in Leeds, soonest first, and one in Cardiff."""
    slots = [
        *http("FindSlots", {"officeCode": LEEDS, "pageSize": 4}, operator).body["slots"],
        *http("FindSlots", {"officeCode": CARDIFF, "pageSize": 1}, operator).body["slots"],
    ]
    made = []
    for claim_ref, slot in zip(CLAIMS, slots, strict=True):
        intake.open(claim_ref)
        body = {"claimRef": claim_ref, "slotId": slot["slotId"], "requestId": str(uuid4())}
        made.append(http("BookAppointment", body, operator).body["appointment"])
    return made


def listed(door: Any, token: str, **body: Any) -> list[str]:
    return [found["claimRef"] for found in door("ListAppointments", body, token).body["appointments"]]


@pytest.fixture
def manager(tokens: Tokens) -> str:
    return tokens.issue("SERVICE_MANAGER", subject="SM000001")


def day_of(appointment: dict[str, Any]) -> dict[str, int]:
    year, month, day = map(int, appointment["startTime"][:10].split("-"))  # offices work by day, in London and by UTC
    return {"year": year, "month": month, "day": day}


def test_an_offices_interviews_come_soonest_first(door: Any, manager: str, booked: list[dict[str, Any]]) -> None:
    found = door("ListAppointments", {"office": LEEDS}, manager).body["appointments"]

    assert sorted(CLAIMS[:4]) == sorted(one["claimRef"] for one in found)
    assert [one["startTime"] for one in found] == sorted(one["startTime"] for one in found)
    assert found[0]["office"]["name"] == booked[0]["office"]["name"]


def test_an_assessors_interviews_of_a_day_are_listed(http: Any, manager: str, booked: list[dict[str, Any]]) -> None:
    first = booked[0]
    same = [
        one["claimRef"] for one in booked if (one["assessorId"], day_of(one)) == (first["assessorId"], day_of(first))
    ]

    assert listed(http, manager, assessor=first["assessorId"], day=day_of(first)) == same
    assert listed(http, manager, assessor=first["assessorId"], day=day_of(first) | {"year": 2030}) == []
    assert listed(http, manager, assessor=first["assessorId"], office=CARDIFF) == []


def test_pages_follow_one_another_without_a_gap(http: Any, manager: str, booked: list[dict[str, Any]]) -> None:
    whole, seen, token = listed(http, manager, office=LEEDS), [], ""
    for _ in range(len(whole)):
        page = http("ListAppointments", {"office": LEEDS, "pageSize": 1, "pageToken": token}, manager).body
        seen += [one["claimRef"] for one in page["appointments"]]
        token = page["nextPageToken"]

    assert seen == whole
    assert token == ""


def test_a_claims_interviews_are_listed_whatever_became_of_them(
    http: Any, operator: str, booked: list[dict[str, Any]]
) -> None:
    first = booked[0]
    cancel = {"appointmentId": first["appointmentId"], "version": 1, "reason": "SECRET1", "requestId": str(uuid4())}
    http("CancelAppointment", cancel, operator)
    clock.advance(timedelta(days=30))

    answer = http("ListAppointments", {"claimRef": CLAIMS[0]}, operator)

    [found] = answer.body["appointments"]
    assert found["state"] == "APPOINTMENT_STATE_CANCELLED"
    assert "SECRET1" not in answer.text


def test_without_a_day_past_interviews_of_an_office_are_left_out(
    http: Any, manager: str, booked: list[dict[str, Any]]
) -> None:
    clock.advance(timedelta(days=30))

    assert listed(http, manager, office=LEEDS) == []
    assert listed(http, manager, office=LEEDS, day=day_of(booked[0]))


def test_assessors_are_shown_their_own_offices_interviews_alone(
    http: Any, tokens: Tokens, booked: list[dict[str, Any]]
) -> None:
    ours = tokens.issue("ASSESSOR", office=LEEDS)
    refused = [
        http("ListAppointments", {"office": CARDIFF}, ours),
        http("ListAppointments", {"claimRef": CLAIMS[0]}, tokens.issue("ASSESSOR")),
    ]

    assert listed(http, ours, claimRef=CLAIMS[0]) == CLAIMS[:1]
    assert listed(http, ours, claimRef=CLAIMS[4]) == []
    assert listed(http, ours, assessor=booked[4]["assessorId"]) == []
    assert {(answer.code, answer.reason) for answer in refused} == {("permission_denied", "OTHER_OFFICE")}
    assert listed(http, tokens.issue("ASSESSOR", "SERVICE_MANAGER", office=LEEDS), office=CARDIFF) == CLAIMS[4:]


@pytest.mark.parametrize("role", ["OPERATOR", "PROCESSING_OFFICER", "CASEWORKER", "SUPPORT"])
def test_only_an_offices_own_desks_are_told_who_will_be_there(
    http: Any, tokens: Tokens, booked: list[dict[str, Any]], role: str
) -> None:
    token = tokens.issue(role)

    refused = [
        http("ListAppointments", {"office": LEEDS}, token),
        http("ListAppointments", {"assessor": booked[0]["assessorId"]}, token),
    ]

    assert {(answer.code, answer.reason) for answer in refused} == {("permission_denied", "LIST_NOT_YOURS")}
    assert listed(http, token, claimRef=CLAIMS[0]) == CLAIMS[:1]


@pytest.mark.parametrize(
    "role", ["OPERATOR", "ASSESSOR", "PROCESSING_OFFICER", "CASEWORKER", "SERVICE_MANAGER", "SUPPORT"]
)
def test_an_appointment_is_shown_only_to_those_whom_intake_entitles_and_is_logged(
    *, http: Any, tokens: Tokens, intake: Any, booked: list[dict[str, Any]], database_urls: DatabaseUrls, role: str
) -> None:
    token = tokens.issue(role, subject="ST000042", office=LEEDS)
    wanted = {"claimRef": CLAIMS[0]}

    seen = http("GetAppointment", wanted, token)
    intake.refusal = PermissionDenied("PURPOSE_NOT_YOURS", "it is not yours")
    refused = http("GetAppointment", wanted, token)

    assert seen.body["appointment"]["appointmentId"] == booked[0]["appointmentId"]
    assert (refused.code, refused.reason) == ("permission_denied", "PURPOSE_NOT_YOURS")
    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute(
            "SELECT claim_ref, purpose, outcome FROM access_log WHERE subject = 'ST000042' ORDER BY access_id"
        ).fetchall()
    assert rows == [
        (CLAIMS[0], f"work item {CLAIMS[0]}", "SHOWN"),
        (CLAIMS[0], "", "DENIED"),
    ]
