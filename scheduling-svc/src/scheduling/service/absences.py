"""An assessor is away, or an office closed: what was to be held then is replanned at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis import clock
from chassis.database import Connection
from chassis.vault import Vault
from scheduling.domain.absences import Away, NotAbsent, NotClosed, unbroken
from scheduling.domain.appointments import Appointment
from scheduling.domain.diary import Stretch
from scheduling.domain.directory import Directory
from scheduling.service.replanning import Replanned, move_displaced
from scheduling.store import absences, appointments, shifts, waiting
from scheduling.store.absences import ABSENCE, CLOSURE, Kind

REASON = "reason"
"""The field as which the reason is sealed, before the identity of the absence or closure."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An absence or a closure, and what became of the interviews."""

    away: Away
    replanned: Replanned


def record_absence(conn: Connection, absence: Away, *, reason: str, directory: Directory, vault: Vault) -> Recorded:
    """Records the absence and moves the interviews of the assessor that have not begun and fall into it.

    Bookings that are under way are waited for at the assessor's shifts; nobody is booked into the absence afterwards.
    """
    shifts.lock_rota(conn, absence.of)
    shifts.lock_of_assessor(conn, absence.of, within=absence)
    return _record(
        conn, ABSENCE, absence, appointments.lock_coming_of_assessor, reason=reason, directory=directory, vault=vault
    )


def close_office(conn: Connection, closure: Away, *, reason: str, directory: Directory, vault: Vault) -> Recorded:
    """Records the closure and moves the interviews of the office that have not begun and fall into it.

    As record_absence does, at the shifts of every assessor who works there then.
    """
    shifts.lock_of_office(conn, closure.of, within=closure)
    return _record(
        conn, CLOSURE, closure, appointments.lock_coming_of_office, reason=reason, directory=directory, vault=vault
    )


def cancel_absence(conn: Connection, assessor_id: str, *, back: datetime | None) -> Sequence[Away]:
    """The assessor works again from then on. Interviews that were moved stay where they are. Raises NotAbsent.

    It ends the absence of that time, with those that follow it without a gap; a leave planned for later stays.
    """
    ended = _end(conn, ABSENCE, assessor_id, at=back)
    if not ended:
        raise NotAbsent
    return ended


def reopen_office(conn: Connection, office_code: str, *, opens: datetime | None) -> Sequence[Away]:
    """The office is open from then on. Interviews that were moved stay where they are. Raises NotClosed."""
    ended = _end(conn, CLOSURE, office_code, at=opens)
    if not ended:
        raise NotClosed
    return ended


def _record(
    conn: Connection,
    kind: Kind,
    away: Away,
    lock_coming: Callable[..., list[Appointment]],
    *,
    reason: str,
    directory: Directory,
    vault: Vault,
) -> Recorded:
    sealed = vault.cipher(conn, away.of).seal(reason, field=f"{REASON} {away.identity}", version=1)
    absences.insert(conn, kind, away, reason=sealed)
    coming = lock_coming(conn, away.of, within=away, now=clock.now())
    return Recorded(away=away, replanned=move_displaced(conn, coming, directory))


def _end(conn: Connection, kind: Kind, of: str, *, at: datetime | None) -> Sequence[Away]:
    moment = max(at or clock.now(), clock.now())
    ended, until = list[Away](), moment
    for away in unbroken(absences.lock_ending_after(conn, kind, of, moment), moment, or_next=at is None):
        shorter = away.ended(moment)
        if shorter:
            absences.end(conn, kind, away.identity, at=moment)
        else:
            absences.delete(conn, kind, away.identity)
        ended.append(shorter or away)
        until = max(until, away.end_time)
    absences.forget_held(conn, kind, of)
    waiting.note_worked(conn, kind, of, within=Stretch(start_time=moment, end_time=until))
    return ended
