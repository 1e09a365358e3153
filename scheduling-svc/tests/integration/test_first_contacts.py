"""FirstContactRecorded from the bus: once, again, late, and beside events that are not for scheduling."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis import clock
from chassis.bus import Bus
from chassis.database import Database
from chassis.enums import number_of
from chassis.errors import StaleVersion
from chassis.inbox import Event, Inbox
from chassis.signatures import Signatures
from chassis.testing import SignaturesOf, deliver, event_of, eventually, handle, waits_for_a_lock
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from scheduling import gauges
from scheduling.consumers import HANDLERS
from scheduling.domain.appointments import Appointment, AppointmentState
from scheduling.domain.claims import Claim, ClaimNotOpen, FirstContact
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Wish
from scheduling.domain.slots import SlotId
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings, changes, search
from scheduling.store import appointments, first_contacts

CLAIM = "C0000000000A"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Intake:
    """Publishes events as intake's relay does, and lets scheduling handle them."""

    def __init__(self, database: Database, bus: Bus, signatures: Signatures) -> None:
        self._bus = bus
        self._inbox = Inbox("scheduling-svc", database, bus, signatures, HANDLERS, consumer="test", keep=timedelta(7))
        self._inbox.consume()  # makes the group, which the first read finds missing

    def publishes(self, event: Event, *, times: int = 1, hearer: str = "scheduling-svc") -> None:
        for _ in range(times):
            deliver(self._bus, event, hearer=hearer)
        while self._inbox.consume():
            pass


def first_contact(moment: datetime, *schemes: str, version: int = 3) -> Event:
    message = events_pb2.FirstContactRecorded(
        schemes=[number_of(common_pb2.Scheme, scheme) for scheme in schemes or ["JOBSEEKERS_ALLOWANCE"]]
    )
    message.first_contact_time.FromDatetime(moment)
    return event_of(message, claim_ref=CLAIM, version=version)


def closing(*, ends_assessment: bool) -> Event:
    message = assessment_events.AssessmentClosed(ends_assessment=ends_assessment)
    message.close_time.FromDatetime(NINE)
    return event_of(message, claim_ref=CLAIM, version=4)


def withdrawal() -> Event:
    message = events_pb2.ClaimWithdrawn()
    message.withdraw_time.FromDatetime(NINE)
    return event_of(message, claim_ref=CLAIM, version=9)


@pytest.fixture
def intake(database: Database, bus: Bus, signatures_of: SignaturesOf) -> Intake:
    return Intake(database, bus, signatures_of("scheduling-svc"))


def kept(database: Database) -> list[tuple[str, datetime]]:
    with database.transaction() as conn:
        rows = conn.execute("SELECT claim_ref, first_contact_time FROM first_contacts").fetchall()
    return [(row["claim_ref"], row["first_contact_time"]) for row in rows]


def unbooked(database: Database) -> float:
    gauge = next(gauge for gauge in gauges.GAUGES if gauge.name == "scheduling_unbooked_claims")
    with database.transaction() as conn:
        return gauge.read(conn)[0][1]


@pytest.mark.parametrize("times", [1, 100])
def test_a_first_contact_is_kept_once_and_counts_as_unbooked(database: Database, intake: Intake, times: int) -> None:
    intake.publishes(first_contact(NINE), times=times)

    assert kept(database) == [(CLAIM, NINE)]
    assert unbooked(database) == 1


@pytest.mark.parametrize("hours", [(0, 1), (1, 0)])
def test_the_earliest_first_contact_is_kept_in_any_order(
    database: Database, intake: Intake, hours: tuple[int, int]
) -> None:
    for later in hours:
        intake.publishes(first_contact(NINE + timedelta(hours=later)))

    assert kept(database) == [(CLAIM, NINE)]


def test_a_first_contact_recorded_during_the_booking_does_not_count_as_unbooked(
    database: Database, opened: Directory
) -> None:
    with ThreadPoolExecutor(1) as pool, database.transaction() as keeping:
        first_contacts.keep_first_contact(
            keeping, FirstContact(claim_ref=CLAIM, claim_version=3, first_contact_time=NINE, schemes=())
        )
        booking = pool.submit(book, database, opened)
        eventually(lambda: waits_for_a_lock(database), what="the booking's wait for the first contact's row")
    booking.result()

    assert unbooked(database) == 0
    with database.transaction() as conn:
        assert conn.execute("SELECT booked FROM first_contacts").fetchall() == [{"booked": True}]


def book(database: Database, directory: Directory) -> Appointment:
    with database.transaction() as conn:
        return bookings.book_earliest(conn, claim(), directory=directory, wish=wish(directory), target=TARGET)


def wish(directory: Directory) -> Wish:
    leeds = NearOffice(office=directory.office("600021"), distance_km=0.0)
    return Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())


def claim() -> Claim:
    return Claim(claim_ref=CLAIM, schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=NINE)


def test_a_first_contact_heard_after_the_booking_changes_nothing(
    database: Database, intake: Intake, opened: Directory
) -> None:
    booked = book(database, opened)

    intake.publishes(first_contact(NINE + timedelta(minutes=20)))

    with database.transaction() as conn:
        assert appointments.appointment_of_claim(conn, CLAIM) == booked
    assert unbooked(database) == 0


