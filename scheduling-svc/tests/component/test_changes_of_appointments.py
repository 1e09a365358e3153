"""Appointments are moved, cancelled and attended through the doors, with intake faked at the protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.testing import DatabaseUrls, Tokens, eventually
from cms.scheduling.v1 import events_pb2

CLAIM = "C0000000000A"
LEEDS, CARDIFF = "600021", "600111"


def moment(text: str) -> datetime:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp.ToDatetime(UTC)


def slots(door: Any, token: str, office: str = LEEDS) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = door("FindSlots", {"officeCode": office, "pageSize": 100}, token).body["slots"]
    return found


def book(door: Any, token: str, slot: dict[str, Any], claim_ref: str = CLAIM) -> dict[str, Any]:
    body = {"claimRef": claim_ref, "slotId": slot["slotId"], "requestId": str(uuid4())}
    booked: dict[str, Any] = door("BookAppointment", body, token).body["appointment"]
    return booked


def change(door: Any, method: str, token: str, appointment: dict[str, Any], **more: Any) -> Any:
    this = {"appointmentId": appointment["appointmentId"], "version": appointment["version"]}
    return door(method, this | {"requestId": str(uuid4())} | more, token)


def told(urls: DatabaseUrls, kind: str) -> list[bytes]:
    with psycopg.connect(urls.owner) as conn:
        rows = conn.execute(
            "SELECT payload FROM outbox WHERE type = %s ORDER BY created", [f"cms.scheduling.v1.{kind}"]
        )
        return [row[0] for row in rows.fetchall()]


def test_a_moved_appointment_frees_its_slot_and_holds_another(
    door: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    first, second = slots(door, token)[:2]
    booked = book(door, token, first)

    moved = change(door, "MoveAppointment", token, booked, slotId=second["slotId"]).body["appointment"]

    free = {slot["slotId"] for slot in slots(door, token)}
    assert first["slotId"] in free
    assert second["slotId"] not in free
    assert (moved["state"], moved["version"]) == ("APPOINTMENT_STATE_MOVED", 2)
    assert (moved["startTime"], moved["assessorId"]) == (second["startTime"], second["assessorId"])
    [event] = [events_pb2.AppointmentMoved.FromString(payload) for payload in told(database_urls, "AppointmentMoved")]
    assert event.previous_start_time.ToDatetime(UTC) == moment(first["startTime"])
    assert event.start_time.ToDatetime(UTC) == moment(second["startTime"])


def test_a_taken_slot_is_refused_and_the_appointment_keeps_its_own(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    intake.open("C00000000010")
    token = tokens.issue("OPERATOR")
    first, second = slots(http, token)[:2]
    booked = book(http, token, first)
    book(http, token, second, "C00000000010")

    refused = change(http, "MoveAppointment", token, booked, slotId=second["slotId"])

    assert (refused.code, refused.reason) == ("already_exists", "SLOT_TAKEN")
    assert http("GetAppointment", {"claimRef": CLAIM}, token).body["appointment"]["startTime"] == first["startTime"]


def test_a_cancelled_appointment_frees_its_slot_and_the_claim_can_be_booked_again(
    door: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    slot = slots(door, token)[0]
    booked = book(door, token, slot)

    cancelled = change(door, "CancelAppointment", token, booked, reason="has a job interview").body["appointment"]

    assert (cancelled["state"], cancelled["cancelReason"]) == ("APPOINTMENT_STATE_CANCELLED", "has a job interview")
    assert door("GetAppointment", {"claimRef": CLAIM}, token).body["appointment"] == cancelled
    with psycopg.connect(database_urls.owner) as conn:
        waits = conn.execute("SELECT booked, waits_since IS NOT NULL FROM first_contacts").fetchall()
        kept = conn.execute("SELECT cancel_reason FROM appointments").fetchone()
    assert waits == [(False, True)]
    assert kept is not None
    assert b"job interview" not in kept[0]
    assert b"job interview" not in b"".join(told(database_urls, "AppointmentCancelled"))
    assert book(door, token, slot)["state"] == "APPOINTMENT_STATE_BOOKED"


def test_a_missed_interview_is_followed_by_a_second_attempt(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM)
    operator, assessor = tokens.issue("OPERATOR"), tokens.issue("ASSESSOR", office=LEEDS)

    def miss() -> Any:
        slot = slots(http, operator)[0]
        booked = book(http, operator, slot)
        clock.advance(moment(slot["startTime"]) - clock.now() + timedelta(minutes=1))
        return change(http, "RecordAttendance", assessor, booked, attended=False)

    states = [miss().body["appointment"]["state"] for _ in range(2)]

    assert states == ["APPOINTMENT_STATE_MISSED"] * 2
    events = [events_pb2.AppointmentMissed.FromString(payload) for payload in told(database_urls, "AppointmentMissed")]
    assert [event.missed for event in events] == [1, 2]


def test_an_interview_to_come_has_no_attendance_and_an_attended_one_stays_attended(
    http: Any, tokens: Tokens, intake: Any
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    slot = slots(http, token)[-1]
    booked = book(http, token, slot)

    early = change(http, "RecordAttendance", token, booked, attended=True)
    clock.advance(moment(slot["startTime"]) - clock.now())
    attended = change(http, "RecordAttendance", token, booked, attended=True).body["appointment"]

    assert (early.code, early.reason) == ("failed_precondition", "APPOINTMENT_TO_COME")
    assert attended["state"] == "APPOINTMENT_STATE_ATTENDED"
    for method, more in (
        ("MoveAppointment", {"slotId": slot["slotId"]}),
        ("CancelAppointment", {"reason": "ill"}),
        ("RecordAttendance", {"attended": False}),
    ):
        assert change(http, method, token, attended, **more).reason == "APPOINTMENT_ENDED"
        assert change(http, method, token, booked, **more).reason == "STALE_VERSION"


def test_assessors_change_only_their_own_offices_appointments(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    first, second = slots(http, token)[:2]
    booked = book(http, token, first)
    stranger = tokens.issue("ASSESSOR", office=CARDIFF)

    for method, more in (
        ("MoveAppointment", {"slotId": second["slotId"]}),
        ("CancelAppointment", {"reason": "ill"}),
        ("RecordAttendance", {"attended": True}),
    ):
        refused = change(http, method, stranger, booked, **more)
        assert (refused.code, refused.reason) == ("permission_denied", "OTHER_OFFICE")
    assert (
        change(http, "MoveAppointment", tokens.issue("ASSESSOR", office=LEEDS), booked, slotId=second["slotId"]).code
        == "ok"
    )


def test_an_interview_after_the_target_is_told_of_when_it_is_booked(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM, first_contact_time=clock.now() - timedelta(days=30))
    token = tokens.issue("OPERATOR")
    first, second = slots(http, token)[:2]
    booked = book(http, token, first)

    change(http, "MoveAppointment", token, booked, slotId=second["slotId"])

    payloads = told(database_urls, "TargetBreachExpected")
    events = [events_pb2.TargetBreachExpected.FromString(payload) for payload in payloads]
    assert [event.start_time.ToDatetime(UTC) for event in events] == [
        moment(one["startTime"]) for one in (first, second)
    ]


def test_a_claim_without_a_booking_is_told_of_once_when_its_target_passes(
    process: Any, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("INSERT INTO first_contacts (claim_ref, first_contact_time) VALUES (%s, %s)", [CLAIM, clock.now()])
        conn.execute(
            "INSERT INTO first_contacts (claim_ref, first_contact_time, booked) VALUES ('C00000000010', %s, true)",
            [clock.now()],
        )
    clock.advance(timedelta(hours=47))
    assert told(database_urls, "TargetBreachExpected") == []

    clock.advance(timedelta(days=9))

    [payload] = eventually(lambda: told(database_urls, "TargetBreachExpected"), what="the breach")
    event = events_pb2.TargetBreachExpected.FromString(payload)
    assert event.appointment_id == ""
    assert not event.HasField("start_time")
    with psycopg.connect(database_urls.owner) as conn:
        row = conn.execute("SELECT breach_told_time IS NOT NULL FROM first_contacts WHERE claim_ref = %s", [CLAIM])
        assert row.fetchone() == (True,)
