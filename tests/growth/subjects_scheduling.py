"""scheduling-svc with a history of slots, appointments and first contacts."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.postcodes import build_extract
from chassis.runtime import Service
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from scheduling.__main__ import intake_at, service
from scheduling.config import Settings
from scheduling.domain.rotas import WEEK, monday_of
from tests.growth import chassis_history
from tests.growth.chassis_history import CLAIM, ID, PAST
from tests.growth.intake_stand_in import serving
from tests.growth.subject import Caller, Subject
from tests.support import rotas

POSTCODE, OFFICE = "LS1 3AB", "600021"
_OPERATOR = Caller(role="OPERATOR")
_ASSESSOR = Caller(role="ASSESSOR", subject="ALE02001", office=OFFICE)
_MANAGER = Caller(role="SERVICE_MANAGER", subject="SM000001")

# Each claim had an interview of an hour. The diary keeps none of them: they are over.
_APPOINTMENTS = f"""
    INSERT INTO appointments (appointment_id, claim_ref, office_code, assessor_id, start_time, end_time, channel, state,
        first_contact_time, target_time, working_lead_time, version, booked_time)
    SELECT {ID}, {CLAIM}, (%(offices)s::text[])[1 + n %% cardinality(%(offices)s::text[])], 'H' || n %% 1000,
        began, began + interval '1 hour', 'OFFICE', 'ATTENDED', {PAST}, {PAST}, '1 hour', 1, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n,
        LATERAL (SELECT timestamptz '2020-01-01' + interval '1 hour' * (n / 1000) AS began) AS time
    WHERE n > 40
"""
# Shifts of three months ago and before, which are pruned a part at a time.
_SHIFTS = """
    INSERT INTO shifts (assessor_id, office_code, start_time, end_time, channel)
    SELECT 'H' || n %% 1000, (%(offices)s::text[])[1 + n %% cardinality(%(offices)s::text[])],
        began, began + interval '1 hour', 'OFFICE'
    FROM generate_series(%(first)s, %(last)s) AS n,
        LATERAL (SELECT timestamptz '2020-01-01' + interval '1 hour' * (n / 1000) AS began) AS time
"""
# The diary has what is to come, as much at every size: an empty one would be read whole, and its reads would seem to grow.
_DIARY = """
    INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, held_until)
    SELECT 'H' || n %% 100, 'CH' || n, began, began + interval '45 minutes', now() + interval '1 year'
    FROM generate_series(1, 5000) AS n, LATERAL (SELECT now() + interval '1 hour' * (n / 100) AS began) AS time
"""
_FIRST_CONTACTS = f"""
    INSERT INTO first_contacts (claim_ref, first_contact_time, booked)
    SELECT {CLAIM}, {PAST}, n > 40 FROM generate_series(%(first)s, %(last)s) AS n
"""
# Interviews booked at a few offices a day, of years that are pruned a day at a time.
_DEMAND = """
    INSERT INTO demand_days (day, office_code, channel, booked, within_target, elapsed_seconds, working_seconds)
    SELECT date '1650-01-01' + n / 10, (%(offices)s::text[])[1 + n %% 10], 'OFFICE', 3, 2, 1000, 1000
    FROM generate_series(%(first)s, %(last)s) AS n
"""
# An office has more demand than slots: its breaches are told.
_SURGE = """
    INSERT INTO demand_days (day, office_code, channel, booked, within_target, elapsed_seconds, working_seconds)
    SELECT day::date, '600011', 'OFFICE', 300, 100, 1000, 1000
    FROM generate_series(now() - interval '50 days', now() - interval '2 days', '1 day') AS day
    ON CONFLICT DO NOTHING
"""
# Every day was counted but yesterday, which is counted at each turn.
_COUNTED = """
    INSERT INTO counted_days (day)
    SELECT day::date FROM generate_series(now() - interval '60 days', now() - interval '2 days', '1 day') AS day
    ON CONFLICT DO NOTHING
