"""The checker of a diary: what clients were told of it, beside what the database of scheduling-svc holds.

Nothing here asks the service: a fault of it would hide itself.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations, groupby
from threading import Lock
from typing import Any, Protocol, TypeVar

Read = Callable[..., list[tuple[Any, ...]]]
"""Reads rows by a query and its values, all as they are at one moment."""

_COLUMNS = "appointment_id::text, claim_ref, assessor_id, start_time, end_time, version, within_target, travel"
_IS_LIVE = "state IN ('BOOKED', 'MOVED')"
# All of the claims, in every state, and the live ones of the assessors whom they have.
APPOINTMENTS = f"""
    SELECT {_COLUMNS}, {_IS_LIVE} FROM appointments
    WHERE claim_ref = ANY(%(claims)s) OR {_IS_LIVE} AND assessor_id IN (
        SELECT assessor_id FROM appointments WHERE claim_ref = ANY(%(claims)s)
    )
"""  # noqa: S608 - of literals alone
ENTRIES = "SELECT coalesce(appointment_id::text, ''), claim_ref, assessor_id, start_time, end_time FROM diary"
WAITING = "SELECT appointment_id::text FROM waiting_list"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

# A home visit takes its assessor's time with the way to it and back.
_SINCE = "appointments.start_time - appointments.travel"
_UNTIL = "appointments.end_time + appointments.travel"
_NOBODY_IS_THERE = f"""(
    EXISTS (
        SELECT 1 FROM absences WHERE absences.assessor_id = appointments.assessor_id
            AND absences.start_time < {_UNTIL} AND absences.end_time > {_SINCE}
    )
    OR EXISTS (
        SELECT 1 FROM closures WHERE closures.office_code = appointments.office_code
            AND closures.start_time < {_UNTIL} AND closures.end_time > {_SINCE}
    )
    OR NOT EXISTS (
        SELECT 1 FROM shifts WHERE shifts.assessor_id = appointments.assessor_id
            AND shifts.office_code = appointments.office_code AND shifts.channel = appointments.channel
            AND shifts.start_time <= {_SINCE} AND shifts.end_time >= {_UNTIL}
    )
)"""  # noqa: S608 - of literals alone
_COMING = f"""
    SELECT appointment_id::text FROM appointments
    WHERE {_IS_LIVE} AND start_time > %(now)s AND claim_ref = ANY(%(claims)s)
"""  # noqa: S608 - of literals alone
_LISTED = "appointment_id IN (SELECT appointment_id FROM displaced)"
# Interviews to come at a time at which the assessor is away, the office closed, or nobody works: all of them are listed.
UNATTENDED = f"{_COMING} AND NOT {_LISTED} AND {_NOBODY_IS_THERE}"
# Interviews that are listed as such although somebody is there.
LISTED_FOR_NOTHING = f"{_COMING} AND {_LISTED} AND NOT {_NOBODY_IS_THERE}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """An appointment as the database has it."""

    appointment_id: str
    claim_ref: str
    assessor_id: str
    start_time: datetime
    end_time: datetime
    version: int
    within_target: bool = True
    travel: timedelta = timedelta()
    live: bool = True


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of the diary; `appointment_id` is empty for a slot that is held for the claim."""

    appointment_id: str
    claim_ref: str
    assessor_id: str
    start_time: datetime
    end_time: datetime


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the database holds. `rows` are all of the claims, and the live ones of their assessors."""

    now: datetime
    rows: Sequence[Row]
    entries: Sequence[Entry]
    waiting: Collection[str] = ()
    """The appointments on the waiting list."""
    unattended: Collection[str] = ()
    listed_for_nothing: Collection[str] = ()
    deadlocks: int = 0

    @classmethod
    def read(cls, read: Read, claims: Collection[str], *, now: datetime, deadlocks: int) -> "Found":
        """Reads what is to be checked of these claims."""
        values = {"claims": list(claims), "now": now}

        def ids(query: str) -> list[str]:
            return [found for (found,) in read(query, values)]

        return cls(
            now=now,
            rows=[Row(**_named(Row, row)) for row in read(APPOINTMENTS, values)],
            entries=[Entry(**_named(Entry, row)) for row in read(ENTRIES, values)],
            waiting=ids(WAITING),
            unattended=ids(UNATTENDED),
            listed_for_nothing=ids(LISTED_FOR_NOTHING),
            deadlocks=deadlocks,
        )


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """The latest version of an appointment that a client was told of."""

    claim_ref: str
    version: int
    live: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whether a client was told that an appointment waits for an earlier slot, and its version before that."""

    version: int
    is_listed: bool


@dataclass(kw_only=True)
class Told:
    """What clients were told, whoever they are. Safe in threads: of an appointment the latest version counts."""

    appointments: dict[str, Acknowledged] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    holds_nothing: dict[str, bool] = field(default_factory=dict)
    """By claim: whether the last that its client was told is that no slot is held for it."""
    _lock: Lock = field(default_factory=Lock)

    def note(self, appointment: Mapping[str, Any]) -> None:
        """Notes an appointment as a response shows it."""
        live = appointment["state"] in {"APPOINTMENT_STATE_BOOKED", "APPOINTMENT_STATE_MOVED"}
        said = Acknowledged(claim_ref=appointment["claimRef"], version=appointment["version"], live=live)
        with self._lock:
            before = self.appointments.get(appointment["appointmentId"])
            if before is None or before.version < said.version:
                self.appointments[appointment["appointmentId"]] = said

    def has_appointment(self, claim_ref: str) -> bool:
        """Whether the claim has a live appointment, by what was told."""
        with self._lock:
            return any(one.live for one in self.appointments.values() if one.claim_ref == claim_ref)


