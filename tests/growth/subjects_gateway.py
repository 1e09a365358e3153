"""legacy-gateway with a history of accepted transfers, and JSAPS's stand-in to send to."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import legacy_gateway
from chassis import clock
from chassis.postcodes import build_extract
from chassis.runtime import Service
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2 as intake_events
from cms_local.cases import load_cases
from legacy_gateway.__main__ import service
from legacy_gateway.config import Settings
from simulators.jsaps import JSAPS
from simulators.pscs.server import Pscs
from simulators.record_link.server import MainframeServer
from simulators.settings import JsapsSettings, PscsSettings, read_settings
from simulators.sftp.testing import make_keys
from simulators.testing import call
from tests.growth import chassis_history
from tests.growth.chassis_history import CLAIM, ID, PAST
from tests.growth.intake_stand_in import CLAIM_VERSION, serving
from tests.growth.subject import Caller, Subject

_SCALE = 0.02
_SUPPORT = Caller(role="SUPPORT", purpose="work item C0000000001Y")
_OFFICER = Caller(role="PROCESSING_OFFICER", subject="PO000001")
_OPERATOR = Caller(role="OPERATOR", subject="OP000001")

# Two phases of each claim were accepted. A few are open: refused, in the hands of clerks, or not due for a long time.
_TRANSFERS = f"""
    INSERT INTO transfers (transfer_id, claim_ref, claim_version, action, generation, system, phase, state, attempts, payload,
        legacy_ref, next_attempt_time, confirmed_time, office_code, assessor_id, traceparent, created, updated)
    SELECT upper(lpad(n || 'P' || phase, 26, '0')), {CLAIM}, 7, 'NEW', 1, 'JSAPS', phase, state,
        CASE WHEN state = 'WAITING' THEN 0 ELSE 1 END, CASE WHEN state <> 'WAITING' THEN ''::bytea END,
        CASE WHEN state = 'ACCEPTED' THEN 'L' || n ELSE '' END,
        CASE WHEN state = 'WAITING' THEN statement_timestamp() + interval '10 years' END,
        {PAST}, '100101', 'AS000001', '', {PAST}, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2) AS phase,
        LATERAL (
            SELECT CASE WHEN n <= 10 THEN 'REJECTED' WHEN n <= 20 THEN 'CLERICAL' WHEN n <= 40 THEN 'WAITING'
                ELSE 'ACCEPTED' END AS state
        ) AS standing
"""
_AMENDMENTS = f"""
    INSERT INTO amendments (claim_ref, version) SELECT {CLAIM}, 7 FROM generate_series(%(first)s, %(last)s) AS n
"""
_AMENDED_FACTS = f"""
    INSERT INTO amended_facts (claim_ref, claim_version, facts)
    SELECT {CLAIM}, 7, ARRAY['surname'] FROM generate_series(%(first)s, %(last)s) AS n
"""
# Every first phase of a hundredth was withdrawn at some time.
_FIRST_PHASES = f"""
    INSERT INTO first_phase_withdrawals (transfer_id, claim_ref, system, since, done_time, next_attempt_time)
    SELECT upper(lpad(n || 'P1', 26, '0')), {CLAIM}, 'JSAPS', {PAST}, {PAST}, NULL
    FROM generate_series(%(first)s, %(last)s) AS n WHERE n %% 100 = 0
