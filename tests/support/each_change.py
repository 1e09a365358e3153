"""Acts on claims of their own that together call every method that changes something."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from chassis import clock
from chassis.testing import eventually
from cms_client.bundles import Device, Trip
from cms_local import demo
from cms_local.doors import Refused
from cms_local.journey import ASSESSMENT, GATEWAY, NOTIFIER, Journey
from cms_local.operations import METHODS
from tests.support.dying_doors import DyingDoors
from tests.support.platforms import PlatformUnderTest

SERVICE, INTAKE = "scheduling-svc", "intake-svc"
BURY = """
    INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, reason, tries)
    VALUES (%s, 'intake-svc', 'Unknown', %s, '', 'UNKNOWN_TYPE', 3)
"""
BOOKED_WORK = (
    "SELECT count(*) FROM assessments WHERE claim_ref = %s AND submit_time IS NOT NULL AND office_code IS NOT NULL"
)
ASKED_FOR_A_LOAN = "UPDATE assessments SET schemes = schemes || '{CRISIS_LOAN}' WHERE claim_ref = %s"
BY_POST = "E07000199"
RECOMMENDED = "INSERT INTO interim_payments (claim_ref, since_time) VALUES (%s, now()) ON CONFLICT DO NOTHING"
LOCKED = """
    INSERT INTO security_failures (kind, name, failures, locked_time) VALUES ('OPERATOR', 'OP000077', 15, now())
    ON CONFLICT (kind, name) DO UPDATE SET locked_time = now(), version = 1
"""
UNHEARD = "SELECT count(*) FROM outbox WHERE claim_ref = %s AND finished_time IS NULL"


def all_is_heard(platform: PlatformUnderTest, claim_ref: str) -> bool:
    """Whether all who hear the claim's events have receipted them."""
    return not any(platform.count(service, UNHEARD, claim_ref) for service in ("intake-svc", "scheduling-svc"))


def replay_a_dead_letter(platform: PlatformUnderTest, doors: DyingDoors, claim: Journey) -> None:
    """Asks scheduling to handle an event again that it cannot read, and removes the dead letter."""
    event_id = str(uuid4())
    platform.execute(SERVICE, BURY, event_id, claim.claim_ref)
    body = {"eventId": event_id, "requestId": str(uuid4())}
    doors.call(SERVICE, f"{METHODS}/ReplayDeadLetter", body, token=claim.issue("SUPPORT", subject="SU000001"))
    platform.execute(SERVICE, "DELETE FROM dead_letters WHERE event_id = %s", event_id)


def call_back_and_withdraw(doors: DyingDoors, claim: Journey) -> None:
    """Begins two more claims by phone: one is held and called back without an answer, the other is withdrawn."""

    def intake(method: str, **body: Any) -> Any:
        return doors.call(INTAKE, method, {**body, "requestId": str(uuid4())}, token=claim.operator)

    def start() -> Any:
        caller = {"relation": "CALLER_RELATION_SELF"}
        schemes = ["SCHEME_JOBSEEKERS_ALLOWANCE"]
        return intake("StartCall", purpose="CALL_PURPOSE_NEW", schemes=schemes, language="LANGUAGE_EN", caller=caller)

    call = {"callId": start()["call"]["callId"]}
    for method in ("HoldCall", "ResumeCall"):
        intake(method, **call)
    due = clock.now() + timedelta(seconds=1)
    intake("EndCall", **call, outcome="CALL_OUTCOME_CALL_BACK", callBackTime=due.isoformat())
    intake("EndWrapUp", **call)
    eventually(lambda: clock.now() > due, what="the time to call back")
    intake("TakeCallBack", **call)
    intake("RecordCallBack", **call, outcome="CALL_BACK_OUTCOME_NO_ANSWER")
    intake("WithdrawClaim", claimRef=start()["claim"]["claimRef"], version=1, reason="found work")


