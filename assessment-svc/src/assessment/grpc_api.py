"""AssessmentService: messages to the domain and back."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.type import date_pb2

from assessment.clients import Intake, Interview, Question
from assessment.domain.assessments import AssessmentState, Confirmation
from assessment.domain.items import Check, Evidence, Item, ItemStatus
from assessment.domain.reports import Appointment
from assessment.domain.work import Place, WorkFilter, WorkItem
from assessment.service import assessing, reading, work
from assessment.service.reading import Permitted
from chassis import call, clock
from chassis.conversions import date_message, day_of, timestamp, uuid_of
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Violation
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from cms.assessment.v1 import assessment_pb2
from cms.common.v1 import common_pb2

_PAGE_SIZE = 50
_LARGEST_PAGE = 200

Response = TypeVar("Response", bound=Message)


class AssessmentApi:
    """cms.assessment.v1.AssessmentService. Each call reads the answers that it shows from intake."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def ListWork(self, request: assessment_pb2.ListWorkRequest) -> assessment_pb2.ListWorkResponse:
        """Work of the caller's office, or of caseworkers, the oldest first."""
        wanted = _filter(request)
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        after = _place(request)
        with call.current().database.transaction() as conn:
            found = work.list_work(conn, wanted, after=after, limit=limit + 1)
        now = clock.now()
        return assessment_pb2.ListWorkResponse(
            items=[_work_item(item, now) for item in found[:limit]],
            next_page_token=_token(request, Place.of(found[limit - 1])) if len(found) > limit else "",
        )

    def StartAssessment(self, request: assessment_pb2.StartAssessmentRequest) -> assessment_pb2.StartAssessmentResponse:
        """Starts or resumes an assessment."""
        interview = reading.read_interview(self._intake, request.claim_ref)
        return _respond_once(
            request,
            assessment_pb2.StartAssessmentResponse,
            interview,
            lambda conn: assessing.start_assessment(conn, request.claim_ref, interview),
        )

    def VerifyItems(self, request: assessment_pb2.VerifyItemsRequest) -> assessment_pb2.VerifyItemsResponse:
        """Records checks of items."""
        checks = _checks(request.items)
        interview = reading.read_interview(self._intake, request.claim_ref)
        return _respond_once(
            request,
            assessment_pb2.VerifyItemsResponse,
            interview,
            lambda conn: assessing.verify_items(
                conn, request.claim_ref, interview, checks=checks, version=request.version
            ),
        )

    def CorrectItem(self, request: assessment_pb2.CorrectItemRequest) -> assessment_pb2.CorrectItemResponse:
        """Corrects a fact in intake's record, then marks its item."""
        interview = reading.amend_claim(self._intake, request, _correction(request))
        return _respond_once(
            request,
            assessment_pb2.CorrectItemResponse,
            interview,
            lambda conn: assessing.correct_item(conn, request.claim_ref, interview, fact=request.fact),
        )

    def ConfirmAssessment(
        self, request: assessment_pb2.ConfirmAssessmentRequest
    ) -> assessment_pb2.ConfirmAssessmentResponse:
        """Confirms schemes of the claim."""
        schemes = [
            name_of(common_pb2.Scheme, scheme, field=f"schemes[{index}]")
            for index, scheme in enumerate(request.schemes)
        ]
        interview = reading.read_interview(self._intake, request.claim_ref)
        return _respond_once(
            request,
            assessment_pb2.ConfirmAssessmentResponse,
            interview,
            lambda conn: assessing.confirm_assessment(
                conn, request.claim_ref, interview, schemes=schemes, version=request.version
            ),
        )

    def GetConfirmations(
        self, request: assessment_pb2.GetConfirmationsRequest
    ) -> assessment_pb2.GetConfirmationsResponse:
        """What was confirmed of the claim, for another service."""
        with call.current().database.transaction() as conn:
            found = reading.confirmations_of(conn, request.claim_ref)
        return assessment_pb2.GetConfirmationsResponse(confirmations=[_confirmation(one) for one in found])


def _respond_once(
    request: Message,
    response: Callable[..., Response],
    interview: Interview,
    use_case: Callable[[Connection], Permitted],
) -> Response:
    """Runs the use case once. The response is kept whole, because its answers may be corrected before a repeat comes."""
    claim_ref: str = request.claim_ref  # type: ignore[attr-defined]
    return run_once(
        request,
        use_case,
        lambda work: response(assessment=_assessment(work, interview)),
        show_again=lambda conn: assessing.show_again(conn, claim_ref),
    )


def _filter(request: assessment_pb2.ListWorkRequest) -> WorkFilter:
    starts_from, starts_before = _london_day(request.day) if request.HasField("day") else (None, None)
    office = work.office_to_list(request.office)
    if office is None:
        _refuse_interviews(request)
    return WorkFilter(
        office=office,
        with_unbooked=not request.office,
        assessor=request.assessor or None,
        starts_from=starts_from,
        starts_before=starts_before,
        state=_state(request.state) if request.state else None,
    )


def _refuse_interviews(request: assessment_pb2.ListWorkRequest) -> None:
    given = [name for name in ("office", "assessor") if getattr(request, name)]
    given += ["day"] if request.HasField("day") else []
    if given:
        description = "is of interviews, and child maintenance has none"
        raise InvalidArgument.of(*(Violation(field=name, description=description) for name in given))


