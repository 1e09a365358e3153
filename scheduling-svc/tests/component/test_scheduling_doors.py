"""Finding and booking through both doors, with intake faked at the protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import httpx
import psycopg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.metrics import REGISTRY
from chassis.pages import token_of
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Tokens, commits_fail, eventually, open_channel
from cms.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc
from scheduling.domain.offices import Need
from scheduling.domain.working_time import target_due

CLAIM = "C0000000000A"
LEEDS = "600021"


def moment(text: str) -> datetime:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp.ToDatetime(UTC)


def book(door: Any, token: str, claim_ref: str = CLAIM, **how: Any) -> Any:
    how = how or {"earliest": True, "postcode": "LS1 3AB"}
    return door("BookAppointment", {"claimRef": claim_ref, "requestId": str(uuid4())} | how, token)


def test_free_slots_come_from_the_nearest_office_first_and_soonest_first_within_an_office(
    door: Any, tokens: Tokens
) -> None:
    token = tokens.issue("OPERATOR")
    first = door("FindSlots", {"postcode": "sw1a2aa", "pageSize": 1}, token).body["slots"][0]
    until = moment(first["startTime"]) + timedelta(hours=2)
    found = door("FindSlots", {"postcode": "sw1a2aa", "pageSize": 100, "until": until.isoformat()}, token).body["slots"]

    offices = [slot["office"]["name"] for slot in found]
    assert moment(first["startTime"]) > clock.now()
    assert offices == sorted(offices, key=["Hackney", "Croydon"].index)
    assert set(offices) == {"Hackney", "Croydon"}
    for office in set(offices):
        starts = [moment(slot["startTime"]) for slot in found if slot["office"]["name"] == office]
        assert starts == sorted(starts)
    assert all(5 < slot["office"]["distanceKm"] < 16 for slot in found)
    assert {(slot["office"]["name"], slot["reason"], slot["channel"]) for slot in found} == {
        ("Hackney", "OFFER_REASON_NEAREST_OFFICE", "CHANNEL_OFFICE"),
        ("Croydon", "OFFER_REASON_WITHIN_REACH", "CHANNEL_OFFICE"),
    }


def test_a_slot_is_named_by_its_assessor_and_its_start(http: Any, tokens: Tokens) -> None:
    [slot] = http("FindSlots", {"officeCode": LEEDS, "pageSize": 1}, tokens.issue("OPERATOR")).body["slots"]

    assert slot["slotId"] == f"{slot['assessorId']}-{moment(slot['startTime']):%Y%m%dT%H%MZ}"


def test_each_slot_says_whether_it_is_within_the_target_and_the_earliest_is_named(http: Any, tokens: Tokens) -> None:
    found = http("FindSlots", {"officeCode": LEEDS, "pageSize": 100}, tokens.issue("ASSESSOR")).body

    due = target_due(clock.now(), Nation.ENGLAND)
    assert all(slot["withinTarget"] == (moment(slot["startTime"]) <= due) for slot in found["slots"])
    assert found["earliestWithinTarget"]["startTime"] == found["slots"][0]["startTime"]
    assert found["slots"][0]["office"] == {"code": LEEDS, "name": "Leeds", "distanceKm": 0.0}


def test_a_search_after_the_target_names_no_earliest_slot(http: Any, tokens: Tokens) -> None:
    after = target_due(clock.now(), Nation.ENGLAND) + timedelta(hours=1)

    body = {"officeCode": LEEDS, "from": after.isoformat()}
    found = http("FindSlots", body, tokens.issue("OPERATOR")).body

    assert found["slots"]
    assert not any(slot["withinTarget"] for slot in found["slots"])
    assert "earliestWithinTarget" not in found


@pytest.mark.parametrize("postcode", ["LS1 9ZZ", "ls1-3cm"])
def test_slots_are_found_near_a_postcode_that_the_directory_does_not_have(
    http: Any, tokens: Tokens, postcode: str
) -> None:
    found = http("FindSlots", {"postcode": postcode}, tokens.issue("OPERATOR")).body

    assert {slot["office"]["code"] for slot in found["slots"]} == {LEEDS}


def test_an_impossible_time_is_refused(process: Process, tokens: Tokens) -> None:
    request = scheduling_pb2.FindSlotsRequest(office_code=LEEDS, until=Timestamp(seconds=10**15))
    getattr(request, "from").CopyFrom(Timestamp(seconds=-(10**15)))

    with open_channel(process) as channel, pytest.raises(grpc.RpcError) as refused:
        scheduling_pb2_grpc.SchedulingServiceStub(channel).FindSlots(
            request, metadata=(("authorization", f"Bearer {tokens.issue('OPERATOR')}"),), timeout=5
        )

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "invalid: from, until"


def test_pages_follow_each_other_without_a_gap_or_a_repeat(http: Any, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    whole = http("FindSlots", {"postcode": "SW1A 2AA", "pageSize": 40}, token).body["slots"]

    pages, page_token = [], ""
    for _ in range(4):
        page = http("FindSlots", {"postcode": "SW1A 2AA", "pageSize": 10, "pageToken": page_token}, token).body
        pages += page["slots"]
        page_token = page["nextPageToken"]

    assert [slot["slotId"] for slot in pages] == [slot["slotId"] for slot in whole]
    assert page_token


SEARCH = scheduling_pb2.FindSlotsRequest(postcode="SW1A 2AA")


def test_a_page_token_of_another_search_is_refused(http: Any, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    elsewhere = http("FindSlots", {"officeCode": LEEDS, "pageSize": 1}, token).body["nextPageToken"]

    for unknown in (elsewhere, str(uuid4()), token_of(SEARCH, LEEDS, clock.now(), "ALE02001")):
        refused = http("FindSlots", {"postcode": "SW1A 2AA", "pageToken": unknown}, token)
        assert (refused.code, refused.fields) == ("invalid_argument", {"page_token"})


def test_the_last_page_has_no_token_and_nothing_starts_after_until(http: Any, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    first = http("FindSlots", {"officeCode": LEEDS}, token).body["slots"][0]
    until = moment(first["startTime"]) + timedelta(minutes=45)

    found = http("FindSlots", {"officeCode": LEEDS, "until": until.isoformat(), "pageSize": 100}, token).body

    assert found["slots"]
    assert all(moment(slot["startTime"]) <= until for slot in found["slots"])
    assert found["nextPageToken"] == ""


def test_a_slot_that_starts_at_until_is_found(http: Any, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    first = http("FindSlots", {"officeCode": LEEDS}, token).body["slots"][0]
    only = {"from": first["startTime"], "until": first["startTime"]}

    found = http("FindSlots", {"officeCode": LEEDS, **only}, token).body["slots"]

    assert {slot["startTime"] for slot in found} == {first["startTime"]}
    assert first in found


def test_a_need_narrows_the_slots_to_those_who_meet_it(http: Any, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")

    def assessors(*needs: str) -> set[str]:
        body = {"officeCode": "600111", "pageSize": 100, "needs": list(needs)}
        return {slot["assessorId"] for slot in http("FindSlots", body, token).body["slots"]}

    assert assessors("APPOINTMENT_NEED_WELSH") == {"ACA11001", "ACA11004"}
    assert assessors() > assessors("APPOINTMENT_NEED_WELSH")


def test_the_earliest_is_booked_at_the_nearest_office_with_its_lead_time_and_target(
    door: Any, tokens: Tokens, intake: Any
) -> None:
    first_contact = clock.now() - timedelta(minutes=25)
    intake.open(CLAIM, first_contact_time=first_contact)
    token = tokens.issue("OPERATOR")
    soonest = door("FindSlots", {"postcode": "LS21 1GA"}, token).body["slots"][0]

    booked = book(door, token, earliest=True, postcode="ls21 1ga").body["appointment"]

    start = moment(booked["startTime"])
    assert booked["office"] == soonest["office"]
    assert booked["office"]["distanceKm"] > 10
    assert (booked["startTime"], booked["endTime"]) == (soonest["startTime"], soonest["endTime"])
    assert (booked["state"], booked["version"]) == ("APPOINTMENT_STATE_BOOKED", 1)
    assert int(booked["leadTimeSeconds"]) == int((start - first_contact).total_seconds())
    assert moment(booked["targetTime"]) == target_due(first_contact, Nation.ENGLAND)
    assert booked["withinTarget"] == (start <= target_due(first_contact, Nation.ENGLAND))


def test_a_booked_slot_is_no_longer_found(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    slot = http("FindSlots", {"officeCode": LEEDS, "channel": "CHANNEL_TELEPHONE"}, token).body["slots"][0]

    booked = book(http, token, slotId=slot["slotId"]).body["appointment"]

    left = http("FindSlots", {"officeCode": LEEDS, "channel": "CHANNEL_TELEPHONE"}, token).body["slots"]
    assert (booked["assessorId"], booked["startTime"]) == (slot["assessorId"], slot["startTime"])
    assert booked["channel"] == "CHANNEL_TELEPHONE"
    assert slot["slotId"] not in {one["slotId"] for one in left}


def test_an_appointment_is_found_by_its_id_and_by_its_claim(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    booked = book(door, tokens.issue("OPERATOR")).body["appointment"]
    token = tokens.issue("SERVICE", subject="la-notifier")

    by_id = door("GetAppointment", {"appointmentId": booked["appointmentId"]}, token).body["appointment"]
    by_claim = door("GetAppointment", {"claimRef": CLAIM}, token).body["appointment"]

    assert by_id == by_claim == booked | {"office": booked["office"] | {"distanceKm": 0.0}}


def test_a_retry_gets_the_first_answer_although_the_claim_was_withdrawn_and_intake_is_away(
    http: Any, tokens: Tokens, intake: Any
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    request = {"claimRef": CLAIM, "requestId": str(uuid4()), "earliest": True, "postcode": "LS1 3AB"}
    first = http("BookAppointment", request, token)
    intake.close(CLAIM)
    intake.is_away = True

    again = http("BookAppointment", request, token)

    assert again.code == "ok"
    assert again.body == first.body
    assert intake.asked == [CLAIM]


def test_a_slot_that_has_begun_is_refused(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    slot = http("FindSlots", {"officeCode": LEEDS}, token).body["slots"][0]
    clock.advance(moment(slot["startTime"]) - clock.now() + timedelta(seconds=1))

    answer = book(http, token, slotId=slot["slotId"])

    assert (answer.code, answer.reason) == ("failed_precondition", "SLOT_PASSED")


def test_the_booking_event_holds_only_references(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM)

    booked = book(http, tokens.issue("OPERATOR")).body["appointment"]

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT type, claim_ref, version, heard_by, payload FROM outbox").fetchall()
    assert [row[:4] for row in rows] == [
        ("cms.scheduling.v1.AppointmentBooked", CLAIM, 1, ["assessment-svc", "intake-svc", "la-notifier"])
    ]
    assert booked["appointmentId"].encode() in rows[0][4]
    assert b"LS1" not in rows[0][4]


def test_a_booking_that_fails_to_commit_is_not_counted(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    def measured() -> float:
        labels = {"channel": "OFFICE"}
        return REGISTRY.get_sample_value("scheduling_appointment_lead_time_seconds_count", labels) or 0.0

    intake.open(CLAIM)
    before = measured()

    with commits_fail(database_urls, "appointments"):
        refused = book(http, tokens.issue("OPERATOR"))
    assert (refused.code, measured()) == ("unavailable", before)

    book(http, tokens.issue("OPERATOR"))

    assert measured() == before + 1


def test_bookings_show_in_the_metrics(process: Process, http: Any, tokens: Tokens, intake: Any) -> None:
    base = f"http://127.0.0.1:{process.operations.port}"

    def sample(name: str) -> float | None:
        lines = httpx.get(f"{base}/metrics").text.splitlines()
        values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")]
        return values[0] if values else None

    counts = [
        f'scheduling_appointment_{kind}_seconds_count{{channel="OFFICE"}}'
        for kind in ("lead_time", "working_lead_time")
    ]
    before = [sample(count) or 0.0 for count in counts]
    intake.open(CLAIM)
    intake.open("C00000000010", first_contact_time=clock.now() - timedelta(days=30))

    token = tokens.issue("OPERATOR")
    book(http, token)
    book(http, token, "C00000000010")

    assert [sample(count) for count in counts] == [number + 2 for number in before]
    assert 'le="172800.0"' in httpx.get(f"{base}/metrics").text
    eventually(lambda: sample("scheduling_within_target_ratio") == 0.5, what="the ratio of one in two")


def test_the_needs_that_were_stated_to_intake_get_to_the_appointment(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM, needs=frozenset({Need.INTERPRETER, Need.TEXTPHONE}))
    token = tokens.issue("OPERATOR")

    book(door, token, earliest=True, postcode="LS1 3AB", needs=["APPOINTMENT_NEED_STEP_FREE"])

    shown = door("GetAppointment", {"claimRef": CLAIM}, token).body["appointment"]
    assert shown["needs"] == [f"APPOINTMENT_NEED_{need}" for need in ("INTERPRETER", "STEP_FREE", "TEXTPHONE")]
