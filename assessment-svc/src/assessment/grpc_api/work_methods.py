"""The method that lists work."""

from datetime import date, datetime, time, timedelta

from google.type import date_pb2

from assessment.domain.clocks import Targets
from assessment.domain.reports import Appointment
from assessment.domain.states import AssessmentState
from assessment.domain.work import Place, WorkFilter, WorkItem
from assessment.grpc_api.messages import clock_messages, scheme_numbers
from assessment.service import work
from chassis import call, clock
from chassis.conversions import date_message, day_of, timestamp
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Violation
from chassis.pages import page_size, place_of, token_of
from cms.assessment.v1 import assessment_pb2, record_pb2
from cms.common.v1 import common_pb2

_PAGE_SIZE = 50
_LARGEST_PAGE = 200


class WorkMethods:
    """Lists work."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def ListWork(self, request: assessment_pb2.ListWorkRequest) -> assessment_pb2.ListWorkResponse:
        """Work of the caller's office, or of caseworkers, the oldest first."""
        wanted = _filter(request)
        limit = page_size(request, usual=_PAGE_SIZE, largest=_LARGEST_PAGE)
        after = _place(request)
        with call.current().database.transaction() as conn:
            found = work.list_work(conn, wanted, after=after, limit=limit + 1)
        now = clock.now()
        last = Place.of(found[limit - 1], by_interview=wanted.by_interview) if len(found) > limit else None
        return assessment_pb2.ListWorkResponse(
            items=[_work_item(item, self._targets, now) for item in found[:limit]],
            next_page_token=_token(request, last) if last else "",
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
    return AssessmentState(name_of(record_pb2.AssessmentState, number, field="state"))


def _place(request: assessment_pb2.ListWorkRequest) -> Place | None:
    place = place_of(request, bool, datetime, str)
    if place is None:
        return None
    done, moment, claim_ref = place
    return Place(done=done, time=moment, claim_ref=claim_ref)


def _token(request: assessment_pb2.ListWorkRequest, place: Place) -> str:
    return token_of(request, place.done, place.time, place.claim_ref)


def _london_day(day: date_pb2.Date) -> tuple[datetime, datetime]:
    found = day_of(day, field="day")
    if found == date.max:
        raise InvalidArgument.of(Violation(field="day", description="is too far ahead"))
    return _midnight(found), _midnight(found + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.LONDON)


def _work_item(item: WorkItem, targets: Targets, now: datetime) -> assessment_pb2.WorkItem:
    message = assessment_pb2.WorkItem(
        claim_ref=item.claim_ref,
        state=number_of(record_pb2.AssessmentState, item.state),
        schemes=scheme_numbers(item.schemes),
        confirmed_schemes=scheme_numbers(item.confirmed_schemes),
        submit_time=timestamp(item.submit_time),
        booking=number_of(assessment_pb2.Booking, item.booking(now)),
        accepted_by=[number_of(common_pb2.System, system) for system in item.accepted_by],
        rejected_question_ids=item.rejected_question_ids,
        version=item.version,
        closed_schemes=scheme_numbers(item.closed_schemes),
        missed=item.missed,
        clocks=clock_messages(item.clocks(targets, now)),
    )
    _set_times(message, item)
    if item.closed_reason is not None:
        message.closed_reason = number_of(record_pb2.ClosedReason, item.closed_reason)
    if item.appointment is not None:
        message.MergeFrom(_booked(item.appointment))
    return message


def _set_times(message: assessment_pb2.WorkItem, item: WorkItem) -> None:
    if item.attended_time is not None:
        message.attended_time.CopyFrom(timestamp(item.attended_time))
    if item.evidence_complete_time is not None:
        message.evidence_complete_time.CopyFrom(timestamp(item.evidence_complete_time))
    if item.evidence_due_on is not None and item.state is AssessmentState.EVIDENCE_OUTSTANDING:
        message.evidence_due_on.CopyFrom(date_message(item.evidence_due_on))


def _booked(appointment: Appointment) -> assessment_pb2.WorkItem:
    return assessment_pb2.WorkItem(
        appointment_id=appointment.appointment_id,
        office_code=appointment.office_code,
        assessor_id=appointment.assessor_id,
        channel=number_of(common_pb2.Channel, appointment.channel),
        start_time=timestamp(appointment.start_time),
    )
