"""Operators and managers who book, move, cancel and record absences at random, and the checker of what they leave behind."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations, groupby
from typing import Any
from uuid import uuid4

from chassis import clock
from cms_local.doors import Doors, Refused
from cms_local.journey import SCHEDULING, Journey
from tests.support.platforms import PlatformUnderTest

OFFICE = "600021"
ASSESSORS = ("ALE02001", "ALE02002", "ALE02003")
"""The managers' assessors: those who are away at some time. All of the office's are booked."""

LIVE = """
    SELECT appointment_id::text, claim_ref, assessor_id, start_time, end_time, version FROM appointments
    WHERE state IN ('BOOKED', 'MOVED') AND claim_ref = ANY(%s)
"""
OF_ASSESSORS = """
    SELECT appointment_id::text, claim_ref, assessor_id, start_time, end_time, version FROM appointments
    WHERE state IN ('BOOKED', 'MOVED') AND assessor_id IN (
        SELECT assessor_id FROM appointments WHERE claim_ref = ANY(%s)
    )
"""
ENTRIES = """
    SELECT appointment_id::text, assessor_id, start_time, end_time FROM diary WHERE appointment_id IS NOT NULL
"""
# Interviews to come that somebody was booked into an absence or a closure for: none may be but those listed as displaced.
UNATTENDED = """
    SELECT appointment_id::text FROM appointments
    WHERE state IN ('BOOKED', 'MOVED') AND start_time > %s AND claim_ref = ANY(%s)
        AND appointment_id NOT IN (SELECT appointment_id FROM displaced)
        AND (
            EXISTS (
                SELECT 1 FROM absences WHERE absences.assessor_id = appointments.assessor_id
                    AND absences.start_time < appointments.end_time AND absences.end_time > appointments.start_time
            )
            OR EXISTS (
                SELECT 1 FROM closures WHERE closures.office_code = appointments.office_code
                    AND closures.start_time < appointments.end_time AND closures.end_time > appointments.start_time
            )
        )
"""
_PATIENCE_SECONDS = 180.0
"""What was begun is ended with an answer, however long what it needs is away: only then is it known what holds."""

_PASSING_REFUSALS = {
    *(
        "SLOT_TAKEN",
        "SLOT_UNKNOWN",
        "SLOT_PASSED",
        "NO_SLOT_FREE",
        "OFFICE_CLOSED",
        "BREAK_NEEDED",
        "KEPT_FOR_EMERGENCIES",
        "ALREADY_BOOKED",
        "STALE_VERSION",
    ),
    *("APPOINTMENT_BEGUN", "APPOINTMENT_ENDED", "NOT_ABSENT", "NOT_CLOSED"),
}
"""What happens to people who all want the same. Anything else ends the test."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A live appointment as the database has it."""

    appointment_id: str
    claim_ref: str
    assessor_id: str
    start_time: datetime
    end_time: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of the diary for an appointment."""

    appointment_id: str
    assessor_id: str
    start_time: datetime
    end_time: datetime


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """What a client was last told of a claim's appointment."""

    appointment_id: str
    version: int
    live: bool


def faults_of(
    rows: Sequence[Row],
    entries: Collection[Entry],
    told: Mapping[str, Acknowledged],
    *,
    unattended: Collection[str] = (),
) -> list[str]:
    """Everything that is wrong: lost or doubled appointments, an assessor in two places, a diary that says otherwise.

    `rows` are all live appointments of the claims, and of the assessors whom they have.
    """
    return [
        *_faults_of_claims(rows, told),
        *_faults_of_assessors(rows),
        *_faults_of_diary([row for row in rows if row.claim_ref in told], {one.appointment_id: one for one in entries}),
        *(f"{appointment_id} is booked while nobody is there, and not listed" for appointment_id in unattended),
    ]


def _faults_of_claims(rows: Iterable[Row], told: Mapping[str, Acknowledged]) -> Iterator[str]:
    live: dict[str, list[Row]] = {claim_ref: [] for claim_ref in told}
    for row in rows:
        if row.claim_ref in told:
            live[row.claim_ref].append(row)
    for claim_ref, found in live.items():
        said = told[claim_ref]
        if len(found) > 1:
            yield f"{claim_ref} has {len(found)} appointments"
        if said.live and said.appointment_id not in {row.appointment_id for row in found}:
            yield f"{claim_ref} has lost an appointment that was acknowledged"
        if not said.live and found:
            yield f"{claim_ref} has an appointment that was cancelled"
        yield from (
            f"{claim_ref} has lost a change that was acknowledged"
            for row in found
            if row.appointment_id == said.appointment_id and row.version < said.version
        )


def _faults_of_assessors(rows: Iterable[Row]) -> Iterator[str]:
    in_order = sorted(rows, key=lambda row: (row.assessor_id, row.start_time))
    for assessor_id, of_one in groupby(in_order, key=lambda row: row.assessor_id):
        for one, other in combinations(of_one, 2):
            if one.start_time < other.end_time and other.start_time < one.end_time:
                yield f"{assessor_id} is in two places: {one.claim_ref} and {other.claim_ref}"


def _faults_of_diary(rows: Iterable[Row], entries: Mapping[str, Entry]) -> Iterator[str]:
    for row in rows:
        entry = entries.get(row.appointment_id)
        if entry is None:
            yield f"{row.claim_ref} is not in the diary"
        elif entry.assessor_id != row.assessor_id or not (
            entry.start_time <= row.start_time and row.end_time <= entry.end_time
        ):
            yield f"{row.claim_ref} is in the diary at another time or of another assessor"


