"""intake-svc with a history of claims, calls and answers."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chassis import clock
from chassis.conversions import timestamp
from chassis.postcodes import build_extract
from chassis.runtime import Service
from chassis.testing import eventually
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.scheduling.v1 import events_pb2
from cms_local.cases import load_cases, random_nino
from intake.__main__ import service
from intake.config import Settings
from tests.growth import chassis_history
from tests.growth.chassis_history import CLAIM, PAST
from tests.growth.subject import Caller, Subject

OFFICE, QUIET_OFFICE = "100101", "999999"
_POSTCODES = ("NE1 8AX", "LS1 3AB", "M2 5PD")
_APPOINTMENT = "0f8fad5b-d9cb-469f-a165-70867728950e"
_OPERATOR = Caller(role="OPERATOR")
_SECOND_OPERATOR = Caller(role="OPERATOR", subject="OP000002")
_ASSESSOR = Caller(role="ASSESSOR", subject="AS000001", office=OFFICE, purpose=f"appointment {_APPOINTMENT}")
_SWITCH = Caller(role="SERVICE", subject="telephone-switch")
_MANAGER = Caller(role="SERVICE_MANAGER", subject="SM000001")
_GATEWAY = Caller(role="SERVICE", subject="legacy-gateway")

_CLAIMS = f"""
    INSERT INTO claims (claim_ref, state, version, language, first_contact_time, submit_time, first_contact_recorded,
        operator, operator_grade, person_lookup, postcode_lookup, office_code, appointment_id, booked_time)
    SELECT {CLAIM}, CASE WHEN n <= 40 THEN 'DRAFT' ELSE 'SUBMITTED' END, 9, 'EN', {PAST},
        CASE WHEN n > 40 THEN {PAST} END, true, 'OH' || lpad((n %% 1000)::text, 6, '0'), 'AO',
        sha256(n::text::bytea), sha256((n %% 50000)::text::bytea),
        (100100 + n %% 100)::text, 'A' || n, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_SCHEMES = f"""
    INSERT INTO claim_schemes (claim_ref, scheme, nino_lookup, open)
    SELECT {CLAIM}, 'JOBSEEKERS_ALLOWANCE', sha256(('nino' || n)::bytea), n <= 40 OR n %% 2 = 0
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_ANSWERS = f"""
    INSERT INTO answers (claim_ref, question_id, version, value, answered_by, at, script_version)
    SELECT {CLAIM}, 'question_' || part, part, ''::bytea, 'OP000001', {PAST}, 1
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2) AS part
"""
# A call in which a call-back was promised, and the call-back. Twenty wait for it still, and five calls nobody has ended.
_CALLS = f"""
    INSERT INTO calls (call_id, claim_ref, operator, purpose, language, needs, caller, security, security_questions,
        tries_left, started, ended, outcome, call_back_time, has_later_call, wrap_up_ended)
    SELECT lpad(to_hex(2 * n + part), 32, '0')::uuid, {CLAIM}, 'OH' || lpad((n %% 1000)::text, 6, '0'), 'NEW', 'EN', '{{}}',
        ''::bytea, 'PASSED', '{{}}', 3, {PAST} + interval '1 hour' * part,
        CASE WHEN part = 1 OR n > 5 THEN {PAST} + interval '1 hour' * part + interval '10 minutes' END,
        CASE WHEN part = 1 THEN 'CALL_BACK' WHEN n > 5 THEN 'COMPLETED' END,
        CASE WHEN part = 1 THEN {PAST} + interval '2 hours' END, part = 1 AND n NOT BETWEEN 6 AND 25,
        CASE WHEN part = 1 OR n > 5 THEN {PAST} + interval '1 hour' * part + interval '12 minutes' END
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, CASE WHEN n BETWEEN 6 AND 25 THEN 1 ELSE 2 END) AS part
"""
_QUARTERS = """
    INSERT INTO quarter_hours (start, offered, answered, abandoned, answered_within_target, reported_time)
    SELECT to_timestamp(900 * (1000000 + n)), 100, 90, 5, 80, now() FROM generate_series(%(first)s, %(last)s) AS n
