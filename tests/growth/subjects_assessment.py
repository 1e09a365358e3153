"""assessment-svc with a history of confirmed work."""

import base64
from datetime import timedelta
from typing import Any, ClassVar

from google.protobuf.timestamp_pb2 import Timestamp

from assessment.__main__ import service
from assessment.config import Settings
from chassis import clock
from chassis.runtime import Service
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2 as intake_events
from cms.notifier.v1 import events_pb2 as notifier_events
from cms.scheduling.v1 import events_pb2 as scheduling_events
from cms_client.bundles import Device, Trip
from tests.growth import chassis_history
from tests.growth.chassis_history import CLAIM, PAST
from tests.growth.intake_stand_in import serving
from tests.growth.subject import Caller, Subject

OFFICE, BUSY_ASSESSOR, IDLE_ASSESSOR = "100101", "AS000101", "AS999999"
_ASSESSOR = Caller(role="ASSESSOR", subject=BUSY_ASSESSOR, office=OFFICE)
_CASEWORKER = Caller(role="CASEWORKER", subject="CW000001")
_OFFICER = Caller(role="PROCESSING_OFFICER", subject="PO000001")
_GATEWAY = Caller(role="SERVICE", subject="legacy-gateway")
_MANAGER = Caller(role="SERVICE_MANAGER", subject="SM000001")
_OF_QUIET_OFFICE = Caller(role="ASSESSOR", subject=BUSY_ASSESSOR, office="999999")

# Of each hundred offices' work some is open: forty pieces in all, ten of them without an interview.
_ASSESSMENTS = f"""
    INSERT INTO assessments (claim_ref, state, version, claim_version, submit_time, schemes, confirmed_schemes, confirmed_by,
        confirmed_time, appointment_id, office_code, assessor_id, start_time, channel, booked_time)
    SELECT {CLAIM}, CASE WHEN n <= 20 THEN 'READY' WHEN n <= 40 THEN 'IN_PROGRESS' ELSE 'CONFIRMED' END, 3,
        CASE WHEN n > 20 THEN 7 ELSE 0 END, {PAST}, schemes, CASE WHEN n > 40 THEN schemes ELSE '{{}}' END,
        CASE WHEN n > 40 THEN 'AS000001' END, CASE WHEN n > 40 THEN {PAST} END,
        CASE WHEN n > 10 THEN 'A' || n END, CASE WHEN n > 10 THEN (100100 + n %% 100)::text END,
        CASE WHEN n > 10 THEN 'AS' || lpad((100 + n %% 100)::text, 6, '0') END, CASE WHEN n > 10 THEN {PAST} END,
        CASE WHEN n > 10 THEN 'OFFICE' END, CASE WHEN n > 10 THEN {PAST} END
    FROM generate_series(%(first)s, %(last)s) AS n, LATERAL (
        SELECT CASE n %% 5 WHEN 0 THEN ARRAY['INCOME_SUPPORT', 'CHILD_MAINTENANCE', 'CRISIS_LOAN']
            ELSE ARRAY['JOBSEEKERS_ALLOWANCE'] END AS schemes
    ) AS claimed
"""
_ITEMS = f"""
    INSERT INTO items (claim_ref, fact, answered_version, status, checked_by, checked_time)
    SELECT {CLAIM}, 'fact_' || part, 3, 'CONFIRMED', 'AS000001', {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 3) AS part WHERE n > 20
"""
_CONFIRMATIONS = f"""
    INSERT INTO confirmations (claim_ref, scheme, claim_version, office_code, assessor_id, confirm_time)
    SELECT {CLAIM}, scheme, 7, (100100 + n %% 100)::text, 'AS000001', {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n,
        unnest(CASE n %% 5 WHEN 0 THEN ARRAY['INCOME_SUPPORT', 'CHILD_MAINTENANCE', 'CRISIS_LOAN']
            ELSE ARRAY['JOBSEEKERS_ALLOWANCE'] END) AS scheme
    WHERE n > 40
"""
# One in a hundred was refused once, ten of them for good as yet.
_OUTCOMES = f"""
    INSERT INTO outcomes (claim_ref, system, accepted_time, rejected_time, rejected_transfer_id, rejected_question_ids)
    SELECT {CLAIM}, 'JSAPS', CASE WHEN n > 50 THEN {PAST} END,
        CASE WHEN n <= 50 OR n %% 100 = 0 THEN {PAST} - interval '1 hour' END,
        CASE WHEN n <= 50 OR n %% 100 = 0 THEN 'T' END,
        CASE WHEN n <= 50 OR n %% 100 = 0 THEN ARRAY['capital'] ELSE '{{}}' END
    FROM generate_series(%(first)s, %(last)s) AS n WHERE n > 40
"""
# The documents that were asked for were seen; the last ten open claims still await theirs.
_EVIDENCE = f"""
    INSERT INTO evidence (claim_ref, kind, state, facts, requested_by, requested_time, due_on, remind_on, seen_on, settled_by,
        settled_time)
    SELECT {CLAIM}, kind, CASE WHEN n <= 40 THEN 'REQUESTED' ELSE 'SEEN' END, ARRAY['surname'], 'AS000001', {PAST},
        current_date + 30, CASE WHEN n <= 40 THEN current_date + 16 END, CASE WHEN n > 40 THEN current_date END,
        CASE WHEN n > 40 THEN 'AS000001' END, CASE WHEN n > 40 THEN {PAST} END
    FROM generate_series(%(first)s, %(last)s) AS n, unnest(ARRAY['PASSPORT', 'HOUSEHOLD_BILL']) AS kind WHERE n > 30
"""
# The platform's clock stands still here, so that a reminder is made due.
_REMIND_NOW = "UPDATE evidence SET remind_on = current_date - 1 WHERE claim_ref = %(claim_ref)s"

