"""Locks after wrong answers to security questions: messages to the domain and back."""

from datetime import datetime

from chassis import call
from chassis.conversions import timestamp
from chassis.database import Connection
from chassis.enums import number_of
from chassis.idempotency import run_once
from chassis.pages import page_size, place_of, token_of
from cms.intake.v1 import security_pb2 as pb
from intake.domain.security import Failures, Kind
from intake.grpc_api import reading
from intake.service import security


class SecurityMethods:
    """The methods of IntakeService by which a manager sees and lifts locks."""

    def ListSecurityLocks(self, request: pb.ListSecurityLocksRequest) -> pb.ListSecurityLocksResponse:
        """The claims and operators that are locked."""
        place = place_of(request, datetime, str, str)
        limit = page_size(request, usual=reading.PAGE_SIZE, largest=reading.LARGEST_PAGE)
        after = (place[0], place[1], place[2]) if place else None
        with call.current().database.transaction() as conn:
            found = security.list_locks(conn, after=after, limit=limit)
        last = found[-1] if len(found) == limit else None
        return pb.ListSecurityLocksResponse(
            locks=[_lock(shown) for shown in found],
            next_page_token=token_of(request, last.locked_time, str(last.kind), last.name) if last else "",
        )

    def LiftSecurityLock(self, request: pb.LiftSecurityLockRequest) -> pb.LiftSecurityLockResponse:
        """Lifts a lock."""

        def lift(conn: Connection) -> Failures:
            reading.one_of(claim_ref=request.claim_ref, operator=request.operator)
            if request.claim_ref:
                kind, name = Kind.CLAIM, reading.claim_ref(request.claim_ref)
            else:
                kind, name = Kind.OPERATOR, request.operator
            return security.lift_lock(conn, kind, name, version=request.version)

        return run_once(request, lift, lambda lifted: pb.LiftSecurityLockResponse(lock=_lock(lifted)))


def _lock(shown: Failures) -> pb.SecurityLock:
    is_claim = shown.kind is Kind.CLAIM
    return pb.SecurityLock(
        kind=number_of(pb.SecurityLockKind, shown.kind),
        claim_ref=shown.name if is_claim else "",
        operator="" if is_claim else shown.name,
        failures=shown.failures,
        locked_time=timestamp(shown.locked_time) if shown.locked_time else None,
        version=shown.version,
    )
