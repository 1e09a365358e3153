"""A day's work is taken along, encrypted, and brought back; what changed meanwhile is shown fact by fact."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis import clock
from chassis.errors import Unavailable
from chassis.testing import DatabaseUrls
from cms_client.bundles import Device, NotThisBundle, Trip

CLAIM, OTHER = "C0123456789A", "C00000000010"
CANARY = "canary-of-a-surname"


@pytest.fixture(autouse=True)
def interviews_of_today(intake: Any, others: Any, clock_file: Path) -> None:
    """Two claims with interviews today. It is noon: shortly before midnight they would be tomorrow's."""
    clock.advance(timedelta(hours=(12 - clock.now().hour) % 24))
    for claim_ref, minutes in ((CLAIM, 1), (OTHER, 2)):
        intake.submit(claim_ref, surname=CANARY, tenure="TENANT", capital="100.00")
        others.submit(claim_ref)
        others.book(claim_ref, start=clock.now() + timedelta(minutes=minutes))


def today() -> dict[str, int]:
    day = (clock.now() + timedelta(minutes=1)).astimezone(clock.LONDON).date()
    return {"year": day.year, "month": day.month, "day": day.day}


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def request_to_take(device: Device, **more: Any) -> dict[str, Any]:
    keys = {"encryptionKey": text(device.encryption_key), "signingKey": text(device.signing_key)}
    return {"day": today(), "requestId": str(uuid4()), **keys, **more}


def take(desk: Any, **more: Any) -> tuple[Trip, dict[str, Any]]:
    """The caller's interviews of today, open on a device, and the service's answer."""
    device = Device.generate()
    bundle = desk.once("TakeBundle", **request_to_take(device, **more))["bundle"]
    trip = Trip.open(device, bundle["content"], signed_by=base64.b64decode(bundle["signingKey"]))
    return trip, bundle


