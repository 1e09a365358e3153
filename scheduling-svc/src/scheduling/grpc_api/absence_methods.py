"""Absences and closures, and the interviews that nobody is there to hold."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

from chassis import call, clock
from chassis.contract import allowed_roles
from chassis.conversions import time_of, timestamp
from chassis.errors import PermissionDenied
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from cms.scheduling.v1 import absences_pb2, scheduling_pb2
from scheduling.domain.absences import Away
from scheduling.domain.directory import Directory
from scheduling.grpc_api.replanning_messages import ReplanningMessages
from scheduling.grpc_api.showing import shown
from scheduling.service import absences, replanning
from scheduling.service.absences import Recorded

USUAL_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100

_FIRST = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
_METHODS = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"].methods_by_name
_MAY_RECORD = allowed_roles(_METHODS["RecordAbsence"])


class AbsenceMethods:
    """Records absences and closures, ends them, and lists what is left for a person."""

    def __init__(self, directory: Directory, messages: ReplanningMessages) -> None:
        self._directory = directory
        self._messages = messages

    def RecordAbsence(self, request: absences_pb2.RecordAbsenceRequest) -> absences_pb2.RecordAbsenceResponse:
        """Records an absence and moves the interviews that fall into it."""
        assessor = self._directory.assessor(request.assessor_id)
        _refuse_other_office(assessor.office_code)
        begins, ends = _times(request)

        def respond(recorded: Recorded) -> absences_pb2.RecordAbsenceResponse:
            return absences_pb2.RecordAbsenceResponse(
                moved=self._messages.moved(recorded.replanned),
                not_moved=self._messages.not_moved(recorded.replanned.not_moved),
                still_to_move=recorded.replanned.still_to_move,
                absence=_absence(recorded.away),
            )

        response = run_once(
            request,
            lambda conn: absences.record_absence(
                conn,
                _away(assessor.assessor_id, begins, ends),
                reason=request.reason,
                directory=self._directory,
                vault=call.current().vault,
            ),
            respond,
        )
        return shown(response, purpose="replanning")

    def CancelAbsence(self, request: absences_pb2.CancelAbsenceRequest) -> absences_pb2.CancelAbsenceResponse:
        """Ends the absences of an assessor who is back."""
        assessor = self._directory.assessor(request.assessor_id)
        _refuse_other_office(assessor.office_code)
        back = time_of(request.back, field="back") if request.HasField("back") else None
        return run_once(
            request,
            partial(absences.cancel_absence, assessor_id=assessor.assessor_id, back=back),
            lambda ended: absences_pb2.CancelAbsenceResponse(absences=[_absence(one) for one in ended]),
        )

    def CloseOffice(self, request: absences_pb2.CloseOfficeRequest) -> absences_pb2.CloseOfficeResponse:
        """Records a closure and moves the interviews that fall into it."""
        office = self._directory.office(request.office_code)
        begins, ends = _times(request)

        def respond(recorded: Recorded) -> absences_pb2.CloseOfficeResponse:
            return absences_pb2.CloseOfficeResponse(
                moved=self._messages.moved(recorded.replanned),
                not_moved=self._messages.not_moved(recorded.replanned.not_moved),
                still_to_move=recorded.replanned.still_to_move,
                closure=_closure(recorded.away),
            )

        response = run_once(
            request,
            lambda conn: absences.close_office(
                conn,
                _away(office.code, begins, ends),
                reason=request.reason,
                directory=self._directory,
                vault=call.current().vault,
            ),
            respond,
        )
        return shown(response, purpose="replanning")

    def ReopenOffice(self, request: absences_pb2.ReopenOfficeRequest) -> absences_pb2.ReopenOfficeResponse:
        """Ends the closures of an office that is open again."""
        office = self._directory.office(request.office_code)
        opens = time_of(request.open, field="open") if request.HasField("open") else None
        return run_once(
            request,
            partial(absences.reopen_office, office_code=office.code, opens=opens),
            lambda ended: absences_pb2.ReopenOfficeResponse(closures=[_closure(one) for one in ended]),
        )

    def ListNotMoved(self, request: absences_pb2.ListNotMovedRequest) -> absences_pb2.ListNotMovedResponse:
        """The interviews that nobody is there to hold, with what would solve each as of now."""
        if request.office_code:
            self._directory.office(request.office_code)
        office_code = request.office_code or _only_office()
        _refuse_other_office(office_code)
        place = place_of(request, datetime, UUID)
        size = page_size(request, usual=USUAL_PAGE_SIZE, largest=LARGEST_PAGE_SIZE)
        with call.current().database.transaction() as conn:
            found = replanning.displaced(
                conn,
                self._directory,
                office_code=office_code,
                number=size + 1,
                after=(place[0], place[1]) if place else _FIRST,
            )
        response = absences_pb2.ListNotMovedResponse(not_moved=self._messages.not_moved(found[:size]))
        if len(found) > size:
            last = found[size - 1].appointment
            response.next_page_token = token_of(request, last.start_time, last.appointment_id)
        return shown(response, purpose="replanning")


def _times(request: absences_pb2.RecordAbsenceRequest | absences_pb2.CloseOfficeRequest) -> tuple[datetime, datetime]:
    return time_of(getattr(request, "from"), field="from"), time_of(request.until, field="until")


def _away(of: str, begins: datetime, ends: datetime) -> Away:
    # Checked by the clock with the change: a repeat gets the first answer at any time.
    return Away.recorded(
        identity=uuid4(),
        of=of,
        start_time=begins,
        end_time=ends,
        recorded_by=call.current().identity.subject,
        now=clock.now(),
    )


def _absence(away: Away) -> absences_pb2.Absence:
    message = absences_pb2.Absence(absence_id=str(away.identity), assessor_id=away.of, until=timestamp(away.end_time))
    getattr(message, "from").CopyFrom(timestamp(away.start_time))
    return message


def _closure(away: Away) -> absences_pb2.Closure:
    message = absences_pb2.Closure(closure_id=str(away.identity), office_code=away.of, until=timestamp(away.end_time))
    getattr(message, "from").CopyFrom(timestamp(away.start_time))
    return message


def _only_office() -> str:
    """The office of a caller who is an assessor alone; empty for others, who see every office."""
    caller = call.current().identity
    return caller.office or "" if caller.roles & _MAY_RECORD == {"ASSESSOR"} else ""


def _refuse_other_office(office_code: str) -> None:
    caller = call.current().identity
    # A caller with several roles has the rights of the widest (docs/adr/0013).
    if caller.roles & _MAY_RECORD == {"ASSESSOR"} and caller.office != office_code:
        raise PermissionDenied("OTHER_OFFICE", "assessors can see and change only what is of their own office")
