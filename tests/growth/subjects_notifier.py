"""la-notifier with a history of loaded notices, and the councils' stand-in to send to."""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, LiteralString

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.conversions import timestamp
from chassis.postcodes import build_extract
from chassis.runtime import Service
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2
from cms.scheduling.v1 import events_pb2 as scheduling_events
from cms_local.cases import load_cases
from la_notifier.__main__ import service
from la_notifier.config import Settings
from la_notifier.domain.awards import AwardBasis, AwardOutcome, Decision
from simulators.councils.server import Councils
from simulators.councils.testing import councils_settings
from simulators.notify.server import Notify
from simulators.notify.testing import notify_settings
from simulators.sftp.testing import keys_in
from simulators.testing import call
from tests.growth import chassis_history
from tests.growth.chassis_history import CLAIM, ID, PAST
from tests.growth.exercise_desk import CLOCKS, WORK_ITEMS, list_notices, see_to
from tests.growth.intake_stand_in import CLAIM_VERSION, serving
from tests.growth.subject import Caller, Subject

_CARDIFF, _LEEDS = "W06000015", "E08000035"
_ENDED = "E07000165"
"""Harrogate, which was merged into North Yorkshire in 2023."""
_SUPPORT = Caller(role="SUPPORT")
_OFFICER = Caller(role="PROCESSING_OFFICER")
_ADDRESS: dict[str, Any] = {"address": {"lines": ["1 High Street", "Cardiff"], "postcode": "CF10 4ER"}}
_WELWYN: dict[str, Any] = {"address": {"lines": ["1 High Street", "Welwyn"], "postcode": "AL7 3HN"}}
_TAMWORTH: dict[str, Any] = {"address": {"lines": ["1 High Street", "Tamworth"], "postcode": "B77 5AJ"}}

# Two versions of each notice were loaded; of a few the second waits to be printed, or was refused.
_NOTICES = f"""
    INSERT INTO notices (notice_id, claim_ref, authority_code, authority_name, channel, intention_on)
    SELECT {ID}, {CLAIM}, '{_CARDIFF}', 'Cardiff', CASE WHEN n <= 30 THEN 'POST' ELSE 'API' END,
        ({PAST})::date
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_VERSIONS = f"""
    INSERT INTO notice_versions (notice_id, version, kind, state, body, first_contact_time, first_contact_on, proof_due_on,
        attempts, next_attempt_time, sent, received, loaded, created, followed, channel, authority)
    SELECT {ID}, version, CASE version WHEN 1 THEN 'INTENTION' ELSE 'CLAIM' END, state, ''::bytea, {PAST},
        ({PAST})::date, ({PAST})::date, 1, CASE WHEN state = 'WAITING' THEN statement_timestamp() + interval '10 years' END,
        CASE WHEN state <> 'WAITING' THEN {PAST} END, CASE WHEN state = 'LOADED' THEN {PAST} END,
        CASE WHEN state = 'LOADED' THEN {PAST} END, {PAST}, version = 1,
        CASE WHEN n <= 30 THEN 'POST' ELSE 'API' END, '{_CARDIFF}'
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2) AS version,
        LATERAL (
            SELECT CASE WHEN version = 1 OR n > 40 THEN 'LOADED' WHEN n <= 30 THEN 'WAITING' ELSE 'REFUSED' END AS state
        ) AS standing
"""
_NOT_TOLD = f"""
    INSERT INTO not_told (claim_ref, authority_code, reason, since)
    SELECT {CLAIM}, '', 'POSTCODE_UNKNOWN', {PAST} FROM generate_series(%(first)s, least(%(last)s, 20)) AS n
"""
# A file of every claim was acknowledged long ago, and a letter printed.
_AUTHORITIES = """
    INSERT INTO file_authorities (authority_code, last_sequence) VALUES ('E07000241', 900000)
    ON CONFLICT (authority_code) DO NOTHING
"""
_FILES = f"""
    INSERT INTO files (authority_code, sequence, state, row_count, uploads, created, sent, acknowledged, looked_time)
    SELECT 'E07000241', n, 'ACKNOWLEDGED', 1, 1, {PAST}, {PAST}, {PAST}, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n
