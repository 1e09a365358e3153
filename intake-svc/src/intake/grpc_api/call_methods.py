"""The course of calls, and the queue of call-backs: messages to the domain and back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import call, clock
from chassis.conversions import timestamp
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.idempotency import Rebuildable, run_once
from chassis.pages import page_size, place_of, token_of
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.domain import problems
from intake.domain.call import Call, Caller
from intake.domain.call_back import CallBack, CallBackOutcome
from intake.domain.catalogue import Catalogues
from intake.domain.given import Faults
from intake.domain.search import CallBackSearch
from intake.grpc_api import messages, reading
from intake.service import call_backs, call_times
from intake.service.call_backs import CallBackTaken
from intake.service.call_times import CallResumed


class CallMethods:
    """The methods of IntakeService about calls under way and call-backs."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues

    def HoldCall(self, request: pb.HoldCallRequest) -> pb.HoldCallResponse:
        """Puts the caller on hold."""

        def put_on_hold(conn: Connection) -> Call:
            return call_times.hold_call(conn, reading.call_id(request.call_id))

        return run_once(request, put_on_hold, lambda held: pb.HoldCallResponse(call=self._call(held)))

    def ResumeCall(self, request: pb.ResumeCallRequest) -> pb.ResumeCallResponse:
        """Goes on with a call after a hold, or after its line was dropped."""

        def resume(conn: Connection) -> CallResumed:
            reading.one_of(call_id=request.call_id, claim_ref=request.claim_ref)
            if request.call_id:
                return call_times.resume_own_call(conn, self._catalogues, reading.call_id(request.call_id))
            return call_times.resume_dropped_call(conn, self._catalogues, reading.claim_ref(request.claim_ref))

        def respond(resumed: CallResumed) -> pb.ResumeCallResponse:
            return pb.ResumeCallResponse(call=self._call(resumed.call), claim=messages.resumed_claim(resumed.claim))

        return run_once(request, resume, respond)

    def EndWrapUp(self, request: pb.EndWrapUpRequest) -> pb.EndWrapUpResponse:
        """Says that the operator is ready for the next call."""

        def end(conn: Connection) -> Call:
            return call_times.end_wrap_up(conn, reading.call_id(request.call_id))

        return run_once(request, end, lambda over: pb.EndWrapUpResponse(call=self._call(over)))

    def ListCalls(self, request: pb.ListCallsRequest) -> pb.ListCallsResponse:
        """The calls about a claim."""
        claim_ref, after = reading.claim_ref(request.claim_ref), place_of(request, datetime, UUID)
        limit = page_size(request, usual=reading.PAGE_SIZE, largest=reading.LARGEST_PAGE)
        with call.current().database.transaction() as conn:
            found = call_times.list_calls(
                conn, self._catalogues, claim_ref, after=(after[0], after[1]) if after else None, limit=limit
            )
        last = found[-1][0] if len(found) == limit else None
        return pb.ListCallsResponse(
            calls=[_record(self._call(shown), shown, caller) for shown, caller in found],
            next_page_token=token_of(request, last.started, last.call_id) if last else "",
        )

    def ListCallBacks(self, request: pb.ListCallBacksRequest) -> pb.ListCallBacksResponse:
        """The queue of call-backs."""
        search = _search(request)
        with call.current().database.transaction() as conn:
            found = call_backs.list_call_backs(conn, search)
        last = found[-1] if len(found) == search.limit else None
        return pb.ListCallBacksResponse(
            call_backs=[_call_back(shown) for shown in found],
            next_page_token=token_of(request, last.due, last.call_id) if last else "",
        )

    def TakeCallBack(self, request: pb.TakeCallBackRequest) -> pb.TakeCallBackResponse:
        """Takes a call-back that is due."""

        def take(conn: Connection) -> CallBackTaken:
            call_id = reading.call_id(request.call_id) if request.call_id else None
            return call_backs.take_call_back(conn, call_id, language=_language(request))

        return run_once(request, take, _taken, rebuildable=_REBUILT_CALL_BACK)

    def RecordCallBack(self, request: pb.RecordCallBackRequest) -> pb.RecordCallBackResponse:
        """Records what came of a call-back."""

        def record(conn: Connection) -> CallBack:
            outcome = CallBackOutcome(name_of(pb.CallBackOutcome, request.outcome, field="outcome"))
            return call_backs.record_call_back(conn, reading.call_id(request.call_id), outcome)

        return run_once(request, record, lambda done: pb.RecordCallBackResponse(call_back=_call_back(done)))

    def _call(self, shown: Call) -> pb.Call:
        return messages.call(shown, self._catalogues[shown.catalogue].bank)


def _search(request: pb.ListCallBacksRequest) -> CallBackSearch:
    faults = Faults()
    state = faults.catch(name_of, pb.CallBackState, request.state, field="state") if request.state else None
    if state and state not in CallBackSearch.OPEN:
        faults.add("state", problems.NOT_OPEN_STATE)
    after = faults.catch(place_of, request, datetime, UUID)
    search = CallBackSearch(
        state=state or "DUE_NOW",
        language=faults.catch(_language, request),
        after=(after[0], after[1]) if after else None,
        limit=faults.catch(page_size, request, usual=reading.PAGE_SIZE, largest=reading.LARGEST_PAGE) or 1,
    )
    faults.refuse()
    return search


def _language(request: pb.ListCallBacksRequest | pb.TakeCallBackRequest) -> str | None:
    return name_of(common_pb2.Language, request.language, field="language") if request.language else None


def _record(message: pb.Call, shown: Call, caller: Caller) -> pb.CallRecord:
    return pb.CallRecord(
        call=message,
        operator=shown.operator,
        caller=pb.Caller(
            relation=number_of(pb.CallerRelation, caller.relation),
            name=caller.name,
            authority=caller.authority,
            capacity=number_of(pb.RepresentativeCapacity, caller.capacity),
            claimant_present=caller.claimant_present,
        ),
        authority_to_be_shown=caller.authority_to_be_shown,
        earlier_operators=shown.earlier_operators,
    )


def _taken(taken: CallBackTaken) -> pb.TakeCallBackResponse:
    contact = taken.contact
    return pb.TakeCallBackResponse(
        call_back=_call_back(taken.call_back),
        contact=pb.Contact(
            name=contact.name, telephone=contact.telephone, address_lines=contact.address, unsafe=contact.is_unsafe
        ),
    )


def _call_back(shown: CallBack) -> pb.CallBack:
    state = shown.state(now=clock.now(), real_now=call_backs.real_now())
    return pb.CallBack(
        call_id=str(shown.call_id),
        claim_ref=shown.claim_ref,
        state=number_of(pb.CallBackState, state),
        due_time=timestamp(shown.due),
        attempts=shown.attempts,
        language=number_of(common_pb2.Language, shown.language),
        needs=[number_of(pb.CallNeed, need) for need in shown.needs],
        taken_by=shown.taken_by or "",
        taken_until=timestamp(clock.as_shown(shown.taken_until)),
    )


def _keep_call_back(taken: CallBackTaken) -> dict[str, Any]:
    return {"call_id": str(taken.call_back.call_id)}


def _rebuild_call_back(conn: Connection, kept: dict[str, Any]) -> CallBackTaken:
    return call_backs.show_taken(conn, UUID(kept["call_id"]))


_REBUILT_CALL_BACK = Rebuildable(keep=_keep_call_back, rebuild=_rebuild_call_back)
