"""A claim that is late is shown to a person; crisis loans are measured beside the delays of their offices."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from google.type.date_pb2 import Date

from assessment.deadlines import DEADLINES
from chassis import clock, deadlines
from chassis.testing import DatabaseUrls
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.notifier.v1 import events_pb2 as notifier_events
from cms.scheduling.v1 import events_pb2 as scheduling_events

CLAIM, OTHER = "C0123456789A", "C00000000010"
OFFICE = "123456"
STALLED = gateway_events.TransferStalled(system=common_pb2.SYSTEM_JSAPS, transfer_id="T1", state="UNKNOWN")
BREACH = scheduling_events.TargetBreachExpected(appointment_id="A1")
LATE = notifier_events.NoticeLate(notice_id="N1", notice_version=1, state="SENT_API")
LOAN = common_pb2.SCHEME_CRISIS_LOAN


@pytest.fixture
def officer(desk_of: Any) -> Any:
    return desk_of("PROCESSING_OFFICER", subject="PO000001", office=None)


def listed(desk: Any, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get("ListInterimPayments", **wanted)["interimPayments"]
    return found


def record(desk: Any, version: int, claim_ref: str = CLAIM, **more: Any) -> Any:
    body = {"claimRef": claim_ref, "version": version, "outcome": "INTERIM_OUTCOME_PAID", "reason": "SECRET1 paid 20"}
    return desk.call("RecordInterimPayment", **body | {"requestId": str(uuid4())} | more)


def test_a_claim_that_is_late_waits_once_with_all_its_delays(officer: Any, others: Any) -> None:
    others.submit()
    others.book()
    for message in (BREACH, STALLED, STALLED, LATE):
        others.send(message)

    [waiting] = listed(officer)

    assert (waiting["claimRef"], waiting["officeCode"]) == (CLAIM, OFFICE)
    assert waiting["schemes"] == ["SCHEME_JOBSEEKERS_ALLOWANCE"]
    assert [delay["cause"].removeprefix("DELAY_CAUSE_") for delay in waiting["delays"]] == [
        "TARGET_BREACH",
        "STALLED_TRANSFER",
        "LATE_NOTICE",
    ]
    assert waiting["delays"][1]["system"] == "SYSTEM_JSAPS"


def test_a_breach_that_is_likely_at_an_office_is_no_delay_of_a_claim(officer: Any, others: Any) -> None:
    others.submit()
    others.send(scheduling_events.TargetBreachExpected(office_code=OFFICE, day=Date(year=2026, month=6, day=1)))

    assert listed(officer) == []


def test_what_a_person_did_ends_the_waiting_until_a_later_delay(
    officer: Any, others: Any, database_urls: DatabaseUrls
) -> None:
    others.submit()
    others.send(BREACH)
    [waiting] = listed(officer)

    done = record(officer, waiting["version"])
    again = record(officer, done.body["interimPayment"]["version"])
    after = listed(officer)
    clock.advance(timedelta(hours=1))
    others.send(STALLED)

    assert (done.code, done.body["interimPayment"]["outcome"]) == ("ok", "INTERIM_OUTCOME_PAID")
    assert (again.code, again.reason) == ("failed_precondition", "ALREADY_CONSIDERED")
    assert after == []
    [waits_again] = listed(officer)
    assert [delay["cause"] for delay in waits_again["delays"]] == [
        "DELAY_CAUSE_TARGET_BREACH",
        "DELAY_CAUSE_STALLED_TRANSFER",
    ]
    assert record(officer, waiting["version"]).reason == "STALE_VERSION"
    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT reason FROM interim_payments").fetchone() == (None,)


def test_a_delay_that_is_heard_of_before_the_claim_shows_with_the_claim(officer: Any, others: Any) -> None:
    others.send(BREACH)
    before = listed(officer)
    others.submit()

    assert before == []
    assert [one["claimRef"] for one in listed(officer)] == [CLAIM]


def test_nothing_is_paid_on_account_of_a_withdrawn_claim_or_of_one_without_a_benefit(officer: Any, others: Any) -> None:
    others.submit()
    others.submit(OTHER, schemes=[LOAN])
    others.send(BREACH)
    others.send(BREACH, claim_ref=OTHER)
    others.withdraw()

    assert listed(officer) == []


def test_what_is_decided_or_closed_waits_no_longer_and_is_not_overdue(
    officer: Any, desk: Any, others: Any, *, intake: Any, process: Any, database_urls: DatabaseUrls
) -> None:
    for claim_ref in (CLAIM, OTHER):
        intake.submit(claim_ref, surname="Jones")
        others.submit(claim_ref, schemes=[common_pb2.SCHEME_INCOME_SUPPORT, common_pb2.SCHEME_CHILD_MAINTENANCE])
        others.book(claim_ref)
        others.send(BREACH, claim_ref=claim_ref)
    before = [one["claimRef"] for one in listed(officer)]

    others.send(gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_INCOME_SUPPORT))
    desk.do("CloseAssessment", claimRef=OTHER, version=1, reason="CLOSED_REASON_NOT_PURSUED")
    others.send(STALLED)
    clock.advance(timedelta(days=10))

    assert (before, listed(officer)) == ([CLAIM, OTHER], [])
    with process.database.transaction() as conn:
        assert "INTERIM_PAYMENT" not in {late.state for late in deadlines.overdue(conn, DEADLINES)}
    with psycopg.connect(database_urls.owner) as owner:
        assert owner.execute("SELECT claim_ref FROM interim_payments").fetchall() == []


def test_the_list_has_pages_and_offices(officer: Any, desk: Any, desk_of: Any, others: Any) -> None:
    for claim_ref, office in ((CLAIM, OFFICE), (OTHER, "654321")):
        others.submit(claim_ref)
        others.book(claim_ref, office=office)
        others.send(BREACH, claim_ref=claim_ref)

    first = officer.get("ListInterimPayments", pageSize=1)
    second = officer.get("ListInterimPayments", pageSize=1, pageToken=first["nextPageToken"])

    pages = [one["claimRef"] for page in (first, second) for one in page["interimPayments"]]
    assert (pages, second["nextPageToken"]) == ([CLAIM, OTHER], "")
    assert [one["claimRef"] for one in listed(officer, officeCode="654321")] == [OTHER]
    assert [one["claimRef"] for one in listed(desk)] == [CLAIM]
    assert desk.call("ListInterimPayments", officeCode="654321").reason == "OTHER_OFFICE"
    assert desk_of(office=None).call("ListInterimPayments").reason == "OFFICE_REQUIRED"


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_bad_requests_and_other_roles_are_refused(officer: Any, desk_of: Any, door: Any) -> None:
    officer = replace(officer, door=door)
    operator = desk_of("OPERATOR", door=door)
    for method in ("ListInterimPayments", "RecordInterimPayment", "GetEmergencies"):
        assert operator.call(method).reason == "ROLE"
        assert replace(officer, token="").call(method).code == "unauthenticated"
    assert desk_of(door=door).call("RecordInterimPayment").reason == "ROLE"
    for changes, fields in (
        ({"outcome": "INTERIM_OUTCOME_UNSPECIFIED"}, {"outcome"}),
        ({"outcome": 77}, {"outcome"}),
        ({"reason": ""}, {"reason"}),
        ({"requestId": "SECRET1"}, {"request_id"}),
    ):
        answer = record(officer, 1, **changes)
        assert (answer.code, answer.fields) == ("invalid_argument", fields)
        assert "SECRET1" not in answer.text
    assert (record(officer, 1).code, record(officer, 1).reason) == ("not_found", "NOT_RECOMMENDED")
    assert officer.call("ListInterimPayments", pageToken="SECRET1").fields == {"page_token"}


def test_crisis_loans_are_measured_beside_interviews_and_stalled_transfers(
    desk: Any, desk_of: Any, others: Any, intake: Any
) -> None:
    intake.submit(date_of_birth="1970-03-01", crisis_reason="DI", amount="30.00", existing_debt="0.00")
    others.submit(schemes=[LOAN])
    booked = scheduling_events.AppointmentBooked(
        appointment_id="A2",
        office_code=OFFICE,
        assessor_id="AS000001",
        channel=common_pb2.CHANNEL_OFFICE,
        lead_time_seconds=7200,
    )
    booked.start_time.FromDatetime(clock.now() + timedelta(hours=1))
    others.send(booked)
    others.send(STALLED)
    begun = desk.do("StartAssessment")
    refusal = {"outcome": "LOAN_OUTCOME_REFUSED", "reason": "has savings", "version": begun["version"]}
    desk.do("DecideCrisisLoan", **refusal)

    manager = desk_of("SERVICE_MANAGER", subject="SM000001", office=None)
    found = manager.get("GetEmergencies")
    elsewhere = manager.get("GetEmergencies", officeCodes=["654321"])
    earlier = manager.get("GetEmergencies", until=date_of(clock.now() - timedelta(days=9)))

    [office] = found["offices"]
    assert office["officeCode"] == OFFICE
    assert office["week"] == {
        "crisisLoans": 1.0,
        "refused": 1.0,
        "stalledTransfers": 1.0,
        "interviews": 1.0,
        "leadTimeSeconds": 7200.0,
    }
    assert (found["together"]["week"], found["together"]["risen"]) == (office["week"], False)
    assert elsewhere["offices"] == earlier["offices"] == []


def date_of(moment: datetime) -> dict[str, int]:
    day = moment.date()
    return {"year": day.year, "month": day.month, "day": day.day}
