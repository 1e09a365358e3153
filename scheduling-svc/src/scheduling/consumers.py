"""Events that scheduling hears."""

from collections.abc import Mapping
from typing import cast

from chassis.conversions import time_of
from chassis.database import Connection
from chassis.inbox import Event, Handler
from cms.intake.v1 import events_pb2
from scheduling.service import bookings


def first_contact_recorded(conn: Connection, event: Event) -> None:
    """Keeps the first contact of a claim, so that a claim that nobody books an interview for shows."""
    message = cast(events_pb2.FirstContactRecorded, event.message)
    moment = time_of(message.first_contact_time, field="first_contact_time")
    bookings.keep_first_contact(conn, claim_ref=event.claim_ref, first_contact_time=moment)


HANDLERS: Mapping[str, Handler] = {"FirstContactRecorded": first_contact_recorded}