"""
_MEASURE_ANEW = "UPDATE office_measures SET measured_time = measured_time - interval '1 hour'"
_COUNT_ANEW = "DELETE FROM counted_days WHERE day >= now() - interval '2 days'"
# The interview was long ago, at a time of its own.
_BEGIN = """
    UPDATE appointments SET start_time = past.start, end_time = past.start + interval '1 second'
    FROM (SELECT timestamptz '1990-01-01' + random() * interval '5 years' AS start) AS past
    WHERE appointment_id = %(appointment)s
"""


class Scheduling(Subject):
    """The service that books interviews."""

    name = "scheduling"

    def service(self) -> Service:
        """The service as `__main__` makes it, with an intake that knows every claim."""
        postcodes = self.place.folder / "postcodes.sqlite"
        build_extract(postcodes)
        intake = self.closing.enter_context(serving({}))
        made = service(self.settings(Settings, "scheduling-svc", postcodes_file=postcodes), intake_at(intake))
        return replace(made, prepare=lambda runtime: rotas.publish(runtime.database))

    def fill(self, first: int, last: int) -> None:
        """A claim has had an interview, and an assessor a shift."""
        offices = list(rotas.STAFFED)
        self.sql(_SHIFTS, first=first, last=last, offices=offices)
        self.sql(_APPOINTMENTS, first=first, last=last, offices=offices)
        self.sql(_FIRST_CONTACTS, first=first, last=last)
        if first == 1:
            self.sql(_DIARY)
        self.sql(_DEMAND, first=first, last=last, offices=offices)
        self.sql(_COUNTED)
        self.sql(_SURGE)
        chassis_history.fill(self, first, last, sources=["intake-svc", "assessment-svc"])

    def exercise(self, turn: int) -> None:
        """Bookings by both ways, searches for slots, and appointments of today and of the past."""
        self.hear(_first_contact(), f"CT{turn:09}Z")
        self._find()
        earliest = {"earliest": True, "postcode": POSTCODE}
        booked = self.change(
            "BookAppointment", {"claimRef": f"CT{turn:09}Y"} | earliest, by=_OPERATOR, note="the earliest"
        )
        self.call("GetAppointment", {"appointmentId": booked["appointment"]["appointmentId"]}, by=_OPERATOR)
        self.call("GetAppointment", {"claimRef": f"CT{turn:09}Y"}, by=_OPERATOR, note="of a claim")
        slot = self.call("FindSlots", {"officeCode": OFFICE}, by=_OPERATOR, note="of an office")["slots"][0]["slotId"]
        second = self.change(
            "BookAppointment", {"claimRef": f"CT{turn:09}X", "slotId": slot}, by=_OPERATOR, note="a slot"
        )
        self._offer(turn, second["appointment"])
        self._change(second["appointment"])
        # It is kept after the booking, which is then about the schemes that it names.
        self.hear(_first_contact(), f"CT{turn:09}Y")
        self._attend(booked["appointment"])
        self._publish(turn)
        self._be_away()
        self._list(booked["appointment"])
        self._link()
        self._learn()
        self.step_own_workers()
        self.hear(events_pb2.ClaimWithdrawn(withdraw_time=_now()), f"CT{turn:09}X")
        self.hear(events_pb2.ClaimErased(), f"CT{turn:09}X")
        self.hear(assessment_events.AssessmentClosed(close_time=_now(), ends_assessment=True), f"CT{turn:09}Y")

    def _offer(self, turn: int, appointment: dict[str, Any]) -> None:
        """Slots are held for a call that ends, and an interview waits for an earlier one."""
        claim = {"claimRef": f"CT{turn:09}W"}
        held = self.change("OfferSlots", claim | {"postcode": POSTCODE}, by=_OPERATOR)
        declined = {"declinedSlotIds": [held["offers"][0]["slot"]["slotId"]]}
        self.change("OfferSlots", claim | {"postcode": POSTCODE} | declined, by=_OPERATOR, note="again")
        self.change("ReleaseSlots", claim, by=_OPERATOR)
        self.hear(events_pb2.CallEnded(end_time=_now()), claim["claimRef"])
        this = {"appointmentId": appointment["appointmentId"]}
        self.change("JoinWaitingList", this | {"noticeHours": 0}, by=_OPERATOR)
        self.change("LeaveWaitingList", this, by=_OPERATOR)

    def _change(self, appointment: dict[str, Any]) -> None:
        free = self.call("FindSlots", {"officeCode": OFFICE}, by=_OPERATOR, note="of an office")["slots"][0]["slotId"]
        this = {"appointmentId": appointment["appointmentId"]}
        moved = self.change("MoveAppointment", this | {"slotId": free, "version": 1}, by=_OPERATOR)["appointment"]
        self.change("CancelAppointment", this | {"reason": "ill", "version": moved["version"]}, by=_OPERATOR)
        self.call("GetAppointment", this, by=_OPERATOR, note="a cancelled one")

    def _attend(self, appointment: dict[str, Any]) -> None:
        """The interview was long ago, and nobody came."""
        self.sql(_BEGIN, appointment=appointment["appointmentId"])
        missed = {"appointmentId": appointment["appointmentId"], "attended": False, "version": 1}
        self.change("RecordAttendance", missed, by=_OPERATOR)

    def _learn(self) -> None:
        """A day is counted and learnt from, something old is pruned, and the load of offices follows."""
        self.sql(_COUNT_ANEW)
        for _ in range(5):
            self.step("demand")
        self.sql(_MEASURE_ANEW)
        for _ in range(2):
            self.step("load")
        today = clock.today()
        week = {"from": _message(today), "until": _message(today + timedelta(days=6))}
        self.call("GetOfficeLoad", week | {"officeCode": OFFICE}, by=_MANAGER, note="of an office")
        page = self.call("GetOfficeLoad", week | {"pageSize": 30}, by=_MANAGER)
        self.call(
            "GetOfficeLoad", week | {"pageToken": page["nextPageToken"], "pageSize": 30}, by=_MANAGER, note="next page"
        )

    def _publish(self, turn: int) -> None:
        """A day far ahead is published and taken back, though an interview is booked that nobody can hold then."""
        day = monday_of(clock.today()) + 9 * WEEK + timedelta(days=1)
        start = datetime.combine(day, time(9), tzinfo=UTC)
        end = start + timedelta(hours=2, minutes=turn % 50)
        shift = {"start": start.isoformat(), "end": end.isoformat(), "channel": "CHANNEL_OFFICE"}
        monday = day - timedelta(days=1)
        assessor = {"assessorId": "ALE02001"}
        rota = assessor | {"officeCode": OFFICE}
        self.change("PublishRota", rota | {"shifts": [shift]}, by=_MANAGER)
        slot_id = f"ALE02001-{start:%Y%m%dT%H%MZ}"
        booking = {"claimRef": f"CT{turn:09}V", "slotId": slot_id}
        away = assessor | {"from": start.isoformat(), "until": end.isoformat(), "reason": "leave"}
        self.change("RecordAbsence", away, by=_MANAGER, note="far ahead")
        self.mistake("BookAppointment", booking, by=_OPERATOR, reason="SLOT_TAKEN")
        self.change("CancelAbsence", assessor, by=_MANAGER, note="that has not begun")
        booked = self.change("BookAppointment", booking, by=_OPERATOR, note="far ahead")["appointment"]
        week = {"year": monday.year, "month": monday.month, "day": monday.day}
        self.change("PublishRota", rota | {"weeks": [week]}, by=_MANAGER, note="of nothing")
        this = {"appointmentId": booked["appointmentId"], "version": booked["version"]}
        self.change("CancelAppointment", this | {"reason": "ill"}, by=_OPERATOR, note="of one that nobody can hold")

    def _be_away(self) -> None:
        """An assessor is away, and an office closed, on a day with one interview; both are open again afterwards."""
        claim_ref = {"claimRef": f"CT{uuid.uuid4().int % 10**9:09}W"}
        booked = self.change("BookAppointment", claim_ref | {"earliest": True, "postcode": POSTCODE}, by=_OPERATOR)
        for reason, ends, of in (
            ("RecordAbsence", "CancelAbsence", "assessorId"),
            ("CloseOffice", "ReopenOffice", "officeCode"),
        ):
            now = self.call("GetAppointment", claim_ref, by=_OPERATOR)["appointment"]
            away = {of: now["assessorId"] if of == "assessorId" else now["office"]["code"]}
            until = datetime.fromisoformat(now["endTime"])
            times = {"from": clock.now().isoformat(), "until": until.isoformat()}
            self.change(reason, away | times | {"reason": "ill"}, by=_MANAGER)
            self.call("ListNotMoved", {}, by=_MANAGER)
            self.change(ends, away, by=_MANAGER)
        now = self.call("GetAppointment", claim_ref, by=_OPERATOR)["appointment"]
        this = {"appointmentId": booked["appointment"]["appointmentId"], "version": now["version"]}
        self.change("CancelAppointment", this | {"reason": "ill"}, by=_OPERATOR)

    def _list(self, appointment: dict[str, Any]) -> None:
        """Each kind of list, and the page that follows."""
        today = {"year": clock.today().year, "month": clock.today().month, "day": clock.today().day}
        lists: dict[str, dict[str, Any]] = {
            "of a claim": {"claimRef": appointment["claimRef"]},
            "of an office": {"office": OFFICE},
            "of an assessor": {"assessor": appointment["assessorId"]},
            "of an office and a day": {"office": OFFICE, "day": today},
        }
        for note, wanted in lists.items():
            page = self.call("ListAppointments", wanted | {"pageSize": 1}, by=_MANAGER, note=note)
            if token := page["nextPageToken"]:
                more = wanted | {"pageSize": 1, "pageToken": token}
                self.call("ListAppointments", more, by=_MANAGER, note=f"{note}, next page")

    def _link(self) -> None:
        """A calendar program reads an assessor's diary once, before the link is revoked."""
        made = self.change("CreateDiaryLink", {}, by=_ASSESSOR)
        self.call("GetDiaryLinks", {}, by=_ASSESSOR)
        self.read_page(made["url"], note="page of a diary")
        self.change("RevokeDiaryLink", {"linkId": made["link"]["linkId"]}, by=_ASSESSOR)

    def _find(self) -> None:
        searches: dict[str, dict[str, Any]] = {
            "": {"postcode": POSTCODE},
            "for a need": {"officeCode": "600111", "needs": ["APPOINTMENT_NEED_WELSH"]},
            "by telephone": {"postcode": POSTCODE, "channel": "CHANNEL_TELEPHONE"},
            "from a day that is past": {"officeCode": OFFICE, "from": "2020-01-01T00:00:00Z"},
            "until tomorrow": {"officeCode": OFFICE, "until": (clock.now() + timedelta(days=1)).isoformat()},
        }
        for note, search in searches.items():
            self.call("FindSlots", search, by=_OPERATOR, note=note)
            # How far a page of the usual size goes depends on the hour; one slot is always of the first shifts.
            one = search | {"pageSize": 1}
            page = self.call("FindSlots", one, by=_OPERATOR, note=f"{note}, one slot")
            if token := page["nextPageToken"]:
                self.call("FindSlots", one | {"pageToken": token}, by=_OPERATOR, note=f"{note}, next page")


def _message(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _first_contact() -> events_pb2.FirstContactRecorded:
    schemes = [common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE]
    return events_pb2.FirstContactRecorded(first_contact_time=_now(), schemes=schemes)


def _now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp
