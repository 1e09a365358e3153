"""Events that tell of delays, each handed to a use case."""

from collections.abc import Mapping
from typing import cast

from assessment.domain.interim import Delay, DelayCause
from assessment.service import emergencies
from chassis.database import Connection
from chassis.enums import name_of
from chassis.inbox import Event, Handler
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.notifier.v1 import events_pb2 as notifier_events
from cms.scheduling.v1 import events_pb2 as scheduling_events


def target_breach_expected(conn: Connection, event: Event) -> None:
    """The interview is after its target, or none was booked by then. What is likely on an office's day delays no claim yet."""
    message = cast(scheduling_events.TargetBreachExpected, event.message)
    if message.HasField("day"):
        return
    _delayed(conn, event, DelayCause.TARGET_BREACH, message.appointment_id)


def transfer_stalled(conn: Connection, event: Event) -> None:
    """A transfer is in a state for longer than its deadline."""
    message = cast(gateway_events.TransferStalled, event.message)
    system = name_of(common_pb2.System, message.system, field="system")
    _delayed(conn, event, DelayCause.STALLED_TRANSFER, f"{message.transfer_id} {message.state}", system=system)


def notice_late(conn: Connection, event: Event) -> None:
    """The council's notice is later than its channel allows."""
    message = cast(notifier_events.NoticeLate, event.message)
    _delayed(conn, event, DelayCause.LATE_NOTICE, f"{message.notice_id} {message.notice_version} {message.state}")


def _delayed(conn: Connection, event: Event, cause: DelayCause, subject: str, *, system: str | None = None) -> None:
    delay = Delay(cause=cause, subject=subject, since_time=event.occurred_time, system=system)
    emergencies.hear_of_delay(conn, event.claim_ref, delay)


HANDLERS: Mapping[str, Handler] = {
    "TargetBreachExpected": target_breach_expected,
    "TransferStalled": transfer_stalled,
    "NoticeLate": notice_late,
}
