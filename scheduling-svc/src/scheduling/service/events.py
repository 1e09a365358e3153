"""Events of the domain as messages of the contract, in the outbox."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from chassis import outbox
from chassis.conversions import date_message, timestamp
from chassis.database import Connection
from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import events_pb2
from scheduling.domain.events import Happening

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "appointment_id": str,
    "start_time": timestamp,
    "previous_start_time": timestamp,
    "target_time": timestamp,
    "day": date_message,
    "channel": lambda channel: number_of(common_pb2.Channel, channel),
}
_OF_THE_ENVELOPE = ("claim_ref", "version", "occurred_time")


def tell(conn: Connection, event: Happening) -> None:
    """Writes the event into the outbox. A message has the name and the fields of its event; None is left out."""
    message: Message = getattr(events_pb2, type(event).__name__)(
        **{
            name: _CONVERSIONS.get(name, _as_it_is)(value)
            for name, value in vars(event).items()
            if name not in _OF_THE_ENVELOPE and value is not None
        }
    )
    outbox.append(
        conn, claim_ref=event.claim_ref, version=event.version, event=message, occurred_time=event.occurred_time
    )


def _as_it_is(value: object) -> object:
    return value
