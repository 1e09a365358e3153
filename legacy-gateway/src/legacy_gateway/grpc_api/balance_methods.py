"""The methods of the day's balance: a balance now, the differences that are not closed, and the closing of one."""

import time
from datetime import date, datetime
from uuid import UUID

from chassis import call
from chassis.conversions import date_message, day_of, timestamp, uuid_of
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.idempotency import first_answer, run_once
from chassis.pages import page_size, place_of, token_of
from cms.common.v1 import common_pb2
from cms.gateway.v1 import balance_pb2
from legacy_gateway.domain import Closing, ShownDifference, System
from legacy_gateway.service import differences
from legacy_gateway.service.differences import ShownBalance

_USUAL_PAGE, _LARGEST_PAGE = 50, 200
_MOST_SECONDS = 3.0
"""A call waits so long for the comparison; a client's own deadline is 5 s unless it says otherwise."""
_FOR_THE_ANSWER_SECONDS = 0.5
_LOOK_SECONDS = 0.2


class BalanceMethods:
    """Balances days, and lists and closes differences."""

    def Reconcile(self, request: balance_pb2.ReconcileRequest) -> balance_pb2.ReconcileResponse:
        """The balance of a day after the lists were read again; as it stands where that takes longer than the call."""
        system = _system(request.system)
        day = day_of(request.date, field="date")
        with call.current().database.transaction() as conn:
            first = first_answer(conn, request)
        if first is not None:
            return balance_pb2.ReconcileResponse.FromString(first)
        answered = _compared(system, day)
        shown = differences.balance_now(call.current().database, system, day)
        response = balance_pb2.ReconcileResponse(
            balance=_balance(shown), in_progress=not answered, compared_time=timestamp(shown.compared)
        )
        return run_once(request, lambda _: response, lambda answer: answer)

    def ListDifferences(self, request: balance_pb2.ListDifferencesRequest) -> balance_pb2.ListDifferencesResponse:
        """Differences that are not closed, the oldest first."""
        limit = page_size(request, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        place = place_of(request, datetime, UUID)
        with call.current().database.transaction() as conn:
            found = differences.page(
                conn,
                _system(request.system) if request.system else None,
                after=(place[0], place[1]) if place else differences.FIRST,
                limit=limit + 1,
            )
        response = balance_pb2.ListDifferencesResponse(differences=[_difference(one) for one in found[:limit]])
        if len(found) > limit:
            response.next_page_token = token_of(request, found[limit - 1].since, found[limit - 1].difference_id)
        return response

    def CloseDifference(self, request: balance_pb2.CloseDifferenceRequest) -> balance_pb2.CloseDifferenceResponse:
        """Closes a difference for a reason."""
        difference_id = uuid_of(request.difference_id, field="difference_id")
        reason = Closing(name_of(balance_pb2.DifferenceReason, request.reason, field="reason"))
        by = call.current().identity.subject

        def close(conn: Connection) -> ShownDifference:
            return differences.close(conn, difference_id, reason, by=by)

        return run_once(
            request, close, lambda closed: balance_pb2.CloseDifferenceResponse(difference=_difference(closed))
        )


def _compared(system: System, day: date) -> bool:
    """Asks for a comparison, and waits for its end as long as the call may take; says whether it came."""
    with call.current().database.transaction() as conn:
        asked = differences.request(conn, system, day)
    until = time.monotonic() + call.within_deadline(_MOST_SECONDS) - _FOR_THE_ANSWER_SECONDS
    while not (answered := _is_answered(system, day, asked)) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return answered


def _is_answered(system: System, day: date, asked: datetime) -> bool:
    with call.current().database.transaction() as conn:
        return differences.is_answered(conn, system, day, asked=asked)


def _system(number: int) -> System:
    return System(name_of(common_pb2.System, number, field="system"))


def _balance(shown: ShownBalance) -> balance_pb2.Balance:
    found = shown.balance
    return balance_pb2.Balance(
        system=number_of(common_pb2.System, found.system),
        date=date_message(found.day),
        captured=found.captured,
        accepted=found.accepted,
        rejected=found.rejected,
        waiting=found.waiting,
        clerical=found.clerical,
        cancelled=found.cancelled,
        unexplained=found.unexplained,
        missing_there=[_difference(one) for one in shown.missing_there],
        unknown_here=[_difference(one) for one in shown.unknown_here],
    )


def _difference(shown: ShownDifference) -> balance_pb2.Difference:
    deadline, owner = differences.deadline_of(shown)
    return balance_pb2.Difference(
        difference_id=str(shown.difference_id),
        system=number_of(common_pb2.System, shown.system),
        kind=number_of(balance_pb2.DifferenceKind, shown.kind),
        state=number_of(balance_pb2.DifferenceState, shown.state),
        date=date_message(shown.day),
        transfer_id=shown.transfer_id,
        claim_ref=shown.claim_ref,
        legacy_ref=shown.legacy_ref,
        cause=number_of(balance_pb2.DifferenceCause, shown.cause or "UNSPECIFIED"),
        found_time=timestamp(shown.since),
        deadline_time=timestamp(deadline),
        owner=number_of(common_pb2.Role, owner),
        closed_time=timestamp(shown.closed_time),
        closed_by=shown.closed_by,
        reason=number_of(balance_pb2.DifferenceReason, shown.closing_reason or "UNSPECIFIED"),
    )
