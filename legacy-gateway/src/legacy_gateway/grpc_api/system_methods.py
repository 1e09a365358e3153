"""The methods about the paying systems: how each does, and orders to hold one and to release it."""

from chassis import call
from chassis.conversions import time_of, timestamp
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.idempotency import run_once
from cms.common.v1 import common_pb2
from cms.gateway.v1 import systems_pb2
from legacy_gateway.domain import System, SystemStatus
from legacy_gateway.service import breakers


class SystemMethods:
    """Shows systems, holds and releases them."""

    def GetSystems(self, request: systems_pb2.GetSystemsRequest) -> systems_pb2.GetSystemsResponse:
        """Every system that this release feeds."""
        del request  # it has no fields
        with call.current().database.transaction() as conn:
            shown = breakers.show_systems(conn)
        return systems_pb2.GetSystemsResponse(systems=[_status(status) for status in shown])

    def HoldSystem(self, request: systems_pb2.HoldSystemRequest) -> systems_pb2.HoldSystemResponse:
        """Sends a system nothing until it is released, or until a time."""
        system = System(name_of(common_pb2.System, request.system, field="system"))
        until = time_of(request.until, field="until") if request.HasField("until") else None

        def hold(conn: Connection) -> SystemStatus:
            by = call.current().identity.subject
            return breakers.hold(conn, system, reason=request.reason, until=until, by=by)

        return run_once(request, hold, lambda status: systems_pb2.HoldSystemResponse(system=_status(status)))

    def ReleaseSystem(self, request: systems_pb2.ReleaseSystemRequest) -> systems_pb2.ReleaseSystemResponse:
        """Ends a hold."""
        system = System(name_of(common_pb2.System, request.system, field="system"))

        def release(conn: Connection) -> SystemStatus:
            return breakers.release(conn, system, by=call.current().identity.subject)

        return run_once(request, release, lambda status: systems_pb2.ReleaseSystemResponse(system=_status(status)))


def _status(status: SystemStatus) -> systems_pb2.SystemStatus:
    counts, gate, hold = status.counts, status.gate, status.gate.hold
    return systems_pb2.SystemStatus(
        system=number_of(common_pb2.System, counts.system),
        state=number_of(systems_pb2.SystemCondition, gate.condition),
        breaker=number_of(systems_pb2.BreakerState, gate.breaker),
        waiting=counts.waiting,
        oldest_waiting_seconds=status.oldest_seconds,
        accepted_today=counts.accepted,
        rejected_today=counts.rejected,
        unanswered=gate.unanswered,
        hold_reason=hold.reason if hold else "",
        held_by=hold.held_by if hold else "",
        held_since_time=timestamp(hold.since if hold else None),
        held_until_time=timestamp(hold.until if hold else None),
    )
