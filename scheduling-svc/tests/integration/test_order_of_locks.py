"""Whoever takes interviews off the list of the displaced locks the interviews first, on a real PostgreSQL."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from chassis import clock
from chassis.database import Connection, Database
from chassis.testing import eventually, waits_for_a_lock
from scheduling.domain.absences import Away
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.diary import Stretch
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.rotas import Rota
from scheduling.domain.search import Wish
from scheduling.domain.working_time import ONE_DAY, TARGET
from scheduling.service import absences, bookings, rotas, search
from scheduling.store import absences as away_times
from scheduling.store import appointments, shifts
from scheduling.store.absences import ABSENCE, CLOSURE

LEEDS = "600021"

Act = Callable[[Connection, Directory, str], object]


def end_absence(conn: Connection, _: Directory, assessor_id: str) -> object:
    return absences.cancel_absence(conn, assessor_id, back=None)


def reopen(conn: Connection, _directory: Directory, _assessor_id: str) -> object:
    return absences.reopen_office(conn, LEEDS, opens=None)


def publish(conn: Connection, directory: Directory, assessor_id: str) -> object:
    """The weeks of the assessor's shifts again, with one shift a quarter of an hour shorter."""
    now = clock.now()
    whole = Stretch(start_time=now, end_time=now + 30 * ONE_DAY)
    *others, last = shifts.of_assessor(conn, assessor_id, within=whole)
    shorter = type(last)(**vars(last) | {"end_time": last.end_time - (last.end_time - last.start_time) / 2})
    rota = Rota.of(
        directory.assessor(assessor_id), directory.office(LEEDS), shifts=[*others, shorter], weeks=(), now=now
    )
    return rotas.publish(conn, rota, directory)


def away(of: str) -> Away:
    now = clock.now()
    return Away(
        identity=uuid4(),
        of=of,
        start_time=now,
        end_time=now + 30 * ONE_DAY,
        recorded_by="SM000001",
        recorded_time=now,
    )


@pytest.fixture
def displaced(database: Database, opened: Directory) -> list[Appointment]:
    """Interviews of one assessor whom nobody is there to see: the assessor is away, and the office is closed."""
    leeds = NearOffice(office=opened.office(LEEDS), distance_km=1.0)
    wish = Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())
    with database.transaction() as conn:
        free = list(search.free(conn, wish, since=search.soonest(clock.now())))
        chosen = [slot for slot in free if slot.assessor_id == free[0].assessor_id][:2]
        booked = [
            bookings.book_slot(conn, claim(number), directory=opened, slot_id=slot.slot_id, target=TARGET)
            for number, slot in enumerate(chosen)
        ]
        for kind, of in ((ABSENCE, booked[0].assessor_id), (CLOSURE, LEEDS)):
            away_times.insert(conn, kind, away(of), reason=b"sealed")
        away_times.mark_displaced(conn, [one.appointment_id for one in booked], since=clock.now())
    return booked


def claim(number: int) -> Claim:
    return Claim(
        claim_ref=f"C{number:011d}", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now()
    )


def listed(database: Database) -> set[UUID]:
    with database.transaction() as conn:
        return {row["appointment_id"] for row in conn.execute("SELECT appointment_id FROM displaced")}


@pytest.mark.parametrize("act", [end_absence, reopen, publish])
def test_an_interview_that_is_being_moved_can_leave_the_list_while_others_wait_for_it(
    database: Database, opened: Directory, displaced: Sequence[Appointment], act: Act
) -> None:
    """Every interview in turn, so that the order in which the list is read does not matter."""
    for one in displaced:
        with ThreadPoolExecutor(1) as other:
            with database.transaction() as conn:
                appointments.lock_appointment(conn, one.appointment_id)
                acting = other.submit(in_transaction, database, opened, act, one.assessor_id)
                eventually(lambda: waits_for_a_lock(database), what="the wait for the interview")
                conn.execute("SET LOCAL lock_timeout = '100ms'")
                conn.execute("DELETE FROM displaced WHERE appointment_id = %s", [one.appointment_id])
            acting.result(timeout=10)
        with database.transaction() as conn:
            away_times.mark_displaced(conn, [one.appointment_id for one in displaced], since=clock.now())
            for kind, of in ((ABSENCE, one.assessor_id), (CLOSURE, LEEDS)):
                away_times.insert(conn, kind, away(of), reason=b"sealed")


def in_transaction(database: Database, directory: Directory, act: Act, assessor_id: str) -> None:
    with database.transaction() as conn:
        act(conn, directory, assessor_id)


@pytest.mark.parametrize(("first", "second"), [(end_absence, reopen), (reopen, end_absence)])
def test_an_absence_and_a_closure_that_end_together_leave_nobody_on_the_list(
    database: Database, opened: Directory, displaced: Sequence[Appointment], first: Act, second: Act
) -> None:
    assessor_id = displaced[0].assessor_id

    with ThreadPoolExecutor(1) as other:
        with database.transaction() as conn:
            first(conn, opened, assessor_id)
            acting = other.submit(in_transaction, database, opened, second, assessor_id)
            eventually(lambda: waits_for_a_lock(database), what="the wait for the interviews")
        acting.result(timeout=10)

    assert listed(database) == set()