"""
_FILE_ROWS = f"""
    INSERT INTO file_rows (authority_code, sequence, line, notice_id, version, saying)
    SELECT 'E07000241', n, 1, {ID}, 1, 'LOADED' FROM generate_series(%(first)s, %(last)s) AS n
"""
_LETTERS = f"""
    INSERT INTO letters (letter_id, recipient, claim_ref, about, language, state, created, due_on, printed, printed_by)
    SELECT {ID}, 'CLAIMANT', {CLAIM}, 'DECISION', 'EN', 'PRINTED', {PAST}, ({PAST})::date, {PAST}, 'PO000001'
    FROM generate_series(%(first)s, %(last)s) AS n
"""

# All but a few messages were delivered; of these some are for later days.
_MESSAGES = f"""
    INSERT INTO messages (message_id, claim_ref, kind, subject, state, created, due_time, medium, language, discreet, sent,
        ended, next_attempt_time)
    SELECT {ID}, {CLAIM}, 'APPOINTMENT_MADE', n::text, CASE WHEN n <= 30 THEN 'DUE' ELSE 'DELIVERED' END, {PAST},
        CASE WHEN n <= 30 THEN statement_timestamp() + interval '10 years' ELSE {PAST} END,
        CASE WHEN n > 30 THEN 'TEXT' END, CASE WHEN n > 30 THEN 'EN' END, false, CASE WHEN n > 30 THEN {PAST} END,
        CASE WHEN n > 30 THEN {PAST} END, CASE WHEN n <= 30 THEN {PAST} END
    FROM generate_series(%(first)s, %(last)s) AS n
