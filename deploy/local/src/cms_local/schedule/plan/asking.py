"""What a plan rests on, asked at scheduling's door: the load of each office, and who has an interview on which day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from chassis import clock
from cms_local import keys
from cms_local.doors import Doors
from cms_local.layout import Layout
from cms_local.schedule.plan.region import Region
from scheduling.domain.working_time import ONE_DAY

_PATIENCE_SECONDS = 30.0
_PAGE = 200
_REACH = 5 * ONE_DAY
"""The days after the last one on which those who call on it can still be seen in time."""
_LIVE = ("APPOINTMENT_STATE_BOOKED", "APPOINTMENT_STATE_MOVED")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The answers: of GetOfficeLoad by office, and the assessors who have an interview, each with its day."""

    loads: dict[str, dict[str, Any]]
    busy: frozenset[tuple[str, date]]


def ask(layout: Layout, region: Region, *, monday: date) -> Asked:
    """Asks about the week that begins then, and the days until it. Raises Refused, httpx.TransportError."""
    token = keys.issue(layout.keys(""), "SERVICE_MANAGER", subject="CMS00001")
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
        days = {"from": message(clock.today()), "until": message(monday + 4 * ONE_DAY + _REACH)}
        return Asked(
            loads={
                code: doors.call("scheduling-svc", "GetOfficeLoad", days | {"officeCode": code}, token=token)
                for code in region.offices
            },
            busy=frozenset(one for code in region.offices for one in _busy(doors, token, code, monday)),
        )


def message(day: date) -> dict[str, int]:
    """The day as a message."""
    return {"year": day.year, "month": day.month, "day": day.day}


def _busy(doors: Doors, token: str, office_code: str, monday: date) -> Iterator[tuple[str, date]]:
    for day in (monday + number * ONE_DAY for number in range(7)):
        asked: dict[str, Any] = {"office": office_code, "day": message(day), "pageSize": _PAGE, "pageToken": ""}
        while True:
            answer = doors.call("scheduling-svc", "ListAppointments", asked, token=token)
            yield from ((one["assessorId"], day) for one in answer["appointments"] if one["state"] in _LIVE)
            asked["pageToken"] = answer["nextPageToken"]
            if not asked["pageToken"]:
                break
