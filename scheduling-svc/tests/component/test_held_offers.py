"""Slots are offered, held and released through the doors, with intake faked at the protocol."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.testing import DatabaseUrls, Tokens

CLAIM, OTHER = "C0000000000A", "C00000000010"
LEEDS = "LS1 3AB"


def moment(text: str) -> datetime:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp.ToDatetime(UTC)


def offer(door: Any, token: str, claim_ref: str = CLAIM, **more: Any) -> Any:
    body = {"claimRef": claim_ref, "postcode": LEEDS, "requestId": str(uuid4())}
    return door("OfferSlots", body | more, token)


def book(door: Any, token: str, slot: dict[str, Any], claim_ref: str = CLAIM) -> Any:
    body = {"claimRef": claim_ref, "slotId": slot["slotId"], "requestId": str(uuid4())}
    return door("BookAppointment", body, token)


def slot_ids(offered: Any) -> list[str]:
    return [one["slot"]["slotId"] for one in offered.body["offers"]]


def test_the_first_good_slot_comes_first_with_three_alternatives_and_reasons(
    door: Any, tokens: Tokens, intake: Any
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    [soonest] = door("FindSlots", {"postcode": LEEDS, "pageSize": 1}, token).body["slots"]

    offered = offer(door, token)

    first, *others = offered.body["offers"]
    assert first["slot"] == soonest
    assert first["slot"]["reason"] == "OFFER_REASON_NEAREST_OFFICE"
    assert len(others) == 3
    assert {one["slot"]["reason"] for one in others} > {"OFFER_REASON_NEAREST_OFFICE"}
    left = [moment(one["heldUntil"]) - datetime.now(UTC) for one in offered.body["offers"]]
    assert all(timedelta(minutes=9) < one <= timedelta(minutes=10) for one in left)


def test_a_held_slot_is_nobody_elses_until_it_is_released(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    intake.open(OTHER)
    token = tokens.issue("OPERATOR")
    held = offer(http, token)

    found = http("FindSlots", {"postcode": LEEDS, "pageSize": 100}, token).body["slots"]
    others = offer(http, token, OTHER)
    refused = book(http, token, held.body["offers"][0]["slot"], OTHER)
    released = http("ReleaseSlots", {"claimRef": CLAIM, "requestId": str(uuid4())}, token)

    assert not {slot["slotId"] for slot in found} & set(slot_ids(held))
    assert not set(slot_ids(others)) & set(slot_ids(held))
    assert (refused.code, refused.reason) == ("already_exists", "SLOT_TAKEN")
    assert released.body == {"released": 4}
    assert book(http, token, held.body["offers"][0]["slot"], OTHER).code == "ok"


def test_the_claim_that_holds_a_slot_books_it_and_gives_up_the_others(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    intake.open(OTHER)
    token = tokens.issue("OPERATOR")
    offered = offer(door, token)

    booked = book(door, token, offered.body["offers"][1]["slot"])

    assert booked.body["appointment"]["startTime"] == offered.body["offers"][1]["slot"]["startTime"]
    assert slot_ids(offer(door, token, OTHER))[0] == slot_ids(offered)[0]


def test_the_needs_with_which_a_slot_was_offered_are_kept_with_its_booking(
    http: Any, tokens: Tokens, intake: Any
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    needs = ["APPOINTMENT_NEED_STEP_FREE"]
    [first, *_] = offer(http, token, needs=needs).body["offers"]
    body = {"claimRef": CLAIM, "slotId": first["slot"]["slotId"], "needs": needs, "requestId": str(uuid4())}

    booked = http("BookAppointment", body, token).body["appointment"]

    assert booked["needs"] == needs
    assert http("GetAppointment", {"claimRef": CLAIM}, token).body["appointment"]["needs"] == needs


def test_asked_again_the_slots_are_held_anew_and_declined_ones_are_replaced(
    http: Any, tokens: Tokens, intake: Any
) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    first = offer(http, token)

    again = offer(http, token)
    others = offer(http, token, declinedSlotIds=slot_ids(first)[:2])

    assert slot_ids(again) == slot_ids(first)
    assert moment(again.body["offers"][0]["heldUntil"]) > moment(first.body["offers"][0]["heldUntil"])
    assert not set(slot_ids(others)) & set(slot_ids(first)[:2])
    found = http("FindSlots", {"postcode": LEEDS, "pageSize": 100}, token).body["slots"]
    assert set(slot_ids(first)[:2]) & {slot["slotId"] for slot in found}


def test_an_expired_hold_is_nobodys(http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls) -> None:
    intake.open(CLAIM)
    intake.open(OTHER)
    token = tokens.issue("OPERATOR")
    held = offer(http, token)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary SET held_until = now() - interval '1 second'")

    booked = book(http, token, held.body["offers"][0]["slot"], OTHER)

    assert booked.code == "ok"
    assert book(http, token, held.body["offers"][0]["slot"]).reason == "SLOT_TAKEN"


def test_slots_whose_hold_has_run_out_are_offered_to_the_next_caller(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM)
    intake.open(OTHER)
    token = tokens.issue("OPERATOR")
    held = offer(http, token)
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE diary SET held_until = now() - interval '1 second'")

    others = offer(http, token, OTHER)

    assert others.code == "ok"
    assert slot_ids(others) == slot_ids(held)


def test_a_claimant_who_names_a_channel_is_offered_that_one_alone(http: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")

    by_telephone = offer(http, token, channel="CHANNEL_TELEPHONE")
    at_the_office = offer(http, token, channel="CHANNEL_OFFICE")

    assert {one["slot"]["channel"] for one in by_telephone.body["offers"]} == {"CHANNEL_TELEPHONE"}
    assert {one["slot"]["channel"] for one in at_the_office.body["offers"]} == {"CHANNEL_OFFICE"}


def test_a_slot_that_is_kept_for_emergencies_is_given_to_them_alone(
    http: Any, tokens: Tokens, intake: Any, database_urls: DatabaseUrls
) -> None:
    intake.open(CLAIM, schemes=("CRISIS_LOAN",))
    intake.open(OTHER)
    token = tokens.issue("OPERATOR")
    last = http("FindSlots", {"officeCode": "600021", "pageSize": 100}, token).body["slots"][-1]
    with psycopg.connect(database_urls.owner) as conn:
        conn.execute("UPDATE shifts SET emergency_slots = 6")

    refused = book(http, token, last, OTHER)

    assert (refused.code, refused.reason) == ("failed_precondition", "KEPT_FOR_EMERGENCIES")
    assert refused.fields == {"slot_id"}
    assert book(http, token, last).code == "ok"
