"""The calls to other services: intake, which owns the facts; the gateway and the notifier, which know what became of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value

from assessment.domain.items import Facts
from assessment.domain.refusals import ClaimChanged
from chassis import call, logs, remote
from chassis.conversions import time_of
from chassis.enums import name_of
from chassis.errors import (
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    StaleVersion,
    Unavailable,
    Violation,
)
from chassis.identity import ServiceTokens
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from cms.notifier.v1 import notifier_pb2, notifier_pb2_grpc

_PAGE_SIZE = 500
_LONGEST_SECONDS = 1.5

Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A relevant question with its answer: personal data, never stored here and never logged."""

    text: str
    answer: Value
    answered_version: int
    proposal: Value | None = None
    """A form that the paying systems can hold and that nobody has agreed to yet; None if none is needed."""
    group: str = ""
    """The section of the interview that it is of."""
    schemes: tuple[str, ...] = ()
    """The claim's schemes that need the answer; where none are named, all of them do."""


@dataclass(frozen=True, kw_only=True)
class OpenQuestion:
    """A relevant question without an answer. `gap`: what the claimant said instead; empty where nothing was said."""

    fact: str
    text: str
    group: str
    gap: str
    required: bool
    schemes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A point of the claim as it stands that a paying system would refuse, by the edit rule's code."""

    system: str
    code: str
    field: str
    fact: str
    ask: str
    needs_person: bool


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of the claim's record that was given a reason. `old` and `new` are personal data; None: there was no answer."""

    fact: str
    old: Value | None
    new: Value | None
    by: str
    at: datetime
    reason: str
    claim_version: int


@dataclass(frozen=True, kw_only=True)
class Interview:
    """The relevant, answered questions of a claim at `version`, by fact, in the order of the interview."""

    version: int
    questions: Mapping[str, Question]
    open_questions: tuple[OpenQuestion, ...] = ()
    """Those that apply and have no answer, or a gap."""
    refusals: tuple[Refusal, ...] = ()
    """The refusals to expect of paying systems, where they were asked for and could be found."""
    refusals_known: bool = True

    @cached_property
    def facts(self) -> Facts:
        """The facts that are answered, without their answers."""
        answered = {fact: question.answered_version for fact, question in self.questions.items()}
        proposed = frozenset(fact for fact, question in self.questions.items() if question.proposal is not None)
        schemes = {fact: question.schemes for fact, question in self.questions.items()}
        groups = {fact: question.group for fact, question in self.questions.items() if question.group}
        return Facts(version=self.version, answered=answered, proposed=proposed, groups=groups, schemes=schemes)

    @cached_property
    def given(self) -> frozenset[str]:
        """The facts whose answers say something: not "no", nothing or no amount. A gap says that something is to come."""
        return frozenset(fact for fact, question in self.questions.items() if not _says_nothing(question.answer))


def _says_nothing(answer: Value) -> bool:
    match answer.WhichOneof("kind"):
        case "bool_value":
            return not answer.bool_value
        case "number_value":
            return answer.number_value == 0
        case "string_value":
            return answer.string_value in _NOTHING
        case "list_value":
            return not answer.list_value.values
        case "struct_value":
            return not answer.struct_value.fields
    return True


_NOTHING = {"", "0", "0.00", "NONE"}
"""Texts, amounts and codes by which a claimant has nothing of the kind."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The right answer to a question."""

    fact: str
    value: Value
    accept_transliteration: bool = False


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """A change of facts in a claim's record, all or none. `claim_version` is the version that the assessor has seen."""

    claim_ref: str
    claim_version: int
    answers: tuple[Answer, ...]
    reason: str
    request_id: UUID


