"""The office of a claim follows scheduling's events, which may come in any order, more than once, and of unknown claims."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.bus import Bus
from chassis.errors import NotFound
from chassis.testing import deliver, event_of, eventually
from cms.scheduling.v1.events_pb2 import AppointmentBooked, AppointmentMoved

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def claim_ref(desk: Any) -> Any:
    return desk().start()["claim"]["claimRef"]


def office(desk: Any, claim_ref: str) -> Any:
    return desk().get("GetClaim", claimRef=claim_ref)["claim"]["officeCode"]


def test_the_latest_booking_stays_in_whatever_order_and_number_they_come(desk: Any, book: Any, claim_ref: str) -> None:
    offices = []
    for number in (2, 1, 2, 3):
        at = NOON + timedelta(minutes=number)
        book(claim_ref, f"10010{number}", appointment_id=f"A{number}", at=at)
        offices.append(office(desk, claim_ref))

    assert offices == ["100102", "100102", "100102", "100103"]


def test_of_two_bookings_at_one_moment_the_same_stays_whichever_comes_first(
    desk: Any, book: Any, claim_ref: str
) -> None:
    book(claim_ref, "100102", appointment_id="A2", at=NOON)
    book(claim_ref, "100101", appointment_id="A1", at=NOON)

    assert office(desk, claim_ref) == "100102"


def test_a_booking_of_an_unknown_claim_is_refused(book: Any) -> None:
    with pytest.raises(NotFound):
        book("C00000000010")


def test_a_booking_comes_over_the_bus_and_is_receipted(desk: Any, bus: Bus, claim_ref: str) -> None:
    booked = event_of(AppointmentBooked(appointment_id="A1", office_code="100101"), claim_ref=claim_ref)

    deliver(bus, booked, hearer="intake-svc")

    eventually(lambda: office(desk, claim_ref) == "100101", what="the claim's office")
    receipts = eventually(
        lambda: bus.read("tests", "one", ["receipts:scheduling-svc"], count=10), what="intake's receipt"
    )
    fields = [(entry.fields[b"event_id"], entry.fields[b"consumer"]) for entry in receipts]
    assert fields == [(booked.event_id.bytes, b"intake-svc")]


def test_a_move_to_another_office_gives_the_claim_to_that_office(
    desk: Any, book: Any, bus: Bus, claim_ref: str
) -> None:
    book(claim_ref, "100101", appointment_id="A1", at=NOON)

    moved = event_of(AppointmentMoved(appointment_id="A1", office_code="100102"), claim_ref=claim_ref)
    deliver(bus, moved, hearer="intake-svc")

    eventually(lambda: office(desk, claim_ref) == "100102", what="the claim's new office")