@dataclass(kw_only=True)
class DiarySiege:
    """Callers with claims of their own, and a manager, who act until they are called off."""

    platform: PlatformUnderTest
    seed: int
    told: dict[str, Acknowledged] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _doors: Doors = field(init=False)
    _claims: list[list[Journey]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._doors = replace(self.platform.doors, patience_seconds=_PATIENCE_SECONDS)

    def begin_claims(self, *, callers: int, each: int) -> None:
        """Begins the claims by phone, before anything is killed."""
        for _ in range(callers):
            claims = [self.platform.journey("lodger") for _ in range(each)]
            for claim in claims:
                claim.start_call()
            self._claims.append(claims)

    def act_while(self, attack: Callable[[], None]) -> None:
        """Acts while the attack goes on; raises what ended an actor."""
        with ThreadPoolExecutor(len(self._claims) + 1) as actors:
            running = [
                actors.submit(self._operate, claims, random.Random(self.seed + number))
                for number, claims in enumerate(self._claims)
            ]
            running.append(actors.submit(self._manage, random.Random(self.seed - 1)))
            try:
                attack()
            finally:
                self._over.set()
            for actor in running:
                actor.result(timeout=2 * _PATIENCE_SECONDS)

    def faults(self) -> list[str]:
        """What the checker finds in the database of scheduling-svc."""
        refs = list(self.told)
        found = {row for query in (LIVE, OF_ASSESSORS) for row in self.platform.rows(SCHEDULING, query, refs)}
        entries = self.platform.rows(SCHEDULING, ENTRIES)
        return faults_of(
            [Row(**dict(zip(Row.__dataclass_fields__, row, strict=True))) for row in found],
            [Entry(**dict(zip(Entry.__dataclass_fields__, entry, strict=True))) for entry in entries],
            self.told,
            unattended=[found for (found,) in self.platform.rows(SCHEDULING, UNATTENDED, clock.now(), refs)],
        )

    def _operate(self, claims: Sequence[Journey], source: random.Random) -> None:
        while not self._over.is_set():
            claim = source.choice(claims)
            said = self.told.get(claim.claim_ref)
            if said is None or not said.live:
                act = source.choice((self._book_earliest, self._book_slot))
            else:
                act = source.choice((self._move, self._move, self._cancel))
            self._try(act, claim, source)

    def _manage(self, source: random.Random) -> None:
        manager = self._claims[0][0].issue("SERVICE_MANAGER", subject="SM000001")
        while not self._over.is_set():
            assessor = {"assessorId": source.choice(ASSESSORS)}
            begins = clock.now() + timedelta(days=source.randrange(4))
            until = begins + timedelta(hours=source.choice((3, 9, 30)))
            times = {"from": begins.isoformat(), "until": until.isoformat(), "reason": "ill"}
            away = source.choice((assessor, assessor, assessor, {"officeCode": OFFICE}))
            record, end = ("RecordAbsence", "CancelAbsence") if away is assessor else ("CloseOffice", "ReopenOffice")
            self._try(self._change, record, away | times, manager)
            self._over.wait(source.uniform(0, 0.5))
            self._try(self._change, end, away, manager)

    def _try(self, act: Callable[..., Any], *arguments: Any) -> None:
        try:
            act(*arguments)
        except Refused as refused:
            if refused.reason not in _PASSING_REFUSALS:
                raise
            self.acts[refused.reason] += 1

    def _change(self, method: str, body: Mapping[str, Any], token: str) -> Any:
        answer = self._doors.call(SCHEDULING, method, {**body, "requestId": str(uuid4())}, token=token)
        self.acts[method] += 1
        return answer

    def _book_earliest(self, claim: Journey, _source: random.Random) -> None:
        body = {"claimRef": claim.claim_ref, "earliest": True, "postcode": claim.case.postcode}
        self._note(self._change("BookAppointment", body, claim.operator)["appointment"])

    def _book_slot(self, claim: Journey, source: random.Random) -> None:
        body = {"claimRef": claim.claim_ref, "slotId": self._slot(claim, source)}
        self._note(self._change("BookAppointment", body, claim.operator)["appointment"])

    def _move(self, claim: Journey, source: random.Random) -> None:
        this = self._as_read(claim)
        moved = self._change("MoveAppointment", this | {"slotId": self._slot(claim, source)}, claim.operator)
        self._note(moved["appointment"])

    def _cancel(self, claim: Journey, _source: random.Random) -> None:
        this = self._as_read(claim)
        self._note(self._change("CancelAppointment", this | {"reason": "ill"}, claim.operator)["appointment"])

    def _as_read(self, claim: Journey) -> dict[str, Any]:
        asked = {"claimRef": claim.claim_ref}
        found = self._doors.call(SCHEDULING, "GetAppointment", asked, token=claim.operator)["appointment"]
        return {"appointmentId": found["appointmentId"], "version": found["version"]}

    def _slot(self, claim: Journey, source: random.Random) -> str:
        """One of the next free slots: callers often want the same."""
        body = {"officeCode": OFFICE, "pageSize": 15}
        found = self._doors.call(SCHEDULING, "FindSlots", body, token=claim.operator)["slots"]
        return str(source.choice(found)["slotId"]) if found else f"{ASSESSORS[0]}-20200101T0900Z"

    def _note(self, appointment: Mapping[str, Any]) -> None:
        live = appointment["state"] in {"APPOINTMENT_STATE_BOOKED", "APPOINTMENT_STATE_MOVED"}
        self.told[appointment["claimRef"]] = Acknowledged(
            appointment_id=appointment["appointmentId"], version=appointment["version"], live=live
        )