class Intake(Protocol):
    """Intake, called for the caller."""

    def get_interview(self, claim_ref: str, *, purpose: str, check_records: bool = False) -> Interview:
        """The claim's interview as it is now. Raises NotFound (`NO_APPOINTMENT`) until intake hears of its booking.

        `check_records`: also what the paying systems would refuse.
        """

    def changes(self, claim_ref: str, *, purpose: str) -> list[Change]:
        """The changes of the claim's record that were given a reason, the oldest first. Raises as `get_interview` does."""

    def amend(self, amendment: Amendment, *, purpose: str) -> Interview:
        """Changes facts; gives the interview after the change. The same request_id gives the same interview again.

        Raises ClaimChanged if the claim is not at the amendment's version, InvalidArgument naming `value` or the questions
        that prevent the change, and NotFound as `get_interview` does.
        """


@dataclass(frozen=True, kw_only=True)
class Followed:
    """The course of a claim after its confirmation, in each service's messages. `not_reached`: services without an answer."""

    systems: Sequence[gateway_pb2.SystemState] = ()
    transfers: Sequence[gateway_pb2.Transfer] = ()
    notices: Sequence[notifier_pb2.Notice] = ()
    not_reached: tuple[str, ...] = ()


class Outcomes(Protocol):
    """The gateway and the notifier, called for the caller. No error of theirs keeps an assessor from the claim."""

    def follow(self, claim_ref: str) -> Followed:
        """The claim's transfers and notices."""


class OutcomesClient:
    """The gateway and the notifier over gRPC."""

    def __init__(self, gateway: grpc.Channel, notifier: grpc.Channel, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        self._gateway = gateway_pb2_grpc.LegacyGatewayServiceStub(gateway)
        self._notifier = notifier_pb2_grpc.LaNotifierServiceStub(notifier)

    def follow(self, claim_ref: str) -> Followed:
        """See Outcomes."""
        transfers = self._if_reached(
            self._gateway.GetTransfers,
            gateway_pb2.GetTransfersRequest(claim_ref=claim_ref),
            service="legacy-gateway",
            claim_ref=claim_ref,
        )
        notices = self._if_reached(
            self._notifier.GetNotices,
            notifier_pb2.GetNoticesRequest(claim_ref=claim_ref),
            service="la-notifier",
            claim_ref=claim_ref,
        )
        away = {"legacy-gateway": transfers is None, "la-notifier": notices is None}
        return Followed(
            systems=transfers.systems if transfers else (),
            transfers=transfers.transfers if transfers else (),
            notices=notices.notices if notices else (),
            not_reached=tuple(name for name, is_away in away.items() if is_away),
        )

    def _if_reached(
        self, method: Callable[..., Response], request: Message, *, service: str, claim_ref: str
    ) -> Response | None:
        try:
            return remote.invoke_for_caller(
                method,
                request,
                service=service,
                tokens=self._tokens,
                timeout_seconds=min(_LONGEST_SECONDS, call.current().remaining_seconds()),
                purpose=f"work item {claim_ref}",
            )
        except (Unavailable, DeadlineExceeded, ResourceExhausted, Internal) as error:
            logs.get().warning("not shown with the claim", claim_ref=claim_ref, reason=error.reason)
            return None


class IntakeClient:
    """Intake over gRPC, for the person whose call is being handled and within its deadline."""

    def __init__(self, channel: grpc.Channel, tokens: ServiceTokens) -> None:
        self._tokens = tokens
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)

    def get_interview(self, claim_ref: str, *, purpose: str, check_records: bool = False) -> Interview:
        """See Intake."""
        request = intake_pb2.GetInterviewRequest(claim_ref=claim_ref, check_records=check_records)
        response = self._for_caller(self._stub.GetInterview, request, purpose=purpose)
        return interview_of(response.interview)

    def changes(self, claim_ref: str, *, purpose: str) -> list[Change]:
        """See Intake."""
        request, found = intake_pb2.GetHistoryRequest(claim_ref=claim_ref, page_size=_PAGE_SIZE), list[Change]()
        while True:
            page = self._for_caller(self._stub.GetHistory, request, purpose=purpose)
            found += [_change(entry) for entry in page.entries if entry.reason]
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def amend(self, amendment: Amendment, *, purpose: str) -> Interview:
        """See Intake."""
        try:
            response = self._for_caller(self._stub.AmendAnswers, _amend_request(amendment), purpose=purpose)
        except StaleVersion:
            raise ClaimChanged from None
        except InvalidArgument as error:
            raise _with_our_fields(error, amendment) from None
        return interview_of(response.interview)

    def _for_caller(self, method: Callable[..., Response], request: Message, *, purpose: str) -> Response:
        try:
            return remote.invoke_for_caller(
                method,
                request,
                service="intake-svc",
                tokens=self._tokens,
                timeout_seconds=call.current().remaining_seconds(),
                purpose=purpose,
            )
        except PermissionDenied as refused:
            if refused.reason != "NO_APPOINTMENT":
                raise
            # The booking reaches intake as an event, perhaps later: callers ask again, as for work that is not there yet.
            raise NotFound("NO_APPOINTMENT", "intake knows of no appointment of the claim yet") from None


