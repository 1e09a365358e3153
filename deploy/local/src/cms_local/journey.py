"""The whole way of one claim, through the calls of its operator and its assessor to the outcome."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from cms_local import acknowledged
from cms_local.cases import Case, random_nino
from cms_local.doors import Doors, Refused, wait_for
from cms_local.mail_room import MailRoom
from cms_local.systems import systems_of, without_system

INTAKE, SCHEDULING, ASSESSMENT = "intake-svc", "scheduling-svc", "assessment-svc"
GATEWAY, NOTIFIER = "legacy-gateway", "la-notifier"
OUTCOME_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_LOAN = "SCHEME_CRISIS_LOAN"
_NINOS = random.SystemRandom()

Issue = Callable[..., str]


@dataclass(kw_only=True)
class Journey:
    """A claim on its way; `timeline` holds (seconds since the call began, what happened)."""

    case: Case
    doors: Doors
    issue: Issue
    """Gives a token: issue(role, subject=…, office=…)."""
    acknowledged_file: Path
    ninos: random.Random = _NINOS
    random: random.Random
    claim_ref: str = ""
    call_id: str = ""
    appointment: Mapping[str, Any] = field(default_factory=dict)
    timeline: list[tuple[float, str]] = field(default_factory=list)
    slot_id: str = ""
    """The slot to book; the earliest near the claimant where it is empty."""
    interview: Mapping[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    patience_seconds: float = OUTCOME_SECONDS
    """How long the assessor waits for the work item."""

    mail_room: MailRoom | None = None
    """The mail room that prints and posts the letters to an authority without a link."""
    loan_offered: str = ""
    """The amount of a crisis loan that the assessor offers, in pounds; as much as can be offered where it is empty."""

    def __post_init__(self) -> None:
        self.operator = self.issue("OPERATOR", subject=f"OP{self.random.randrange(10**6):06d}", grade="AO")

    def _note(self, step: str, schemes: Iterable[str]) -> None:
        file, wants_notice = self.acknowledged_file, self.case.wants_notice
        acknowledged.note(file, self.claim_ref, step, schemes=schemes, wants_notice=wants_notice)

    def happened(self, what: str) -> None:
        """Writes it on the timeline."""
        self.timeline.append((time.monotonic() - self.started, what))

    def take_call(self, *, once_known: Callable[[], None] = lambda: None) -> None:
        """Takes the call: every question, the booking where there is one, the submission, and changes on the way.

        `once_known` is called as soon as the claim has its reference.
        """
        self.start_call()
        once_known()
        self.answer(self.case.answers)
        if self.case.amend_before:
            self.answer_anew(self.case.amend_before)
            self.happened("amended before submission")
        if self.case.needs_interview:
            self.book()
        self.submit()
        if self.case.amend_after:
            self.amend(self.case.amend_after, reason="The claimant remembered during the call")
            self.happened("amended after submission")
        if self.case.withdraws:
            self.withdraw()
        self._intake("EndCall", callId=self.call_id, outcome="CALL_OUTCOME_COMPLETED", requestId=str(uuid4()))

    def start_call(self) -> None:
        """Starts a call for a NINO that has no claim here."""
        for _ in range(20):
            response = self._intake(
                "StartCall",
                purpose="CALL_PURPOSE_NEW",
                nino=random_nino(self.ninos),
                schemes=self._schemes(),
                language=f"LANGUAGE_{self.case.language}",
                caller={"relation": "CALLER_RELATION_SELF"},
                requestId=str(uuid4()),
            )
            if not response["resumed"]:
                break
        self.claim_ref = response["claim"]["claimRef"]
        self.call_id = response["call"]["callId"]
        self.interview = response["interview"]
        self.happened("call started")

    def answer(self, answers: Mapping[str, Any]) -> None:
        """Answers what is asked, section by section, until nothing is left that these answers can answer."""
        while batch := next(filter(None, self._batches(answers)), None):
            self._take(batch)

    def answer_anew(self, answers: Mapping[str, Any]) -> None:
        """Replaces answers that were given."""
        for batch in filter(None, self._batches(answers, anew=True)):
            self._take(batch)

    def _take(self, batch: list[dict[str, Any]]) -> None:
        self._record(batch)
        self._agree_to_proposals()

    def _batches(self, answers: Mapping[str, Any], *, anew: bool = False) -> Iterator[list[dict[str, Any]]]:
        """The answers of each section. One may make a question of an earlier section relevant."""
        for section in [section["name"] for section in self.interview["sections"]]:
            yield self._due(section, answers, anew=anew)

    def _due(self, section: str, answers: Mapping[str, Any], *, anew: bool) -> list[dict[str, Any]]:
        return [
            {"questionId": question["id"], "value": answers[question["id"]]}
            for question in self.interview["questions"]
            if question["section"] == section and question["id"] in answers and (anew or "answer" not in question)
        ]

    def _record(self, batch: list[dict[str, Any]]) -> None:
        response = self._intake(
            "RecordAnswers",
            claimRef=self.claim_ref,
            answers=batch,
            version=self.interview["version"],
            requestId=str(uuid4()),
        )
        self.interview = response["interview"]

    def _agree_to_proposals(self) -> None:
        agreed = [
            {"questionId": question["id"], "value": question["answer"], "acceptTransliteration": True}
            for question in self.interview["questions"]
            if "proposal" in question
        ]
        if agreed:
            self._record(agreed)
            self.happened("agreed to a form that the record can hold")

    def book(self) -> None:
        """Books the slot that was chosen, or the earliest near the claimant."""
        earliest = {"earliest": True, "postcode": self.case.postcode}
        wanted: Mapping[str, Any] = {"slotId": self.slot_id} if self.slot_id else earliest
        request = {"claimRef": self.claim_ref, **wanted, "requestId": str(uuid4())}
        response = self.doors.call(SCHEDULING, "BookAppointment", request, token=self.operator)
        self.appointment = response["appointment"]
        self.happened(f"interview booked at {self.appointment['office']['name']}")

    @property
    def work_item(self) -> str:
        """The purpose of those who work on the claim."""
        return f"work item {self.claim_ref}"

    def meet_again(self) -> None:
        """Reads the appointment again, which was moved or not since its assessor is away."""
        before, asked = self.appointment, {"claimRef": self.claim_ref}
        token = self.issue("SUPPORT", subject="DEMO")
        found = self.doors.call(SCHEDULING, "GetAppointment", asked, token=token, purpose=self.work_item)
        self.appointment = found["appointment"]
        now = self.appointment
        if now["version"] == before["version"]:
            self.happened(f"{before['assessorId']} is off sick, and the interview is not moved")
            return
        when = "at the same time" if now["startTime"] == before["startTime"] else f"at {now['startTime']}"
        self.happened(f"{before['assessorId']} is off sick: interview moved to {now['assessorId']}, {when}")

    def submit(self) -> None:
        """Submits the complete claim."""
        request = {"claimRef": self.claim_ref, "version": self.interview["version"], "requestId": str(uuid4())}
        self.doors.call(INTAKE, "SubmitClaim", request, token=self.operator)
        self._note("SUBMITTED", self.case.schemes)
        self.happened("submitted")

    def withdraw(self) -> None:
        """Withdraws the submitted claim in the open call, once the authority was told of it if it gets a notice at all."""
        if self.case.wants_notice:
            wait_for(self.notices, seconds=OUTCOME_SECONDS, what=f"{self.claim_ref}: a notice")
        claim = self._intake("GetClaim", claimRef=self.claim_ref)["claim"]
        request = {"claimRef": self.claim_ref, "version": claim["version"], "reason": "Found work"}
        self._intake("WithdrawClaim", **request, requestId=str(uuid4()))
        self.happened("withdrawn")

    def amend(self, answers: Mapping[str, Any], *, reason: str) -> None:
        """Changes answers of the submitted claim, in the open call."""
        interview = self._intake("GetInterview", claimRef=self.claim_ref)["interview"]
        response = self._intake(
            "AmendAnswers",
            claimRef=self.claim_ref,
            answers=[{"questionId": name, "value": value} for name, value in answers.items()],
            version=interview["version"],
            reason=reason,
            requestId=str(uuid4()),
        )
        self.interview = response["interview"]

    def assess(self) -> None:
        """Has every desk check its items, correct one where the case says so, and confirm its schemes."""
        for desk in self.case.desks:
            self._assess_at(desk)

    def _assess_at(self, desk: str) -> None:
        token = self._token_of(desk)
        assessment = wait_for(lambda: self._started(token), seconds=self.patience_seconds, what="the work item")
        shown = {item["fact"] for item in assessment["items"]}
        for fact, value in self.case.correct.items():
            if fact in shown:
                assessment = self._correct(token, assessment, fact, value)
                self.happened(f"assessor corrected {fact}")
        schemes = self.case.schemes_at(desk)
        self._confirm(token, assessment, [f"SCHEME_{scheme}" for scheme in schemes])
        self._note("CONFIRMED", schemes)
        self.happened(f"confirmed by {desk.lower()}")

    def close_assessment(self, *, reason: str) -> Any:
        """Has the assessor close the claim without a confirmation."""
        token = self._token_of("ASSESSOR")
        assessment = wait_for(lambda: self._started(token), seconds=self.patience_seconds, what="the work item")
        return self._assess(token, "CloseAssessment", assessment, reason=f"CLOSED_REASON_{reason}")

    def _token_of(self, desk: str) -> str:
        """The caseworker's token; that of the interview's assessor, or without one of an assessor near the claimant."""
        if desk == "CASEWORKER":
            return self.issue("CASEWORKER", subject=f"CW{self.random.randrange(10**6):06d}")
        if self.appointment:
            office, assessor = self.appointment["office"]["code"], self.appointment["assessorId"]
        else:
            body = {"postcode": self.case.postcode, "channel": "CHANNEL_TELEPHONE", "pageSize": 1}
            slots = self.doors.call(SCHEDULING, "FindSlots", body, token=self.operator)["slots"]
            office, assessor = slots[0]["office"]["code"], slots[0]["assessorId"]
        return self.issue("ASSESSOR", subject=assessor, office=office)

    def _correct(self, token: str, assessment: Mapping[str, Any], fact: str, value: Any) -> Any:
        reason = "As the letter that was shown says"
        return self._assess(token, "CorrectItem", assessment, fact=fact, value=value, reason=reason)

    def _started(self, token: str) -> Any:
        request = {"claimRef": self.claim_ref, "requestId": str(uuid4())}
        try:
            return self.doors.call(ASSESSMENT, "StartAssessment", request, token=token)["assessment"]
        except Refused as refused:
            if refused.code == "not_found":
                return None
            raise

    def _confirm(self, token: str, assessment: Mapping[str, Any], schemes: Sequence[str]) -> Any:
        """Checks open items and confirms the schemes, all at once.

        An item that was amended meanwhile is open again, and is checked again. Before assessment-svc has heard of the booking,
        only a crisis loan could be confirmed.
        """
        until = time.monotonic() + self.patience_seconds
        while True:
            open_items = [item["fact"] for item in assessment["items"] if item["status"] not in _SETTLED]
            try:
                if open_items:
                    checks = [{"fact": fact, "status": "ITEM_STATUS_CONFIRMED"} for fact in open_items]
                    assessment = self._assess(token, "VerifyItems", assessment, items=checks)
                return self._settle(token, assessment, schemes)
            except Refused as refused:
                if refused.code not in {"failed_precondition", "aborted"} or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_SECONDS)
                assessment = self._started(token)

    def _settle(self, token: str, assessment: Mapping[str, Any], schemes: Sequence[str]) -> Any:
        """Offers the crisis loan as far as the rules allow it, and confirms the other schemes."""
        if _LOAN in schemes and _LOAN not in assessment["confirmedSchemes"]:
            assessment = self._lend(token, assessment)
        others = [scheme for scheme in schemes if scheme != _LOAN]
        return self._assess(token, "ConfirmAssessment", assessment, schemes=others) if others else assessment

    def _lend(self, token: str, assessment: Mapping[str, Any]) -> Any:
        asked = self.doors.call(ASSESSMENT, "GetCrisisLoan", {"claimRef": self.claim_ref}, token=token)
        amount = self.loan_offered or asked["crisisLoan"]["most"]
        offer = {"outcome": "LOAN_OUTCOME_OFFERED", "amount": amount, "reason": "No other means until payday"}
        decided = self._assess(token, "DecideCrisisLoan", assessment, **offer)
        self.happened(f"crisis loan of {amount} pounds offered")
        return decided

    def _assess(self, token: str, method: str, assessment: Mapping[str, Any], **more: Any) -> Any:
        request = {"claimRef": self.claim_ref, "version": assessment["version"], "requestId": str(uuid4())} | more
        return self.doors.call(ASSESSMENT, method, request, token=token)["assessment"]

    def call_again(self) -> None:
        """Starts a second call about the claim, and passes its security."""
        request = {
            "purpose": "CALL_PURPOSE_CHANGE",
            "nino": self._nino(),
            "schemes": self._schemes(),
            "language": f"LANGUAGE_{self.case.language}",
            "caller": {"relation": "CALLER_RELATION_SELF"},
            "requestId": str(uuid4()),
        }
        response = self._intake("StartCall", **request)
        self.call_id = response["call"]["callId"]
        answers = [
            {"questionId": question["questionId"], "value": self.case.answers[question["questionId"]]}
            for question in response["call"]["securityQuestions"]
        ]
        self._intake("PassSecurity", callId=self.call_id, answers=answers, requestId=str(uuid4()))

    def amend_confirmed(self) -> None:
        """Amends the claim in a second call after the systems hold it; the change goes to them in its turn."""
        wait_for(self.is_accepted, seconds=OUTCOME_SECONDS, what=f"{self.claim_ref}: acceptance before the change")
        self.call_again()
        self.amend(self.case.amend_confirmed, reason="The claimant reported a change")
        self._intake("EndCall", callId=self.call_id, outcome="CALL_OUTCOME_COMPLETED", requestId=str(uuid4()))
        self.happened("amended after confirmation")
        wait_for(self._change_is_accepted, seconds=OUTCOME_SECONDS, what=f"{self.claim_ref}: acceptance of the change")
        self.happened("change accepted")

    def _schemes(self) -> list[str]:
        return [f"SCHEME_{scheme}" for scheme in self.case.schemes]

    def _nino(self) -> str:
        answers = {question["id"]: question.get("answer") for question in self.interview["questions"]}
        return str(answers["nino"])

    def _change_is_accepted(self) -> bool:
        changes = [row for row in self.transfers()["transfers"] if row["action"] == "TRANSFER_ACTION_CHANGE"]
        return bool(changes) and self.is_accepted()

    def wait_for_outcome(self, *, seconds: float = OUTCOME_SECONDS) -> None:
        """Waits until the paying systems hold the claim whole and the authority has loaded the notice. TimeoutError.

        A scheme that no system pays yet waits at the gateway. Of a withdrawn claim only the authority hears.
        """
        if not self.case.withdraws:
            self._wait_for_systems(seconds)
        if self.case.wants_notice:
            wait_for(self._is_told, seconds=seconds, what=f"{self.claim_ref}: loading by the authority")
            self.happened("notice loaded by the authority")

    def _is_told(self) -> bool:
        self.post_letters()
        return self.is_loaded()

    def post_letters(self) -> None:
        """Has what goes to the authority by post printed and posted, and records the receipts."""
        if self.case.by_post and self.mail_room and self.mail_room.clear(self.claim_ref):
            self.happened("letter printed and posted")

    def _wait_for_systems(self, seconds: float) -> None:
        if systems := ", ".join(system.name for system in systems_of(self.case.schemes)):
            wait_for(self.is_accepted, seconds=seconds, what=f"{self.claim_ref}: acceptance by {systems}")
            self.happened(f"accepted by {systems}")
        if schemes := without_system(self.case.schemes):
            what = f"{', '.join(schemes)} at the gateway"
            wait_for(lambda: set(schemes) <= self.waiting(), seconds=seconds, what=f"{self.claim_ref}: {what}")
            self.happened(f"waits for a system: {', '.join(schemes)}")

    def waiting(self) -> set[str]:
        """The confirmed schemes that wait at the gateway for a system."""
        waiting = self.transfers().get("uncarriedSchemes", [])
        return {str(scheme["scheme"]).removeprefix("SCHEME_") for scheme in waiting}

    def transfers(self) -> Any:
        """Calls GetTransfers."""
        token = self.issue("SUPPORT", subject="DEMO")
        return self.doors.call(
            GATEWAY, "GetTransfers", {"claimRef": self.claim_ref}, token=token, purpose=self.work_item
        )

    def notices(self) -> Any:
        """The notices that an authority was told or may have been told."""
        token = self.issue("SUPPORT", subject="DEMO")
        asked = {"claimRef": self.claim_ref}
        found = self.doors.call(NOTIFIER, "GetNotices", asked, token=token, purpose=self.work_item)
        return [notice for notice in found["notices"] if notice["state"] != "NOTICE_STATE_WAITING"]

    def is_accepted(self) -> bool:
        """Whether each system to which the claim goes holds it whole, with every change."""
        systems = self.transfers()["systems"]
        return bool(systems) and all(row["state"] == "TRANSFER_STATE_ACCEPTED" for row in systems)

    def is_loaded(self) -> bool:
        """Whether every authority has loaded the latest version, and one of them the whole claim, unless it is withdrawn."""
        latest = {notice["authorityCode"]: notice for notice in self.notices()}.values()
        kinds = {str(notice["kind"]).removeprefix("NOTICE_KIND_") for notice in latest} - {"WITHDRAWN"}
        loaded = all(notice["state"] == "NOTICE_STATE_LOADED" for notice in latest)
        if self.case.withdraws:
            return bool(latest) and loaded and not kinds
        return loaded and bool(kinds & {"CLAIM", "CHANGE", "AWARD"})

    def _intake(self, method: str, **body: Any) -> Any:
        return self.doors.call(INTAKE, method, body, token=self.operator)


_SETTLED = frozenset({"ITEM_STATUS_CONFIRMED", "ITEM_STATUS_CORRECTED"})
