"""A claim for several schemes through the doors: each desk checks and confirms its own part."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.testing import DatabaseUrls
from cms.assessment.v1 import events_pb2
from cms.common.v1 import common_pb2
from cms.scheduling.v1.events_pb2 import AppointmentCancelled

CLAIM, OTHER = "C0123456789A", "C00000000010"
JSA, CM = common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, common_pb2.SCHEME_CHILD_MAINTENANCE
IS, LOAN = common_pb2.SCHEME_INCOME_SUPPORT, common_pb2.SCHEME_CRISIS_LOAN


@pytest.fixture(autouse=True)
def claim_for_two_desks(intake: Any, others: Any) -> None:
    """A booked claim for Income Support and child maintenance; both need the surname."""
    intake.submit(surname="Jones", tenure="TENANT", role="PARENT_WITH_CARE")
    intake.schemes = {"tenure": ("INCOME_SUPPORT",), "role": ("CHILD_MAINTENANCE",)}
    others.submit(schemes=[IS, CM])
    others.book()


@pytest.fixture
def caseworker(desk_of: Any) -> Any:
    return desk_of("CASEWORKER", office=None, subject="CW000001")


def check(*facts: str, status: str = "ITEM_STATUS_CONFIRMED") -> list[dict[str, str]]:
    return [{"fact": fact, "status": status} for fact in facts]


CONFIRMED = "SELECT payload FROM outbox WHERE type LIKE '%.AssessmentConfirmed' ORDER BY created"


def confirmations(database_urls: DatabaseUrls) -> list[events_pb2.AssessmentConfirmed]:
    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute(CONFIRMED).fetchall()
    return [events_pb2.AssessmentConfirmed.FromString(payload) for (payload,) in rows]


def told(desk_of: Any) -> list[tuple[str, int, str, str]]:
    """The confirmations as another service gets them."""
    service = desk_of("SERVICE", subject="legacy-gateway", office=None)
    return [
        (one["scheme"].removeprefix("SCHEME_"), one["claimVersion"], one["officeCode"], one["assessorId"])
        for one in service.get("GetConfirmations", claimRef=CLAIM)["confirmations"]
    ]


def listed(desk: Any) -> list[tuple[str, str, str]]:
    return [
        (
            item["claimRef"],
            item["state"].removeprefix("ASSESSMENT_STATE_"),
            item["booking"].removeprefix("BOOKING_"),
        )
        for item in desk.call("ListWork").body["items"]
    ]


def test_each_desk_sees_and_confirms_its_part(
    desk: Any, caseworker: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    begun = caseworker.do("StartAssessment")
    before = (listed(desk), listed(caseworker))
    checked = caseworker.do("VerifyItems", version=begun["version"], items=check("surname", "role"))
    first = caseworker.do("ConfirmAssessment", version=checked["version"])
    between = (listed(desk), listed(caseworker))
    resumed = desk.do("StartAssessment")
    second = desk.do("VerifyItems", version=resumed["version"], items=check("tenure"))
    done = desk.do("ConfirmAssessment", version=second["version"])

    assert [item["fact"] for item in begun["items"]] == ["surname", "role"]
    assert [item["schemes"] for item in begun["items"]] == [
        ["SCHEME_INCOME_SUPPORT", "SCHEME_CHILD_MAINTENANCE"],
        ["SCHEME_CHILD_MAINTENANCE"],
    ]
    assert [(item["fact"], item["status"]) for item in resumed["items"]] == [
        ("surname", "ITEM_STATUS_CONFIRMED"),
        ("tenure", "ITEM_STATUS_UNCHECKED"),
    ]
    assert before == ([(CLAIM, "READY", "BOOKED")], [(CLAIM, "IN_PROGRESS", "BOOKED")])
    assert between == ([(CLAIM, "READY", "BOOKED")], [(CLAIM, "CONFIRMED", "BOOKED")])
    assert (first["state"], first["confirmedSchemes"]) == ("ASSESSMENT_STATE_IN_PROGRESS", ["SCHEME_CHILD_MAINTENANCE"])
    assert done["state"] == "ASSESSMENT_STATE_CONFIRMED"
    assert confirmations(database_urls) == [
        events_pb2.AssessmentConfirmed(claim_version=7, schemes=[CM], assessor_id="CW000001", office_code="123456"),
        events_pb2.AssessmentConfirmed(claim_version=7, schemes=[IS], assessor_id="AS000001", office_code="123456"),
    ]
    assert [purpose for _, purpose, subject in intake.asked if subject == "CW000001"] == [f"work item {CLAIM}"] * 3


def test_a_disputed_fact_holds_up_one_desk_alone(desk: Any, caseworker: Any) -> None:
    version = caseworker.do("StartAssessment")["version"]
    checks = [*check("surname"), *check("role", status="ITEM_STATUS_DISPUTED")]
    version = caseworker.do("VerifyItems", version=version, items=checks)["version"]

    refused = caseworker.call("ConfirmAssessment", claimRef=CLAIM, version=version, requestId=str(uuid4()))
    version = desk.do("StartAssessment")["version"]
    version = desk.do("VerifyItems", version=version, items=check("tenure"))["version"]
    confirmed = desk.do("ConfirmAssessment", version=version, schemes=["SCHEME_INCOME_SUPPORT"])

    assert (refused.reason, refused.fields) == ("ITEMS_OPEN", {"role"})
    assert "needed by CHILD_MAINTENANCE" in refused.text
    assert confirmed["confirmedSchemes"] == ["SCHEME_INCOME_SUPPORT"]


def test_child_maintenance_alone_is_a_caseworkers_and_in_no_office(desk: Any, caseworker: Any, others: Any) -> None:
    others.submit(OTHER, schemes=[CM], ago=timedelta(days=1))

    assert listed(caseworker) == [(OTHER, "READY", "NOT_NEEDED"), (CLAIM, "READY", "BOOKED")]
    assert listed(desk) == [(CLAIM, "READY", "BOOKED")]


def test_a_caseworkers_list_has_pages_and_states(caseworker: Any, others: Any) -> None:
    others.submit(OTHER, schemes=[CM], ago=timedelta(days=1))

    first = caseworker.call("ListWork", pageSize=1).body
    second = caseworker.call("ListWork", pageSize=1, pageToken=first["nextPageToken"]).body
    confirmed = caseworker.call("ListWork", state="ASSESSMENT_STATE_CONFIRMED").body

    assert [item["claimRef"] for item in (*first["items"], *second["items"])] == [OTHER, CLAIM]
    assert (second["nextPageToken"], confirmed["items"]) == ("", [])


def test_a_crisis_loan_is_confirmed_without_an_interview_and_the_rest_after_it(
    desk: Any, intake: Any, others: Any, database_urls: DatabaseUrls
) -> None:
    loan = {"amount": "30.00", "existing_debt": "0.00", "crisis_reason": "DI", "date_of_birth": "1970-03-01"}
    intake.submit(OTHER, surname="Evans", tenure="TENANT", **loan)
    intake.schemes |= dict.fromkeys(loan, ("CRISIS_LOAN",)) | {"tenure": ("JOBSEEKERS_ALLOWANCE",)}
    others.submit(OTHER, schemes=[JSA, LOAN])

    version = desk.do("StartAssessment", claimRef=OTHER)["version"]
    version = desk.do("VerifyItems", claimRef=OTHER, version=version, items=check("surname", *loan))["version"]
    offer = {"outcome": "LOAN_OUTCOME_OFFERED", "amount": "30.00", "reason": "the house burnt down"}
    lent = desk.do("DecideCrisisLoan", claimRef=OTHER, version=version, **offer)
    body = {"claimRef": OTHER, "version": lent["version"], "requestId": str(uuid4())}
    refused = desk.call("ConfirmAssessment", **body)
    others.book(OTHER)
    version = desk.do("VerifyItems", claimRef=OTHER, version=lent["version"], items=check("tenure"))["version"]
    done = desk.do("ConfirmAssessment", claimRef=OTHER, version=version)

    assert lent["confirmedSchemes"] == ["SCHEME_CRISIS_LOAN"]
    assert (refused.code, refused.reason) == ("failed_precondition", "INTERVIEW_NEEDED")
    assert done["state"] == "ASSESSMENT_STATE_CONFIRMED"
    assert [list(event.schemes) for event in confirmations(database_urls)] == [[LOAN], [JSA]]


def test_nothing_that_has_an_interview_is_confirmed_once_it_is_cancelled(desk: Any, others: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname"))["version"]
    others.send(AppointmentCancelled(appointment_id="A1", office_code="123456"))

    named = desk.once_refused("ConfirmAssessment", version=version, schemes=["SCHEME_INCOME_SUPPORT"])
    unnamed = desk.once_refused("ConfirmAssessment", version=version)
    others.book()
    version = desk.do("VerifyItems", version=version, items=check("tenure"))["version"]
    done = desk.do("ConfirmAssessment", version=version)

    assert (named.reason, named.fields) == ("INTERVIEW_NEEDED", {"schemes[0]", "tenure"})
    assert (unnamed.reason, unnamed.fields) == ("INTERVIEW_NEEDED", {"schemes", "tenure"})
    assert done["confirmedSchemes"] == ["SCHEME_INCOME_SUPPORT"]


@pytest.mark.parametrize("withdrawn_first", [True, False])
def test_a_withdrawn_claim_is_closed_work_in_any_order_of_events(
    desk: Any, caseworker: Any, others: Any, intake: Any, *, withdrawn_first: bool
) -> None:
    intake.submit(OTHER, surname="Evans")
    for act in (others.withdraw, others.submit) if withdrawn_first else (others.submit, others.withdraw):
        act(OTHER)
    others.book(OTHER)

    items = desk.call("ListWork", state="ASSESSMENT_STATE_CLOSED").body["items"]
    started = desk.call("StartAssessment", claimRef=OTHER, requestId=str(uuid4()))

    assert [(item["claimRef"], item["closedReason"]) for item in items] == [(OTHER, "CLOSED_REASON_WITHDRAWN")]
    assert started.reason == "ASSESSMENT_CLOSED"


def test_a_withdrawn_draft_is_no_work(desk: Any, others: Any) -> None:
    others.withdraw(OTHER)

    assert [item["claimRef"] for item in desk.call("ListWork").body["items"]] == [CLAIM]


def test_another_service_is_told_of_each_scheme_as_it_was_confirmed(
    desk: Any, caseworker: Any, desk_of: Any, intake: Any, others: Any
) -> None:
    before = told(desk_of)
    begun = caseworker.do("StartAssessment")
    checked = caseworker.do("VerifyItems", version=begun["version"], items=check("surname", "role"))
    caseworker.do("ConfirmAssessment", version=checked["version"])
    intake.change(tenure="OWNER")
    resumed = desk.do("StartAssessment")
    second = desk.do("VerifyItems", version=resumed["version"], items=check("tenure"))
    desk.do("ConfirmAssessment", version=second["version"])
    others.withdraw()

    assert before == []
    assert told(desk_of) == [
        ("CHILD_MAINTENANCE", 7, "123456", "CW000001"),
        ("INCOME_SUPPORT", 8, "123456", "AS000001"),
    ]


def test_a_scheme_that_an_earlier_release_confirmed_is_told_of_from_the_assessment(
    caseworker: Any, desk_of: Any, database_urls: DatabaseUrls
) -> None:
    begun = caseworker.do("StartAssessment")
    checked = caseworker.do("VerifyItems", version=begun["version"], items=check("surname", "role"))
    caseworker.do("ConfirmAssessment", version=checked["version"])
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("DELETE FROM confirmations")

    assert told(desk_of) == [("CHILD_MAINTENANCE", 7, "123456", "CW000001")]


def test_a_closed_claim_is_no_work_any_more_and_intake_hears_of_each_scheme(
    desk: Any, caseworker: Any, database_urls: DatabaseUrls
) -> None:
    begun = desk.do("StartAssessment")
    closed = desk.do("CloseAssessment", version=begun["version"], reason="CLOSED_REASON_NOT_PURSUED")
    open_still = (listed(desk), listed(caseworker))
    ended = caseworker.do(
        "CloseAssessment", version=closed["version"], reason="CLOSED_REASON_DUPLICATE", duplicateOf=OTHER
    )
    refused = desk.call("StartAssessment", claimRef=CLAIM, requestId=str(uuid4()))

    assert (closed["state"], closed["closedSchemes"], closed["items"]) == (
        "ASSESSMENT_STATE_IN_PROGRESS",
        ["SCHEME_INCOME_SUPPORT"],
        [],
    )
    assert open_still == ([(CLAIM, "CLOSED", "BOOKED")], [(CLAIM, "READY", "BOOKED")])
    assert (ended["state"], refused.reason) == ("ASSESSMENT_STATE_CLOSED", "ASSESSMENT_CLOSED")
    with psycopg.connect(database_urls.owner) as conn:
        kept = conn.execute(
            "SELECT scheme, reason, duplicate_of, closed_by FROM closings ORDER BY closed_time"
        ).fetchall()
    assert kept == [
        ("INCOME_SUPPORT", "NOT_PURSUED", None, "AS000001"),
        ("CHILD_MAINTENANCE", "DUPLICATE", OTHER, "CW000001"),
    ]


def test_a_claim_with_a_confirmed_scheme_is_confirmed_when_the_rest_is_closed(desk: Any, caseworker: Any) -> None:
    version = caseworker.do("StartAssessment")["version"]
    version = caseworker.do("VerifyItems", version=version, items=check("surname", "role"))["version"]
    version = caseworker.do("ConfirmAssessment", version=version)["version"]

    closed = desk.do("CloseAssessment", version=version, reason="CLOSED_REASON_WITHDRAWN")
    again = desk.call(
        "CloseAssessment",
        claimRef=CLAIM,
        version=closed["version"],
        reason="CLOSED_REASON_WITHDRAWN",
        requestId=str(uuid4()),
    )

    assert closed["state"] == "ASSESSMENT_STATE_CONFIRMED"
    assert (listed(desk), listed(caseworker)) == ([(CLAIM, "CLOSED", "BOOKED")], [(CLAIM, "CONFIRMED", "BOOKED")])
    assert again.reason == "ALREADY_CONFIRMED"


def test_a_days_work_is_in_the_order_of_its_interviews_with_its_clocks(desk: Any, others: Any, intake: Any) -> None:
    start = clock.now() + timedelta(days=1, hours=-1)
    others.submit(OTHER, schemes=[JSA])
    others.book(OTHER, start=start)
    day = start.astimezone(clock.LONDON).date()
    wanted = {"day": {"year": day.year, "month": day.month, "day": day.day}}

    first = desk.call("ListWork", **wanted, pageSize=1).body
    [item] = first["items"]

    assert item["claimRef"] == OTHER
    assert [(one["scheme"], one["kind"], one["workingDays"]) for one in item["clocks"]] == [
        ("SCHEME_JOBSEEKERS_ALLOWANCE", "CLOCK_KIND_FIRST_CONTACT", 0)
    ]
    assert item["clocks"][0]["targetTime"]


def test_what_cannot_be_closed_is_named(desk: Any) -> None:
    body = {"claimRef": CLAIM, "version": 1, "requestId": str(uuid4()), "reason": "CLOSED_REASON_NOT_PURSUED"}

    assert desk.call("CloseAssessment", **body | {"schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"]}).fields == {"schemes[0]"}
    assert desk.call("CloseAssessment", **body | {"schemes": ["SCHEME_CHILD_MAINTENANCE"]}).reason == "OTHER_SCHEME"
    assert desk.call("CloseAssessment", **body | {"duplicateOf": OTHER}).fields == {"duplicate_of"}
    assert desk.call("CloseAssessment", **body | {"version": 9}).code == "aborted"
    duplicate = {"reason": "CLOSED_REASON_DUPLICATE", "duplicateOf": CLAIM}
    assert desk.call("CloseAssessment", **body | duplicate).fields == {"duplicate_of"}
