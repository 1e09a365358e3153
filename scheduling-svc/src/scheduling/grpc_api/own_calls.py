"""Operators change a claimant's interview only in their own open call on the claim, which intake knows."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from chassis import call
from chassis.contract import allowed_roles
from chassis.database import Connection
from chassis.idempotency import first_answer
from cms.scheduling.v1 import scheduling_pb2
from scheduling.clients import Intake
from scheduling.service import bookings

_METHODS = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"].methods_by_name
_OPERATOR_ALONE = {"OPERATOR"}


def expect_own_call(intake: Intake, request: Any) -> None:
    """Raises PermissionDenied (`CALL_REQUIRED`) for an operator without such a call, and NotFound, Unavailable.

    The request names a claim or an appointment. Managers and assessors need no call, and the repeat of a request that was
    served asks no more: its call may have ended. Called outside any transaction.
    """
    method = _METHODS[call.current().method.rpartition("/")[2]]
    # A caller with several roles has the rights of the widest (docs/adr/0013).
    if call.current().identity.roles & allowed_roles(method) != _OPERATOR_ALONE:
        return
    with call.current().database.transaction() as conn:
        claim_ref = _claim_of(request)(conn)
        if first_answer(conn, request) is not None:
            return
    intake.purpose(claim_ref)


def _claim_of(request: Any) -> Callable[[Connection], str]:
    if "claim_ref" in request.DESCRIPTOR.fields_by_name:
        return lambda _conn: str(request.claim_ref)
    return lambda conn: bookings.appointment_by_id(conn, UUID(request.appointment_id)).claim_ref
