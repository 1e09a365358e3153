"""Rotas are published: an assessor's shifts at an office, for whole weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis import clock
from chassis.database import Connection
from scheduling.domain.appointments import Appointment
from scheduling.domain.diary import Stretch
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, Office
from scheduling.domain.rooms import with_rooms
from scheduling.domain.rotas import Rota, RotaChange
from scheduling.domain.shifts import Shift
from scheduling.domain.slots import SlotId
from scheduling.service.replanning import Replanned, move_displaced
from scheduling.store import absences, appointments, shifts, waiting
from scheduling.store.absences import ABSENCE


@dataclass(frozen=True, kw_only=True)
class Published:
    """The changes of a publication, and what became of the interviews that fitted no shift of the assessor any more."""

    change: RotaChange
    replanned: Replanned


def rota_of(
    directory: Directory, assessor_id: str, office_code: str, *, work: Sequence[Shift], weeks: Sequence[date]
) -> Rota:
    """The rota that is asked for. Raises AssessorUnknown, OfficeUnknown, InvalidArgument (see Rota.of)."""
    assessor, office = directory.assessor(assessor_id), directory.office(office_code)
    return Rota.of(assessor, office, shifts=work, weeks=weeks, now=clock.now())


def publish(conn: Connection, rota: Rota, directory: Directory) -> Published:
    """Puts the rota in the place of what was published for the same weeks and is not over. Raises ShiftElsewhere, NoRoomFree.

    Bookings that are under way are waited for at their shifts; so nobody is booked into a shift that goes. Interviews that
    fit no shift any more are moved; those that were displaced before and fit one now are held after all.
    """
    now = clock.now()
    shifts.lock_rota(conn, rota.assessor_id)
    shifts.keep_open(conn, rota.office_code)
    before = shifts.lock_of_weeks(conn, rota.assessor_id, rota.office_code, weeks=rota.stretches, since=now)
    change = rota.change(before)
    shifts.delete(conn, rota.assessor_id, change.removed)
    shifts.insert(conn, _with_rooms(conn, change.added, directory.office(rota.office_code)))
    displaced = _displaced(conn, rota) if change.removed else []
    if change.added:
        absences.forget_held(conn, ABSENCE, rota.assessor_id)
    replanned = move_displaced(conn, displaced, directory)
    waiting.note_freed(
        conn, [SlotId(assessor_id=rota.assessor_id, start_time=shift.start_time) for shift in change.added]
    )
    return Published(change=change, replanned=replanned)


def _with_rooms(conn: Connection, added: Sequence[Shift], office: Office) -> list[Shift]:
    inside = [shift for shift in added if shift.channel is Channel.OFFICE]
    if not inside:
        return list(added)
    whole = Stretch(start_time=inside[0].start_time, end_time=inside[-1].end_time)
    return with_rooms(added, shifts.lock_rooms_taken(conn, office.code, within=whole), rooms=office.rooms)


def _displaced(conn: Connection, rota: Rota) -> list[Appointment]:
    stretches = rota.stretches
    whole = Stretch(start_time=stretches[0].start_time, end_time=stretches[-1].end_time)
    worked = shifts.of_assessor(conn, rota.assessor_id, within=whole)
    # With those in the list of the displaced, which may be held after all: interviews are locked in one order.
    coming = appointments.lock_of_rota(conn, rota.assessor_id, within=whole, now=clock.now())
    return [
        one
        for one in coming
        if any(week.start_time <= one.start_time < week.end_time for week in stretches)
        and not any(shift.fits(one.slot) for shift in worked)
    ]
