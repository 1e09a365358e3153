"""The calls to intake, which owns the facts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value

from assessment.domain.items import Facts
from assessment.domain.refusals import ClaimChanged
from chassis import call, remote
from chassis.enums import name_of
from chassis.errors import InvalidArgument, NotFound, PermissionDenied, StaleVersion, Violation
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2, intake_pb2_grpc

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
class Interview:
    """The relevant, answered questions of a claim at `version`, by fact, in the order of the interview."""

    version: int
    questions: Mapping[str, Question]

    @cached_property
    def facts(self) -> Facts:
        """The facts that are answered, without their answers."""
        answered = {fact: question.answered_version for fact, question in self.questions.items()}
        proposed = frozenset(fact for fact, question in self.questions.items() if question.proposal is not None)
        schemes = {fact: question.schemes for fact, question in self.questions.items()}
        groups = {fact: question.group for fact, question in self.questions.items()}
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
class Amendment:
    """A change of a fact in a claim's record. `claim_version` is the version that the assessor has seen."""

    claim_ref: str
    claim_version: int
    fact: str
    value: Value
    accept_transliteration: bool
    reason: str
    request_id: UUID


class Intake(Protocol):
    """Intake, called with the caller's own token."""

    def get_interview(self, claim_ref: str, *, purpose: str) -> Interview:
        """The claim's interview as it is now. Raises NotFound (`NO_APPOINTMENT`) until intake hears of its booking."""

    def amend(self, amendment: Amendment, *, purpose: str) -> Interview:
        """Changes a fact; gives the interview after the change. The same request_id gives the same interview again.

        Raises ClaimChanged if the claim is not at the amendment's version, InvalidArgument naming `value` or the questions
        that prevent the change, and NotFound as `get_interview` does.
        """


class IntakeClient:
    """Intake over gRPC, with the token and the deadline of the current call."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = intake_pb2_grpc.IntakeServiceStub(channel)

    def get_interview(self, claim_ref: str, *, purpose: str) -> Interview:
        """See Intake."""
        request = intake_pb2.GetInterviewRequest(claim_ref=claim_ref)
        response = _as_caller(self._stub.GetInterview, request, purpose=purpose)
        return interview_of(response.interview)

    def amend(self, amendment: Amendment, *, purpose: str) -> Interview:
        """See Intake."""
        try:
            response = _as_caller(self._stub.AmendAnswers, _amend_request(amendment), purpose=purpose)
        except StaleVersion:
            raise ClaimChanged from None
        except InvalidArgument as error:
            raise _with_our_fields(error) from None
        return interview_of(response.interview)


def _as_caller(method: Callable[..., Response], request: Message, *, purpose: str) -> Response:
    current = call.current()
    try:
        return remote.invoke(
            method,
            request,
            token=current.identity.token,
            timeout_seconds=current.remaining_seconds(),
            purpose=purpose,
        )
    except PermissionDenied as refused:
        if refused.reason != "NO_APPOINTMENT":
            raise
        # The booking reaches intake as an event, perhaps later: callers ask again, as they do for work that is not there yet.
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
            schemes=tuple(name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in question.schemes),
        )
        for question in interview.questions
        if question.HasField("answer") and not question.answer.HasField("null_value")
    }
    return Interview(version=interview.version, questions=questions)


def _amend_request(amendment: Amendment) -> intake_pb2.AmendAnswersRequest:
    answer = intake_pb2.Answer(
        question_id=amendment.fact,
        value=amendment.value,
        accept_transliteration=amendment.accept_transliteration,
    )
    return intake_pb2.AmendAnswersRequest(
        claim_ref=amendment.claim_ref,
        answers=[answer],
        version=amendment.claim_version,
        request_id=str(amendment.request_id),
        reason=amendment.reason,
    )


def _with_our_fields(error: InvalidArgument) -> InvalidArgument:
    # Intake names questions or fields of its own request; callers know questions and the fields of CorrectItem.
    violations = [
        Violation(field=_OUR_FIELDS.get(fault.field, fault.field), description=fault.description)
        for fault in error.violations
    ]
    return InvalidArgument.of(*violations, reason=error.reason)


_OUR_FIELDS = {"answers[0].question_id": "fact", "answers[0].value": "value"}
