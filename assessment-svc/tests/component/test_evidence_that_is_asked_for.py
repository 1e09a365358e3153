"""Evidence is asked for, reminded of, seen, or done without by a person's decision."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assessment.deadlines import DEADLINES
from assessment.service.evidence import remind
from chassis import clock, deadlines
from chassis.runtime import Process
from chassis.testing import DatabaseUrls
from cms.assessment.v1 import events_pb2
from cms.common.v1 import common_pb2

CLAIM, OTHER = "C0123456789A", "C00000000010"


@pytest.fixture(autouse=True)
def submitted_claim(intake: Any, others: Any) -> None:
    """A booked claim of somebody with earnings and no savings."""
    intake.submit(surname="Abbot", part_time_earnings="40.00", capital="0.00")
    others.submit()
    others.book()


@pytest.fixture
def officer(desk_of: Callable[..., Any]) -> Any:
    return desk_of("PROCESSING_OFFICER", subject="PO000001", office=None)


def day(given: date) -> dict[str, int]:
    return {"year": given.year, "month": given.month, "day": given.day}


def kinds(*names: str) -> list[str]:
    return [f"EVIDENCE_KIND_{name}" for name in names]


def ask(who: Any, *names: str, **fields: Any) -> Any:
    return who.once("RequestEvidence", claimRef=CLAIM, kinds=kinds(*names), **fields)["evidence"]


def see(who: Any, name: str, **fields: Any) -> Any:
    body = {"claimRef": CLAIM, "kind": kinds(name)[0], "seenOn": day(clock.today()), **fields}
    return who.once("RecordEvidence", **body)["evidence"]


def refused(who: Any, method: str, **fields: Any) -> Any:
    body = {"claimRef": CLAIM, "requestId": "6f9ebd0c-4a39-4c1a-8f9e-3f7f0d1b2c3d", **fields}
    return who.call(method, **body)


def needs(evidence: Any) -> dict[str, tuple[bool, bool]]:
    return {need["needId"]: (need["met"], need["requested"]) for need in evidence["needs"]}


def events(database_urls: DatabaseUrls, kind: Any) -> list[Any]:
    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT payload FROM outbox WHERE type LIKE %s", [f"%.{kind.DESCRIPTOR.name}"])
        return [kind.FromString(payload) for (payload,) in rows]


def checks(started: Any) -> list[dict[str, str]]:
    return [{"fact": item["fact"], "status": "ITEM_STATUS_CONFIRMED"} for item in started["items"]]


def test_evidence_is_asked_for_awaited_and_seen_and_then_the_claim_is_confirmed(
    desk: Any, officer: Any, database_urls: DatabaseUrls
) -> None:
    started = desk.do("StartAssessment")
    asked = ask(desk, "PASSPORT", "WAGE_SLIP", dueOn=day(clock.today() + timedelta(days=20)))

    assert asked["state"] == "ASSESSMENT_STATE_EVIDENCE_OUTSTANDING"
    assert needs(asked) == {"identity": (False, True), "earnings": (False, True)}
    verified = desk.do("VerifyItems", version=asked["version"], items=checks(started))
    early = refused(desk, "ConfirmAssessment", version=verified["version"])
    assert (early.reason, early.fields) == ("EVIDENCE_OUTSTANDING", {"PASSPORT", "WAGE_SLIP"})

    see(officer, "WAGE_SLIP")
    seen = see(desk, "PASSPORT")
    assert (seen["state"], needs(seen)) == (
        "ASSESSMENT_STATE_IN_PROGRESS",
        {"identity": (True, False), "earnings": (True, False)},
    )
    confirmed = desk.do("ConfirmAssessment", version=seen["version"])

    assert confirmed["state"] == "ASSESSMENT_STATE_CONFIRMED"
    assert [item.get("evidence", {}).get("kind") for item in confirmed["items"]] == [
        *kinds("PASSPORT", "WAGE_SLIP"),
        None,
    ]
    assert [document["settledBy"] for document in seen["documents"]] == ["AS000001", "PO000001"]
    assert len(events(database_urls, events_pb2.EvidenceRequested)) == 1
    [complete] = events(database_urls, events_pb2.EvidenceCompleted)
    assert seen["completeTime"] == complete.complete_time.ToJsonString()


def test_a_document_that_a_check_names_is_recorded_and_settles_the_request(desk: Any) -> None:
    started = desk.do("StartAssessment")
    asked = ask(desk, "WAGE_SLIP")
    proof = {"kind": "EVIDENCE_KIND_WAGE_SLIP", "seenOn": day(clock.today())}

    check = {"fact": "part_time_earnings", "status": "ITEM_STATUS_CONFIRMED", "evidence": proof}
    verified = desk.do("VerifyItems", version=asked["version"], items=[check])

    assert (started["state"], verified["state"]) == ("ASSESSMENT_STATE_IN_PROGRESS",) * 2
    evidence = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]
    assert needs(evidence)["earnings"] == (True, False)


def test_a_document_proves_no_answer_that_changed_before_the_check_came(desk: Any, intake: Any) -> None:
    started = desk.do("StartAssessment")
    proof = {"kind": "EVIDENCE_KIND_WAGE_SLIP", "seenOn": day(clock.today())}
    intake.change(part_time_earnings="55.00")

    check = {"fact": "part_time_earnings", "status": "ITEM_STATUS_CONFIRMED", "evidence": proof}
    verified = desk.do("VerifyItems", version=started["version"], items=[check])

    evidence = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]
    assert {item["fact"]: item["status"] for item in verified["items"]}["part_time_earnings"] == "ITEM_STATUS_UNCHECKED"
    assert needs(evidence)["earnings"] == (False, False)
    assert evidence["documents"] == []


def test_nobody_is_reminded_once_the_assessors_part_is_closed(
    desk: Any, intake: Any, others: Any, *, process: Process, database_urls: DatabaseUrls, clock_file: Path
) -> None:
    intake.submit(OTHER, surname="Abbot", part_time_earnings="40.00")
    others.submit(OTHER, schemes=[common_pb2.SCHEME_INCOME_SUPPORT, common_pb2.SCHEME_CHILD_MAINTENANCE])
    others.book(OTHER)
    desk.do("StartAssessment", claimRef=OTHER)
    asked = desk.once("RequestEvidence", claimRef=OTHER, kinds=kinds("WAGE_SLIP"))["evidence"]
    closed = desk.do("CloseAssessment", claimRef=OTHER, version=asked["version"], reason="CLOSED_REASON_NOT_PURSUED")
    clock.advance(timedelta(days=40))

    with process.database.transaction() as conn:
        assert [remind(conn), remind(conn)] == [True, False]
        late = {one.state for one in deadlines.overdue(conn, DEADLINES) if one.reference == OTHER}

    assert closed["closedSchemes"] == ["SCHEME_INCOME_SUPPORT"]
    assert events(database_urls, events_pb2.EvidenceReminderDue) == []
    assert late == {"CHILD_MAINTENANCE"}
    [closing] = events(database_urls, events_pb2.AssessmentClosed)
    assert closing.ends_assessment


def test_an_answer_that_changes_wants_its_evidence_again(desk: Any, intake: Any, database_urls: DatabaseUrls) -> None:
    desk.do("StartAssessment")
    see(desk, "PASSPORT")
    complete = see(desk, "WAGE_SLIP")
    intake.change(part_time_earnings="55.00")

    desk.do("StartAssessment")

    evidence = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]
    assert needs(evidence) == {"identity": (True, False), "earnings": (False, False)}
    assert complete["completeTime"]
    assert not evidence.get("completeTime")
    see(desk, "WAGE_SLIP", seenOn=PASSPORT_ON["seenOn"])
    assert len(events(database_urls, events_pb2.EvidenceCompleted)) == 2


def test_what_to_bring_is_known_before_the_assessment_begins_and_what_came_by_then_proves_its_items(
    desk: Any, officer: Any
) -> None:
    before = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]
    assert all(need["ifItApplies"] for need in before["needs"])
    assert before["needs"][0]["name"] == {"en": "Who you are", "cy": "Pwy ydych chi"}

    see(officer, "PASSPORT")
    started = desk.do("StartAssessment")

    assert [item.get("evidence", {}).get("kind") for item in started["items"]] == [*kinds("PASSPORT"), None, None]
    after = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]
    assert needs(after) == {"identity": (True, False), "earnings": (False, False)}


def test_the_claimant_is_reminded_twice_and_then_a_person_decides(
    desk: Any, process: Process, database_urls: DatabaseUrls, clock_file: Path
) -> None:
    def reminders() -> int:
        with process.database.transaction() as conn:
            while remind(conn):
                pass
        return len(events(database_urls, events_pb2.EvidenceReminderDue))

    desk.do("StartAssessment")
    ask(desk, "WAGE_SLIP", "PASSPORT")
    due_on = date(**desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]["dueOn"])
    seen = [reminders()]
    while clock.today() < due_on:
        clock.advance(timedelta(days=1))
        seen.append(reminders())
    clock.advance(timedelta(days=1))

    assert (seen[0], seen[-1]) == (0, 2)
    assert [event.number for event in events(database_urls, events_pb2.EvidenceReminderDue)] == [1, 2]
    with process.database.transaction() as conn:
        assert "EVIDENCE_OUTSTANDING" in {late.state for late in deadlines.overdue(conn, DEADLINES)}
    waived = desk.once("WaiveEvidence", claimRef=CLAIM, kinds=kinds("WAGE_SLIP", "PASSPORT"), reason="burnt")[
        "evidence"
    ]
    assert waived["state"] == "ASSESSMENT_STATE_IN_PROGRESS"
    assert {document["reason"] for document in waived["documents"]} == {"burnt"}
    assert len(events(database_urls, events_pb2.EvidenceCompleted)) == 1
    with psycopg.connect(database_urls.owner) as owner:
        assert owner.execute("SELECT count(*) FROM evidence WHERE reason LIKE '%burnt%'::bytea").fetchone() == (0,)


def test_nobody_is_reminded_of_a_day_that_is_over(
    desk: Any, process: Process, database_urls: DatabaseUrls, clock_file: Path
) -> None:
    desk.do("StartAssessment")
    ask(desk, "WAGE_SLIP")
    clock.advance(timedelta(days=40))

    with process.database.transaction() as conn:
        assert [remind(conn), remind(conn)] == [True, False]

    assert events(database_urls, events_pb2.EvidenceReminderDue) == []
    [document] = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]["documents"]
    assert document["reminders"] == 0


def test_nobody_is_reminded_of_a_claim_that_was_withdrawn(
    desk: Any, others: Any, process: Process, database_urls: DatabaseUrls, clock_file: Path
) -> None:
    desk.do("StartAssessment")
    ask(desk, "WAGE_SLIP")
    others.withdraw()
    clock.advance(timedelta(days=25))

    with process.database.transaction() as conn:
        assert [remind(conn), remind(conn)] == [True, False]

    assert events(database_urls, events_pb2.EvidenceReminderDue) == []


def test_a_claim_that_is_confirmed_without_asking_has_its_second_clock_from_then(
    desk: Any, database_urls: DatabaseUrls
) -> None:
    started = desk.do("StartAssessment")
    verified = desk.do("VerifyItems", version=started["version"], items=checks(started))
    assert events(database_urls, events_pb2.EvidenceCompleted) == []

    desk.do("ConfirmAssessment", version=verified["version"])

    assert len(events(database_urls, events_pb2.EvidenceCompleted)) == 1


PASSPORT_ON = {"kind": "EVIDENCE_KIND_PASSPORT", "seenOn": {"year": 2020, "month": 2, "day": 3}}
REQUEST = {"kinds": ["EVIDENCE_KIND_PASSPORT"]}
TOMORROW, NO_DAY = {"year": 9998, "month": 1, "day": 1}, {"year": 2020, "month": 2, "day": 30}


@pytest.mark.parametrize(
    ("method", "fields", "at_fault"),
    [
        ("RecordEvidence", PASSPORT_ON | {"seenOn": TOMORROW}, "seen_on"),
        ("RecordEvidence", PASSPORT_ON | {"seenOn": NO_DAY}, "seen_on"),
        ("RecordEvidence", PASSPORT_ON | {"facts": ["surname", "shoe_size"]}, "facts[1]"),
        ("RequestEvidence", REQUEST | {"dueOn": PASSPORT_ON["seenOn"]}, "due_on"),
        ("RequestEvidence", REQUEST | {"facts": ["shoe_size"]}, "facts[0]"),
        ("RequestEvidence", REQUEST | {"kinds": ["EVIDENCE_KIND_UNSPECIFIED"]}, "kinds[0]"),
        ("WaiveEvidence", {"kinds": kinds("DRIVING_LICENCE", "OTHER"), "reason": "none"}, "kinds[1]"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    desk: Any, database_urls: DatabaseUrls, method: str, fields: Any, at_fault: str
) -> None:
    desk.do("StartAssessment")

    answer = refused(desk, method, **fields)

    assert (answer.reason, answer.fields) == ("INVALID_FIELDS", {at_fault})
    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT count(*) FROM evidence").fetchone() == (0,)


def test_evidence_cannot_be_asked_for_before_the_assessment_begins(desk: Any) -> None:
    assert refused(desk, "RequestEvidence", kinds=kinds("PASSPORT")).reason == "NOT_STARTED"


def test_another_offices_assessor_neither_sees_nor_records_evidence(desk_of: Callable[..., Any]) -> None:
    other = desk_of(office="654321")

    assert other.call("GetEvidence", claimRef=CLAIM).reason == "OTHER_OFFICE"
    assert refused(other, "RecordEvidence", **PASSPORT_ON).reason == "OTHER_OFFICE"
