"""Places on the waiting list: when they end, and who is first, on a real PostgreSQL."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Connection, Database
from chassis.testing import eventually, waits_for_a_lock
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.diary import Stretch
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice
from scheduling.domain.rotas import Rota
from scheduling.domain.search import Wish
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import Slot
from scheduling.domain.waiting import Place
from scheduling.domain.working_time import TARGET, target_due
from scheduling.service import bookings, changes, replanning, rotas, search, waiting
from scheduling.store import shifts
from scheduling.store import waiting as places

LEEDS = "600021"
NOW = timedelta()


def free(database: Database, directory: Directory) -> list[Slot]:
    """The free slots at Leeds, soonest first."""
    leeds = NearOffice(office=directory.office(LEEDS), distance_km=1.0)
    wish = Wish(offices=[leeds], channel=Channel.OFFICE, needs=frozenset())
    with database.transaction() as conn:
        return list(search.free(conn, wish, since=search.soonest(clock.now())))


def slots_about(database: Database, directory: Directory) -> tuple[list[Slot], list[Slot]]:
    """The free slots within the target from now, and those after it."""
    due = target_due(clock.now(), Nation.ENGLAND, target=TARGET)
    found = free(database, directory)
    return [slot for slot in found if slot.start_time <= due], [slot for slot in found if slot.start_time > due]


def book(database: Database, directory: Directory, slot: Slot, number: int = 1) -> Appointment:
    claim = Claim(
        claim_ref=f"C{number:011d}", schemes=("JOBSEEKERS_ALLOWANCE",), is_open=True, first_contact_time=clock.now()
    )
    with database.transaction() as conn:
        return bookings.book_slot(conn, claim, directory=directory, slot_id=slot.slot_id, target=TARGET)


def change_of(appointment: Appointment) -> changes.Change:
    return changes.Change(appointment_id=appointment.appointment_id, version=appointment.version, permit=lambda _: None)


def join(database: Database, directory: Directory, appointment: Appointment, *, notice: timedelta = NOW) -> None:
    joining = waiting.Joining(offices=(), by_telephone=False, notice=notice)
    with database.transaction() as conn:
        waiting.join(conn, change=change_of(appointment), joining=joining, directory=directory)


def move(database: Database, directory: Directory, appointment: Appointment, slot: Slot) -> Appointment:
    with database.transaction() as conn:
        return changes.move(conn, change=change_of(appointment), slot_id=slot.slot_id, directory=directory)


def replan(database: Database, directory: Directory, appointment: Appointment, _slot: Slot) -> Appointment:
    """The assessor's rota is taken back, and a colleague holds the interview."""
    stretch = Stretch(start_time=appointment.start_time, end_time=appointment.end_time)
    with database.transaction() as conn:
        day = shifts.of_assessor(conn, appointment.assessor_id, within=stretch)
        shifts.delete(conn, appointment.assessor_id, day)
        [moved] = replanning.move_displaced(conn, [appointment], directory).moved
    return moved.after


def waits(database: Database, appointment: Appointment) -> bool:
    with database.transaction() as conn:
        query = "SELECT 1 FROM waiting_list WHERE appointment_id = %s"
        return conn.execute(query, [appointment.appointment_id]).fetchone() is not None


def as_it_is(database: Database, appointment_id: UUID) -> Appointment:
    with database.transaction() as conn:
        return bookings.appointment_by_id(conn, appointment_id)


def give_out_all(database: Database, directory: Directory) -> None:
    """The worker's steps until nothing is left to look at."""

    def is_done() -> bool:
        waiting.give_out(database, directory)
        with database.transaction() as conn:
            return places.next_freed(conn) is None

    eventually(is_done, what="the look at every freed day")


@pytest.mark.parametrize("moved_by", [move, replan])
def test_who_is_moved_to_within_the_target_by_whomever_leaves_the_list(
    database: Database,
    opened: Directory,
    moved_by: Callable[[Database, Directory, Appointment, Slot], Appointment],
) -> None:
    in_time, _ = slots_about(database, opened)
    first = next(slot for slot in in_time if sum(one.start_time == slot.start_time for one in in_time) > 1)
    booked = book(database, opened, first if moved_by is replan else in_time[-1])
    join(database, opened, booked)
    assert waits(database, booked)

    moved = moved_by(database, opened, booked, first)

    assert moved.within_target
    assert not waits(database, booked)


