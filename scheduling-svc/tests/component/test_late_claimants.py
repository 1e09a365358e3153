"""A claimant who cannot be seen in time is put behind the callers who can, where these are expected to need the slots."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.runtime import Process
from chassis.testing import Tokens
from scheduling.domain.claims import FirstContact
from scheduling.domain.demand import Learnt
from scheduling.domain.load import DeskKey
from scheduling.domain.offices import Channel
from scheduling.domain.working_time import target_due
from scheduling.store import demand, first_contacts

CLAIM, LEEDS, LEEDS_OFFICE = "C0000000000A", "LS1 3AB", "600021"


@pytest.fixture
def deferred(process: Process, intake: Any) -> datetime:
    """A claim whose target has passed, at an office where more callers are expected than it has slots; its time to come."""
    first_contact = clock.now() - timedelta(days=4)
    intake.open(CLAIM, first_contact_time=first_contact)
    level = {DeskKey(office_code=LEEDS_OFFICE, channel=Channel.OFFICE): 1000.0}
    with process.database.transaction() as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [demand._LOCK])  # nothing is being learnt
        demand.save(conn, Learnt(), level, until_day=clock.today() - timedelta(days=1))
        demand.count_day(conn, clock.today() - timedelta(days=1), since=clock.now(), until=clock.now())
    due = target_due(first_contact, Nation.ENGLAND)
    return target_due(due, Nation.ENGLAND, target=timedelta(hours=96))


def start_of(slot: dict[str, Any]) -> datetime:
    timestamp = Timestamp()
    timestamp.FromJsonString(slot["startTime"])
    return timestamp.ToDatetime(UTC)


def test_the_first_offer_is_behind_the_next_callers_and_sooner_ones_are_to_be_had(
    http: Any, tokens: Tokens, deferred: datetime
) -> None:
    asked = {"claimRef": CLAIM, "postcode": LEEDS, "channel": "CHANNEL_OFFICE"}

    first, *_ = http("OfferSlots", asked | {"requestId": str(uuid4())}, tokens.issue("OPERATOR")).body["offers"]
    declined = asked | {"declinedSlotIds": [first["slot"]["slotId"]], "requestId": str(uuid4())}
    sooner, *_ = http("OfferSlots", declined, tokens.issue("OPERATOR")).body["offers"]

    assert start_of(first["slot"]) > max(deferred, clock.now())
    assert first["slot"]["reason"] == "OFFER_REASON_BEHIND_NEXT_CALLERS"
    assert "keep the sooner times" in first["words"]["en"]
    assert "cadw'r amseroedd cynharach" in first["words"]["cy"]
    assert start_of(sooner["slot"]) <= start_of(first["slot"])


def test_the_earliest_is_booked_behind_the_next_callers(http: Any, tokens: Tokens, deferred: datetime) -> None:
    earliest = {"claimRef": CLAIM, "postcode": LEEDS, "earliest": True, "requestId": str(uuid4())}

    booked = http("BookAppointment", earliest, tokens.issue("OPERATOR")).body["appointment"]

    assert start_of(booked) > deferred


@pytest.mark.usefixtures("deferred")
@pytest.mark.parametrize("schemes", [("CRISIS_LOAN",), ("CRISIS_LOAN", "INCOME_SUPPORT")])
def test_a_crisis_is_never_put_behind_others(http: Any, tokens: Tokens, intake: Any, schemes: tuple[str, ...]) -> None:
    intake.open(CLAIM, first_contact_time=clock.now() - timedelta(days=4), schemes=schemes)
    asked = {"claimRef": CLAIM, "postcode": LEEDS, "channel": "CHANNEL_OFFICE", "requestId": str(uuid4())}
    free = {"postcode": LEEDS, "claimRef": CLAIM, "channel": "CHANNEL_OFFICE", "pageSize": 1}

    offered, *_ = http("OfferSlots", asked, tokens.issue("OPERATOR")).body["offers"]
    soonest, *_ = http("FindSlots", free, tokens.issue("OPERATOR")).body["slots"]

    assert offered["slot"]["startTime"] == soonest["startTime"]
    assert offered["slot"]["reason"] != "OFFER_REASON_BEHIND_NEXT_CALLERS"


@pytest.mark.usefixtures("deferred")
def test_a_claimant_who_missed_an_interview_is_not_put_behind_others_again(
    http: Any, tokens: Tokens, process: Process
) -> None:
    with process.database.transaction() as conn:
        called = clock.now() - timedelta(days=4)
        schemes = ("JOBSEEKERS_ALLOWANCE",)
        contact = FirstContact(claim_ref=CLAIM, claim_version=1, first_contact_time=called, schemes=schemes)
        first_contacts.keep_first_contact(conn, contact)
        first_contacts.wait_again(conn, CLAIM, since=clock.now())
    asked = {"claimRef": CLAIM, "postcode": LEEDS, "channel": "CHANNEL_OFFICE", "requestId": str(uuid4())}

    first, *_ = http("OfferSlots", asked, tokens.issue("OPERATOR")).body["offers"]

    assert first["slot"]["reason"] != "OFFER_REASON_BEHIND_NEXT_CALLERS"