def decide_a_loan(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Refuses a crisis loan, and pays on account. No loan can be claimed today: assessment-svc alone believes that one was."""
    claim = platform.journey("lodger")
    claim.take_call()
    assessor = claim.issue(
        "ASSESSOR", subject=claim.appointment["assessorId"], office=claim.appointment["office"]["code"]
    )
    this = {"claimRef": claim.claim_ref}
    eventually(lambda: platform.count(ASSESSMENT, BOOKED_WORK, claim.claim_ref), seconds=30, what="the work item")
    platform.execute(ASSESSMENT, ASKED_FOR_A_LOAN, claim.claim_ref)
    start = this | {"requestId": str(uuid4())}
    begun = eventually(lambda: started(doors, start, assessor), seconds=30, what="the claim's appointment at intake")
    refusal = {"outcome": "LOAN_OUTCOME_REFUSED", "reason": "has other means", "version": begun["version"]}
    doors.call(ASSESSMENT, "DecideCrisisLoan", this | refusal | {"requestId": str(uuid4())}, token=assessor)
    platform.execute(ASSESSMENT, RECOMMENDED, claim.claim_ref)
    paid = {"outcome": "INTERIM_OUTCOME_PAID", "reason": "no food", "version": 1}
    officer = claim.issue("PROCESSING_OFFICER", subject="PO000001")
    doors.call(ASSESSMENT, "RecordInterimPayment", this | paid | {"requestId": str(uuid4())}, token=officer)
    claim.assess()
    claim.wait_for_outcome()


def started(doors: DyingDoors, start: Mapping[str, Any], assessor: str) -> Any:
    """The assessment; None while intake has not heard of the appointment."""
    try:
        return doors.call(ASSESSMENT, "StartAssessment", start, token=assessor)["assessment"]
    except Refused as refused:
        if refused.code != "not_found":
            raise
        return None


def decide_a_duplicate(doors: DyingDoors, claim: Journey) -> None:
    """Begins two claims of one name, birth date and postcode, and decides that they are of two persons."""
    twins = {
        "surname": "Abelard",
        "date_of_birth": "1961-03-04",
        "address": {"lines": ["3 Mill Lane", "Leeds"], "postcode": "LS1 4AP"},
    }
    drafts = []
    for _ in range(2):
        asked = {
            "purpose": "CALL_PURPOSE_NEW",
            "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
            "language": "LANGUAGE_EN",
            "caller": {"relation": "CALLER_RELATION_SELF"},
            "requestId": str(uuid4()),
        }
        drafts.append(doors.call(INTAKE, "StartCall", asked, token=claim.operator)["claim"]["claimRef"])
        answers = [{"questionId": name, "value": value} for name, value in twins.items()]
        saved = {"claimRef": drafts[-1], "version": 1, "answers": answers, "requestId": str(uuid4())}
        doors.call(INTAKE, "RecordAnswers", saved, token=claim.operator)
    decision = {
        "claimRef": drafts[1],
        "otherClaimRef": drafts[0],
        "verdict": "DUPLICATE_VERDICT_OTHER_PERSON",
        "reason": "twins",
        "version": 2,
        "requestId": str(uuid4()),
    }
    doors.call(INTAKE, "DecideDuplicate", decision, token=claim.operator)


def bind_and_import(doors: DyingDoors, claim: Journey) -> None:
    """Changes the schemes of a draft, moves it to the newest catalogue, and imports a form that was filled by hand."""

    def intake(method: str, **body: Any) -> Any:
        return doors.call(INTAKE, method, {**body, "requestId": str(uuid4())}, token=claim.operator)

    scheme, other = "SCHEME_JOBSEEKERS_ALLOWANCE", "SCHEME_INCOME_SUPPORT"
    caller = {"relation": "CALLER_RELATION_SELF"}
    began = intake("StartCall", purpose="CALL_PURPOSE_NEW", schemes=[scheme], language="LANGUAGE_EN", caller=caller)
    this = {"claimRef": began["claim"]["claimRef"]}
    changed = intake("ChangeSchemes", **this, version=began["claim"]["version"], schemes=[scheme, other])
    intake("MoveToCatalogue", **this, version=changed["interview"]["version"])
    form = {"answers": [{"question": "surname", "value": "Heloise"}]}
    day = clock.today()
    received = {"year": day.year, "month": day.month, "day": day.day}
    intake("ImportForm", form=form, receivedOn=received, schemes=[scheme])


def end_what_is_held(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Withdraws a claim that a paying system holds, records that its staff have ended it, and holds and releases a system."""
    held = platform.journey("lodger")
    held.take_call()
    held.assess()
    held.wait_for_outcome()
    held.call_again()
    held.withdraw()
    eventually(lambda: held.transfers()["withdrawnRecords"], what="the list of what is held")
    removal = {"claimRef": held.claim_ref, "system": "SYSTEM_JSAPS", "requestId": str(uuid4())}
    officer = held.issue("PROCESSING_OFFICER", subject="PO000001")
    doors.call(GATEWAY, "RecordRemoval", removal, token=officer)
    held_system = {"system": "SYSTEM_SFCS", "reason": "planned outage", "requestId": str(uuid4())}
    support = held.issue("SUPPORT", subject="SUPPORT1")
    doors.call(GATEWAY, "HoldSystem", held_system, token=support)
    doors.call(GATEWAY, "ReleaseSystem", {"system": "SYSTEM_SFCS", "requestId": str(uuid4())}, token=support)


def close_without_confirmation(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Takes a claim that its assessor closes, because the claimant does not pursue it."""
    closed = replace(platform, doors=doors).journey("lodger")
    closed.take_call()
    closed.close_assessment(reason="NOT_PURSUED")


def repair(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Corrects a refused claim, has another one's record made anew and decides it, and stops an act with many transfers."""
    officer, refused, claims = "", [], []
    for _ in range(2):
        failure = {"failure": "refuse_record", "dialogue": "ES504", "count": 1}
        journey = platform.journey("single, council tenant", failures={"jsaps": failure})
        journey.take_call(once_known=partial(demo.arm_failures, platform.layout, journey))
        journey.assess()
        eventually(partial(is_refused, journey), seconds=30, what="the refusal")
        officer = journey.issue("PROCESSING_OFFICER", subject="PO000001")
        refused.append(journey.transfers()["transfers"][0]["transferId"])
        claims.append(journey)
    why = {"reason": "said again on the telephone"}
    correction = {"corrections": [{"questionId": "capital", "value": "1250.00"}]}

    def gateway(method: str, **body: Any) -> Any:
        return doors.call(GATEWAY, method, {**body, "requestId": str(uuid4())}, token=officer)

    gateway("CorrectTransfers", transferIds=[refused[0]], **correction, **why)
    gateway("RetryTransfer", transferIds=[refused[1]], **why)
    begun = gateway("CancelTransfer", filter={"state": "TRANSFER_STATE_HELD"}, rate=1, **why)
    gateway("StopBulkAct", actId=begun["bulkAct"]["actId"])
    claims[1].wait_for_outcome()
    day = clock.today()
    decision = {
        "outcome": "DECISION_OUTCOME_DISALLOWED",
        "from": {"year": day.year, "month": day.month, "day": day.day},
    }
    gateway("RecordDecision", claimRef=claims[1].claim_ref, scheme="SCHEME_JOBSEEKERS_ALLOWANCE", **decision)


def balance(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Balances a day on which JSAPS lost the first phase of a claim, and closes what was left to a person."""
    journey = platform.journey("lodger")
    journey.take_call()
    journey.assess()
    journey.wait_for_outcome()
    lose = {"claim_ref": journey.claim_ref, "dialogue": "ES504"}
    port = platform.layout.control_port("jsaps")
    assert httpx.post(f"http://127.0.0.1:{port}/ledger/lose", json=lose, timeout=10.0).json()["lost"] == 1
    officer = journey.issue("PROCESSING_OFFICER", subject="PO000001")
    today = clock.today()
    day = {"year": today.year, "month": today.month, "day": today.day}

    def difference() -> Any:
        body = {"system": "SYSTEM_JSAPS", "date": day, "requestId": str(uuid4())}
        found = doors.call(GATEWAY, "Reconcile", body, token=officer)["balance"]["missingThere"]
        return next((one for one in found if one["state"] == "DIFFERENCE_STATE_OPEN"), None)

    eventually(difference, seconds=30, what="the lost first phase")
    closing = {"differenceId": difference()["differenceId"], "reason": "DIFFERENCE_REASON_GIVEN_UP"}
    doors.call(GATEWAY, "CloseDifference", {**closing, "requestId": str(uuid4())}, token=officer)


def ask_for_evidence(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Takes a claim away from the office twice, asks for two documents, sees one and does without the other."""
    journey = platform.journey("lodger")
    journey.take_call()
    office, assessor = journey.appointment["office"]["code"], journey.appointment["assessorId"]
    token = journey.issue("ASSESSOR", subject=assessor, office=office)
    this = {"claimRef": journey.claim_ref}

    def change(method: str, **body: Any) -> Any:
        return doors.call(ASSESSMENT, method, body | {"requestId": str(uuid4())}, token=token)

    eventually(lambda: all_is_heard(platform, journey.claim_ref), seconds=30, what="every receipt")
    change("StartAssessment", **this)
    take_along(change, journey)
    change("RequestEvidence", **this, kinds=["EVIDENCE_KIND_PASSPORT", "EVIDENCE_KIND_OTHER"])
    change("RecordEvidence", **this, kind="EVIDENCE_KIND_PASSPORT", seenOn={"year": 2005, "month": 7, "day": 11})
    change("WaiveEvidence", **this, kinds=["EVIDENCE_KIND_OTHER"], reason="burnt")


def take_along(change: Callable[..., Any], journey: Journey) -> None:
    """Takes the day's interviews along and brings them back, and once more and gives them up."""
    start = datetime.fromisoformat(journey.appointment["startTime"]).astimezone(clock.LONDON)
    day = {"year": start.year, "month": start.month, "day": start.day}
    for ending in ("ReturnBundle", "DiscardBundle"):
        device = Device.generate()
        keys = {
            "encryptionKey": base64.b64encode(device.encryption_key).decode(),
            "signingKey": base64.b64encode(device.signing_key).decode(),
        }
        bundle = change("TakeBundle", day=day, claimRefs=[journey.claim_ref], **keys)["bundle"]
        trip = Trip.open(device, bundle["content"], signed_by=base64.b64decode(bundle["signingKey"]))
        trip.find(journey.claim_ref, "surname", "CONFIRMED")
        content = trip.close(for_key=base64.b64decode(bundle["returnKey"]))
        more = {"content": content} if ending == "ReturnBundle" else {"reason": "stolen"}
        change(ending, bundleId=bundle["bundleId"], **more)


def is_refused(journey: Journey) -> bool:
    """Whether the claim's first record was refused."""
    return any(one["state"] == "TRANSFER_STATE_REJECTED" for one in journey.transfers()["transfers"])


def redirect_a_notice(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Sends the notice of a claim to another council than its address gives: to one by post, whose letter is printed."""
    journey = platform.journey("lodger")
    journey.take_call()
    officer = journey.issue("PROCESSING_OFFICER", subject="PO000001")

    def notices() -> Any:
        asked = {"claimRef": journey.claim_ref}
        return doors.call(NOTIFIER, "GetNotices", asked, token=officer, purpose=journey.work_item)["notices"]

    eventually(notices, seconds=30, what="the first notice")
    notice = notices()[0]
    body = {"noticeId": notice["noticeId"], "authorityCode": BY_POST, "reason": "REDIRECT_REASON_AUTHORITY_SAID"}
    doors.call(NOTIFIER, "RedirectNotice", {**body, "requestId": str(uuid4())}, token=officer)
    eventually(lambda: {one["authorityCode"] for one in notices()} == {notice["authorityCode"], BY_POST}, seconds=30)

    def letters() -> Any:
        body = {"recipient": "LETTER_RECIPIENT_COUNCIL"}
        return doors.call(NOTIFIER, "GetLetters", body, token=officer)["letters"]

    eventually(letters, seconds=30, what="the letter to the other council")
    printed = {"letterIds": [letters()[0]["letterId"]], "requestId": str(uuid4())}
    doors.call(NOTIFIER, "MarkPrinted", printed, token=officer)


def see_to_notices(platform: PlatformUnderTest, doors: DyingDoors) -> None:
    """Answers a council's question about a notice, records its receipt, and sends again what the council refused."""
    journey = platform.journey("single, council tenant")
    journey.take_call()
    processing = journey.issue("PROCESSING_OFFICER", subject="PO000001")

    def newest() -> Any:
        body = {"claimRef": journey.claim_ref, "pageSize": 50}
        return platform.doors.call(NOTIFIER, "ListNotices", body, token=processing)["notices"][-1]

    eventually(lambda: newest()["state"] == "NOTICE_STATE_LOADED", seconds=30, what="the newest version at the council")
    notice, council = {"noticeId": newest()["noticeId"]}, newest()["authorityCode"]
    officer = journey.issue("COUNCIL_OFFICER", subject="CO000001", authority=council)
    asked = {**notice, "question": "Which flat is it?", "requestId": str(uuid4())}
    item = doors.call(NOTIFIER, "AskQuestion", asked, token=officer)["workItem"]["workItemId"]
    ended = {"workItemId": item, "outcome": "WORK_ITEM_OUTCOME_ANSWERED", "answer": "2", "requestId": str(uuid4())}
    doors.call(NOTIFIER, "ResolveWorkItem", ended, token=processing)
    received = {**notice, "version": newest()["version"], "loaded": True, "requestId": str(uuid4())}
    doors.call(NOTIFIER, "RecordReceipt", received, token=officer)
    everything = {"authorityCode": council, "state": "NOTICE_STATE_REFUSED"}
    again = {"filter": everything, "reason": "mended there", "requestId": str(uuid4())}
    doors.call(NOTIFIER, "ResendNotice", again, token=processing)


def lift_a_lock(platform: PlatformUnderTest, doors: DyingDoors, claim: Journey) -> None:
    """Lifts the lock of an operator who gave too many wrong answers."""
    platform.execute(INTAKE, LOCKED)
    body = {"operator": "OP000077", "version": 1, "requestId": str(uuid4())}
    doors.call(INTAKE, "LiftSecurityLock", body, token=claim.issue("SERVICE_MANAGER", subject="SM000001"))


def report_lines(doors: DyingDoors, claim: Journey) -> None:
    """Reports a quarter of an hour, as the switch does."""
    hour_ago = clock.now() - timedelta(hours=1)
    start = hour_ago - timedelta(seconds=hour_ago.timestamp() % 900)
    body = {"quarterHours": [{"start": start.isoformat(), "offered": 3}], "requestId": str(uuid4())}
    doors.call(INTAKE, "ReportLines", body, token=claim.issue("SERVICE", subject="telephone-switch"))


def hold_and_erase(doors: DyingDoors, claim: Journey) -> None:
    """Holds a claim, ends the hold, and erases the claims whose time is over: there are none."""
    manager = claim.issue("SERVICE_MANAGER", subject="SM000001")
    held = {"claimRef": claim.claim_ref, "reason": "appeal"}
    doors.call(INTAKE, "PlaceLegalHold", {**held, "requestId": str(uuid4())}, token=manager)
    doors.call(INTAKE, "LiftLegalHold", {"claimRef": claim.claim_ref, "requestId": str(uuid4())}, token=manager)
    doors.call(INTAKE, "EraseClaims", {"requestId": str(uuid4())}, token=manager)