_DELAYS = f"""
    INSERT INTO delays (claim_ref, cause, subject, since_time)
    SELECT {CLAIM}, 'TARGET_BREACH', 'A' || n, {PAST} FROM generate_series(%(first)s, %(last)s) AS n
"""
# Ten wait; of the others somebody has considered the payment.
_INTERIM_PAYMENTS = f"""
    INSERT INTO interim_payments (claim_ref, state, since_time, version, outcome, reason, decided_by, decided_time)
    SELECT {CLAIM}, CASE WHEN n <= 10 THEN 'OPEN' ELSE 'DONE' END, {PAST}, 2, CASE WHEN n > 10 THEN 'PAID' END,
        CASE WHEN n > 10 THEN ''::bytea END, CASE WHEN n > 10 THEN 'PO000001' END, CASE WHEN n > 10 THEN {PAST} END
    FROM generate_series(%(first)s, %(last)s) AS n
"""
# A hundred offices, each on as many days as the history has claims for.
_OFFICE_DAYS = """
    INSERT INTO office_days (office_code, day, crisis_loans, interviews, lead_seconds)
    SELECT (100100 + n %% 100)::text, date '1900-01-01' + (n / 100)::integer, 1, 5, 50000
    FROM generate_series(%(first)s, %(last)s) AS n
"""