"""


_SOUNDS = f"""
    INSERT INTO claim_sounds (claim_ref, sound)
    SELECT {CLAIM}, sha256(('sound' || n || part)::bytea)
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2) AS part
"""
# Every tenth claim was held for another person's.
_DUPLICATES = f"""
    INSERT INTO possible_duplicates (claim_ref, other_ref, found_time, verdict, decided_by, decided_time, reason)
    SELECT a.claim_ref, b.claim_ref, now(), 'OTHER_PERSON', 'OP000001', now(), ''::bytea FROM (
        SELECT n, {CLAIM} AS claim_ref FROM generate_series(%(first)s, %(last)s, 10) AS n
    ) AS a JOIN (
        SELECT n, {CLAIM} AS claim_ref FROM generate_series(%(first)s + 1, %(last)s, 10) AS n
    ) AS b ON b.n = a.n + 1
"""


class Intake(Subject):
    """The service that takes claims."""

    name = "intake"

    def service(self) -> Service:
        """The service as `__main__` makes it."""
        postcodes = self.place.folder / "postcodes.sqlite"
        build_extract(postcodes)
        return service(self.settings(Settings, "intake-svc", postcodes_file=postcodes))

    def fill(self, first: int, last: int) -> None:
        """A claim has two answers and two calls."""
        for query in (_CLAIMS, _SCHEMES, _ANSWERS, _CALLS, _QUARTERS, _SOUNDS, _DUPLICATES):
            self.sql(query, first=first, last=last)
        chassis_history.fill(self, first, last, sources=["scheduling-svc", "legacy-gateway"])

    def exercise(self, turn: int) -> None:
        """A claim by phone with everything that may happen to it, and all ways of looking for one."""
        # A person and an address of each turn's own: a search finds one claim each time.
        own = {
            "surname": "Abbot" + "abc"[turn],
            "address": {"lines": ["14 Mill Lane", "Newcastle upon Tyne"], "postcode": _POSTCODES[turn]},
        }
        self._answers = {**load_cases(clock.today())[0].answers, **own}
        claim, nino = self._claim_by_phone(random.Random(turn))
        self._second_call(nino)
        self._amend_as_assessor(claim)
        self._call_back()
        self._withdraw(claim, nino)
        self._confirm_earlier(nino)
        self._decide_duplicates(random.Random(100 + turn))
        self._hear_decision(random.Random(200 + turn))
        self._hear_of_the_assessment(random.Random(250 + turn))
        self._import_form()
        self._count_lines()
        self._lift_a_lock()
        self._look_for(nino)
        self._keep_and_erase(claim["claimRef"])
        self.start_again()
        self.step_own_workers()

    def _claim_by_phone(self, source: random.Random) -> tuple[Any, str]:
        nino = random_nino(source)
        began = self._start(nino, _OPERATOR)
        claim = began["claim"]
        this = {"claimRef": claim["claimRef"]}
        answers = [{"questionId": name, "value": value} for name, value in self._answers.items()]
        self.mistake("RecordAnswers", {**this, "version": 1, "answers": answers[:1] * 2}, by=_OPERATOR)
        recorded = self.change("RecordAnswers", {**this, "version": claim["version"], "answers": answers}, by=_OPERATOR)
        stale = {**this, "version": claim["version"], "answers": answers[:1]}
        self.mistake("RecordAnswers", stale, by=_OPERATOR, reason="STALE_VERSION")
        self.call("GetInterview", this, by=_OPERATOR)
        self._mistake_a_nino(source)
        version = recorded["interview"]["version"]
        done = self.change("SubmitClaim", {**this, "version": version}, by=_OPERATOR)
        call = {"callId": began["call"]["callId"]}
        self.change("HoldCall", call, by=_OPERATOR)
        self.change("ResumeCall", call, by=_OPERATOR, note="after a hold")
        self.change("EndCall", {**call, "outcome": "CALL_OUTCOME_COMPLETED"}, by=_OPERATOR)
        self.change("EndWrapUp", call, by=_OPERATOR)
        return done["claim"], nino

    def _mistake_a_nino(self, source: random.Random) -> None:
        claim = self._start(random_nino(source), _OPERATOR)["claim"]
        this = {"claimRef": claim["claimRef"], "version": claim["version"]}
        self.change("MoveToCatalogue", this, by=_OPERATOR)
        schemes = ["SCHEME_INCOME_SUPPORT", "SCHEME_JOBSEEKERS_ALLOWANCE"]
        changed = self.change("ChangeSchemes", {**this, "schemes": schemes}, by=_OPERATOR)
        this["version"] = changed["interview"]["version"]
        body = {**this, "answers": [{"questionId": "nino", "value": random_nino(source)}]}
        self.change("RecordAnswers", body, by=_OPERATOR, note="of another NINO")

    def _start(self, nino: str, operator: Caller, **more: Any) -> Any:
        asked = {
            "purpose": "CALL_PURPOSE_NEW",
            "schemes": ["SCHEME_JOBSEEKERS_ALLOWANCE"],
            "language": "LANGUAGE_EN",
            "caller": {"relation": "CALLER_RELATION_SELF"},
            "nino": nino,
        }
        return self.change("StartCall", asked | more, by=operator)

    def _second_call(self, nino: str) -> None:
        began = self._start(nino, _SECOND_OPERATOR, purpose="CALL_PURPOSE_CHANGE", language="LANGUAGE_CY")
        this = {"callId": began["call"]["callId"]}
        asked = [part["questionId"] for part in began["call"]["securityQuestions"]]
        answers = [{"questionId": name, "value": self._answers[name]} for name in asked]
        self.change("PassSecurity", {**this, "answers": answers}, by=_SECOND_OPERATOR)
        self._due = clock.now() + timedelta(seconds=1)
        later = self._due.isoformat().replace("+00:00", "Z")
        ended = {"outcome": "CALL_OUTCOME_CALL_BACK", "callBackTime": later}
        self.mistake("EndCall", {**this, "outcome": "CALL_OUTCOME_CALL_BACK"}, by=_SECOND_OPERATOR)
        self.change("EndCall", {**this, **ended}, by=_SECOND_OPERATOR, note="with a call-back")

    def _withdraw(self, claim: Any, nino: str) -> None:
        this = {"claimRef": claim["claimRef"]}
        version = {"version": claim["version"] + 1, "reason": "found work"}
        self.call("ListCalls", this, by=_ASSESSOR)
        self.call("ListCalls", {**this, "pageSize": 1}, by=_ASSESSOR, note="a page")
        self.change("WithdrawClaim", {**this, **version}, by=_ASSESSOR)
        began = self._start(nino, _OPERATOR, caller={"relation": "CALLER_RELATION_SELF"})
        ended = {"callId": began["call"]["callId"], "outcome": "CALL_OUTCOME_ABANDONED"}
        self.change("EndCall", ended, by=_OPERATOR, note="of a dropped line")
        here = {"claimRef": began["claim"]["claimRef"]}
        again = self.change("ResumeCall", here, by=_SECOND_OPERATOR, note="after a dropped line")["call"]
        wrong = {"callId": again["callId"], "outcome": "CALL_OUTCOME_WRONG_NUMBER"}
        self.change("EndCall", wrong, by=_SECOND_OPERATOR, note="of a wrong number")

    def _confirm_earlier(self, nino: str) -> None:
        began = self._start(nino, _OPERATOR, caller={"relation": "CALLER_RELATION_SELF"})
        this, call = {"claimRef": began["claim"]["claimRef"]}, {"callId": began["call"]["callId"]}
        asked = [part["questionId"] for part in began["call"]["securityQuestions"]]
        answers = [{"questionId": name, "value": self._answers[name]} for name in asked]
        wrong = [{**answer, "value": "1950-01-01"} if "date" in answer["questionId"] else answer for answer in answers]
        self.change("PassSecurity", {**call, "answers": wrong}, by=_OPERATOR, note="wrong, of the earlier claim")
        self.change("PassSecurity", {**call, "answers": answers}, by=_OPERATOR, note="of the earlier claim")
        confirmed = {**this, "version": 1, "confirmEarlier": ["identity"]}
        self.change("RecordAnswers", confirmed, by=_OPERATOR, note="confirmed")
        now = clock.now().isoformat()
        self.call("GetInterview", {**this, "atTime": now}, by=_OPERATOR, note="at a time")
        self.change("EndCall", {**call, "outcome": "CALL_OUTCOME_COMPLETED"}, by=_OPERATOR, note="of a second claim")

    def _decide_duplicates(self, source: random.Random) -> None:
        names = ("surname", "date_of_birth", "address")
        person = [{"questionId": name, "value": self._answers[name]} for name in names]
        drafts = [self._start(random_nino(source), _OPERATOR)["claim"]["claimRef"] for _ in range(3)]
        for claim_ref in drafts:
            body = {"claimRef": claim_ref, "version": 1, "answers": person}
            self.change("RecordAnswers", body, by=_OPERATOR, note="of a person with other claims")
        for other, verdict in zip(drafts[:2], ("OTHER_PERSON", "SAME_PERSON"), strict=True):
            decision = {"otherClaimRef": other, "verdict": f"DUPLICATE_VERDICT_{verdict}", "reason": "asked"}
            self.change(
                "DecideDuplicate", {"claimRef": drafts[2], "version": 2, **decision}, by=_OPERATOR, note=verdict
            )

    def _hear_decision(self, source: random.Random) -> None:
        claim_ref = self._start(random_nino(source), _OPERATOR)["claim"]["claimRef"]
        # The content of a decided claim does not matter here.
        self.sql("UPDATE claims SET state = 'SUBMITTED' WHERE claim_ref = %(ref)s", ref=claim_ref)
        decided = gateway_events.DecisionRecorded(scheme=common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE, decision_version=1)
        self.hear(decided, claim_ref)

    def _hear_of_the_assessment(self, source: random.Random) -> None:
        claim_ref = self._start(random_nino(source), _OPERATOR)["claim"]["claimRef"]
        self.sql("UPDATE claims SET state = 'SUBMITTED' WHERE claim_ref = %(ref)s", ref=claim_ref)
        self.hear(assessment_events.EvidenceCompleted(complete_time=timestamp(clock.now())), claim_ref)
        self.hear(assessment_events.AssessmentClosed(schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE]), claim_ref)

    def _call_back(self) -> None:
        for state in ("DUE", "WAITING", "TAKEN", "LETTER_DUE"):
            self.call("ListCallBacks", {"state": f"CALL_BACK_STATE_{state}"}, by=_OPERATOR, note=state)
        page = self.call("ListCallBacks", {"pageSize": 2}, by=_OPERATOR)
        self.call("ListCallBacks", {"pageSize": 2, "pageToken": page["nextPageToken"]}, by=_OPERATOR, note="next page")
        eventually(lambda: clock.now() > self._due, what="the time to call back")
        taken = self.change("TakeCallBack", {"language": "LANGUAGE_CY"}, by=_OPERATOR)["callBack"]
        this = {"callId": taken["callId"]}
        self.change("TakeCallBack", this, by=_OPERATOR, note="again")
        outcome = {"outcome": "CALL_BACK_OUTCOME_NO_ANSWER"}
        self.change("RecordCallBack", {**this, **outcome}, by=_OPERATOR)

    def _import_form(self) -> None:
        today = clock.today()
        form = {
            "answers": [{"question": "surname", "value": "Form"}, {"question": "date_of_birth", "value": "1980-02-29"}]
        }
        received = {"year": today.year, "month": today.month, "day": today.day}
        scheme = "SCHEME_JOBSEEKERS_ALLOWANCE"
        self.change("ImportForm", {"form": form, "receivedOn": received, "schemes": [scheme]}, by=_OPERATOR)

    def _amend_as_assessor(self, claim: Any) -> None:
        this = {"claimRef": claim["claimRef"]}
        booking: dict[str, Any] = {"appointment_id": _APPOINTMENT, "office_code": OFFICE, "assessor_id": "AS000001"}
        self.hear(events_pb2.AppointmentBooked(**booking), claim["claimRef"])
        self.hear(events_pb2.AppointmentMoved(**booking), claim["claimRef"])
        self.hear(gateway_events.TransferRejected(transfer_id="T1"), claim["claimRef"])
        change = {
            "version": claim["version"],
            "answers": [{"questionId": "capital", "value": "401.00"}],
            "reason": "misheard",
        }
        self.change("AmendAnswers", {**this, **change}, by=_ASSESSOR)
        self.call("GetHistory", this, by=_ASSESSOR)
        self.call("GetClaim", this, by=_ASSESSOR)
        self.call("CheckEntitlement", this, by=_ASSESSOR)
        self.call("GetClaimFacts", this, by=_GATEWAY)
        self.call("GetClaimFacts", {**this, "version": 2}, by=_GATEWAY, note="of a version")

    def _count_lines(self) -> None:
        now = clock.now()
        start = now - timedelta(seconds=now.timestamp() % 900, minutes=15)
        counts = {"start": start.isoformat(), "offered": 100, "answered": 90}
        self.change("ReportLines", {"quarterHours": [counts]}, by=_SWITCH)
        self.call("GetLines", {"from": start.isoformat(), "until": now.isoformat()}, by=_MANAGER)

    def _keep_and_erase(self, claim_ref: str) -> None:
        this = {"claimRef": claim_ref}
        self.change("PlaceLegalHold", {**this, "reason": "appeal"}, by=_MANAGER)
        self.mistake("PlaceLegalHold", {**this, "reason": "appeal"}, by=_MANAGER, reason="LEGAL_HOLD")
        self.call("ListLegalHolds", {}, by=_MANAGER)
        self.change("LiftLegalHold", this, by=_MANAGER)
        self.sql("UPDATE claims SET last_live_time = '2000-01-01' WHERE claim_ref = %(claim_ref)s", claim_ref=claim_ref)
        self.sql("UPDATE calls SET started = '2000-01-01' WHERE claim_ref = %(claim_ref)s", claim_ref=claim_ref)
        self.change("EraseClaims", {"preview": True}, by=_MANAGER, note="preview")
        self.change("EraseClaims", {}, by=_MANAGER)

    def _lift_a_lock(self) -> None:
        self.sql(
            "INSERT INTO security_failures (kind, name, failures, locked_time) VALUES ('OPERATOR', 'OP000077', 15, now())"
            " ON CONFLICT (kind, name) DO UPDATE SET locked_time = now(), version = 1"
        )
        self.call("ListSecurityLocks", {}, by=_MANAGER)
        self.change("LiftSecurityLock", {"operator": "OP000077", "version": 1}, by=_MANAGER)

    def _look_for(self, nino: str) -> None:
        one = {"nino": nino, "pageSize": 1}
        first = self.call("ListClaims", one, by=_OPERATOR, note="one by NINO")
        self.call("ListClaims", one | {"pageToken": first["nextPageToken"]}, by=_OPERATOR, note="by NINO, next page")
        for note, search in _searches(self._answers, nino).items():
            page = self.call("ListClaims", search, by=_MANAGER, note=note)
            if token := page["nextPageToken"]:
                self.call("ListClaims", {**search, "pageToken": token}, by=_MANAGER, note=f"{note}, next page")


def _searches(answers: Mapping[str, Any], nino: str) -> dict[str, dict[str, Any]]:
    """The ways of looking for claims, those that find nothing among them."""
    born = dict(zip(("year", "month", "day"), map(int, answers["date_of_birth"].split("-")), strict=True))
    person = {"surname": answers["surname"], "dateOfBirth": born}
    here, nowhere = {"postcode": answers["address"]["postcode"]}, {"postcode": "AL3 5SA"}
    office, submitted, drafts = {"office": OFFICE}, {"state": "CLAIM_STATE_SUBMITTED"}, {"state": "CLAIM_STATE_DRAFT"}
    return {
        "by NINO": {"nino": nino},
        "by a NINO without a claim": {"nino": "ZY987654A"},
        "by person": person,
        "by person and postcode": person | here,
        "drafts": drafts,
        "submitted": submitted,
        "withdrawn": {"state": "CLAIM_STATE_WITHDRAWN"},
        "submitted at a postcode": submitted | here,
        "submitted at a postcode without a claim": submitted | nowhere,
        "of an office": office,
        "of an office without a claim": {"office": QUIET_OFFICE},
        "submitted of an office": office | submitted,
        "drafts of an office without one": {"office": "100199"} | drafts,
        "of an office at a postcode": office | here,
        "of an office at a postcode without a claim": office | nowhere,
    }
