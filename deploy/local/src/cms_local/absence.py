"""The demo's absence: an assessor is off sick at ten to nine, and the interviews of the day are moved at once."""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from chassis import clock
from cms_local import keys
from cms_local.cases import Case
from cms_local.doors import Doors
from cms_local.journey import SCHEDULING, Journey
from cms_local.layout import Layout

INTERVIEWS = 4
"""So many of the assessor's interviews are booked for the day."""
CASE = "lodger"
_HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class Absence:
    """The outcome for the interviews of the absent assessor."""

    journeys: Sequence[Journey]
    moved: int
    not_moved: int


def fall_ill(
    layout: Layout, doors: Doors, callers: Executor, claims: Sequence[Journey], say: Callable[[str], None]
) -> Absence:
    """Books the claims' interviews with one assessor on one day, who then is off sick; the claims go on with others.

    The interviews are of today, or of the next day that has as many free slots.
    """
    manager = keys.issue(layout.keys(""), "SERVICE_MANAGER", subject="SM000001")
    for claim, slot in zip(claims, _day_of_one_assessor(doors, claims[0]), strict=True):
        claim.slot_id = slot["slotId"]
    list(callers.map(lambda claim: claim.take_call(), claims))
    away = claims[0].appointment
    found = _record(doors, manager, away)
    for claim in claims:
        claim.meet_again()
    told = ", ".join(sorted(_told(moved) for moved in found["moved"])) or "none"
    say(f"{_clock_time(clock.now())}  {away['assessorId']} at {away['office']['name']} is off sick. Moved: {told}")
    for left in found["notMoved"]:
        ways = ", ".join(way["kind"].removeprefix("SOLUTION_KIND_").lower() for way in left["solutions"])
        say(f"       not moved: {left['appointment']['claimRef']}; what would solve it: {ways}")
    return Absence(journeys=claims, moved=len(found["moved"]), not_moved=len(found["notMoved"]))


def claims_for(make: Callable[[Case, random.Random], Journey], case: Case, source: random.Random) -> list[Journey]:
    """The claims whose interviews are moved, ready to begin."""
    return [make(case, random.Random(source.random())) for _ in range(INTERVIEWS)]


def _day_of_one_assessor(doors: Doors, claim: Journey) -> Sequence[Mapping[str, Any]]:
    """Free slots of an assessor on one day at one office near the claimant: the first day that has as many."""
    body = {"postcode": claim.case.postcode, "pageSize": 100}
    by_day: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for slot in doors.call(SCHEDULING, "FindSlots", body, token=claim.operator)["slots"]:
        by_day.setdefault((slot["startTime"][:10], slot["assessorId"]), []).append(slot)
    enough = sorted(key for key, slots in by_day.items() if len(slots) >= INTERVIEWS)
    if not enough:
        raise LookupError(f"no assessor near {claim.case.title} has {INTERVIEWS} free slots on one day")
    return by_day[enough[0]][:INTERVIEWS]


def _record(doors: Doors, manager: str, away: Mapping[str, Any]) -> Mapping[str, Any]:
    begins = clock.now()
    until = max(datetime.fromisoformat(away["startTime"]), begins) + _HALF_A_DAY
    body = {
        "assessorId": away["assessorId"],
        "from": begins.isoformat(),
        "until": until.isoformat(),
        "reason": "off sick",
        "requestId": str(uuid4()),
    }
    return doors.call(SCHEDULING, "RecordAbsence", body, token=manager)


def _told(moved: Mapping[str, Any]) -> str:
    appointment = moved["appointment"]
    before, after = moved["previousStartTime"], appointment["startTime"]
    when = _clock_time(datetime.fromisoformat(before))
    if after != before:
        when += f" to {_clock_time(datetime.fromisoformat(after))} on {after[:10]}"
    return f"{when} to {appointment['assessorId']} at {appointment['office']['name']}"


def _clock_time(moment: datetime) -> str:
    return f"{moment.astimezone(clock.LONDON):%H:%M}"