class Assessment(Subject):
    """The service of the local offices."""

    name = "assessment"
    not_executed: ClassVar[dict[str, str]] = {
        "assessment.store.bundles.forget_corrections": "an intake that refuses a correction; by the primary key",
    }

    def service(self) -> Service:
        """The service as `__main__` makes it: its intake knows every claim, and neither gateway nor notifier answers."""
        intake = self.closing.enter_context(serving({}))
        others = {"gateway_address": intake, "notifier_address": intake}
        return service(self.settings(Settings, "assessment-svc", intake_address=intake, **others))

    def fill(self, first: int, last: int) -> None:
        """A claim has three items and an outcome."""
        for query in (
            _DELAYS,
            _INTERIM_PAYMENTS,
            _OFFICE_DAYS,
            _ASSESSMENTS,
            _ITEMS,
            _CONFIRMATIONS,
            _OUTCOMES,
            _EVIDENCE,
        ):
            self.sql(query, first=first, last=last)
        sources = ["intake-svc", "scheduling-svc", "legacy-gateway"]
        chassis_history.fill(self, first, last, sources=sources)

    def exercise(self, turn: int) -> None:
        """A claim from its submission to its outcomes, and every list of work."""
        claim_ref = f"CT{turn:09}Z"
        self._hear_of(claim_ref)
        self._assess(claim_ref)
        self._outcomes(claim_ref)
        self._lend(f"CT{turn:09}Y")
        self._pay_on_account(f"CT{turn:09}Y", f"CB{turn:09}Z")
        self._list()
        self.hear(intake_events.ClaimWithdrawn(withdraw_time=_stamp(timedelta())), claim_ref)
        self._remind(claim_ref)
        self.hear(intake_events.ClaimErased(), claim_ref)

    def _hear_of(self, claim_ref: str) -> None:
        submitted = intake_events.ClaimSubmitted(
            schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE], submit_time=_stamp(timedelta())
        )
        booked = scheduling_events.AppointmentBooked(
            appointment_id="A1",
            office_code=OFFICE,
            assessor_id=BUSY_ASSESSOR,
            channel=common_pb2.CHANNEL_OFFICE,
            start_time=_stamp(timedelta(hours=1)),
        )
        moved = scheduling_events.AppointmentMoved(
            appointment_id="A1",
            office_code=OFFICE,
            assessor_id=BUSY_ASSESSOR,
            channel=common_pb2.CHANNEL_OFFICE,
            start_time=_stamp(timedelta(hours=2)),
        )
        self.hear(submitted, claim_ref)
        self.hear(booked, claim_ref)
        self.hear(scheduling_events.AppointmentCancelled(appointment_id="A1"), claim_ref)
        self.hear(moved, claim_ref)
        missed = scheduling_events.AppointmentMissed(
            appointment_id="A0", office_code=OFFICE, start_time=_stamp(timedelta())
        )
        attended = scheduling_events.AppointmentAttended(appointment_id="A1", start_time=_stamp(timedelta()))
        self.hear(missed, claim_ref)
        self.hear(attended, claim_ref)

    def _assess(self, claim_ref: str) -> None:
        this = {"claimRef": claim_ref}
        begun = self.change("StartAssessment", this, by=_ASSESSOR)["assessment"]
        checks = {"items": [{"fact": "surname", "status": "ITEM_STATUS_CONFIRMED"}], "version": begun["version"]}
        checked = self.change("VerifyItems", this | checks, by=_ASSESSOR)["assessment"]
        doubt = {"fact": "tenure", "status": "ITEM_STATUS_DISPUTED", "reason": "the deeds say otherwise"}
        disputed = {"items": [doubt], "version": checked["version"]}
        checked = self.change("VerifyItems", this | disputed, by=_ASSESSOR, note="with a doubt")["assessment"]
        correction = {"fact": "tenure", "value": "OWNER", "reason": "saw the deeds", "version": checked["version"]}
        self.change("CorrectItem", this | correction, by=_ASSESSOR)
        version = self._ask_for_evidence(claim_ref)
        self.change("ConfirmAssessment", this | {"version": version}, by=_ASSESSOR)
        self.call("GetConfirmations", this, by=_GATEWAY)
        self.call("GetAssessment", this, by=_ASSESSOR)
        taken = f"CB{claim_ref[2:]}"
        self._hear_of(taken)
        self._take_along(taken)
        closed = f"CS{claim_ref[2:]}"
        self._hear_of(closed)
        closing = {"claimRef": closed, "version": 1, "reason": "CLOSED_REASON_NOT_PURSUED"}
        self.change("CloseAssessment", closing, by=_ASSESSOR)
        self.hear(intake_events.ClaimAmended(changed_fields=["surname"]), claim_ref, version=9)

    def _ask_for_evidence(self, claim_ref: str) -> Any:
        this = {"claimRef": claim_ref}
        kinds = {"kinds": ["EVIDENCE_KIND_PASSPORT", "EVIDENCE_KIND_HOUSEHOLD_BILL"]}
        self.change("RequestEvidence", this | kinds, by=_ASSESSOR)
        self._remind(claim_ref)
        seen = {"kind": "EVIDENCE_KIND_PASSPORT", "seenOn": {"year": 2005, "month": 7, "day": 11}}
        self.change("RecordEvidence", this | seen, by=_OFFICER)
        waived = {"kinds": ["EVIDENCE_KIND_HOUSEHOLD_BILL"], "reason": "burnt"}
        self.change("WaiveEvidence", this | waived, by=_ASSESSOR)
        return self.call("GetEvidence", this, by=_OFFICER)["evidence"]["version"]

    def _take_along(self, claim_ref: str) -> None:
        """A day's interviews are taken away from the office and brought back; another day's are given up."""
        for ending in ("ReturnBundle", "DiscardBundle"):
            device, today = Device.generate(), (clock.now() + timedelta(hours=2)).astimezone(clock.LONDON).date()
            wanted = {
                "claimRefs": [claim_ref],
                "day": {"year": today.year, "month": today.month, "day": today.day},
                "encryptionKey": base64.b64encode(device.encryption_key).decode(),
                "signingKey": base64.b64encode(device.signing_key).decode(),
            }
            bundle = self.change("TakeBundle", wanted, by=_ASSESSOR, note=f"before {ending}")["bundle"]
            trip = Trip.open(device, bundle["content"], signed_by=base64.b64decode(bundle["signingKey"]))
            trip.find(bundle["claimRefs"][0], "tenure", "CORRECTED", value="OWNER", reason="saw the deeds")
            content = trip.close(for_key=base64.b64decode(bundle["returnKey"]))
            more = {"content": content} if ending == "ReturnBundle" else {"reason": "stolen"}
            self.change(ending, {"bundleId": bundle["bundleId"]} | more, by=_ASSESSOR)

    def _remind(self, claim_ref: str) -> None:
        self.sql(_REMIND_NOW, claim_ref=claim_ref)
        self.step("evidence-reminders")

    def _pay_on_account(self, loan: str, benefit: str) -> None:
        """Claims are late, an interim payment is considered, and all of it is measured beside the crisis loans."""
        stalled = gateway_events.TransferStalled(system=common_pb2.SYSTEM_SFCS, transfer_id="T1", state="UNKNOWN")
        self.hear(stalled, loan)
        for late in (
            scheduling_events.TargetBreachExpected(appointment_id="A1"),
            notifier_events.NoticeLate(notice_id="N1", notice_version=1, state="SENT_API"),
        ):
            self.hear(late, benefit)
        page = self.call("ListInterimPayments", {"pageSize": 1}, by=_OFFICER)
        if token := page["nextPageToken"]:
            self.call("ListInterimPayments", {"pageSize": 1, "pageToken": token}, by=_OFFICER, note="next page")
        self.call("ListInterimPayments", {}, by=_OF_QUIET_OFFICE, note="of an office without any")
        paid = {"claimRef": benefit, "outcome": "INTERIM_OUTCOME_PAID", "reason": "no food", "version": 1}
        self.change("RecordInterimPayment", paid, by=_OFFICER)
        self.call("GetEmergencies", {}, by=_MANAGER)
        self.call("GetEmergencies", {"officeCodes": [OFFICE]}, by=_MANAGER, note="of an office")

    def _lend(self, claim_ref: str) -> None:
        """A crisis loan is refused."""
        loan = [common_pb2.SCHEME_CRISIS_LOAN]
        self.hear(intake_events.ClaimSubmitted(schemes=loan, submit_time=_stamp(timedelta())), claim_ref)
        this = {"claimRef": claim_ref}
        begun = self.change("StartAssessment", this, by=_ASSESSOR, note="of a crisis loan")["assessment"]
        refusal = {"outcome": "LOAN_OUTCOME_REFUSED", "reason": "has other means", "version": begun["version"]}
        self.change("DecideCrisisLoan", this | refusal, by=_ASSESSOR)
        self.call("GetCrisisLoan", this, by=_ASSESSOR)

    def _outcomes(self, claim_ref: str) -> None:
        system = common_pb2.SYSTEM_JSAPS
        refused = gateway_events.TransferRejected(system=system, transfer_id="T1", question_ids=["capital"])
        self.hear(refused, claim_ref)
        decided = gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, decision_version=1)
        self.hear(decided, claim_ref)
        corrected = gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, decision_version=2)
        self.hear(corrected, claim_ref)
        self.hear(gateway_events.TransferAccepted(system=system, transfer_id="T2", legacy_ref="L"), claim_ref)

    def _list(self) -> None:
        ready, done = {"state": "ASSESSMENT_STATE_READY"}, {"state": "ASSESSMENT_STATE_CONFIRMED"}
        today = clock.today()
        day = {"day": {"year": today.year, "month": today.month, "day": today.day}}
        lists: dict[str, dict[str, Any]] = {
            "": {},
            "of an assessor": {"assessor": BUSY_ASSESSOR},
            "of an assessor without work": {"assessor": IDLE_ASSESSOR},
            "ready": ready,
            "confirmed": done,
            "ready, of an assessor without work": ready | {"assessor": IDLE_ASSESSOR},
            "of today": day,
            "of a day without work": {"day": {"year": 2005, "month": 7, "day": 11}},
            "of an assessor today": day | {"assessor": BUSY_ASSESSOR},
        }
        for note, wanted in lists.items():
            page = self.call("ListWork", wanted, by=_ASSESSOR, note=note)
            if token := page["nextPageToken"]:
                self.call("ListWork", wanted | {"pageToken": token}, by=_ASSESSOR, note=f"{note}, next page")
        self.call("ListWork", {}, by=_OF_QUIET_OFFICE, note="of an office without work")
        self.call("ListWork", ready, by=_OF_QUIET_OFFICE, note="ready, of an office without work")
        self.call("ListWork", ready, by=_CASEWORKER, note="ready, of caseworkers")
        page = self.call("ListWork", {}, by=_CASEWORKER, note="of caseworkers")
        if token := page["nextPageToken"]:
            self.call("ListWork", {"pageToken": token}, by=_CASEWORKER, note="of caseworkers, next page")


def _stamp(ahead: timedelta) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(clock.now() + ahead)
    return stamp