"""
_EVENTS = f"""
    INSERT INTO transfer_events (transfer_id, state, reason, by, at)
    SELECT upper(lpad(n || 'P' || phase, 26, '0')), 'ACCEPTED', '', '', {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n, generate_series(1, 2) AS phase
"""
# Open transfers stall, and that was published.
_STALLS = """
    INSERT INTO stalls (transfer_id, state, since)
    SELECT transfer_id, state, created FROM transfers WHERE state IN ('WAITING', 'REJECTED', 'CLERICAL')
    ON CONFLICT DO NOTHING
"""
_DECISIONS = f"""
    INSERT INTO decisions (claim_ref, scheme, version, outcome, from_day, decided_by, decided_time)
    SELECT {CLAIM}, 'JOBSEEKERS_ALLOWANCE', 1, 'DISALLOWED', '2025-01-01', 'PO000001', {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n WHERE n > 40
"""
# A hundredth of the claims were withdrawn, and all that was held was ended.
_WITHDRAWALS = f"""
    INSERT INTO withdrawals (claim_ref, withdraw_time, settled_time)
    SELECT {CLAIM}, {PAST}, {PAST} FROM generate_series(%(first)s, %(last)s) AS n WHERE n %% 100 = 0
"""
_WITHDRAWN_RECORDS = f"""
    INSERT INTO withdrawn_records (claim_ref, system, half, since, removed_time, removed_by)
    SELECT {CLAIM}, 'JSAPS', false, {PAST}, {PAST}, 'PO000001'
    FROM generate_series(%(first)s, %(last)s) AS n WHERE n %% 100 = 0
"""

# Every day is balanced, and some differences were found and explained; what a list held is forgotten soon.
_DAYS = """
    INSERT INTO reconciliation_days (system, day, scheduled_time, run_time, done_time)
    SELECT system, day, day, day, day
    FROM unnest(ARRAY['ISCS', 'JSAPS', 'SFCS', 'PSCS', 'CMS_COTS']) AS system,
        generate_series(current_date - 400, current_date - 1, interval '1 day') AS day
    ON CONFLICT DO NOTHING
"""
_DIFFERENCES = f"""
    INSERT INTO differences (difference_id, system, kind, state, day, transfer_id, claim_ref, legacy_ref, since, closed_time,
        closed_by, closing_reason)
    SELECT {ID}, 'JSAPS', 'MISSING_THERE', 'CLOSED', current_date - n %% 100, upper(lpad(n || 'P1', 26, '0')), {CLAIM},
        'L' || n, {PAST}, {PAST}, 'legacy-gateway', 'SENT_AGAIN'
    FROM generate_series(%(first)s, %(last)s) AS n WHERE n %% 10 = 0
"""
# A file for every ten claims, all answered.
_BATCHES = f"""
    INSERT INTO batches (
        system, number, sequence, state, details, next_attempt_time, sent_time, answered_time, created, updated
    )
    SELECT 'PSCS', 1000000 + n, 1 + n %% 900000, 'ANSWERED', 10, {PAST}, {PAST}, {PAST}, {PAST}, {PAST}
    FROM generate_series(%(first)s, %(last)s) AS n WHERE n %% 10 = 0
"""
_ILL = {
    "sick_from": "2005-01-10",
    "illness": "Chest disease",
    "employment_status": "U",
    "special_treatment": "NO",
    "in_hospital_or_home": "NO",
    "adult_dependant": "NONE",
    "children": [],
    "pension_weekly": "0.00",
}
"""The answers of a claim to Incapacity Benefit beside the others'."""


class Gateway(Subject):
    """The service that sends claims to the paying systems."""

    name = "gateway"
    stepped_once = frozenset({"presence"})
    not_executed: ClassVar[dict[str, str]] = {
        "legacy_gateway.store.batches.put_off": "only for a record that our own code cannot open; finds a transfer by its key",
        "legacy_gateway.store.systems.put_off_probe": "only while a system stays away; finds it by its key",
        "legacy_gateway.store.leases.leave_to_file": "only for what a person asks about; finds a transfer by its key",
        "legacy_gateway.store.uncarried.add": "every scheme has its system in this release; adds a row by its key",
        "legacy_gateway.store.desk.ask_now": "only for what a system may hold; finds a transfer by its key",
        "legacy_gateway.store.withdrawals.put_off_half": "only if a system does not withdraw at once; finds a row by its key",
        "legacy_gateway.store.first_phases.give_up": "only for a claim that is amended between its phases; by its key",
        "legacy_gateway.store.first_phases.put_off": "only if a system does not withdraw at once; finds a row by its key",
        "legacy_gateway.store.balances.failures": "only if a system's list cannot be had; finds a day by its key",
        "legacy_gateway.store.differences.any_not_asked": "only once a run ended while its caller waits; by its index",
        "legacy_gateway.store.differences.sent_day": "only of what went in a file; finds a transfer and its file by their keys",
        "legacy_gateway.store.listings.add": "copies rows in, and reads none",
        "legacy_gateway.store.balances.put_off": "only if a system's list cannot be had; finds a day by its key",
        "legacy_gateway.store.differences.put_off": "only if a system does not answer; finds a row by its key",
        "legacy_gateway.store.uncarried.take": "only in the release that brings a scheme's system; finds rows by their key",
        "legacy_gateway.store.senders.tell_closed": "only for a sender that has lost its lease; finds a transfer by its key",
    }

    def service(self) -> Service:
        """The service as `__main__` makes it, with an intake that knows every claim and JSAPS's stand-in."""
        postcodes = self.place.folder / "postcodes.sqlite"
        build_extract(postcodes)
        token = self.place.folder / "cms-cots.token"
        token.write_text("no call goes there")
        more = {
            "language": "EN",
            "nino": "AB123456C",
            "joint_claim": False,
            "sort_code": "200000",
            "telephone": "+441632960123",
            **_ILL,
        }
        intake = self.closing.enter_context(serving({**load_cases(clock.today())[0].answers, **more}))
        self._jsaps = _start_jsaps(self.place.folder / "jsaps")
        self.closing.callback(self._jsaps.stop)
        keys = make_keys(self.place.folder)
        host_key = self.place.folder / "pscs-host.pub"
        host_key.write_bytes(keys["known_hosts"].read_bytes().removeprefix(b"* "))
        self._pscs = _start_pscs(self.place.folder / "pscs", keys)
        self.closing.callback(self._pscs.stop)
        settings = self.settings(
            Settings,
            "legacy-gateway",
            intake_address=intake,
            assessment_address=intake,
            jsaps_port=self._jsaps.port,
            cms_cots_token_file=token,
            pscs_port=self._pscs.port,
            pscs_key_file=keys["client_key"],
            pscs_host_key_file=host_key,
            postcodes_file=postcodes,
            time_scale=_SCALE,
            reply_seconds=0.5,
        )
        return service(settings)

    def fill(self, first: int, last: int) -> None:
        """A claim has two transfers."""
        self.sql(_TRANSFERS, first=first, last=last)
        self.sql(_AMENDMENTS, first=first, last=last)
        self.sql(_DAYS)
        self.sql(_STALLS)
        more = (_BATCHES, _AMENDED_FACTS, _FIRST_PHASES, _WITHDRAWALS, _WITHDRAWN_RECORDS, _EVENTS, _DECISIONS)
        for query in more:
            self.sql(query, first=first, last=last)
        self.sql(_DIFFERENCES, first=first, last=last)
        chassis_history.fill(self, first, last, sources=["assessment-svc", "intake-svc"])

    def exercise(self, turn: int) -> None:
        """Claims that are accepted at once, after an enquiry, after a correction, and that change later."""
        accepted, unknown, refused = (f"CT{turn:09}{letter}" for letter in "XYZ")
        self._order("lose_reply", unknown)
        self._order("refuse_record", refused)
        for claim_ref in (accepted, unknown, refused):
            self._confirm(claim_ref)
        self.step_own_workers(until=lambda: "REJECTED" in self._states(refused))
        self.step_own_workers(until=lambda: self._states(accepted) == self._states(unknown) == {"ACCEPTED"})
        for claim_ref in (accepted, refused):
            self._amend(claim_ref, version=CLAIM_VERSION + 1)
        self._amend(accepted, version=CLAIM_VERSION + 2)
        self.step_own_workers(until=lambda: "ACCEPTED" in self._states(refused))
        for claim_ref in (accepted, refused):
            self.call("GetTransfers", {"claimRef": claim_ref}, by=_SUPPORT)
            self.call("CheckRecord", {"claimRef": claim_ref}, by=_OPERATOR)
        self._repair(turn)
        self._decide(accepted)
        self.hear(intake_events.CrisisLoanRequested(), unknown)
        self._withdraw(unknown)
        self._hold_and_release()
        self._exchange_files(turn)
        self._balance(turn)

    def _exchange_files(self, turn: int) -> None:
        """PSCS refuses a file, takes it when it was made anew, and leaves a line out, which its list has."""
        claims = [f"CT{turn:09}{letter}" for letter in "PS"]
        for failure in ({"failure": "refuse_file"}, {"failure": "omit_line", "claim_ref": claims[0]}):
            answer = call(self._pscs.control_port, "POST", "/failures", body={**failure, "count": 1})
            assert answer.status == 200, answer.body
        for claim_ref in claims:
            self._confirm(claim_ref, scheme=common_pb2.SCHEME_INCAPACITY_BENEFIT)
        self.step_own_workers(until=lambda: all(self._states(one) == {"ACCEPTED"} for one in claims))

    def _balance(self, turn: int) -> None:
        """JSAPS loses a second phase, a first phase and a whole claim, and lists one under a reference of its own."""
        lost = {dialogue: f"CT{turn:09}{letter}" for letter, dialogue in (("D", "BA504"), ("E", "ES504"), ("F", None))}
        for claim_ref in (*lost.values(), other := f"CT{turn:09}G"):
            self._confirm(claim_ref)
        self.step_own_workers(until=lambda: all(self._states(one) == {"ACCEPTED"} for one in (*lost.values(), other)))
        for dialogue, claim_ref in lost.items():
            order = {"claim_ref": claim_ref} | ({"dialogue": dialogue} if dialogue else {})
            assert call(self._jsaps.control_port, "POST", "/ledger/lose", body=order).status == 200
        self.sql("UPDATE transfers SET updated = updated - interval '1 second' WHERE claim_ref LIKE 'CT%%'")
        self.sql("UPDATE transfers SET legacy_ref = 'OTHER' WHERE claim_ref = %(other)s AND phase = 1", other=other)
        today = clock.today()
        day = {"year": today.year, "month": today.month, "day": today.day}
        self.change("Reconcile", {"system": "SYSTEM_JSAPS", "date": day}, by=_OFFICER)
        self.step_own_workers(until=lambda: "CLERICAL" in self._states(lost["ES504"]) and self._asking() == 0)
        page = {"pageSize": 1}
        while True:
            shown = self.call("ListDifferences", page, by=_OFFICER)
            for one in shown["differences"]:
                held = {"differenceId": one["differenceId"], "reason": "DIFFERENCE_REASON_HELD_THERE"}
                self.change("CloseDifference", held, by=_OFFICER)
            if not shown["nextPageToken"]:
                break
            page = {"pageSize": 1, "pageToken": shown["nextPageToken"]}
        self.step_own_workers(until=lambda: self._states(lost["BA504"]) == {"ACCEPTED"})

    def _asking(self) -> int:
        [(count,)] = self.rows("SELECT count(*) FROM differences WHERE state = 'ASKING'")
        return int(count)

    def _withdraw(self, claim_ref: str) -> None:
        withdrawn = intake_events.ClaimWithdrawn()
        withdrawn.withdraw_time.FromDatetime(clock.now())
        self.hear(withdrawn, claim_ref)
        self.step_own_workers()
        self.change("RecordRemoval", {"claimRef": claim_ref, "system": "SYSTEM_JSAPS"}, by=_OFFICER)
        self.hear(intake_events.ClaimErased(), claim_ref)

    def _repair(self, turn: int) -> None:
        """At the repair desk: a refused claim is corrected, made anew because nothing came of that, and given up."""
        claim_ref = f"CT{turn:09}R"
        self._order("refuse_record", claim_ref)
        self._confirm(claim_ref)
        self.step_own_workers(until=lambda: "REJECTED" in self._states(claim_ref))
        for asked in ({}, {"state": "TRANSFER_STATE_ACCEPTED"}, {"system": "SYSTEM_JSAPS", "code": "ES0090"}):
            self.call("ListTransfers", asked, by=_SUPPORT)
        self.call("ListRejections", {}, by=_SUPPORT)
        refused = self._transfer(claim_ref, state="REJECTED")
        answers = {"corrections": [{"questionId": "surname", "value": "Abbot"}]}
        many = {"filter": {"state": "TRANSFER_STATE_CLERICAL"}}
        for preview in (True, False):
            why = {"reason": "the record was mended", "preview": preview}
            self.change("CorrectTransfers", {"transferIds": [refused], **answers, **why}, by=_OFFICER)
            self.change("RetryTransfer", {"transferIds": [refused], **why}, by=_OFFICER)
            self.change("RetryTransfer", {**many, **why}, by=_OFFICER, note="many")
        anew = self._transfer(claim_ref, state="WAITING")
        self.change("RetryTransfer", {"transferIds": [anew], "reason": "at once"}, by=_OFFICER)
        self.change("CancelTransfer", {"transferIds": [anew], "reason": "paid by hand"}, by=_OFFICER)
        self.call("GetTransferHistory", {"transferId": anew}, by=_SUPPORT)
        self.step_own_workers()
        [act, *_] = self.call("ListBulkActs", {"pageSize": 1}, by=_SUPPORT)["bulkActs"]
        self.change("StopBulkAct", {"actId": act["actId"]}, by=_OFFICER)

    def _decide(self, claim_ref: str) -> None:
        """An officer looks at the record that was accepted, and decides."""
        self.call("ListUndecided", {}, by=_OFFICER)
        self.call("GetAcceptedRecord", {"claimRef": claim_ref, "system": "SYSTEM_JSAPS"}, by=_OFFICER)
        decision = {
            "claimRef": claim_ref,
            "scheme": "SCHEME_JOBSEEKERS_ALLOWANCE",
            "outcome": "DECISION_OUTCOME_DISALLOWED",
            "from": {"year": 2026, "month": 1, "day": 1},
        }
        self.change("RecordDecision", decision, by=_OFFICER)
        self.call("GetDecisions", {"claimRef": claim_ref}, by=_OFFICER)

    def _transfer(self, claim_ref: str, *, state: str) -> str:
        [(transfer_id,), *_] = self.rows(
            "SELECT transfer_id FROM transfers WHERE claim_ref = %(claim_ref)s AND state = %(state)s ORDER BY phase",
            claim_ref=claim_ref,
            state=state,
        )
        return str(transfer_id)

    def _hold_and_release(self) -> None:
        this = {"system": "SYSTEM_SFCS"}
        self.change("HoldSystem", {**this, "reason": "planned outage"}, by=_SUPPORT)
        self.step_own_workers()
        self.call("GetSystems", {}, by=_SUPPORT)
        self.change("ReleaseSystem", this, by=_SUPPORT)
        self.step_own_workers()
        self.mistake("ReleaseSystem", this, by=_SUPPORT, reason="SYSTEM_NOT_HELD")

    def _order(self, failure: str, claim_ref: str) -> None:
        answer = call(
            self._jsaps.control_port, "POST", "/failures", body={"failure": failure, "claim_ref": claim_ref, "count": 1}
        )
        assert answer.status == 200, answer.body

    def _amend(self, claim_ref: str, *, version: int) -> None:
        self.hear(intake_events.ClaimAmended(changed_fields=["surname"]), claim_ref, version=version)

    def _confirm(
        self, claim_ref: str, *, scheme: common_pb2.Scheme.ValueType = common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE
    ) -> None:
        confirmed = assessment_events.AssessmentConfirmed(
            claim_version=CLAIM_VERSION,
            schemes=[scheme],
            office_code="100101",
            assessor_id="AS000001",
        )
        self.hear(confirmed, claim_ref)

    def _states(self, claim_ref: str) -> set[str]:
        rows = self.rows("SELECT state FROM transfers WHERE claim_ref = %(claim_ref)s", claim_ref=claim_ref)
        return {state for (state,) in rows}


def _start_jsaps(folder: Path) -> MainframeServer:
    copybooks = Path(legacy_gateway.__file__).parent / "copybooks"
    settings = read_settings(JsapsSettings, port=0, control_port=0, data=folder, copybooks=copybooks, time_scale=_SCALE)
    started = MainframeServer(JSAPS, settings)
    started.start()
    return started


def _start_pscs(folder: Path, keys: Mapping[str, Path]) -> Pscs:
    copybooks = Path(legacy_gateway.__file__).parent / "copybooks"
    settings = read_settings(
        PscsSettings,
        port=0,
        control_port=0,
        data=folder,
        copybooks=copybooks,
        host_key=keys["host_key"],
        authorized_keys=keys["authorized_keys"],
        cycle_seconds=0.3,
    )
    started = Pscs(settings)
    started.start()
    return started
