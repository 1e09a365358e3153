"""Events as a service hears them.

handle(process.database, HANDLERS, event_of(AppointmentBooked(...), claim_ref=CLAIM))   # the handler alone
deliver(bus, event_of(ClaimSubmitted(...), claim_ref=CLAIM), hearer="la-notifier")       # over the bus
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from google.protobuf.message import Message

from chassis import clock, contract, outbox
from chassis.bus import Bus
from chassis.database import Database
from chassis.inbox import Event, Handler
from chassis.testing.signing import add_signed
from cms.common.v1 import common_pb2


def event_of(
    message: Message, *, claim_ref: str, version: int = 1, at: datetime | None = None, event_id: UUID | None = None
) -> Event:
    """An event of the contract, from the service that sends such; it occurred now unless `at` is given."""
    name = message.DESCRIPTOR.name
    return Event(
        event_id=event_id or uuid4(),
        name=name,
        source=contract.events()[name].source,
        claim_ref=claim_ref,
        version=version,
        occurred_time=at or clock.now(),
        message=message,
    )


def handle(database: Database, handlers: Mapping[str, Handler], event: Event) -> None:
    """Calls the event's handler in a transaction, without an inbox."""
    with database.transaction() as conn:
        handlers[event.name](conn, event)


def deliver(bus: Bus, event: Event, *, hearer: str) -> None:
    """Adds the event to its source's stream, signed, as the relay there does."""
    envelope = common_pb2.EventEnvelope(
        event_id=str(event.event_id),
        type=event.message.DESCRIPTOR.full_name,
        claim_ref=event.claim_ref,
        version=event.version,
        payload=event.message.SerializeToString(),
    )
    envelope.occurred_time.FromDatetime(event.occurred_time.astimezone(UTC))
    entry: dict[str, bytes | str] = {
        "event_id": event.event_id.bytes,
        "heard_by": hearer,
        "envelope": envelope.SerializeToString(),
    }
    add_signed(bus, outbox.events_stream(event.source), entry, by=event.source)
