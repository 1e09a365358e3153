"""FirstContactRecorded from the bus: once, again, late, and beside events that are not for scheduling."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chassis import clock
from chassis.bus import Bus
from chassis.database import Database
from chassis.inbox import Event, Inbox
from chassis.testing import deliver, event_of, eventually
from cms.intake.v1 import events_pb2
from scheduling import gauges, store
from scheduling.consumers import HANDLERS
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.search import Wish
from scheduling.domain.working_time import TARGET
from scheduling.service import bookings, rotas

CLAIM = "C0000000000A"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Intake:
    """Publishes events as intake's relay does, and lets scheduling handle them."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._bus = bus
        self._inbox = Inbox("scheduling-svc", database, bus, HANDLERS, consumer="test")
        self._inbox.consume()  # makes the group, which the first read finds missing

    def publishes(self, event: Event, *, times: int = 1, hearer: str = "scheduling-svc") -> None:
        for _ in range(times):
            deliver(self._bus, event, hearer=hearer)
        while self._inbox.consume():
            pass


def first_contact(moment: datetime) -> Event:
    message = events_pb2.FirstContactRecorded()
    message.first_contact_time.FromDatetime(moment)
    return event_of(message, claim_ref=CLAIM)


@pytest.fixture
def intake(database: Database, bus: Bus) -> Intake:
    return Intake(database, bus)


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
    database: Database, directory: Directory
) -> None:
    with database.transaction() as conn:
        rotas.open_rotas(conn, directory, clock.today(), week=0)

    with ThreadPoolExecutor(1) as pool, database.transaction() as keeping:
        store.keep_first_contact(keeping, claim_ref=CLAIM, first_contact_time=NINE)
        booking = pool.submit(book, database, directory)
        eventually(lambda: waits_for_a_lock(database), what="the booking's wait for the first contact's row")
    booking.result()

    assert unbooked(database) == 0
    with database.transaction() as conn:
        assert conn.execute("SELECT booked FROM first_contacts").fetchall() == [{"booked": True}]


def waits_for_a_lock(database: Database) -> bool:
    with database.transaction() as conn:
        return conn.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None


def book(database: Database, directory: Directory) -> Appointment:
    leeds = NearOffice(office=directory.office("600021"), distance_km=0.0)
    wish = Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())
    claim = Claim(claim_ref=CLAIM, is_open=True, first_contact_time=NINE)
    with database.transaction() as conn:
        return bookings.book_earliest(conn, claim, directory=directory, wish=wish, target=TARGET)


def test_a_first_contact_heard_after_the_booking_changes_nothing(
    database: Database, intake: Intake, directory: Directory
) -> None:
    with database.transaction() as conn:
        rotas.open_rotas(conn, directory, clock.today(), week=0)
    booked = book(database, directory)

    intake.publishes(first_contact(NINE + timedelta(minutes=20)))

    with database.transaction() as conn:
        assert store.appointment_of_claim(conn, CLAIM) == booked
    assert unbooked(database) == 0


def test_events_for_other_services_are_ignored(database: Database, intake: Intake) -> None:
    intake.publishes(event_of(events_pb2.ClaimSubmitted(), claim_ref=CLAIM), hearer="assessment-svc,la-notifier")

    assert kept(database) == []
    with database.transaction() as conn:
        assert conn.execute("SELECT 1 FROM inbox").fetchall() == []
        assert conn.execute("SELECT 1 FROM dead_letters").fetchall() == []