def test_who_is_moved_to_another_slot_after_the_target_stays_on_the_list(database: Database, opened: Directory) -> None:
    _, late = slots_about(database, opened)
    booked = book(database, opened, late[-1])
    join(database, opened, booked)

    moved = move(database, opened, booked, late[0])

    assert not moved.within_target
    assert waits(database, booked)


def test_a_freed_slot_goes_to_the_oldest_late_target_then_to_who_joined_first_and_each_is_told(
    database: Database, opened: Directory
) -> None:
    """Two slots are freed; of those who wait, one is late, and joined last."""
    in_time, late = slots_about(database, opened)
    booked = [
        book(database, opened, slot, number) for number, slot in enumerate((in_time[-1], in_time[-2], late[0]), start=1)
    ]
    with database.transaction() as conn:
        for number, one in enumerate(booked):
            place = Place(
                appointment=one,
                offices=frozenset({LEEDS}),
                by_telephone=False,
                notice=NOW,
                joined_time=clock.now() + timedelta(minutes=(1, 0, 2)[number]),
            )
            places.join(conn, place)
        # Only two slots are free before their interviews: all that is earlier is off the rota.
        freed = in_time[:2]
        keep_alone(conn, opened, [*freed, *(one.slot for one in booked)])
        in_turn = [place.appointment.claim_ref for place in places.waiting(conn, LEEDS, since=clock.now(), number=3)]
        places.note_freed(conn, [slot.slot_id for slot in freed])

    give_out_all(database, opened)

    third, second, first = booked
    assert in_turn == [one.claim_ref for one in (first, second, third)]
    now_at = [as_it_is(database, one.appointment_id).slot for one in (first, second, third)]
    assert sorted(now_at[:2], key=lambda slot: slot.slot_id.assessor_id) == sorted(
        freed, key=lambda slot: slot.slot_id.assessor_id
    )
    assert told_of_moves(database)[:2] == [one.claim_ref for one in (first, second)]
    assert not any(waits(database, one) for one in (first, second))


def keep_alone(conn: Connection, directory: Directory, slots: Sequence[Slot]) -> None:
    """Takes every shift at Leeds off the rota and puts in its place one for each of these slots."""
    conn.execute("DELETE FROM shifts WHERE office_code = %s", [LEEDS])
    shifts.insert(conn, [shift_of(directory, slot) for slot in slots])


def shift_of(directory: Directory, slot: Slot) -> Shift:
    """A shift of this slot alone, with all that its assessor can do."""
    return Shift(
        assessor_id=slot.assessor_id,
        office_code=LEEDS,
        start_time=slot.start_time,
        end_time=slot.end_time,
        channel=slot.channel,
        skills=directory.assessor(slot.assessor_id).meets,
    )


def told_of_moves(database: Database) -> list[str]:
    """The claims whose moves are told, in order; la-notifier hears of each."""
    with database.transaction() as conn:
        rows: list[Any] = conn.execute(
            "SELECT claim_ref, heard_by FROM outbox WHERE type LIKE '%AppointmentMoved' ORDER BY created"
        ).fetchall()
    assert all("la-notifier" in row["heard_by"] for row in rows)
    return [row["claim_ref"] for row in rows]


def test_who_leaves_the_list_while_a_slot_is_given_out_stays_where_they_are(
    database: Database, opened: Directory
) -> None:
    _, late = slots_about(database, opened)
    booked = book(database, opened, late[0])
    join(database, opened, booked)

    with ThreadPoolExecutor(1) as worker:
        with database.transaction() as conn:
            waiting.leave(conn, change=change_of(booked))
            giving_out = worker.submit(give_out_all, database, opened)
            eventually(lambda: waits_for_a_lock(database), what="the move that waits for the appointment")
        giving_out.result(timeout=10)

    assert as_it_is(database, booked.appointment_id) == booked


def test_new_shifts_are_given_to_who_waits_for_their_office(database: Database, opened: Directory) -> None:
    in_time, late = slots_about(database, opened)
    early = in_time[0]
    with database.transaction() as conn:
        keep_alone(conn, opened, [late[0]])
    booked = book(database, opened, late[0])
    join(database, opened, booked)
    give_out_all(database, opened)
    assert as_it_is(database, booked.appointment_id) == booked
    rota = Rota.of(
        opened.assessor(early.assessor_id),
        opened.office(LEEDS),
        shifts=[shift_of(opened, early)],
        weeks=(),
        now=clock.now(),
    )

    with database.transaction() as conn:
        rotas.publish(conn, rota, opened)
    give_out_all(database, opened)

    assert as_it_is(database, booked.appointment_id).slot == early