"""


class Notifier(Subject):
    """The service that notifies local authorities."""

    name = "notifier"
    not_executed: ClassVar[dict[str, str]] = {
        "la_notifier.store.versions.set_body": "only for a notice that the last release stored; finds a version by its key",
    }

    def service(self) -> Service:
        """The service as `__main__` makes it, with an intake that knows every claim and the councils' stand-in."""
        folder = self.place.folder
        build_extract(folder / "postcodes.sqlite")
        secrets = folder / "councils.json"
        secrets.write_text(json.dumps({_CARDIFF: "11ee" * 16, _LEEDS: "22dd" * 16}))
        more: dict[str, Any] = {"language": "EN", "nino": "AB123456C", "capital_band": "UP_TO_6000"} | _ADDRESS
        more |= {"messages_by": "TEXT", "telephone": "+447700900123"}
        self._answers = {**load_cases(clock.today())[0].answers, **more}
        intake = self.closing.enter_context(serving(self._answers))
        notify = _start_notify(folder)
        self.closing.callback(notify.stop)
        self._councils = _start_councils(folder / "councils", secrets)
        self.closing.callback(self._councils.stop)
        keys = keys_in(folder / "councils")
        host_key = folder / "councils-host.pub"
        host_key.write_bytes(keys["known_hosts"].read_bytes().removeprefix(b"* "))
        settings = self.settings(
            Settings,
            "la-notifier",
            intake_address=intake,
            scheduling_address=intake,
            assessment_address=intake,
            gateway_address=intake,
            notify_url=f"http://127.0.0.1:{notify.port}",
            notify_key_file=folder / "notify.key",
            councils_url=f"http://127.0.0.1:{self._councils.port}",
            councils_sftp_port=self._councils.sftp_port,
            councils_sftp_key_file=keys["client_key"],
            councils_sftp_host_key_file=host_key,
            sftp_cycle_seconds=10.0,
            council_secrets_file=secrets,
            postcodes_file=folder / "postcodes.sqlite",
            time_scale=0.01,
        )
        return service(settings, decisions_of=lambda _runtime: _Awarded())

    def fill(self, first: int, last: int) -> None:
        """A claim has a notice of two versions."""
        history = (
            _NOTICES,
            _VERSIONS,
            _NOT_TOLD,
            _AUTHORITIES,
            _FILES,
            _FILE_ROWS,
            _LETTERS,
            _MESSAGES,
            WORK_ITEMS,
            CLOCKS,
        )
        for query in history:
            self.sql(query, first=first, last=last)
        chassis_history.fill(self, first, last, sources=["intake-svc", "legacy-gateway"])

    def exercise(self, turn: int) -> None:
        """A claim whose notice is made, sent and loaded, and which changes afterwards."""
        claim_ref = f"CT{turn:09}Z"
        self.hear(events_pb2.FirstContactRecorded(), claim_ref, version=CLAIM_VERSION - 2)
        self.hear(
            events_pb2.ClaimSubmitted(schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE]),
            claim_ref,
            version=CLAIM_VERSION,
        )
        self.step_own_workers(until=lambda: self._states(claim_ref) == {"LOADED"})
        self.hear(gateway_events.DecisionRecorded(decision_version=1), claim_ref)
        closed = assessment_events.AssessmentClosed(
            close_time=timestamp(clock.now()), schemes=[common_pb2.SCHEME_INCOME_SUPPORT]
        )
        self.hear(closed, claim_ref)
        self._redirect(claim_ref)
        self._merge_away(claim_ref)
        for tenure in ("", "NON_DEPENDANT", self._answers["tenure"]):
            self._change_tenure(claim_ref, tenure)
        self.hear(events_pb2.ClaimWithdrawn(), claim_ref, version=CLAIM_VERSION)
        self.step_own_workers()
        self.call("GetNotices", {"claimRef": claim_ref}, by=_SUPPORT)
        list_notices(self, claim_ref)
        fail = partial(self._fail, f"CV{turn:09}Z")
        see_to(self, f"CV{turn:09}Z", fail=fail, states=self._states)
        self.call("FindAuthority", {"postcode": "CF10 4ER"}, by=_SUPPORT)
        self._write_to_the_claimant(claim_ref)
        self._tell_by_file(f"CF{turn:09}Z")
        self._tell_by_letter(f"CP{turn:09}Z")
        self._answers |= _ADDRESS
        self.hear(events_pb2.ClaimErased(), claim_ref, version=CLAIM_VERSION)

    def _write_to_the_claimant(self, claim_ref: str) -> None:
        """An interview that is booked, moved and cancelled: what was overtaken by then is dropped."""
        start = Timestamp()
        start.FromDatetime(clock.now() + timedelta(days=3))
        told: dict[str, Any] = {"appointment_id": claim_ref, "start_time": start}
        self.hear(scheduling_events.AppointmentBooked(**told), claim_ref)
        self.step_own_workers(until=lambda: "DELIVERED" in self._messages(claim_ref))
        self.hear(scheduling_events.AppointmentMoved(**told), claim_ref, version=2)
        self.hear(scheduling_events.AppointmentCancelled(**told), claim_ref, version=3)
        self.step_own_workers(until=lambda: self._messages(claim_ref) == ["DELIVERED", "DROPPED", "DROPPED", "DUE"])
        self.hear(events_pb2.ClaimAmended(changed_fields=["address"]), claim_ref, version=CLAIM_VERSION)
        self.hear(assessment_events.EvidenceRequested(), claim_ref, version=2)
        self.hear(assessment_events.EvidenceReminderDue(number=1), claim_ref, version=2)
        self.step_own_workers()
        self.call("GetMessages", {"claimRef": claim_ref}, by=_SUPPORT)

    def _messages(self, claim_ref: str) -> list[str]:
        query: LiteralString = (
            "SELECT state FROM messages WHERE claim_ref = %(claim_ref)s AND kind LIKE 'APPOINTMENT%%' ORDER BY state"
        )
        return [state for (state,) in self.rows(query, claim_ref=claim_ref)]

    def _redirect(self, claim_ref: str) -> None:
        """An officer sends the notice to another authority."""
        [(notice_id,)] = self.rows("SELECT notice_id FROM notices WHERE claim_ref = %(ref)s", ref=claim_ref)
        redirect = {
            "noticeId": str(notice_id),
            "authorityCode": _LEEDS,
            "reason": "REDIRECT_REASON_AUTHORITY_SAID",
        }
        self.change("RedirectNotice", redirect, by=_SUPPORT)
        self.step_own_workers(until=lambda: self._states(claim_ref) == {"LOADED"})

    def _merge_away(self, claim_ref: str) -> None:
        """Something is open at an authority that is no more."""
        self.sql(
            "UPDATE notices SET authority_code = %(ended)s WHERE claim_ref = %(ref)s AND authority_code = %(cardiff)s",
            ended=_ENDED,
            ref=claim_ref,
            cardiff=_CARDIFF,
        )
        self.sql(
            "UPDATE notice_versions SET state = 'SENT' WHERE NOT followed"
            " AND notice_id = (SELECT notice_id FROM notices WHERE claim_ref = %(ref)s AND authority_code = %(ended)s)",
            ended=_ENDED,
            ref=claim_ref,
        )
        self.step_own_workers()
        self.step("reviewer")

    def _tell_by_file(self, claim_ref: str) -> None:
        """A notice goes in a file, about which an officer asks, and which the council takes and acknowledges."""
        self._answers |= _WELWYN
        self.hear(events_pb2.FirstContactRecorded(), claim_ref, version=CLAIM_VERSION)
        self.step_own_workers(until=lambda: self._states(claim_ref) == {"SENT"})
        [(notice_id,)] = self.rows("SELECT notice_id FROM notices WHERE claim_ref = %(ref)s", ref=claim_ref)
        self.change("ResendNotice", {"noticeId": str(notice_id), "reason": "asked for"}, by=_SUPPORT, note="in a file")
        assert call(self._councils.control_port, "POST", "/cycle", body={}).status == 200
        self.step_own_workers(until=lambda: self._states(claim_ref) == {"LOADED"})

    def _tell_by_letter(self, claim_ref: str) -> None:
        """A letter is printed; one of a claim that changes meanwhile is taken out of the queue."""
        self._answers |= _TAMWORTH
        self.hear(events_pb2.FirstContactRecorded(), claim_ref, version=CLAIM_VERSION)
        self.step_own_workers()
        first = self._next_letter()
        self._answers["landlord"] = f"{self._answers.get('landlord', '')}x"
        self.hear(events_pb2.ClaimAmended(changed_fields=["landlord"]), claim_ref, version=CLAIM_VERSION)
        self.step_own_workers()
        printed = [first, self._next_letter()]
        self.change("MarkPrinted", {"letterIds": printed}, by=_OFFICER)
        self.call("GetLetters", {"letterIds": printed}, by=_OFFICER, note="again")
        self.step_own_workers()

    def _next_letter(self) -> str:
        page = {"recipient": "LETTER_RECIPIENT_COUNCIL", "pageSize": 1}
        [letter] = self.call("GetLetters", page, by=_OFFICER)["letters"]
        return str(letter["letterId"])

    def _fail(self, claim_ref: str, failure: str) -> None:
        rule = {"failure": failure, "claim_ref": claim_ref, "count": 1}
        assert call(self._councils.control_port, "POST", "/failures", body=rule).status == 200

    def _change_tenure(self, claim_ref: str, tenure: str) -> None:
        """The claimant says nothing about the home any more, then that others pay for it, then what was said before."""
        self._answers.pop("tenure", None)
        if tenure:
            self._answers["tenure"] = tenure
        self.hear(events_pb2.ClaimAmended(changed_fields=["tenure"]), claim_ref, version=CLAIM_VERSION)
        self.step_own_workers()

    def _states(self, claim_ref: str) -> set[str]:
        rows = self.rows(
            "SELECT state FROM notices JOIN notice_versions USING (notice_id) WHERE claim_ref = %(claim_ref)s",
            claim_ref=claim_ref,
        )
        return {state for (state,) in rows}


class _Awarded:
    """A gateway at which every claim was awarded."""

    def decisions(self, claim_ref: str) -> Sequence[Decision]:
        """An award that rests on contributions."""
        return [
            Decision(
                scheme="JOBSEEKERS_ALLOWANCE",
                outcome=AwardOutcome.AWARDED,
                basis=AwardBasis.CONTRIBUTION,
                from_day=clock.today(),
                to_day=None,
            )
        ]


def _start_councils(folder: Path, secrets: Path) -> Councils:
    started = Councils(councils_settings(folder, secrets))
    started.start()
    return started


def _start_notify(folder: Path) -> Notify:
    started = Notify(notify_settings(folder))
    started.start()
    return started
