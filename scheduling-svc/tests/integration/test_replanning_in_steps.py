"""A long absence is replanned in steps, each a transaction of its own, on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.database import Database
from chassis.vault import Vault
from scheduling.domain.absences import Away
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel
from scheduling.domain.replanning import NotMoved
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SlotId
from scheduling.domain.working_time import TARGET, working_days
from scheduling.service import absences, bookings, changes, replanning
from scheduling.service.absences import Recorded
from scheduling.store import appointments, shifts

LEEDS, AWAY, COLLEAGUE = "600021", "ALE02001", "ALE02002"
_FIRST = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


class Stopped(Exception):
    """The service stopped in the middle of a step."""


@pytest.fixture
def mornings(database: Database, directory: Directory) -> Sequence[datetime]:
    """Nine o'clock on two working days, more than a step apart, on which the one away and a colleague work until noon."""
    days = [working_days(clock.today() + timedelta(days=ahead), Nation.ENGLAND, number=1)[0] for ahead in (3, 24)]
    found = [datetime.combine(day, time(9), tzinfo=clock.LONDON).astimezone(UTC) for day in days]
    worked = [
        Shift(
            assessor_id=assessor_id,
            office_code=LEEDS,
            start_time=morning,
            end_time=morning + timedelta(hours=3),
            channel=Channel.OFFICE,
            skills=directory.assessor(assessor_id).meets,
        )
        for morning in found
        for assessor_id in (AWAY, COLLEAGUE)
    ]
    with database.transaction() as conn:
        shifts.insert(conn, worked)
    return found


@pytest.fixture
def booked(database: Database, directory: Directory, mornings: Sequence[datetime]) -> Sequence[Appointment]:
    """An interview of the one away on each of these mornings."""
    found = []
    for number, morning in enumerate(mornings):
        claim = Claim(
            claim_ref=f"C{number:011d}",
            schemes=("JOBSEEKERS_ALLOWANCE",),
            is_open=True,
            first_contact_time=clock.now(),
        )
        slot_id = SlotId(assessor_id=AWAY, start_time=morning)
        with database.transaction() as conn:
            found.append(bookings.book_slot(conn, claim, directory=directory, slot_id=slot_id, target=TARGET))
    return found


@pytest.fixture
def recorded(database: Database, directory: Directory, booked: Sequence[Appointment], vault: Vault) -> Recorded:
    """An absence of two months."""
    now = clock.now()
    absence = Away(
        identity=uuid4(),
        of=AWAY,
        start_time=now,
        end_time=now + timedelta(days=60),
        recorded_by="SM000001",
        recorded_time=now,
    )
    with database.transaction() as conn:
        return absences.record_absence(conn, absence, reason="operation", directory=directory, vault=vault)


def now_of(database: Database, appointment: Appointment) -> Appointment:
    with database.transaction() as conn:
        found = appointments.appointment(conn, appointment.appointment_id)
    assert found is not None
    return found


def take_step(database: Database, directory: Directory) -> bool:
    with database.transaction() as conn:
        return replanning.replan_next(conn, directory)


def listed(database: Database, directory: Directory) -> Sequence[NotMoved]:
    with database.transaction() as conn:
        return replanning.displaced(conn, directory, office_code=LEEDS, number=10, after=_FIRST)


def test_a_later_interview_keeps_its_slot_until_a_step_of_its_own_moves_it(
    database: Database, directory: Directory, booked: Sequence[Appointment], recorded: Recorded
) -> None:
    soon, later = booked

    assert [moved.before for moved in recorded.replanned.moved] == [soon]
    assert (recorded.replanned.not_moved, recorded.replanned.still_to_move) == ((), 1)
    assert now_of(database, later) == later
    [left] = listed(database, directory)
    assert (left.appointment, left.still_to_move, left.solutions) == (later, True, ())
    assert take_step(database, directory)
    assert now_of(database, later).slot.assessor_id == COLLEAGUE
    assert now_of(database, later).start_time == later.start_time
    assert listed(database, directory) == []
    assert not take_step(database, directory)


def test_a_step_that_is_cut_off_has_changed_nothing_and_is_taken_again(
    database: Database, directory: Directory, booked: Sequence[Appointment], recorded: Recorded
) -> None:
    def stop_in_the_middle() -> None:
        with database.transaction() as conn:
            replanning.replan_next(conn, directory)
            raise Stopped

    with pytest.raises(Stopped):
        stop_in_the_middle()

    assert now_of(database, booked[1]) == booked[1]
    assert take_step(database, directory)
    assert now_of(database, booked[1]).slot.assessor_id == COLLEAGUE


def test_what_a_step_cannot_move_is_left_for_a_person_with_what_would_solve_it(
    database: Database, directory: Directory, booked: Sequence[Appointment], recorded: Recorded
) -> None:
    with database.transaction() as conn:
        conn.execute("DELETE FROM shifts WHERE assessor_id = %s", [COLLEAGUE])

    assert take_step(database, directory)

    [left] = listed(database, directory)
    assert (left.appointment, left.still_to_move) == (booked[1], False)
    assert [one.kind for one in left.solutions] == ["OPEN_SLOT"]
    assert not take_step(database, directory)


def test_an_interview_that_a_person_moved_meanwhile_is_left_alone(
    database: Database, directory: Directory, booked: Sequence[Appointment], recorded: Recorded
) -> None:
    later = booked[1]
    slot_id = SlotId(assessor_id=COLLEAGUE, start_time=later.start_time + timedelta(minutes=45))
    change = changes.Change(appointment_id=later.appointment_id, version=later.version, permit=lambda _: None)
    with database.transaction() as conn:
        moved = changes.move(conn, change=change, slot_id=slot_id, directory=directory)

    assert not take_step(database, directory)
    assert now_of(database, later) == moved


def test_a_step_waits_for_nobody_who_changes_an_interview(
    database: Database, directory: Directory, booked: Sequence[Appointment], recorded: Recorded
) -> None:
    with database.transaction() as other:
        appointments.lock_appointment(other, booked[1].appointment_id)

        assert not take_step(database, directory)

    assert take_step(database, directory)


def test_an_assessor_who_is_back_holds_what_was_still_to_be_moved(
    database: Database, directory: Directory, booked: Sequence[Appointment], recorded: Recorded
) -> None:
    with database.transaction() as conn:
        absences.cancel_absence(conn, AWAY, back=None)

    assert not take_step(database, directory)
    assert now_of(database, booked[1]) == booked[1]
    assert listed(database, directory) == []
