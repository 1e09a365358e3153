"""A claim is assessed through the service's doors, with intake faked at the Protocol."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from chassis import clock
from chassis.testing import DatabaseUrls, eventually
from cms.assessment.v1 import events_pb2
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2 as intake_events

CLAIM = "C0123456789A"
CANARY = "Łukasz-canary"
CONFIRMED = "SELECT payload, version FROM outbox WHERE type LIKE '%.AssessmentConfirmed'"


@pytest.fixture(autouse=True)
def submitted_claim(intake: Any, others: Any) -> None:
    """A booked claim with two facts."""
    intake.submit(surname=CANARY, tenure="TENANT")
    others.submit()
    others.book()


def rows(database_urls: DatabaseUrls, query: Any) -> list[Any]:
    with psycopg.connect(database_urls.owner) as conn:
        return conn.execute(query).fetchall()


def statuses(assessment: Any) -> dict[str, str]:
    return {item["fact"]: item["status"].removeprefix("ITEM_STATUS_") for item in assessment["items"]}


def check(*facts: str, status: str = "ITEM_STATUS_CONFIRMED") -> list[dict[str, str]]:
    return [{"fact": fact, "status": status} for fact in facts]


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_a_claim_is_listed_started_checked_corrected_and_confirmed(
    desk_of: Any, intake: Any, database_urls: DatabaseUrls, door: str
) -> None:
    desk = desk_of(door=door)

    work = desk.call("ListWork").body["items"]
    started = desk.do("StartAssessment")
    evidence = {"kind": "EVIDENCE_KIND_PASSPORT", "seenOn": {"year": 2020, "month": 2, "day": 29}}
    verified = desk.do("VerifyItems", version=started["version"], items=[check("surname")[0] | {"evidence": evidence}])
    corrected = desk.do(
        "CorrectItem", version=verified["version"], fact="tenure", value="OWNER", reason="saw the deeds"
    )
    confirmed = desk.do("ConfirmAssessment", version=corrected["version"])

    assert [(item["claimRef"], item["state"], item["booking"]) for item in work] == [
        (CLAIM, "ASSESSMENT_STATE_READY", "BOOKING_BOOKED")
    ]
    assert [(item["fact"], item["value"], item["text"]) for item in started["items"]] == [
        ("surname", CANARY, "What is your surname?"),
        ("tenure", "TENANT", "What is your tenure?"),
    ]
    assert verified["items"][0]["evidence"] == evidence
    assert statuses(corrected) == {"surname": "CONFIRMED", "tenure": "CORRECTED"}
    assert corrected["items"][1]["value"] == "OWNER"
    assert (confirmed["state"], confirmed["claimVersion"]) == ("ASSESSMENT_STATE_CONFIRMED", 8)
    [(payload, version)] = rows(database_urls, CONFIRMED)
    assert version == confirmed["version"]
    assert events_pb2.AssessmentConfirmed.FromString(payload) == events_pb2.AssessmentConfirmed(
        claim_version=8,
        schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE],
        office_code="123456",
        assessor_id="AS000001",
    )


def test_every_reading_is_logged_with_its_purpose_and_its_reader(
    desk: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    version = desk.do("StartAssessment")["version"]
    desk.do("CorrectItem", version=version, fact="tenure", value="OWNER", reason="saw the deeds")

    assert intake.asked == [
        ("GetInterview", f"work item {CLAIM}", "AS000001"),
        ("AmendAnswers", f"work item {CLAIM}", "AS000001"),
    ]
    assert rows(database_urls, "SELECT subject, claim_ref, purpose, outcome FROM access_log ORDER BY access_id") == [
        ("AS000001", CLAIM, f"work item {CLAIM}", "SHOWN"),
        ("AS000001", CLAIM, f"work item {CLAIM}", "SHOWN"),
    ]


def test_a_repeat_changes_nothing_and_is_logged_as_a_reading(
    desk: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    version = desk.do("StartAssessment")["version"]
    same = {"requestId": str(uuid4()), "version": version, "items": check("surname", "tenure")}

    first = desk.do("VerifyItems", **same)
    again = desk.do("VerifyItems", **same)

    assert again == first
    assert len(rows(database_urls, "SELECT 1 FROM access_log WHERE outcome = 'SHOWN'")) == 3


def test_a_repeat_gets_the_first_answer_after_later_checks_and_corrections(
    desk: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    def request(**fields: Any) -> dict[str, Any]:
        return {"requestId": str(uuid4()), **fields}

    start = request()
    started = desk.do("StartAssessment", **start)
    verify = request(version=started["version"], items=check("surname", "tenure"))
    verified = desk.do("VerifyItems", **verify)
    correct = request(version=verified["version"], fact="tenure", value="OWNER", reason="saw the deeds")
    corrected = desk.do("CorrectItem", **correct)
    confirm = request(version=corrected["version"])
    confirmed = desk.do("ConfirmAssessment", **confirm)
    intake.change(tenure="LODGER")
    logged = "SELECT method FROM access_log WHERE outcome = 'SHOWN' ORDER BY access_id"
    shown = rows(database_urls, logged)

    assert desk.do("StartAssessment", **start) == started
    assert desk.do("VerifyItems", **verify) == verified
    assert desk.do("CorrectItem", **correct) == corrected
    assert desk.do("ConfirmAssessment", **confirm) == confirmed
    assert rows(database_urls, logged) == [*shown, *shown]
    assert [item["value"] for item in started["items"]] == [CANARY, "TENANT"]


def test_a_repeat_is_refused_once_the_claim_is_another_offices(desk: Any, others: Any) -> None:
    start = {"claimRef": CLAIM, "requestId": str(uuid4())}
    desk.do("StartAssessment", **start)
    others.book(office="654321")

    answer = desk.call("StartAssessment", **start)

    assert (answer.code, answer.reason) == ("permission_denied", "OTHER_OFFICE")
    assert CANARY not in answer.text


def test_a_repeated_correction_amends_the_claim_once(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    same = {"requestId": str(uuid4()), "version": version, "fact": "tenure", "value": "OWNER", "reason": "seen"}

    first = desk.do("CorrectItem", **same)
    again = desk.do("CorrectItem", **same)

    assert again == first
    assert intake.claims[CLAIM].version == 8
    assert [method for method, *_ in intake.asked].count("AmendAnswers") == 1


def test_a_retry_completes_a_correction_cut_off_after_the_amendment(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    same = {"requestId": str(uuid4()), "version": version, "fact": "tenure", "value": "OWNER", "reason": "seen"}

    def lose_the_reply() -> None:
        intake.after_amend = lambda: None
        raise ZeroDivisionError

    intake.after_amend = lose_the_reply
    lost = desk.call("CorrectItem", claimRef=CLAIM, **same)
    again = desk.do("CorrectItem", **same)

    assert lost.code == "internal"
    assert statuses(again)["tenure"] == "CORRECTED"
    assert intake.claims[CLAIM].version == 8


def test_the_event_of_a_corrections_own_amendment_does_not_undo_it(desk: Any, intake: Any, others: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    amended = intake_events.ClaimAmended(changed_fields=["tenure"])

    # The event overtakes the reply, and comes once more afterwards.
    intake.after_amend = lambda: others.send(amended, version=8)
    corrected = desk.do("CorrectItem", version=version, fact="tenure", value="OWNER", reason="seen")
    others.send(amended, version=8)
    resumed = desk.do("StartAssessment")

    assert statuses(corrected)["tenure"] == "CORRECTED"
    assert resumed == corrected


def test_a_cleared_fact_is_no_longer_an_item(desk: Any) -> None:
    version = desk.do("StartAssessment")["version"]

    corrected = desk.do("CorrectItem", version=version, fact="tenure", value=None, reason="never said so")

    assert set(statuses(corrected)) == {"surname"}


def test_a_fact_amended_since_it_was_read_stays_unchecked(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    intake.change(tenure="OWNER", children=2)

    verified = desk.do("VerifyItems", version=version, items=check("surname", "tenure", "children"))
    refused = desk.call("ConfirmAssessment", claimRef=CLAIM, version=verified["version"], requestId=str(uuid4()))

    assert statuses(verified) == {"surname": "CONFIRMED", "tenure": "UNCHECKED", "children": "UNCHECKED"}
    assert verified["claimVersion"] == 8
    assert (refused.code, refused.reason) == ("failed_precondition", "ITEMS_OPEN")
    assert refused.fields == {"tenure", "children"}


def test_an_amendment_after_the_check_prevents_the_confirmation(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    verified = desk.do("VerifyItems", version=version, items=check("surname", "tenure"))
    intake.change(tenure="OWNER")

    refused = desk.call("ConfirmAssessment", claimRef=CLAIM, version=verified["version"], requestId=str(uuid4()))
    again = desk.do("VerifyItems", version=desk.do("StartAssessment")["version"], items=check("tenure"))
    confirmed = desk.do("ConfirmAssessment", version=again["version"])

    assert (refused.reason, refused.fields) == ("ITEMS_OPEN", {"tenure"})
    assert confirmed["claimVersion"] == 8


def test_only_one_of_two_simultaneous_confirmations_succeeds(
    desk: Any, process: Any, database_urls: DatabaseUrls
) -> None:
    version = desk.do("StartAssessment")["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname", "tenure"))["version"]

    def confirm(_: int) -> Any:
        return desk.call("ConfirmAssessment", claimRef=CLAIM, version=version, requestId=str(uuid4())).code

    def both_wait() -> bool:
        waiting = "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
        return len(rows(database_urls, waiting)) == 2

    with ThreadPoolExecutor(2) as pool, process.database.transaction() as conn:
        conn.execute("SELECT 1 FROM assessments FOR UPDATE")
        codes = pool.map(confirm, range(2))
        eventually(both_wait, seconds=1.8, what="the wait of both")

    assert sorted(codes) == ["aborted", "ok"]
    assert len(rows(database_urls, CONFIRMED)) == 1


def test_a_claim_with_a_proposal_can_be_confirmed_once_the_proposal_is_agreed(
    desk: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.proposals["surname"] = "Lukasz"
    started = desk.do("StartAssessment")
    version = desk.do("VerifyItems", version=started["version"], items=check("surname", "tenure"))["version"]

    refused = desk.call("ConfirmAssessment", claimRef=CLAIM, version=version, requestId=str(uuid4()))

    assert started["items"][0]["proposal"] == "Lukasz"
    assert "proposal" not in started["items"][1]
    assert (refused.code, refused.reason, refused.fields) == ("failed_precondition", "PROPOSALS_OPEN", {"surname"})
    assert "Lukasz" not in refused.text
    assert rows(database_urls, "SELECT 1 FROM outbox") == []

    agreed = desk.do(
        "CorrectItem",
        version=version,
        fact="surname",
        value=CANARY,
        acceptTransliteration=True,
        reason="read to the claimant, who agreed",
    )
    confirmed = desk.do("ConfirmAssessment", version=agreed["version"])

    assert "proposal" not in agreed["items"][0]
    assert statuses(agreed)["surname"] == "CORRECTED"
    assert confirmed["state"] == "ASSESSMENT_STATE_CONFIRMED"


def test_an_amendment_after_confirmation_leaves_it_confirmed(desk: Any, intake: Any, others: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname", "tenure"))["version"]
    desk.do("ConfirmAssessment", version=version)

    others.send(intake_events.ClaimAmended(changed_fields=["tenure"]), version=intake.change(tenure="OWNER"))

    assert desk.call("ListWork").body["items"][0]["state"] == "ASSESSMENT_STATE_CONFIRMED"
    assert desk.call("StartAssessment", claimRef=CLAIM, requestId=str(uuid4())).reason == "ALREADY_CONFIRMED"


def test_a_refusal_by_intake_names_the_fact_without_its_value(desk: Any, intake: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    intake.refused_values.append("canary-of-a-value")

    refused = desk.call(
        "CorrectItem",
        claimRef=CLAIM,
        version=version,
        fact="tenure",
        value="canary-of-a-value",
        reason="seen",
        requestId=str(uuid4()),
    )

    assert (refused.code, refused.fields) == ("invalid_argument", {"tenure"})
    assert "canary" not in refused.text


def test_work_is_listed_while_intake_is_away_but_nothing_is_shown_or_changed(desk: Any, intake: Any) -> None:
    intake.is_away = True

    assert desk.call("StartAssessment", claimRef=CLAIM, requestId=str(uuid4())).code == "unavailable"
    assert desk.call("ListWork").body["items"][0]["version"] == 1


def test_the_database_holds_no_answer_in_clear_text(desk: Any, database_urls: DatabaseUrls) -> None:
    version = desk.do("StartAssessment")["version"]
    desk.do("VerifyItems", version=version, items=check("surname", "tenure"))

    tables = [name for (name,) in rows(database_urls, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    contents = [str(rows(database_urls, f"SELECT * FROM {name}".encode())) for name in tables]  # noqa: S608

    assert {"items", "requests"} <= set(tables)
    assert CANARY.lstrip("Ł") not in "".join(contents)  # as it also shows where the column is of bytes


def test_work_shows_as_unbooked_after_thirty_minutes(
    desk: Any, others: Any, process: Any, database_urls: DatabaseUrls
) -> None:
    others.submit("C00000000010")
    before = desk.call("ListWork").body["items"]
    clock.advance(timedelta(minutes=30))
    after = desk.call("ListWork").body["items"]

    booking = {item["claimRef"]: item["booking"] for item in before}
    assert booking == {CLAIM: "BOOKING_BOOKED", "C00000000010": "BOOKING_AWAITED"}
    assert {item["claimRef"]: item["booking"] for item in after}["C00000000010"] == "BOOKING_UNBOOKED"
    metrics = httpx.get(f"http://127.0.0.1:{process.operations.port}/metrics").text
    assert "assessment_unbooked 1.0" in metrics
    assert 'assessment_work{state="READY"} 2.0' in metrics


def test_work_shows_acceptances_and_rejections_by_paying_systems(desk: Any, others: Any) -> None:
    others.send(
        gateway_events.TransferRejected(system=common_pb2.SYSTEM_JSAPS, transfer_id="T1", question_ids=["surname"])
    )
    refused = desk.call("ListWork").body["items"][0]
    others.send(gateway_events.TransferAccepted(system=common_pb2.SYSTEM_JSAPS, transfer_id="T2"))
    accepted = desk.call("ListWork").body["items"][0]

    assert (refused["acceptedBy"], refused["rejectedQuestionIds"]) == ([], ["surname"])
    assert (accepted["acceptedBy"], accepted["rejectedQuestionIds"]) == (["SYSTEM_JSAPS"], [])


def test_assessors_list_their_own_offices_work_and_unbooked_work(
    desk: Any, desk_of: Callable[..., Any], others: Any
) -> None:
    others.submit("C00000000010", ago=timedelta(hours=2))
    others.submit("C00000000020", ago=timedelta(hours=1))
    others.book("C00000000020", office="654321")

    def listed(answer: Any) -> list[str]:
        return [item["claimRef"] for item in answer.body["items"]]

    assert listed(desk.call("ListWork")) == ["C00000000010", CLAIM]
    assert listed(desk.call("ListWork", office="123456")) == [CLAIM]
    assert listed(desk.call("ListWork", assessor="AS000002")) == []
    assert listed(desk_of(office="654321").call("ListWork")) == ["C00000000010", "C00000000020"]


def test_pages_have_no_gaps_and_confirmed_work_comes_last(desk: Any, others: Any) -> None:
    version = desk.do("StartAssessment")["version"]
    version = desk.do("VerifyItems", version=version, items=check("surname", "tenure"))["version"]
    desk.do("ConfirmAssessment", version=version)
    open_claims = [f"C000000000{number}0" for number in range(10, 15)]
    for claim_ref in open_claims:
        others.submit(claim_ref)

    seen, token = list[str](), ""
    while True:
        page = desk.call("ListWork", pageSize=2, pageToken=token).body
        seen += [item["claimRef"] for item in page["items"]]
        token = page["nextPageToken"]
        if not token:
            break

    assert seen == [*open_claims, CLAIM]
    confirmed = desk.call("ListWork", state="ASSESSMENT_STATE_CONFIRMED").body["items"]
    assert [item["claimRef"] for item in confirmed] == [CLAIM]
