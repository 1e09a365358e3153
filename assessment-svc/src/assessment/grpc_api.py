"""The service's methods: messages to the domain and back."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message
from google.type import date_pb2

from assessment import service
from assessment.clients import Intake, Interview, Question
from assessment.domain.assessments import Assessment, AssessmentState
from assessment.domain.items import Check, Evidence, Item, ItemStatus
from assessment.domain.work import Place, WorkFilter, WorkItem
from assessment.enums import name_of, number_of
from assessment.pages import place_of, token_of
from assessment.store import work as store
from chassis import call, clock
from chassis.database import Connection
from chassis.errors import InvalidArgument, Violation
from chassis.idempotency import run_once
from cms.assessment.v1 import assessment_pb2
from cms.common.v1 import common_pb2

_PAGE_SIZE = 50
_LARGEST_PAGE = 200

Response = TypeVar("Response", bound=Message)


class AssessmentApi:
    """AssessmentService; the answers that it shows are read from intake for each call."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def ListWork(self, request: assessment_pb2.ListWorkRequest) -> assessment_pb2.ListWorkResponse:
        """Work of the caller's office, those that wait longest first."""
        wanted, limit = _filter(request), _page_size(request.page_size)
        after = place_of(request.page_token) if request.page_token else None
        with call.current().database.transaction() as conn:
            work = store.list_work(conn, wanted, after=after, limit=limit + 1)
        now = clock.now()
        return assessment_pb2.ListWorkResponse(
            items=[_work_item(item, now) for item in work[:limit]],
            next_page_token=token_of(Place.of(work[limit - 1])) if len(work) > limit else "",
        )

    def StartAssessment(self, request: assessment_pb2.StartAssessmentRequest) -> assessment_pb2.StartAssessmentResponse:
        """Begins an assessment or takes it up again."""
        interview = service.read_interview(self._intake, request.claim_ref)
        return _answer(
            request,
            assessment_pb2.StartAssessmentResponse,
            interview,
            lambda conn: service.start_assessment(conn, request.claim_ref, interview),
        )

    def VerifyItems(self, request: assessment_pb2.VerifyItemsRequest) -> assessment_pb2.VerifyItemsResponse:
        """Marks items."""
        checks = _checks(request.items)
        interview = service.read_interview(self._intake, request.claim_ref)
        return _answer(
            request,
            assessment_pb2.VerifyItemsResponse,
            interview,
            lambda conn: service.verify_items(
                conn, request.claim_ref, interview, checks=checks, version=request.version
            ),
        )

    def CorrectItem(self, request: assessment_pb2.CorrectItemRequest) -> assessment_pb2.CorrectItemResponse:
        """Corrects a fact in intake's record, then marks its item."""
        interview = service.amend_claim(self._intake, request, _correction(request))
        return _answer(
            request,
            assessment_pb2.CorrectItemResponse,
            interview,
            lambda conn: service.correct_item(conn, request.claim_ref, interview, fact=request.fact),
        )

    def ConfirmAssessment(
        self, request: assessment_pb2.ConfirmAssessmentRequest
    ) -> assessment_pb2.ConfirmAssessmentResponse:
        """Confirms the claim."""
        schemes = [
            name_of(common_pb2.Scheme, scheme, field=f"schemes[{index}]")
            for index, scheme in enumerate(request.schemes)
        ]
        interview = service.read_interview(self._intake, request.claim_ref)
        return _answer(
            request,
            assessment_pb2.ConfirmAssessmentResponse,
            interview,
            lambda conn: service.confirm_assessment(
                conn, request.claim_ref, interview, schemes=schemes, version=request.version
            ),
        )


def _answer(
    request: Message,
    response: Callable[..., Response],
    interview: Interview,
    use_case: Callable[[Connection], Assessment],
) -> Response:
    """The response is kept whole: the answers in it may have been corrected when a repeat comes, the first may not."""
    claim_ref: str = request.claim_ref  # type: ignore[attr-defined]
    return run_once(
        request,
        use_case,
        lambda assessment: response(assessment=_assessment(assessment, interview)),
        show_again=lambda conn: service.show_again(conn, claim_ref),
    )


def _filter(request: assessment_pb2.ListWorkRequest) -> WorkFilter:
    starts_from, starts_before = _london_day(request.day) if request.HasField("day") else (None, None)
    return WorkFilter(
        office=service.office_to_list(request.office),
        with_unbooked=not request.office,
        assessor=request.assessor or None,
        starts_from=starts_from,
        starts_before=starts_before,
        state=_state(request.state) if request.state else None,
    )


def _state(number: int) -> AssessmentState:
    return AssessmentState(name_of(assessment_pb2.AssessmentState, number, field="state"))


