"""The office of a claim, as scheduling tells of it: in any order, more than once, and of claims that there are not."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.bus import Bus
from chassis.database import Database
from chassis.errors import NotFound
from chassis.inbox import Event
from chassis.testing import eventually
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import events_pb2
from intake.consumers import appointment_booked
from intake.domain.claim import Claim, ClaimState
from intake.domain.search import LookUps
from intake.store.claims import insert_claim, load_claim

CLAIM = "C00000000000"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Hear = Callable[..., str | None]


@pytest.fixture
def hear(database: Database) -> Iterator[Hear]:
    """Has a claim that is made anew hear of bookings; gives its office then."""
    claim = Claim(
        claim_ref=CLAIM,
        schemes=("JOBSEEKERS_ALLOWANCE",),
        state=ClaimState.DRAFT,
        version=1,
        language="EN",
        first_contact_time=NOON,
        operator="OP000001",
        operator_grade="AO",
    )
    with database.transaction() as conn:
        insert_claim(conn, claim, LookUps())

        def heard(office: str, appointment_id: str, *, minutes: int, claim_ref: str = CLAIM) -> str | None:
            message = events_pb2.AppointmentBooked(appointment_id=appointment_id, office_code=office)
            event = Event(
                event_id=uuid.uuid4(),
                name="AppointmentBooked",
                source="scheduling-svc",
                claim_ref=claim_ref,
                version=1,
                occurred_time=NOON + timedelta(minutes=minutes),
                message=message,
            )
            appointment_booked(conn, event)
            return load_claim(conn, CLAIM, caller="OP000001").claim.office_code

        yield heard


def test_of_bookings_in_any_order_and_number_the_latest_stays(hear: Hear) -> None:
    offices = [
        hear("100102", "A2", minutes=2),
        hear("100101", "A1", minutes=1),
        hear("100102", "A2", minutes=2),
        hear("100103", "A3", minutes=3),
    ]

    assert offices == ["100102", "100102", "100102", "100103"]


def test_of_two_at_one_moment_the_same_stays_whichever_comes_first(hear: Hear) -> None:
    assert hear("100102", "A2", minutes=0) == hear("100101", "A1", minutes=0) == "100102"


def test_a_booking_of_a_claim_that_there_is_not_is_refused(hear: Hear) -> None:
    with pytest.raises(NotFound):
        hear("100101", "A1", minutes=0, claim_ref="C00000000010")


def tell(bus: Bus, claim_ref: str, office: str) -> uuid.UUID:
    """As scheduling's relay does."""
    event_id = uuid.uuid4()
    message = events_pb2.AppointmentBooked(appointment_id="A1", office_code=office)
    envelope = common_pb2.EventEnvelope(
        event_id=str(event_id),
        type=message.DESCRIPTOR.full_name,
        claim_ref=claim_ref,
        version=1,
        payload=message.SerializeToString(),
    )
    envelope.occurred_time.FromDatetime(clock.now())
    entry: dict[str, bytes | str] = {
        "event_id": event_id.bytes,
        "heard_by": "assessment-svc,intake-svc",
        "envelope": envelope.SerializeToString(),
    }
    bus.add("events:scheduling-svc", [entry])
    return event_id


def test_a_booking_comes_over_the_bus_and_is_receipted(desk: Any, bus: Bus) -> None:
    claim_ref = desk().start()["claim"]["claimRef"]

    event_id = tell(bus, claim_ref, "100101")

    eventually(
        lambda: desk().call("GetClaim", claimRef=claim_ref)["claim"]["officeCode"] == "100101",
        what="the claim's office",
    )
    receipts = eventually(
        lambda: bus.read("tests", "one", ["receipts:scheduling-svc"], count=10), what="intake's receipt"
    )
    assert [(entry.fields[b"event_id"], entry.fields[b"consumer"]) for entry in receipts] == [
        (event_id.bytes, b"intake-svc")
    ]