@pytest.mark.parametrize(
    ("schemes", "waits"),
    [
        (["CHILD_MAINTENANCE"], 0),
        (["CRISIS_LOAN"], 0),
        (["CHILD_MAINTENANCE", "CRISIS_LOAN"], 0),
        (["INCOME_SUPPORT", "CHILD_MAINTENANCE"], 1),
    ],
)
def test_only_schemes_with_an_interview_wait_for_a_booking(
    database: Database, intake: Intake, schemes: list[str], waits: int
) -> None:
    intake.publishes(first_contact(NINE, *schemes))

    assert unbooked(database) == waits


@pytest.mark.parametrize("versions", [(3, 5), (5, 3)])
def test_the_schemes_of_the_latest_version_count_in_any_order(
    database: Database, intake: Intake, versions: tuple[int, int]
) -> None:
    schemes = {3: ["INCOME_SUPPORT"], 5: ["CHILD_MAINTENANCE"]}
    for version in versions:
        intake.publishes(first_contact(NINE, *schemes[version], version=version))

    assert unbooked(database) == 0


def test_a_withdrawal_cancels_the_interview_and_frees_its_slot(
    database: Database, intake: Intake, opened: Directory
) -> None:
    booked = book(database, opened)

    intake.publishes(withdrawal(), times=2)

    with database.transaction() as conn:
        cancelled = appointments.appointment_of_claim(conn, CLAIM)
        assert next(search.free(conn, wish(opened), since=booked.start_time)) == booked.slot
    assert cancelled is not None
    assert (cancelled.state, cancelled.version) == (AppointmentState.CANCELLED, booked.version + 1)


@pytest.mark.parametrize("first", ["withdrawal", "first contact"])
def test_no_interview_is_booked_once_a_withdrawal_was_heard_of(
    database: Database, intake: Intake, opened: Directory, first: str
) -> None:
    events = [withdrawal(), first_contact(NINE)]
    for event in events if first == "withdrawal" else reversed(events):
        intake.publishes(event)

    with pytest.raises(ClaimNotOpen):
        book(database, opened)

    assert unbooked(database) == 0
    with database.transaction() as conn:
        assert appointments.appointment_of_claim(conn, CLAIM) is None


def test_a_booking_under_way_at_the_withdrawal_is_cancelled(database: Database, opened: Directory) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as booking:
            bookings.book_earliest(booking, claim(), directory=opened, wish=wish(opened), target=TARGET)
            withdrawn = pool.submit(handle, database, HANDLERS, withdrawal())
            eventually(lambda: waits_for_a_lock(database), what="the withdrawal's wait for the booking")
        withdrawn.result()

    with database.transaction() as conn:
        found = appointments.appointment_of_claim(conn, CLAIM)
    assert found is not None
    assert found.state is AppointmentState.CANCELLED


def a_move(database: Database, opened: Directory, booked: Appointment) -> tuple[changes.Change, SlotId]:
    """A change of this appointment, and the slot to which it moves."""
    with database.transaction() as conn:
        slot = next(search.free(conn, wish(opened), since=booked.start_time))
    change = changes.Change(
        appointment_id=booked.appointment_id, version=booked.version, permit=lambda _appointment: None
    )
    return change, slot.slot_id


def test_an_interview_that_moves_at_the_withdrawal_is_cancelled(database: Database, opened: Directory) -> None:
    change, slot_id = a_move(database, opened, book(database, opened))

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as moving:
            changes.move(moving, change=change, slot_id=slot_id, directory=opened)
            withdrawn = pool.submit(handle, database, HANDLERS, withdrawal())
            eventually(lambda: waits_for_a_lock(database), what="the withdrawal's wait for the move")
        withdrawn.result()

    with database.transaction() as conn:
        found = appointments.appointment_of_claim(conn, CLAIM)
    assert found is not None
    assert (found.state, found.version) == (AppointmentState.CANCELLED, 3)


def test_who_records_attendance_while_the_interview_moves_is_told_of_the_move(
    database: Database, opened: Directory
) -> None:
    change, slot_id = a_move(database, opened, book(database, opened))

    def record() -> Appointment:
        with database.transaction() as conn:
            return changes.record_attendance(conn, change=change, attended=True)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as moving:
            changes.move(moving, change=change, slot_id=slot_id, directory=opened)
            recorded = pool.submit(record)
            eventually(lambda: waits_for_a_lock(database), what="the wait for the move")
        with pytest.raises(StaleVersion):
            recorded.result()


def test_an_interview_that_was_held_stays(
    database: Database, intake: Intake, opened: Directory, clock_file: Path
) -> None:
    booked = book(database, opened)
    clock.advance(booked.start_time - clock.now() + timedelta(minutes=1))

    intake.publishes(withdrawal())

    with database.transaction() as conn:
        assert appointments.appointment_of_claim(conn, CLAIM) == booked


def test_events_for_other_services_are_ignored(database: Database, intake: Intake) -> None:
    intake.publishes(event_of(events_pb2.ClaimSubmitted(), claim_ref=CLAIM), hearer="assessment-svc,la-notifier")

    assert kept(database) == []
    with database.transaction() as conn:
        assert conn.execute("SELECT 1 FROM inbox").fetchall() == []
        assert conn.execute("SELECT 1 FROM dead_letters").fetchall() == []


def test_a_claim_of_which_nothing_is_left_to_assess_waits_for_no_interview(database: Database) -> None:
    handle(database, HANDLERS, first_contact(NINE))
    handle(database, HANDLERS, closing(ends_assessment=False))
    before = unbooked(database)

    handle(database, HANDLERS, closing(ends_assessment=True))

    assert (before, unbooked(database)) == (1, 0)