def interview_of(interview: intake_pb2.Interview) -> Interview:
    """The answered questions of intake's message. A cleared answer counts as none."""
    questions = {
        question.id: Question(
            text=question.text,
            answer=question.answer,
            answered_version=question.answered_version,
            group=question.section,
            proposal=question.proposal if question.HasField("proposal") else None,
            schemes=_schemes(question),
        )
        for question in interview.questions
        if question.HasField("answer") and not question.answer.HasField("null_value")
    }
    gaps = {gap.question_id: gap.gap for gap in interview.gaps}
    return Interview(
        version=interview.version,
        questions=questions,
        open_questions=tuple(
            _open_question(question, gaps.get(question.id, ""))
            for question in interview.questions
            if question.id not in questions or question.id in gaps
        ),
        refusals=tuple(_refusal(finding) for finding in interview.record_check.findings),
        refusals_known=interview.record_check.state != intake_pb2.RECORD_CHECK_STATE_NOT_MADE,
    )


def _open_question(question: intake_pb2.Question, gap: str) -> OpenQuestion:
    return OpenQuestion(
        fact=question.id,
        text=question.text,
        group=question.section,
        gap=gap,
        required=question.required,
        schemes=_schemes(question),
    )


def _refusal(finding: intake_pb2.RecordFinding) -> Refusal:
    return Refusal(
        system=name_of(common_pb2.System, finding.system, field="system"),
        code=finding.code,
        field=finding.field,
        fact=finding.question_id,
        ask=finding.ask,
        needs_person=finding.needs_person,
    )


def _change(entry: intake_pb2.HistoryEntry) -> Change:
    return Change(
        fact=entry.question_id,
        old=entry.old if entry.HasField("old") else None,
        new=entry.new if entry.HasField("new") else None,
        by=entry.by,
        at=time_of(entry.at, field="at"),
        reason=entry.reason,
        claim_version=entry.version,
    )


def _schemes(question: intake_pb2.Question) -> tuple[str, ...]:
    return tuple(name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in question.schemes)


def _amend_request(amendment: Amendment) -> intake_pb2.AmendAnswersRequest:
    answers = [
        intake_pb2.Answer(
            question_id=answer.fact, value=answer.value, accept_transliteration=answer.accept_transliteration
        )
        for answer in amendment.answers
    ]
    return intake_pb2.AmendAnswersRequest(
        claim_ref=amendment.claim_ref,
        answers=answers,
        version=amendment.claim_version,
        request_id=str(amendment.request_id),
        reason=amendment.reason,
    )


def _with_our_fields(error: InvalidArgument, amendment: Amendment) -> InvalidArgument:
    # Intake names questions or fields of its own request; callers know questions and, of one answer, the fields of CorrectItem.
    ours = _OUR_FIELDS if len(amendment.answers) == 1 else _facts_of(amendment)
    violations = [
        Violation(field=ours.get(fault.field, fault.field), description=fault.description) for fault in error.violations
    ]
    return InvalidArgument.of(*violations, reason=error.reason)


_OUR_FIELDS = {"answers[0].question_id": "fact", "answers[0].value": "value"}


def _facts_of(amendment: Amendment) -> Mapping[str, str]:
    return {
        f"answers[{index}].{field}": answer.fact
        for index, answer in enumerate(amendment.answers)
        for field in ("question_id", "value")
    }
