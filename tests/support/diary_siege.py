"""Operators and managers who act at random on one office's diary: each method that changes it, many at a time.

They keep what they were told; `diary_checker` holds that against the database.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from chassis import clock
from cms_local.doors import Doors, Refused
from cms_local.journey import SCHEDULING, Journey
from tests.support.diary_checker import DEADLOCKS, Deadlocks, Found, Place, Told, faults_of
from tests.support.platforms import PlatformUnderTest

OFFICE = "600021"
VISITOR = "ALE02001"
"""The assessor who visits claimants in the afternoon as long as the siege lasts."""
ASSESSORS = (VISITOR, "ALE02002", "ALE02003")
"""The managers' assessors: those who are away at some time. All of the office's are booked."""
_NOON = 12
SHIFTS = """
    SELECT start_time, end_time, channel, skills, emergency_slots FROM shifts
    WHERE assessor_id = %s AND office_code = %s AND start_time < %s ORDER BY start_time
"""
_WEEKS = timedelta(weeks=2)
"""The rotas of this week and the next are published anew: those that are booked."""
_PATIENCE_SECONDS = 180.0
"""What was begun is ended with an answer, however long what it needs is away: only then is it known what holds."""
CHANGES = (
    *("BookAppointment", "MoveAppointment", "CancelAppointment"),
    *("OfferSlots", "ReleaseSlots", "JoinWaitingList", "LeaveWaitingList"),
    *("RecordAbsence", "CancelAbsence", "CloseOffice", "ReopenOffice", "PublishRota"),
)
"""The methods that the actors call; each of them changes something."""

_PASSING_REFUSALS = {
    *("SLOT_TAKEN", "SLOT_UNKNOWN", "SLOT_PASSED", "NO_SLOT_FREE", "OFFICE_CLOSED", "BREAK_NEEDED"),
    *("KEPT_FOR_EMERGENCIES", "ALREADY_BOOKED", "STALE_VERSION", "APPOINTMENT_BEGUN", "APPOINTMENT_ENDED"),
    *("NOT_ABSENT", "NOT_CLOSED", "NOT_WAITING", "TOO_SOON_TO_WAIT"),
}
"""What happens to people who all want the same. Anything else ends the test."""

Act = Callable[[Journey, random.Random], None]


@dataclass(kw_only=True)
class DiarySiege:
    """Callers with claims of their own, and managers, who act until they are called off."""

    platform: PlatformUnderTest
    seed: int
    managers: int = 1
    told: Told = field(default_factory=Told)
    acts: Counter[str] = field(default_factory=Counter)
    deadlocks: Deadlocks = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event)
    _doors: Doors = field(init=False)
    _claims: list[list[Journey]] = field(default_factory=list)
    _before: list[dict[str, Any]] = field(init=False)
    _rotas: dict[str, list[dict[str, Any]]] = field(init=False)
    _is_published: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._doors = replace(self.platform.doors, patience_seconds=_PATIENCE_SECONDS)
        self.deadlocks = Deadlocks(read=lambda: self.platform.count(SCHEDULING, DEADLOCKS))
        self._before = self._rota(VISITOR)
        self._rotas = {assessor_id: self._rota(assessor_id) for assessor_id in ASSESSORS}
        self._rotas[VISITOR] = [_as_visits(shift) if _is_late(shift) else shift for shift in self._before]

    def begin_claims(self, *, callers: int, each: int) -> None:
        """Begins the claims by phone, before anything is killed."""
        for _ in range(callers):
            claims = [self.platform.journey("lodger") for _ in range(each)]
            for claim in claims:
                claim.start_call()
            self._claims.append(claims)

    def act_while(self, attack: Callable[[], None]) -> None:
        """Acts while the attack goes on; raises what ended an actor. The rotas are then as they were before."""
        manager = self._claims[0][0].issue("SERVICE_MANAGER", subject="SM000001")
        self._publish_whole(VISITOR, manager)
        self._act_while(attack)
        self._rotas[VISITOR] = self._before
        self._publish_whole(VISITOR, manager)

    def _act_while(self, attack: Callable[[], None]) -> None:
        with ThreadPoolExecutor(len(self._claims) + self.managers) as actors:
            running = [
                actors.submit(self._operate, claims, random.Random(self.seed + number))
                for number, claims in enumerate(self._claims)
            ]
            running += [
                actors.submit(self._manage, random.Random(self.seed - number), f"SM{number:06}")
                for number in range(1, self.managers + 1)
            ]
            try:
                attack()
            finally:
                self._over.set()
            for actor in running:
                actor.result(timeout=2 * _PATIENCE_SECONDS)

    def faults(self) -> list[str]:
        """What the checker finds in the database of scheduling-svc, all of it at one moment."""
        self.deadlocks.look()
        with self.platform.at_one_moment(SCHEDULING) as read:
            found = Found.read(read, self._refs, now=clock.now(), deadlocks=self.deadlocks.number)
        return faults_of(found, self.told)

    @property
    def _refs(self) -> set[str]:
        return {claim.claim_ref for claims in self._claims for claim in claims}

    def _rota(self, assessor_id: str) -> list[dict[str, Any]]:
        until = datetime.combine(_monday(clock.now()) + _WEEKS, time(), tzinfo=clock.LONDON)
        rows = self.platform.rows(SCHEDULING, SHIFTS, assessor_id, OFFICE, until)
        return [
            {
                "start": start.isoformat(),
                "end": end.isoformat(),
                "channel": f"CHANNEL_{channel}",
                "skills": skills,
                "emergencySlots": emergency_slots,
            }
            for start, end, channel, skills, emergency_slots in rows
        ]

    def _operate(self, claims: Sequence[Journey], source: random.Random) -> None:
        without: list[Act] = [self._book_earliest, self._book_slot, self._book_offer, self._offer, self._release]
        with_one: list[Act] = [self._move, self._move, self._move_to_offer, self._cancel, self._join, self._leave]
        while not self._over.is_set():
            claim = source.choice(claims)
            acts = with_one if self.told.has_appointment(claim.claim_ref) else without
            self._try(source.choice(acts), claim, source)

    def _manage(self, source: random.Random, subject: str) -> None:
        manager = self._claims[0][0].issue("SERVICE_MANAGER", subject=subject)
        acts = [self._be_away, self._be_away, self._close, self._publish, self._publish, self._see_to_list]
        while not self._over.is_set():
            source.choice(acts)(source, manager)

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
        for appointment in _shown(answer):
            self.acts[appointment["channel"]] += 1
            if appointment["claimRef"] in self._refs:
                self.told.note(appointment)
        return answer

    # What operators do, each with claims of their own.

    def _book_earliest(self, claim: Journey, source: random.Random) -> None:
        how = {"earliest": True, "postcode": claim.case.postcode}
        channel = source.choice(("", "", "CHANNEL_TELEPHONE", "CHANNEL_HOME_VISIT", "CHANNEL_HOME_VISIT"))
        self._book(claim, how | ({"channel": channel} if channel else {}))

    def _book_slot(self, claim: Journey, source: random.Random) -> None:
        self._book(claim, {"slotId": self._slot(claim, source)})

    def _book_offer(self, claim: Journey, source: random.Random) -> None:
        self._book(claim, {"slotId": self._offered(claim, source), "postcode": claim.case.postcode})

    def _book(self, claim: Journey, how: Mapping[str, Any]) -> None:
        self._change("BookAppointment", {"claimRef": claim.claim_ref, **how}, claim.operator)
        self.told.holds_nothing[claim.claim_ref] = True

    def _offer(self, claim: Journey, source: random.Random) -> None:
        self._offered(claim, source)

    def _release(self, claim: Journey, _source: random.Random) -> None:
        self._change("ReleaseSlots", {"claimRef": claim.claim_ref}, claim.operator)
        self.told.holds_nothing[claim.claim_ref] = True

    def _move(self, claim: Journey, source: random.Random) -> None:
        self._move_to(claim, self._slot(claim, source))

    def _move_to_offer(self, claim: Journey, source: random.Random) -> None:
        self._move_to(claim, self._offered(claim, source), postcode=claim.case.postcode)

    def _move_to(self, claim: Journey, slot_id: str, **where: str) -> None:
        self._change("MoveAppointment", self._as_read(claim) | {"slotId": slot_id, **where}, claim.operator)
        self.told.holds_nothing[claim.claim_ref] = True

    def _cancel(self, claim: Journey, _source: random.Random) -> None:
        self._change("CancelAppointment", self._as_read(claim) | {"reason": "ill"}, claim.operator)

    def _join(self, claim: Journey, source: random.Random) -> None:
        this = self._as_read(claim)
        more = {"noticeHours": source.choice((0, 0, 24)), "byTelephone": source.choice((True, False))}
        self._change("JoinWaitingList", {"appointmentId": this["appointmentId"], **more}, claim.operator)
        self.told.places[this["appointmentId"]] = Place(version=this["version"], is_listed=True)

    def _leave(self, claim: Journey, _source: random.Random) -> None:
        this = self._as_read(claim)
        try:
            self._change("LeaveWaitingList", {"appointmentId": this["appointmentId"]}, claim.operator)
        finally:
            # Refused as NOT_WAITING it is on no list either; any other refusal but that of an ended one ends the test.
            self.told.places[this["appointmentId"]] = Place(version=this["version"], is_listed=False)

    def _as_read(self, claim: Journey) -> dict[str, Any]:
        asked = {"claimRef": claim.claim_ref}
        manager = claim.issue("SERVICE_MANAGER", subject="SM000001")
        answer = self._doors.call(SCHEDULING, "GetAppointment", asked, token=manager, purpose=claim.work_item)
        found = answer["appointment"]
        return {"appointmentId": found["appointmentId"], "version": found["version"]}

    def _slot(self, claim: Journey, source: random.Random) -> str:
        """One of the next free slots: callers often want the same. Sometimes a later one, for which it is worth to wait."""
        later = clock.now() + timedelta(days=source.choice((0, 0, 3)))
        body = {"officeCode": OFFICE, "pageSize": 15, "from": later.isoformat()}
        found = self._doors.call(SCHEDULING, "FindSlots", body, token=claim.operator)["slots"]
        return str(source.choice(found)["slotId"]) if found else f"{ASSESSORS[0]}-20200101T0900Z"

    def _offered(self, claim: Journey, source: random.Random) -> str:
        """One of the slots that are offered and held for the claim, sometimes for a visit at the claimant's home."""
        body = {"claimRef": claim.claim_ref, "postcode": claim.case.postcode}
        channel = source.choice(("", "CHANNEL_HOME_VISIT"))
        self.told.holds_nothing[claim.claim_ref] = False
        found = self._change("OfferSlots", body | ({"channel": channel} if channel else {}), claim.operator)["offers"]
        return str(source.choice(found)["slot"]["slotId"])

    # What managers do, at the same office.

    def _be_away(self, source: random.Random, manager: str) -> None:
        self._away(("RecordAbsence", "CancelAbsence"), {"assessorId": source.choice(ASSESSORS)}, source, manager)

    def _close(self, source: random.Random, manager: str) -> None:
        self._away(("CloseOffice", "ReopenOffice"), {"officeCode": OFFICE}, source, manager)

    def _away(self, methods: tuple[str, str], away: Mapping[str, str], source: random.Random, manager: str) -> None:
        begins = clock.now() + timedelta(days=source.randrange(4))
        until = begins + timedelta(hours=source.choice((3, 9, 30)))
        times = {"from": begins.isoformat(), "until": until.isoformat(), "reason": "ill"}
        record, end = methods
        self._try(self._change, record, {**away, **times}, manager)
        self._over.wait(source.uniform(0, 0.5))
        self._try(self._change, end, away, manager)

    def _publish(self, source: random.Random, manager: str) -> None:
        """Publishes an assessor's rota with some of its shifts, and a little later with all of them."""
        assessor_id = source.choice(ASSESSORS)
        # One manager for each rota, as in an office: otherwise the last to publish might leave out what others restored.
        with self._is_published:
            whole = self._still_to_come(assessor_id)
            some = source.sample(whole, source.randrange(len(whole)))
            self._change("PublishRota", self._rota_request(assessor_id, whole, some), manager)
            self._over.wait(source.uniform(0, 0.5))
            self._publish_whole(assessor_id, manager)

    def _publish_whole(self, assessor_id: str, manager: str) -> None:
        whole = self._still_to_come(assessor_id)
        self._change("PublishRota", self._rota_request(assessor_id, whole, whole), manager)

    def _still_to_come(self, assessor_id: str) -> list[dict[str, Any]]:
        # One that ends while it is being published would be refused.
        soon = clock.now() + timedelta(seconds=2 * _PATIENCE_SECONDS)
        return [shift for shift in self._rotas[assessor_id] if datetime.fromisoformat(shift["end"]) > soon]

    @staticmethod
    def _rota_request(
        assessor_id: str, whole: Sequence[Mapping[str, Any]], shifts: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        mondays = {_monday(datetime.fromisoformat(shift["start"])) for shift in whole}
        weeks = [{"year": day.year, "month": day.month, "day": day.day} for day in sorted(mondays)]
        return {"assessorId": assessor_id, "officeCode": OFFICE, "shifts": list(shifts), "weeks": weeks}

    def _see_to_list(self, source: random.Random, manager: str) -> None:
        """Moves an interview that nobody is there to hold to a slot that the list names, or cancels it."""
        found = self._doors.call(SCHEDULING, "ListNotMoved", {"officeCode": OFFICE}, token=manager)["notMoved"]
        listed = [one for one in found if one["appointment"]["claimRef"] in self._refs]
        if not listed:
            self._over.wait(source.uniform(0, 0.5))
            return
        one = source.choice(listed)
        this = {"appointmentId": one["appointment"]["appointmentId"], "version": one["appointment"]["version"]}
        named = [solution["slot"]["slotId"] for solution in one["solutions"] if solution.get("slot")]
        if named:
            self._try(self._change, "MoveAppointment", this | {"slotId": source.choice(named)}, manager)
        else:
            self._try(self._change, "CancelAppointment", this | {"reason": "nobody is there"}, manager)
        self.acts["ListNotMoved"] += 1


def _shown(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The appointments that a response shows."""
    if "appointment" in answer:
        yield answer["appointment"]
    for one in (*answer.get("moved", ()), *answer.get("notMoved", ())):
        yield one["appointment"]


def _is_late(shift: Mapping[str, Any]) -> bool:
    return datetime.fromisoformat(shift["start"]).astimezone(clock.LONDON).hour >= _NOON


def _as_visits(shift: Mapping[str, Any]) -> dict[str, Any]:
    """The same shift, spent on visits: none of them is kept for emergencies."""
    return {**shift, "channel": "CHANNEL_HOME_VISIT", "emergencySlots": 0}


def _monday(moment: datetime) -> date:
    day = moment.astimezone(clock.LONDON).date()
    return day - timedelta(days=day.weekday())
