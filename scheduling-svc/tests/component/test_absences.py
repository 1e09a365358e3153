"""Absences and closures through the doors: interviews are moved at once, and what is left is listed for a person."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from psycopg import sql

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.runtime import Process
from chassis.testing import DatabaseUrls, Tokens, eventually
from cms.scheduling.v1 import events_pb2
from scheduling.domain.offices import Need
from scheduling.domain.working_time import working_days
from scheduling.service.pruning import Kept, prune

LEEDS, CARDIFF = "600021", "600111"
MOVED = "SELECT payload FROM outbox WHERE type = 'cms.scheduling.v1.AppointmentMoved'"
OVERLAPPING = """
    SELECT count(*) FROM appointments AS one JOIN appointments AS other USING (assessor_id)
    WHERE one.appointment_id < other.appointment_id
        AND one.state IN ('BOOKED', 'MOVED') AND other.state IN ('BOOKED', 'MOVED')
        AND one.start_time < other.end_time AND other.start_time < one.end_time
"""


def moment(text: str) -> datetime:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp.ToDatetime(UTC)


@dataclass(frozen=True, kw_only=True)
class Morning:
    """Ten to nine on a working day, and the tokens of those who are at work."""

    now: datetime
    operator: str
    manager: str


@pytest.fixture
def morning(clock_file: Any, tokens: Tokens) -> Morning:
    """The morning to which the clock is moved; the service starts then."""
    day = working_days(clock.today() + timedelta(days=1), Nation.ENGLAND, number=1)[0]
    begins = datetime.combine(day, time(8, 50), tzinfo=clock.LONDON).astimezone(UTC)
    clock.advance(begins - clock.now())
    return Morning(now=begins, operator=tokens.issue("OPERATOR"), manager=tokens.issue("SERVICE_MANAGER"))


def of_the_day(door: Any, operator: str, day: datetime) -> dict[str, list[dict[str, Any]]]:
    """The free slots at Leeds on the day, by assessor."""
    body = {"officeCode": LEEDS, "until": (day + timedelta(hours=12)).isoformat(), "pageSize": 100}
    found: dict[str, list[dict[str, Any]]] = {}
    for slot in door("FindSlots", body, operator).body["slots"]:
        found.setdefault(slot["assessorId"], []).append(slot)
    return found


def book(door: Any, operator: str, intake: Any, slots: list[dict[str, Any]], **claim: Any) -> list[dict[str, Any]]:
    """Books these slots, each for a claim of its own."""
    booked = []
    for slot in slots:
        claim_ref = f"C{uuid4().int % 10**11:011d}"
        intake.open(claim_ref, **claim)
        body = {"claimRef": claim_ref, "slotId": slot["slotId"], "requestId": str(uuid4())}
        booked.append(door("BookAppointment", body, operator).body["appointment"])
    return booked


def booking_refused(door: Any, morning: Morning, intake: Any, slot: dict[str, Any]) -> tuple[str, str, set[str]]:
    """The code, the reason and the fields with which a booking of this slot is refused."""
    intake.open("C99999999999")
    body = {"claimRef": "C99999999999", "slotId": slot["slotId"], "requestId": str(uuid4())}
    answer = door("BookAppointment", body, morning.operator)
    return answer.code, answer.reason, answer.fields


def today(of: dict[str, str], since: datetime) -> dict[str, Any]:
    """A request that says that something is away for the rest of the day."""
    until = since + timedelta(hours=12)
    return of | {
        "from": since.isoformat(),
        "until": until.isoformat(),
        "reason": "SECRET influenza",
        "requestId": str(uuid4()),
    }


def now_of(door: Any, operator: str, appointment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = door("GetAppointment", {"claimRef": appointment["claimRef"]}, operator).body["appointment"]
    return found


def one(urls: DatabaseUrls, query: str) -> Any:
    with psycopg.connect(urls.owner) as conn:
        return conn.execute(query.encode()).fetchone()


def test_colleagues_take_the_day_of_an_assessor_who_is_off_sick(
    morning: Morning, door: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    assessor, slots = next(iter(of_the_day(door, morning.operator, morning.now).items()))
    # Of six in the afternoon the assessor has a break in the place of the fifth.
    booked = book(door, morning.operator, intake, [*slots[:-2], slots[-1]])

    answer = door("RecordAbsence", today({"assessorId": assessor}, morning.now), morning.manager).body

    assert answer["notMoved"] == []
    assert [one["appointment"]["claimRef"] for one in answer["moved"]] == [one["claimRef"] for one in booked]
    for before, moved in zip(booked, answer["moved"], strict=True):
        assert moved["appointment"] == now_of(door, morning.operator, before)
        assert moved["appointment"]["assessorId"] != assessor == moved["previousAssessorId"]
        assert (moved["appointment"]["startTime"], moved["disturbance"]) == (before["startTime"], "DISTURBANCE_NONE")
        assert moved["appointment"]["version"] == before["version"] + 1
    with psycopg.connect(database_urls.owner) as conn:
        events = [events_pb2.AppointmentMoved.FromString(row[0]) for row in conn.execute(MOVED).fetchall()]
    assert sorted(event.appointment_id for event in events) == sorted(one["appointmentId"] for one in booked)
    assert {event.arranged_version for event in events} == {1}
    assert one(database_urls, OVERLAPPING) == (0,)
    assert assessor not in of_the_day(door, morning.operator, morning.now)
    assert booking_refused(door, morning, intake, slots[-1])[:2] == ("already_exists", "SLOT_TAKEN")


def test_an_absence_of_months_is_replanned_by_the_service_until_nothing_is_left(
    morning: Morning, http: Any, intake: Any
) -> None:
    later = working_days((morning.now + timedelta(days=30)).date(), Nation.ENGLAND, number=1)[0]
    begins = datetime.combine(later, time(9), tzinfo=clock.LONDON).astimezone(UTC)
    shift = {"start": begins.isoformat(), "end": (begins + timedelta(hours=3)).isoformat(), "channel": "CHANNEL_OFFICE"}
    for assessor in ("ALE02001", "ALE02002"):
        rota = {"assessorId": assessor, "officeCode": LEEDS, "shifts": [shift], "requestId": str(uuid4())}
        assert http("PublishRota", rota, morning.manager).code == "ok"
    [booked] = book(http, morning.operator, intake, [{"slotId": f"ALE02001-{begins:%Y%m%dT%H%MZ}"}])
    soon = next(slots for slots in of_the_day(http, morning.operator, morning.now).values())[-1]
    book(http, morning.operator, intake, [soon | {"slotId": soon["slotId"].replace(soon["assessorId"], "ALE02001")}])
    away = today({"assessorId": "ALE02001"}, morning.now) | {"until": (begins + timedelta(days=30)).isoformat()}

    answer = http("RecordAbsence", away, morning.manager).body

    assert (len(answer["moved"]), answer["notMoved"], answer["stillToMove"]) == (1, [], 1)
    eventually(lambda: now_of(http, morning.operator, booked)["assessorId"] == "ALE02002", what="the later move")
    assert now_of(http, morning.operator, booked)["startTime"] == booked["startTime"]
    assert http("ListNotMoved", {}, morning.manager).body["notMoved"] == []


def test_the_interviews_of_a_closed_office_are_moved_with_notice_and_not_to_it(
    morning: Morning, http: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    found = of_the_day(http, morning.operator, morning.now)
    booked = book(http, morning.operator, intake, [slots[0] for slots in found.values()])

    answer = http("CloseOffice", today({"officeCode": LEEDS}, morning.now), morning.manager).body

    assert len(answer["moved"]) + len(answer["notMoved"]) == len(booked) > 1
    assert answer["moved"]
    for moved in answer["moved"]:
        start = moment(moved["appointment"]["startTime"])
        assert start >= morning.now + timedelta(hours=2)
        if moved["appointment"]["office"]["code"] == LEEDS:
            assert start >= morning.now + timedelta(hours=12)
        assert moved["disturbance"] != "DISTURBANCE_NONE"
    for left in answer["notMoved"]:
        assert now_of(http, morning.operator, left["appointment"])["state"] == "APPOINTMENT_STATE_BOOKED"
    assert one(database_urls, OVERLAPPING) == (0,)
    assert of_the_day(http, morning.operator, morning.now) == {}
    last = next(iter(found.values()))[-1]
    assert booking_refused(http, morning, intake, last) == ("failed_precondition", "OFFICE_CLOSED", {"slot_id"})


def test_what_cannot_be_moved_stays_booked_and_is_listed_until_a_person_moves_it(
    morning: Morning, http: Any, intake: Any
) -> None:
    assessor, slots = next(iter(of_the_day(http, morning.operator, morning.now).items()))
    [booked] = book(http, morning.operator, intake, slots[:1], needs=frozenset({Need.INTERPRETER, Need.WELSH}))

    [left] = http("RecordAbsence", today({"assessorId": assessor}, morning.now), morning.manager).body["notMoved"]

    assert (left["appointment"], left["urgency"]) == (booked, "URGENCY_TODAY")
    assert [one["kind"] for one in left["solutions"]] == ["SOLUTION_KIND_OTHER_SKILLS"]
    assert left["solutions"][0]["keepsTarget"]
    assert now_of(http, morning.operator, booked) == booked
    assert http("ListNotMoved", {"officeCode": LEEDS}, morning.manager).body["notMoved"] == [left]
    assert http("ListNotMoved", {"officeCode": CARDIFF}, morning.manager).body["notMoved"] == []
    this = {"appointmentId": booked["appointmentId"], "version": booked["version"], "requestId": str(uuid4())}
    named = left["solutions"][0]["slot"]["slotId"]
    assert http("MoveAppointment", this | {"slotId": named}, morning.operator).code == "ok"
    assert http("ListNotMoved", {}, morning.manager).body["notMoved"] == []


def test_a_manager_moves_or_cancels_what_is_listed_at_any_office(morning: Morning, http: Any, intake: Any) -> None:
    assessor, slots = next(iter(of_the_day(http, morning.operator, morning.now).items()))
    book(http, morning.operator, intake, slots[:2], needs=frozenset({Need.INTERPRETER, Need.WELSH}))
    away = today({"assessorId": assessor}, morning.now)
    first, second = http("RecordAbsence", away, morning.manager).body["notMoved"]

    def solve(method: str, listed: dict[str, Any], **how: str) -> dict[str, Any]:
        this = {"appointmentId": listed["appointment"]["appointmentId"], "version": listed["appointment"]["version"]}
        answer = http(method, this | {"requestId": str(uuid4())} | how, morning.manager)
        solved: dict[str, Any] = answer.body["appointment"]
        return solved

    moved = solve("MoveAppointment", first, slotId=first["solutions"][0]["slot"]["slotId"])
    cancelled = solve("CancelAppointment", second, reason="prefers to write")

    assert moved["startTime"] == first["solutions"][0]["slot"]["startTime"]
    assert cancelled["state"] == "APPOINTMENT_STATE_CANCELLED"
    assert http("ListNotMoved", {}, morning.manager).body["notMoved"] == []


def test_a_slot_kept_for_emergencies_that_is_named_for_a_displaced_interview_can_be_taken(
    morning: Morning, http: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    assessor, slots = next(iter(of_the_day(http, morning.operator, morning.now).items()))
    [booked] = book(http, morning.operator, intake, slots[-1:], needs=frozenset({Need.INTERPRETER, Need.WELSH}))
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE shifts SET emergency_slots = 6")
    [left] = http("RecordAbsence", today({"assessorId": assessor}, morning.now), morning.manager).body["notMoved"]
    named = left["solutions"][0]["slot"]["slotId"]
    this = {"appointmentId": booked["appointmentId"], "version": booked["version"], "requestId": str(uuid4())}

    moved = http("MoveAppointment", this | {"slotId": named}, morning.operator)

    assert moved.code == "ok"
    assert http("ListNotMoved", {}, morning.manager).body["notMoved"] == []


def test_an_assessor_who_is_back_holds_what_was_not_moved_and_can_be_booked(
    morning: Morning, http: Any, intake: Any
) -> None:
    assessor, slots = next(iter(of_the_day(http, morning.operator, morning.now).items()))
    book(http, morning.operator, intake, slots[-1:], needs=frozenset({Need.INTERPRETER, Need.WELSH}))
    absence = http("RecordAbsence", today({"assessorId": assessor}, morning.now), morning.manager).body["absence"]
    noon = morning.now.replace(hour=12, minute=0)
    back = {"assessorId": assessor, "back": noon.isoformat()}

    ended = http("CancelAbsence", back | {"requestId": str(uuid4())}, morning.manager).body["absences"]
    again = http("CancelAbsence", back | {"requestId": str(uuid4())}, morning.manager)

    assert [(one["absenceId"], moment(one["until"])) for one in ended] == [(absence["absenceId"], noon)]
    assert (again.code, again.reason) == ("failed_precondition", "NOT_ABSENT")
    assert http("ListNotMoved", {}, morning.manager).body["notMoved"] == []
    free = of_the_day(http, morning.operator, morning.now).get(assessor, [])
    assert free
    assert all(moment(slot["startTime"]) >= noon for slot in free)


def test_a_leave_that_is_planned_for_later_outlives_an_illness(morning: Morning, http: Any) -> None:
    later = today({"assessorId": "ALE02001"}, morning.now + timedelta(days=30))
    leave = http("RecordAbsence", later, morning.manager).body["absence"]
    ill = http("RecordAbsence", today({"assessorId": "ALE02001"}, morning.now), morning.manager).body["absence"]

    def back() -> list[str]:
        body = {"assessorId": "ALE02001", "requestId": str(uuid4())}
        return [one["absenceId"] for one in http("CancelAbsence", body, morning.manager).body["absences"]]

    assert back() == [ill["absenceId"]]
    assert back() == [leave["absenceId"]]


def test_an_office_that_opens_again_can_be_booked(morning: Morning, http: Any) -> None:
    before = of_the_day(http, morning.operator, morning.now)
    http("CloseOffice", today({"officeCode": LEEDS}, morning.now), morning.manager)

    [closure] = http("ReopenOffice", {"officeCode": LEEDS, "requestId": str(uuid4())}, morning.manager).body["closures"]

    assert closure["officeCode"] == LEEDS
    assert of_the_day(http, morning.operator, morning.now) == before
    again = http("ReopenOffice", {"officeCode": LEEDS, "requestId": str(uuid4())}, morning.manager)
    assert (again.code, again.reason) == ("failed_precondition", "NOT_CLOSED")


def test_a_repeated_request_gets_the_first_answer_and_moves_nothing_twice(
    morning: Morning, http: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    assessor, slots = next(iter(of_the_day(http, morning.operator, morning.now).items()))
    book(http, morning.operator, intake, slots[:2])
    request = today({"assessorId": assessor}, morning.now)

    answers = [http("RecordAbsence", request, morning.manager).body for _ in range(2)]

    assert answers[0] == answers[1]
    assert one(database_urls, "SELECT count(*) FROM absences") == (1,)
    assert one(database_urls, "SELECT count(*) FROM outbox WHERE type LIKE '%.AppointmentMoved'") == (2,)


def test_the_reason_is_kept_sealed(morning: Morning, http: Any, database_urls: DatabaseUrls) -> None:
    http("RecordAbsence", today({"assessorId": "ALE02001"}, morning.now), morning.manager)
    http("CloseOffice", today({"officeCode": CARDIFF}, morning.now), morning.manager)

    (reasons,) = one(
        database_urls,
        "SELECT array_agg(reason) FROM (SELECT reason FROM absences UNION ALL SELECT reason FROM closures) AS kept",
    )
    assert len(reasons) == 2
    assert not [reason for reason in reasons if b"influenza" in reason]


def test_absences_and_closures_that_were_over_long_ago_are_pruned_with_their_reasons(
    morning: Morning, process: Process, http: Any, database_urls: DatabaseUrls
) -> None:
    later = morning.now + timedelta(days=30)
    for begins in (morning.now, later):
        http("RecordAbsence", today({"assessorId": "ALE02001"}, begins), morning.manager)
        http("CloseOffice", today({"officeCode": CARDIFF}, begins), morning.manager)
    with psycopg.connect(database_urls.owner) as conn:
        for table in ("absences", "closures"):
            conn.execute(
                sql.SQL(
                    "UPDATE {} SET start_time = start_time - interval '1 year', end_time = end_time - interval '1 year'"
                    " WHERE start_time = %s"
                ).format(sql.Identifier(table)),
                [morning.now],
            )

    with process.database.transaction() as conn:
        prune(conn, Kept(shifts=timedelta(days=92), appointments=timedelta(days=730)))

    assert one(database_urls, "SELECT array_agg(start_time) FROM absences") == ([later],)
    assert one(database_urls, "SELECT array_agg(start_time) FROM closures") == ([later],)


def test_assessors_record_absences_and_see_what_is_left_at_their_own_office_alone(
    morning: Morning, http: Any, tokens: Tokens
) -> None:
    own, stranger = (tokens.issue("ASSESSOR", office=office) for office in (LEEDS, CARDIFF))

    def answers(token: str) -> Counter[str]:
        absence = today({"assessorId": "ALE02001"}, morning.now)
        back = {"assessorId": "ALE02001", "requestId": str(uuid4())}
        calls = {"RecordAbsence": absence, "CancelAbsence": back, "ListNotMoved": {"officeCode": LEEDS}}
        return Counter(http(method, body, token).reason for method, body in calls.items())

    assert answers(own) == {"": 3}
    assert answers(stranger) == {"OTHER_OFFICE": 3}
    assert http("ListNotMoved", {}, own).code == "ok"