def _page_size(given: int) -> int:
    if given < 0:
        raise InvalidArgument.of(Violation(field="page_size", description="must not be negative"))
    return min(given or _PAGE_SIZE, _LARGEST_PAGE)


def _london_day(day: date_pb2.Date) -> tuple[datetime, datetime]:
    found = _date(day, field="day")
    if found == date.max:
        raise InvalidArgument.of(Violation(field="day", description="is too far ahead"))
    return _midnight(found), _midnight(found + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.LONDON)


def _date(given: date_pb2.Date, *, field: str) -> date:
    try:
        return date(given.year, given.month, given.day)
    except ValueError:
        raise InvalidArgument.of(Violation(field=field, description="is not a day of the calendar")) from None


def _checks(given: Sequence[assessment_pb2.ItemCheck]) -> list[Check]:
    """The checks of a request. Raises InvalidArgument naming every one at fault."""
    checks, violations = [], list[Violation]()
    for index, check in enumerate(given):
        try:
            checks.append(_check(check, f"items[{index}]"))
        except InvalidArgument as error:
            violations += error.violations
    if violations:
        raise InvalidArgument.of(*violations)
    return checks


def _check(given: assessment_pb2.ItemCheck, path: str) -> Check:
    status = ItemStatus(name_of(assessment_pb2.ItemStatus, given.status, field=f"{path}.status"))
    if status is ItemStatus.CORRECTED:
        raise InvalidArgument.of(Violation(field=f"{path}.status", description="comes from CorrectItem alone"))
    evidence = _evidence(given.evidence, f"{path}.evidence") if given.HasField("evidence") else None
    return Check(fact=given.fact, status=status, evidence=evidence)


def _evidence(given: assessment_pb2.Evidence, path: str) -> Evidence:
    kind = name_of(assessment_pb2.EvidenceKind, given.kind, field=f"{path}.kind")
    seen_on = _date(given.seen_on, field=f"{path}.seen_on")
    if seen_on > clock.today():
        raise InvalidArgument.of(Violation(field=f"{path}.seen_on", description="is in the future"))
    return Evidence(kind=kind, seen_on=seen_on)


def _correction(request: assessment_pb2.CorrectItemRequest) -> service.Correction:
    return service.Correction(
        claim_ref=request.claim_ref,
        fact=request.fact,
        value=request.value,
        accept_transliteration=request.accept_transliteration,
        reason=request.reason,
        version=request.version,
        request_id=_request_id(request.request_id),
    )


def _request_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidArgument.of(Violation(field="request_id", description="must be a UUID")) from None


def _assessment(assessment: Assessment, interview: Interview) -> assessment_pb2.Assessment:
    return assessment_pb2.Assessment(
        claim_ref=assessment.claim_ref,
        state=number_of(assessment_pb2.AssessmentState, assessment.state),
        items=[_item(assessment.items[fact], question) for fact, question in interview.questions.items()],
        claim_version=assessment.claim_version,
        version=assessment.version,
    )


def _item(item: Item, question: Question) -> assessment_pb2.Item:
    return assessment_pb2.Item(
        fact=item.fact,
        value=question.answer,
        proposal=question.proposal,
        status=number_of(assessment_pb2.ItemStatus, item.status),
        evidence=_evidence_message(item.evidence) if item.evidence else None,
        text=question.text,
    )


def _evidence_message(evidence: Evidence) -> assessment_pb2.Evidence:
    seen_on = evidence.seen_on
    return assessment_pb2.Evidence(
        kind=number_of(assessment_pb2.EvidenceKind, evidence.kind),
        seen_on=date_pb2.Date(year=seen_on.year, month=seen_on.month, day=seen_on.day),
    )


def _work_item(work: WorkItem, now: datetime) -> assessment_pb2.WorkItem:
    message = assessment_pb2.WorkItem(
        claim_ref=work.claim_ref,
        state=number_of(assessment_pb2.AssessmentState, work.state),
        schemes=[number_of(common_pb2.Scheme, scheme) for scheme in work.schemes],
        booking=number_of(assessment_pb2.Booking, work.booking(now)),
        accepted_by=[number_of(common_pb2.System, system) for system in work.accepted_by],
        rejected_question_ids=work.rejected_question_ids,
        version=work.version,
    )
    message.submit_time.FromDatetime(work.submit_time)
    if work.appointment is not None:
        message.appointment_id = work.appointment.appointment_id
        message.office_code = work.appointment.office_code
        message.assessor_id = work.appointment.assessor_id
        message.channel = number_of(common_pb2.Channel, work.appointment.channel)
        message.start_time.FromDatetime(work.appointment.start_time)
    return message