@dataclass(kw_only=True)
class Deadlocks:
    """Counts the deadlocks in a database, also across a crash of its server, after which the server counts from nothing.

    Look before each crash: what the server had counted by then is lost with it.
    """

    read: Callable[[], int]
    number: int = 0
    _last: int = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.read()

    def look(self) -> None:
        """Adds those since the last look."""
        now = self.read()
        self.number += now - self._last if now >= self._last else now
        self._last = now


def faults_of(found: Found, told: Told) -> list[str]:
    """Everything that is wrong, each in a sentence; nothing where the diary is whole."""
    live = [row for row in found.rows if row.live]
    ours = {said.claim_ref for said in told.appointments.values()}
    return [
        *_faults_of_appointments(found.rows, told),
        *_faults_of_claims(live, ours),
        *_two_places(live, "{} is in two places: {} and {}"),
        *_two_places(found.entries, "the time of {} is taken twice: by {} and {}"),
        *_faults_of_diary([row for row in live if row.claim_ref in ours], found.entries),
        *_faults_of_holds(found.entries, told),
        *_faults_of_waiting(found, told),
        *(f"{one} is booked while nobody is there, and not listed" for one in found.unattended),
        *(f"{one} is listed although somebody is there" for one in found.listed_for_nothing),
        *([f"{found.deadlocks} deadlocks in the database"] if found.deadlocks else []),
    ]


def _faults_of_appointments(rows: Iterable[Row], told: Told) -> Iterator[str]:
    by_id = {row.appointment_id: row for row in rows}
    for appointment_id, said in told.appointments.items():
        row = by_id.get(appointment_id)
        if row is None or (said.live and not row.live):
            yield f"{said.claim_ref} has lost an appointment that was acknowledged"
        elif row.version < said.version:
            yield f"{said.claim_ref} has lost a change that was acknowledged"
        elif row.live and not said.live:
            yield f"{said.claim_ref} has an appointment that was cancelled"
    claims = {said.claim_ref for said in told.appointments.values()} | told.holds_nothing.keys()
    for row in by_id.values():
        if row.claim_ref in claims and row.appointment_id not in told.appointments:
            yield f"{row.claim_ref} has an appointment that nobody was told of"


def _faults_of_claims(live: Iterable[Row], ours: Collection[str]) -> Iterator[str]:
    in_order = sorted((row for row in live if row.claim_ref in ours), key=lambda row: row.claim_ref)
    for claim_ref, of_one in groupby(in_order, key=lambda row: row.claim_ref):
        number = len(list(of_one))
        if number > 1:
            yield f"{claim_ref} has {number} appointments"


class _Taken(Protocol):
    """A time of an assessor that is taken for a claim."""

    @property
    def claim_ref(self) -> str: ...
    @property
    def assessor_id(self) -> str: ...
    @property
    def start_time(self) -> datetime: ...
    @property
    def end_time(self) -> datetime: ...


def _two_places(taken: Iterable[_Taken], fault: str) -> Iterator[str]:
    in_order = sorted(taken, key=lambda one: (one.assessor_id, one.start_time))
    for assessor_id, of_one in groupby(in_order, key=lambda one: one.assessor_id):
        for one, other in combinations(of_one, 2):
            if one.start_time < other.end_time and other.start_time < one.end_time:
                yield fault.format(assessor_id, one.claim_ref, other.claim_ref)


def _faults_of_diary(rows: Iterable[Row], entries: Iterable[Entry]) -> Iterator[str]:
    by_id = {entry.appointment_id: entry for entry in entries if entry.appointment_id}
    for row in rows:
        entry = by_id.get(row.appointment_id)
        if entry is None:
            yield f"{row.claim_ref} is not in the diary"
        elif (entry.assessor_id, entry.start_time, entry.end_time) != (
            row.assessor_id,
            row.start_time - row.travel,
            row.end_time + row.travel,
        ):
            yield f"{row.claim_ref} is in the diary at another time or of another assessor"


def _faults_of_holds(entries: Iterable[Entry], told: Told) -> Iterator[str]:
    holding = {entry.claim_ref for entry in entries if not entry.appointment_id}
    for claim_ref, nothing in told.holds_nothing.items():
        if nothing and claim_ref in holding:
            yield f"{claim_ref} holds slots that it gave up"


def _faults_of_waiting(found: Found, told: Told) -> Iterator[str]:
    by_id = {row.appointment_id: row for row in found.rows if row.live and row.start_time > found.now}
    for appointment_id, place in told.places.items():
        row = by_id.get(appointment_id)
        is_listed = appointment_id in found.waiting
        if row is not None and is_listed and not place.is_listed:
            yield f"{row.claim_ref} waits for an earlier slot after it left the list"
        # An appointment that nobody has moved since it joined is still where it was, and waits.
        if row is not None and place.is_listed and not is_listed and row.version == place.version:
            yield f"{row.claim_ref} has lost its place on the waiting list"


_Named = TypeVar("_Named")


def _named(kind: type[_Named], row: Sequence[Any]) -> dict[str, Any]:
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return dict(zip(names, row, strict=True))