def brought(trip: Trip, bundle: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The request that brings it back."""
    content = trip.close(for_key=base64.b64decode(bundle["returnKey"]))
    return {"bundleId": bundle["bundleId"], "content": content, "requestId": str(uuid4()), **more}


def outcomes(answer: Any) -> dict[str, dict[str, str]]:
    return {
        claim["claimRef"]: {fact["fact"]: fact["outcome"].removeprefix("BUNDLE_OUTCOME_") for fact in claim["facts"]}
        for claim in answer["claims"]
    }


def statuses(desk: Any, claim_ref: str = CLAIM) -> dict[str, str]:
    found = desk.once("StartAssessment", claimRef=claim_ref)["assessment"]["items"]
    return {item["fact"]: item["status"].removeprefix("ITEM_STATUS_") for item in found}


def test_a_days_work_is_taken_along_and_its_findings_are_recorded_on_return(
    desk: Any, intake: Any, database_urls: DatabaseUrls
) -> None:
    trip, bundle = take(desk)
    day = clock.today()

    assert bundle["claimRefs"] == [CLAIM, OTHER]
    assert trip.item(CLAIM, "surname")["value"] == CANARY
    trip.find(CLAIM, "surname", "CONFIRMED", evidence=("PASSPORT", day))
    trip.find(
        CLAIM, "capital", "CORRECTED", value="90.00", reason="saw the statement", evidence=("BANK_STATEMENT", day)
    )
    trip.find(CLAIM, "tenure", "CORRECTED", value="OWNER", reason="saw the deeds")
    trip.find(OTHER, "tenure", "DISPUTED")
    answer = desk.call("ReturnBundle", **brought(trip, bundle)).body

    assert outcomes(answer) == {
        CLAIM: {"surname": "APPLIED", "capital": "APPLIED", "tenure": "APPLIED"},
        OTHER: {"tenure": "APPLIED"},
    }
    assert statuses(desk) == {"surname": "CONFIRMED", "tenure": "CORRECTED", "capital": "CORRECTED"}
    assert statuses(desk, OTHER)["tenure"] == "DISPUTED"
    assert intake.claims[CLAIM].answers["capital"][0] == "90.00"
    evidence = desk.call("GetEvidence", claimRef=CLAIM).body["evidence"]
    assert [document["kind"]["kind"] for document in evidence["documents"]] == [
        "EVIDENCE_KIND_PASSPORT",
        "EVIDENCE_KIND_BANK_STATEMENT",
    ]
    with psycopg.connect(database_urls.owner) as conn:
        assert conn.execute("SELECT state, own_keys FROM bundles").fetchall() == [("RETURNED", None)]


def test_a_dispute_that_was_brought_back_keeps_both_versions(desk: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    trip.find(CLAIM, "tenure", "DISPUTED", value="OWNER", reason="the neighbour says so")

    desk.call("ReturnBundle", **brought(trip, bundle))

    [item] = [one for one in desk.do("StartAssessment")["items"] if one["fact"] == "tenure"]
    assert (item["value"], item["status"]) == ("TENANT", "ITEM_STATUS_DISPUTED")
    assert (item["dispute"]["otherValue"], item["dispute"]["reason"]) == ("OWNER", "the neighbour says so")


def test_a_bundle_shows_nothing_without_the_devices_key(desk: Any, database_urls: DatabaseUrls) -> None:
    _, bundle = take(desk)

    with pytest.raises(NotThisBundle):
        Trip.open(Device.generate(), bundle["content"], signed_by=base64.b64decode(bundle["signingKey"]))
    assert CANARY not in str(bundle)
    with psycopg.connect(database_urls.owner) as conn:
        for table in ("bundles", "bundle_claims"):
            assert CANARY not in str(conn.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608


def test_what_changed_meanwhile_is_shown_fact_by_fact_and_not_overwritten(desk: Any, intake: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    for fact in ("surname", "tenure", "capital"):
        trip.find(CLAIM, fact, "CONFIRMED")
    intake.change(tenure="OWNER", capital=None, email="a@example.org")
    version = desk.once("StartAssessment", claimRef=CLAIM)["assessment"]["version"]
    disputed = [{"fact": "surname", "status": "ITEM_STATUS_DISPUTED"}]
    desk.do("VerifyItems", version=version, items=disputed)

    preview = desk.call("ReturnBundle", **brought(trip, bundle, preview=True)).body
    answer = desk.call("ReturnBundle", **brought(trip, bundle)).body

    assert answer == preview
    assert outcomes(answer) == {CLAIM: {"surname": "CHECKED", "tenure": "CHANGED", "capital": "GONE", "email": "NEW"}}
    [shown] = answer["claims"]
    assert {fact["fact"]: fact.get("presentValue") for fact in shown["facts"]}["tenure"] == "OWNER"
    assert statuses(desk) == {"surname": "DISPUTED", "tenure": "UNCHECKED", "email": "UNCHECKED"}


def test_a_claim_that_moved_or_ended_meanwhile_holds_up_no_other(desk: Any, others: Any) -> None:
    trip, bundle = take(desk)
    trip.find(CLAIM, "surname", "CONFIRMED")
    trip.find(OTHER, "surname", "CONFIRMED")
    others.withdraw(CLAIM)

    answer = desk.call("ReturnBundle", **brought(trip, bundle)).body

    assert [claim["refusedReason"] for claim in answer["claims"]] == ["ASSESSMENT_CLOSED", ""]
    assert outcomes(answer) == {CLAIM: {"surname": "REFUSED"}, OTHER: {"surname": "APPLIED"}}


def test_a_correction_that_intake_refuses_is_named_and_the_rest_is_recorded(desk: Any, intake: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    intake.refused_values.append("a lot")
    trip.find(CLAIM, "capital", "CORRECTED", value="a lot", reason="as said")
    trip.find(CLAIM, "surname", "CONFIRMED")

    [claim] = desk.call("ReturnBundle", **brought(trip, bundle)).body["claims"]

    assert [(fact["outcome"], fact["description"]) for fact in claim["facts"]] == [
        ("BUNDLE_OUTCOME_REFUSED", "is not of the question's kind"),
        ("BUNDLE_OUTCOME_APPLIED", ""),
    ]


def altered(content: str) -> list[str]:
    """The content with a letter of the ciphertext changed, cut short, without its seal, and with a header of another kind."""
    head, key, vector, cipher, tag = content.split(".")
    other = "A" if cipher[40] != "A" else "B"
    return [
        ".".join((head, key, vector, cipher[:40] + other + cipher[41:], tag)),
        content[:-30],
        content.rpartition(".")[0] + ".",
        "no bundle",
        ".".join((base64.urlsafe_b64encode(b'{"alg": "ECDH-ES", "enc": {}} ').decode(), key, vector, cipher, tag)),
    ]


def test_a_bundle_that_was_altered_on_the_way_is_refused_and_changes_nothing(desk: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    trip.find(CLAIM, "surname", "CONFIRMED")
    good = brought(trip, bundle)
    stranger = Trip(device=Device.generate(), content=trip.content, findings=trip.findings)

    forged = stranger.close(for_key=base64.b64decode(bundle["returnKey"]))
    for content in (*altered(good["content"]), forged, brought(*take(desk, claimRefs=[CLAIM]))["content"]):
        answer = desk.call("ReturnBundle", **good | {"content": content, "requestId": str(uuid4())})
        assert (answer.code, answer.reason, answer.fields) == ("invalid_argument", "BUNDLE_ALTERED", {"content"})

    assert statuses(desk)["surname"] == "UNCHECKED"
    assert outcomes(desk.call("ReturnBundle", **good).body) == {CLAIM: {"surname": "APPLIED"}}


def test_a_bundle_is_brought_back_once_and_a_retry_gets_the_first_answer(desk: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    trip.find(CLAIM, "tenure", "CORRECTED", value="OWNER", reason="saw the deeds")
    request = brought(trip, bundle)

    first = desk.call("ReturnBundle", **request).body

    assert desk.call("ReturnBundle", **request).body == first
    again = desk.call("ReturnBundle", **brought(trip, bundle))
    assert (again.code, again.reason) == ("failed_precondition", "BUNDLE_ENDED")


def test_a_return_that_dies_after_intakes_change_is_completed_by_a_retry(desk: Any, intake: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    trip.find(CLAIM, "tenure", "CORRECTED", value="OWNER", reason="saw the deeds")
    trip.find(CLAIM, "surname", "CONFIRMED")
    request = brought(trip, bundle)

    def die() -> None:
        intake.after_amend = lambda: None
        raise Unavailable("UNAVAILABLE", "the reply is lost")

    intake.after_amend = die
    lost = desk.call("ReturnBundle", **request)
    answer = desk.call("ReturnBundle", **request).body

    assert lost.code == "unavailable"
    assert outcomes(answer) == {CLAIM: {"tenure": "APPLIED", "surname": "APPLIED"}}
    assert (intake.claims[CLAIM].version, statuses(desk)["tenure"]) == (8, "CORRECTED")


def test_a_return_is_completed_though_the_claim_went_on_since_it_died(desk: Any, intake: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    trip.find(CLAIM, "tenure", "CORRECTED", value="OWNER", reason="saw the deeds")
    trip.find(CLAIM, "capital", "CORRECTED", value="90.00", reason="saw the statement")
    request = brought(trip, bundle)

    def die() -> None:
        intake.after_amend = lambda: None
        raise Unavailable("UNAVAILABLE", "the reply is lost")

    intake.after_amend = die
    desk.call("ReturnBundle", **request)
    intake.change(capital="95.00")
    desk.do("StartAssessment")
    answer = desk.call("ReturnBundle", **request).body

    assert outcomes(answer) == {CLAIM: {"tenure": "APPLIED", "capital": "CHANGED"}}
    assert (intake.claims[CLAIM].version, statuses(desk)) == (
        9,
        {"surname": "UNCHECKED", "tenure": "CORRECTED", "capital": "UNCHECKED"},
    )


def test_a_lost_bundle_is_given_up_and_cannot_be_brought_back(desk: Any, desk_of: Callable[..., Any]) -> None:
    trip, bundle = take(desk)
    manager = desk_of("SERVICE_MANAGER", subject="SM000001")

    given_up = manager.once("DiscardBundle", bundleId=bundle["bundleId"], reason="the laptop was stolen")

    assert given_up["claimRefs"] == [CLAIM, OTHER]
    assert desk.call("ReturnBundle", **brought(trip, bundle)).reason == "BUNDLE_ENDED"


def test_nobody_else_can_bring_a_bundle_back(desk: Any, desk_of: Callable[..., Any]) -> None:
    trip, bundle = take(desk)

    answer = desk_of(subject="AS000002").call("ReturnBundle", **brought(trip, bundle))

    assert (answer.code, answer.reason) == ("not_found", "BUNDLE_NOT_FOUND")


def test_findings_that_cannot_be_are_named_and_nothing_is_recorded(desk: Any) -> None:
    trip, bundle = take(desk, claimRefs=[CLAIM])
    trip.find(CLAIM, "surname", "CORRECTED", value=10**400, reason="as said")
    trip.find(CLAIM, "tenure", "CONFIRMED", evidence=("PASSPORT", clock.today() + timedelta(days=1)))
    trip.find(CLAIM, "capital", "CORRECTED", value="1.00")
    trip.findings["C00000000029"] = {"shoe": {"fact": "shoe", "status": "CONFIRMED"}}

    answer = desk.call("ReturnBundle", **brought(trip, bundle))

    assert answer.fields == {
        "claims[0].findings[0].value",
        "claims[0].findings[1].evidence.seen_on",
        "claims[0].findings[2].reason",
        "claims[1].claim_ref",
    }
    assert set(statuses(desk).values()) == {"UNCHECKED"}


@pytest.mark.parametrize("method", ["TakeBundle", "ReturnBundle", "DiscardBundle"])
def test_calls_without_a_token_or_with_another_role_are_refused(
    desk: Any, desk_of: Callable[..., Any], method: str
) -> None:
    body = {"bundleId": str(uuid4()), "content": "x", "reason": "lost"}
    fields = request_to_take(Device.generate()) if method == "TakeBundle" else body | {"requestId": str(uuid4())}
    fields = {name: value for name, value in fields.items() if method != "DiscardBundle" or name != "content"}
    fields = {name: value for name, value in fields.items() if method != "ReturnBundle" or name != "reason"}

    assert replace(desk, token="").call(method, **fields).code == "unauthenticated"
    assert desk_of("CASEWORKER", "OPERATOR", "SUPPORT").call(method, **fields).reason == "ROLE"


def test_what_cannot_be_taken_is_named(desk: Any, desk_of: Callable[..., Any]) -> None:
    device = Device.generate()

    claim = desk.call("TakeBundle", **request_to_take(device, claimRefs=[CLAIM, "C00000000029"]))
    key = desk.call("TakeBundle", **request_to_take(device, encryptionKey=text(b"short")))
    weak = desk.call("TakeBundle", **request_to_take(device, encryptionKey=text(bytes(32))))
    idle = desk_of(subject="AS000002").call("TakeBundle", **request_to_take(device))

    assert claim.fields == {"claim_refs[1]"}
    assert key.fields == weak.fields == {"encryption_key"}
    assert idle.reason == "NOTHING_TO_TAKE"
