"""The end of a call gives up what was offered in it, and a further attempt has a target of its own."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.database import Database
from chassis.testing import event_of, handle
from cms.intake.v1 import events_pb2
from scheduling.consumers import HANDLERS
from scheduling.domain.appointments import AppointmentState
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.reasons import OfferReason
from scheduling.domain.search import Wish
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings, changes, offers
from scheduling.store import holds

CLAIM = "C0000000000A"
LEEDS = "600021"


@pytest.fixture
def asked(opened: Directory) -> offers.Asked:
    """Offers at Leeds, whose rotas are published."""
    leeds = NearOffice(office=opened.office(LEEDS), distance_km=1.0)
    wish = Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())
    return offers.Asked(wish=wish, channels=(Channel.OFFICE,))


def claim(*, first_contact_time: datetime | None = None) -> Claim:
    return Claim(
        claim_ref=CLAIM,
        schemes=("JOBSEEKERS_ALLOWANCE",),
        is_open=True,
        first_contact_time=first_contact_time or clock.now(),
    )


def offer(database: Database, directory: Directory, asked: offers.Asked, this: Claim) -> list[offers.Held]:
    with database.transaction() as conn:
        return offers.offer(conn, this, asked, directory=directory, target=TARGET)


def call_ended(database: Database, at: datetime) -> None:
    message = events_pb2.CallEnded()
    message.end_time.FromDatetime(at)
    handle(database, HANDLERS, event_of(message, claim_ref=CLAIM))


def held(database: Database) -> int:
    """The number of slots that are held for the claim; they are given up."""
    with database.transaction() as conn:
        return len(holds.release(conn, CLAIM))


def test_the_end_of_a_call_gives_up_what_was_offered_until_then(
    database: Database, directory: Directory, asked: offers.Asked
) -> None:
    offer(database, directory, asked, claim())

    call_ended(database, clock.now() + timedelta(seconds=1))

    assert held(database) == 0


def test_the_end_of_an_earlier_call_leaves_what_was_offered_after_it(
    database: Database, directory: Directory, asked: offers.Asked
) -> None:
    offered = offer(database, directory, asked, claim())

    call_ended(database, clock.now() - timedelta(minutes=1))

    assert held(database) == len(offered)


def test_a_further_attempt_after_a_missed_interview_has_a_target_of_its_own(
    clock_file: Path, database: Database, directory: Directory, asked: offers.Asked
) -> None:
    long_ago = claim(first_contact_time=clock.now() - timedelta(days=30))
    [first, *_] = offer(database, directory, asked, long_ago)
    with database.transaction() as conn:
        booked = bookings.book_slot(
            conn, long_ago, directory=directory, slot_id=first.offer.free.slot.slot_id, target=TARGET
        )
    clock.advance(booked.start_time - clock.now() + timedelta(minutes=1))
    change = changes.Change(appointment_id=booked.appointment_id, version=1, permit=lambda _: None)
    with database.transaction() as conn:
        changes.record_attendance(conn, change=change, attended=False)

    again = offer(database, directory, asked, long_ago)
    with database.transaction() as conn:
        second = bookings.book_earliest(conn, long_ago, directory=directory, wish=asked.wish, target=TARGET)

    assert first.offer.reason is OfferReason.EARLIEST_AFTER_TARGET
    assert again[0].offer.reason is OfferReason.NEAREST_OFFICE
    assert (booked.attempt, second.attempt, second.state) == (1, 2, AppointmentState.BOOKED)
    assert not second.within_target