def _state(number: int) -> AssessmentState:
    return AssessmentState(name_of(assessment_pb2.AssessmentState, number, field="state"))


def _place(request: assessment_pb2.ListWorkRequest) -> Place | None:
    place = place_of(request, bool, datetime, str)
    if place is None:
        return None
    done, submit_time, claim_ref = place
    return Place(done=done, submit_time=submit_time, claim_ref=claim_ref)


def _token(request: assessment_pb2.ListWorkRequest, place: Place) -> str:
    return token_of(request, place.done, place.submit_time, place.claim_ref)


def _london_day(day: date_pb2.Date) -> tuple[datetime, datetime]:
    found = day_of(day, field="day")
    if found == date.max:
        raise InvalidArgument.of(Violation(field="day", description="is too far ahead"))
    return _midnight(found), _midnight(found + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.LONDON)


def _checks(given: Sequence[assessment_pb2.ItemCheck]) -> list[Check]:
    """The checks of a request. Raises InvalidArgument naming every field at fault."""
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
        raise InvalidArgument.of(Violation(field=f"{path}.status", description="is set only by CorrectItem"))
    evidence = _evidence(given.evidence, f"{path}.evidence") if given.HasField("evidence") else None
    return Check(fact=given.fact, status=status, evidence=evidence)


def _evidence(given: assessment_pb2.Evidence, path: str) -> Evidence:
    kind = name_of(assessment_pb2.EvidenceKind, given.kind, field=f"{path}.kind")
    seen_on = day_of(given.seen_on, field=f"{path}.seen_on")
    if seen_on > clock.today():
        raise InvalidArgument.of(Violation(field=f"{path}.seen_on", description="is in the future"))
    return Evidence(kind=kind, seen_on=seen_on)


def _correction(request: assessment_pb2.CorrectItemRequest) -> reading.Correction:
    return reading.Correction(
        claim_ref=request.claim_ref,
        fact=request.fact,
        value=request.value,
        accept_transliteration=request.accept_transliteration,
        reason=request.reason,
        version=request.version,
        request_id=uuid_of(request.request_id, field="request_id"),
    )


def _assessment(work: Permitted, interview: Interview) -> assessment_pb2.Assessment:
    assessment, items = work.assessment, work.assessment.items_at(work.desks)
    return assessment_pb2.Assessment(
        claim_ref=assessment.claim_ref,
        state=number_of(assessment_pb2.AssessmentState, assessment.state),
        items=[
            _item(items[fact], question, assessment.schemes)
            for fact, question in interview.questions.items()
            if fact in items
        ],
        claim_version=assessment.claim_version,
        version=assessment.version,
        schemes=_schemes(assessment.schemes),
        confirmed_schemes=_schemes(assessment.confirmed_schemes),
    )


def _confirmation(given: Confirmation) -> assessment_pb2.Confirmation:
    return assessment_pb2.Confirmation(
        scheme=number_of(common_pb2.Scheme, given.scheme),
        claim_version=given.claim_version,
        office_code=given.office_code,
        assessor_id=given.assessor_id,
        confirm_time=timestamp(given.confirm_time),
    )


def _schemes(schemes: Sequence[str]) -> list[Any]:
    return [number_of(common_pb2.Scheme, scheme) for scheme in schemes]


def _item(item: Item, question: Question, schemes: Sequence[str]) -> assessment_pb2.Item:
    return assessment_pb2.Item(
        fact=item.fact,
        value=question.answer,
        proposal=question.proposal,
        status=number_of(assessment_pb2.ItemStatus, item.status),
        evidence=_evidence_message(item.evidence) if item.evidence else None,
        text=question.text,
        schemes=_schemes(item.needed_by(schemes)),
    )


def _evidence_message(evidence: Evidence) -> assessment_pb2.Evidence:
    return assessment_pb2.Evidence(
        kind=number_of(assessment_pb2.EvidenceKind, evidence.kind), seen_on=date_message(evidence.seen_on)
    )


def _work_item(item: WorkItem, now: datetime) -> assessment_pb2.WorkItem:
    message = assessment_pb2.WorkItem(
        claim_ref=item.claim_ref,
        state=number_of(assessment_pb2.AssessmentState, item.state),
        schemes=_schemes(item.schemes),
        confirmed_schemes=_schemes(item.confirmed_schemes),
        submit_time=timestamp(item.submit_time),
        booking=number_of(assessment_pb2.Booking, item.booking(now)),
        accepted_by=[number_of(common_pb2.System, system) for system in item.accepted_by],
        rejected_question_ids=item.rejected_question_ids,
        version=item.version,
    )
    if item.closed_reason is not None:
        message.closed_reason = number_of(assessment_pb2.ClosedReason, item.closed_reason)
    if item.appointment is not None:
        message.MergeFrom(_booked(item.appointment))
    return message


def _booked(appointment: Appointment) -> assessment_pb2.WorkItem:
    return assessment_pb2.WorkItem(
        appointment_id=appointment.appointment_id,
        office_code=appointment.office_code,
        assessor_id=appointment.assessor_id,
        channel=number_of(common_pb2.Channel, appointment.channel),
        start_time=timestamp(appointment.start_time),
    )
