"""No request that the contract permits costs more than the budget, whatever it holds."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.descriptor import MethodDescriptor

from chassis import clock
from chassis.runtime import Process
from chassis.testing import Tokens, costs

CLAIM = "C0000000001Y"
NEEDS = ["APPOINTMENT_NEED_WELSH"] * 10


def sound(method: str) -> dict[str, Any]:
    """The fields by which a request of a method comes as far as it can."""
    known: dict[str, dict[str, Any]] = {
        "FindSlots": {
            "postcode": "SW1A 2AA",
            "officeCode": "",
            "from": clock.now().isoformat(),
            "until": (clock.now() + timedelta(days=60)).isoformat(),
            "channel": "CHANNEL_OFFICE",
            "needs": [],
            "pageSize": 100,
            "pageToken": "",
        },
        "BookAppointment": {
            "claimRef": CLAIM,
            "slotId": "",
            "earliest": True,
            "postcode": "CF10" + " " * 20 + "4ER",
            "channel": "CHANNEL_OFFICE",
            "needs": NEEDS,
            "requestId": str(uuid4()),
        },
        "OfferSlots": {
            "claimRef": CLAIM,
            "postcode": "SW1A 2AA",
            "officeCode": "",
            "needs": NEEDS,
            "from": clock.now().isoformat(),
            "until": (clock.now() + timedelta(days=60)).isoformat(),
            "channel": "CHANNEL_OFFICE",
            "declinedSlotIds": ["ALE02001-20200101T0900Z"] * 40,
            "requestId": str(uuid4()),
        },
        "ReleaseSlots": {
            "claimRef": CLAIM,
            "slotIds": ["ALE02001-20200101T0900Z"] * 40,
            "requestId": str(uuid4()),
        },
        "GetAppointment": {"claimRef": CLAIM, "appointmentId": ""},
        "PublishRota": {
            "assessorId": "ALE02001",
            "officeCode": "600021",
            "shifts": [shift(number) for number in range(400)],
            "weeks": [],
            "requestId": str(uuid4()),
        },
        "RecordAbsence": {"assessorId": "ALE02001"} | _while_away(),
        "CancelAbsence": {"assessorId": "ALE02001", "requestId": str(uuid4())},
        "CloseOffice": {"officeCode": "600021"} | _while_away(),
        "ReopenOffice": {"officeCode": "600021", "requestId": str(uuid4())},
        "ListNotMoved": {"officeCode": "", "pageSize": 100, "pageToken": ""},
        "ListAppointments": {"claimRef": "", "office": "600021", "assessor": "", "pageSize": 200, "pageToken": ""},
        "GetOfficeLoad": {
            "officeCode": "",
            "from": _date(clock.today()),
            "until": _date(clock.today() + timedelta(weeks=11)),
            "pageSize": 100,
            "pageToken": "",
        },
        "CreateDiaryLink": {"requestId": str(uuid4())},
        "GetDiaryLinks": {"assessor": "ALE02001"},
        "RevokeDiaryLink": {"linkId": str(uuid4()), "requestId": str(uuid4())},
    }
    return known.get(method) or _change(method)


def _date(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _while_away() -> dict[str, Any]:
    until = clock.now() + timedelta(days=365)
    times = {"from": clock.now().isoformat(), "until": until.isoformat()}
    return times | {"reason": "w" * 500, "requestId": str(uuid4())}


def shift(number: int) -> dict[str, Any]:
    """Shifts that follow each other without a break, from tomorrow on: most are at night or past midnight."""
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1, hours=number)
    end = start + timedelta(hours=1)
    return {"start": start.isoformat(), "end": end.isoformat(), "channel": "CHANNEL_OFFICE", "skills": []}


def _change(method: str) -> dict[str, Any]:
    more: dict[str, dict[str, Any]] = {
        "MoveAppointment": {"slotId": "ALE02001-20200101T0900Z"},
        "CancelAppointment": {"reason": "w" * 500},
        "RecordAttendance": {"attended": True},
        "JoinWaitingList": {"officeCodes": ["600021"] * 10, "byTelephone": True, "noticeHours": 1},
        "LeaveWaitingList": {},
    }
    version = {} if "WaitingList" in method else {"version": 1}
    return {"appointmentId": str(uuid4()), "requestId": str(uuid4())} | version | more[method]


@pytest.mark.parametrize(
    "method", costs.methods_of("cms.scheduling.v1.SchedulingService"), ids=lambda method: method.name
)
def test_the_dearest_requests_are_cheap(
    process: Process, intake: Any, tokens: Tokens, method: MethodDescriptor
) -> None:
    intake.open(CLAIM)

    costs.expect_cheap(
        process,
        method,
        costs.dearest_requests(method, lambda: sound(method.name)),
        tokens.issue("OPERATOR", "SERVICE_MANAGER", "ASSESSOR", subject="ALE02001", office="600021"),
    )
