"""Legal holds and erasure: messages to the domain and back."""

from datetime import datetime
from uuid import UUID

from chassis import call
from chassis.conversions import timestamp
from chassis.database import Connection
from chassis.errors import InvalidArgument, Violation
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from cms.intake.v1 import retention_pb2
from intake.domain import problems
from intake.domain.retention import Erasure, LegalHold
from intake.grpc_api import reading
from intake.service import retention


class RetentionMethods:
    """The methods of IntakeService about how long claims are kept."""

    def PlaceLegalHold(self, request: retention_pb2.PlaceLegalHoldRequest) -> retention_pb2.PlaceLegalHoldResponse:
        """Has a claim kept."""

        def place(conn: Connection) -> LegalHold:
            claim_ref, reason = reading.claim_ref(request.claim_ref), reading.reason(request.reason)
            return retention.place_hold(conn, claim_ref, reason=reason)

        return run_once(request, place, lambda hold: retention_pb2.PlaceLegalHoldResponse(legal_hold=_hold(hold)))

    def LiftLegalHold(self, request: retention_pb2.LiftLegalHoldRequest) -> retention_pb2.LiftLegalHoldResponse:
        """Ends the hold of a claim."""

        def lift(conn: Connection) -> LegalHold:
            return retention.lift_hold(conn, reading.claim_ref(request.claim_ref))

        return run_once(request, lift, lambda hold: retention_pb2.LiftLegalHoldResponse(legal_hold=_hold(hold)))

    def ListLegalHolds(self, request: retention_pb2.ListLegalHoldsRequest) -> retention_pb2.ListLegalHoldsResponse:
        """The holds that stand."""
        after = place_of(request, datetime, UUID)
        limit = page_size(request, usual=reading.PAGE_SIZE, largest=reading.LARGEST_PAGE)
        with call.current().database.transaction() as conn:
            found = retention.list_holds(conn, after=(after[0], after[1]) if after else None, limit=limit)
        last = found[-1] if len(found) == limit else None
        return retention_pb2.ListLegalHoldsResponse(
            legal_holds=[_hold(hold) for hold in found],
            next_page_token=token_of(request, last.placed_time, last.hold_id) if last else "",
        )

    def EraseClaims(self, request: retention_pb2.EraseClaimsRequest) -> retention_pb2.EraseClaimsResponse:
        """Erases claims whose time is over. A preview changes nothing, so that there is nothing to do once only."""
        if request.limit < 0:
            raise InvalidArgument.of(Violation.of("limit", problems.NEGATIVE))
        if request.preview:
            with call.current().database.transaction() as conn:
                return _erased(retention.count_due(conn))
        return run_once(request, lambda conn: retention.erase_due(conn, limit=request.limit), _erased)


def _hold(hold: LegalHold) -> retention_pb2.LegalHold:
    return retention_pb2.LegalHold(
        claim_ref=hold.claim_ref,
        reason=hold.reason,
        placed_by=hold.placed_by,
        place_time=timestamp(hold.placed_time),
        lift_time=timestamp(hold.lifted_time),
    )


def _erased(counts: Erasure) -> retention_pb2.EraseClaimsResponse:
    return retention_pb2.EraseClaimsResponse(erased=counts.erased, due=counts.due, held=counts.held)
