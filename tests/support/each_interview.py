"""Acts that together call every method of scheduling that changes something."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from chassis import clock
from chassis.bank_holidays import Nation, is_bank_holiday
from cms_local.journey import Journey
from tests.support.dying_doors import DyingDoors
from tests.support.platforms import PlatformUnderTest

SERVICE = "scheduling-svc"
# Not so long ago that it would be pruned.
BEGIN = """
    UPDATE appointments SET start_time = past.start, end_time = past.start + interval '1 second'
    FROM (SELECT now() - interval '1 day' - random() * interval '1 year' AS start) AS past
    WHERE appointment_id = %s
"""


def change_appointments(platform: PlatformUnderTest, doors: DyingDoors, claim: Journey) -> None:
    """Moves one interview and cancels it; another one's time comes, and the claimant with it.

    Slots are offered for each and given up again; the second one waits for an earlier one for a moment.
    """

    def change(method: str, journey: Journey, appointment: Mapping[str, Any], **more: Any) -> Any:
        this = {"appointmentId": appointment["appointmentId"], "version": appointment["version"]}
        body = this | {"requestId": str(uuid4())} | more
        return doors.call(SERVICE, method, body, token=journey.operator)["appointment"]

    journeys = [platform.journey("lodger") for _ in range(2)]
    for journey in journeys:
        journey.start_call()
        journey.answer(journey.case.answers)
        offer_and_release(doors, journey)
        journey.book()
    wait_a_moment(doors, journeys[1])
    office = {"officeCode": journeys[0].appointment["office"]["code"], "pageSize": 1}
    [free] = doors.call(SERVICE, "FindSlots", office, token=claim.operator)["slots"]
    moved = change("MoveAppointment", journeys[0], journeys[0].appointment, slotId=free["slotId"])
    change("CancelAppointment", journeys[0], moved, reason="found work")
    platform.execute(SERVICE, BEGIN, journeys[1].appointment["appointmentId"])
    change("RecordAttendance", journeys[1], journeys[1].appointment, attended=True)


def offer_and_release(doors: DyingDoors, claim: Journey) -> None:
    """Slots are held for a claim and given up."""
    this = {"claimRef": claim.claim_ref}
    near = this | {"postcode": claim.case.postcode, "requestId": str(uuid4())}
    doors.call(SERVICE, "OfferSlots", near, token=claim.operator)
    doors.call(SERVICE, "ReleaseSlots", this | {"requestId": str(uuid4())}, token=claim.operator)


def wait_a_moment(doors: DyingDoors, claim: Journey) -> None:
    """The interview is put on the waiting list, on which nothing suits, and taken off it."""
    this = {"appointmentId": claim.appointment["appointmentId"]}
    for method, more in (("JoinWaitingList", {"noticeHours": 0}), ("LeaveWaitingList", {})):
        doors.call(SERVICE, method, this | more | {"requestId": str(uuid4())}, token=claim.operator)


def publish_a_rota(doors: DyingDoors, claim: Journey) -> None:
    """Publishes an hour of work of an assessor, seven weeks ahead or more."""
    days = (clock.today() + timedelta(days=number) for number in range(50, 60))
    day = next(day for day in days if day.weekday() < 5 and not is_bank_holiday(day, Nation.ENGLAND))
    start = datetime.combine(day, time(10), tzinfo=UTC)
    shift = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "channel": "CHANNEL_OFFICE"}
    body = {"assessorId": "ALE02001", "officeCode": "600021", "shifts": [shift], "requestId": str(uuid4())}
    doors.call(SERVICE, "PublishRota", body, token=claim.issue("SERVICE_MANAGER", subject="SM000001"))


def be_away(doors: DyingDoors, claim: Journey) -> None:
    """An assessor is away, and an office closed, in a night in which nobody works; then both are back."""
    manager = claim.issue("SERVICE_MANAGER", subject="SM000001")
    night = clock.now().replace(hour=1) + timedelta(days=2)
    times = {"from": night.isoformat(), "until": (night + timedelta(hours=1)).isoformat(), "reason": "away"}
    for begins, ends, away in (
        ("RecordAbsence", "CancelAbsence", {"assessorId": "ALE02001"}),
        ("CloseOffice", "ReopenOffice", {"officeCode": "600021"}),
    ):
        doors.call(SERVICE, begins, away | times | {"requestId": str(uuid4())}, token=manager)
        doors.call(SERVICE, ends, away | {"requestId": str(uuid4())}, token=manager)


def link_a_diary(doors: DyingDoors, claim: Journey) -> None:
    """An assessor makes a link to their diary, and revokes it."""
    assessor = claim.issue(
        "ASSESSOR", subject=claim.appointment["assessorId"], office=claim.appointment["office"]["code"]
    )
    made = doors.call(SERVICE, "CreateDiaryLink", {"requestId": str(uuid4())}, token=assessor)
    revoke = {"linkId": made["link"]["linkId"], "requestId": str(uuid4())}
    doors.call(SERVICE, "RevokeDiaryLink", revoke, token=assessor)
