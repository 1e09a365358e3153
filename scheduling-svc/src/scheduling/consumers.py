"""What scheduling does when it hears of something."""

from collections.abc import Mapping
from datetime import UTC
from typing import cast

from chassis.database import Connection
from chassis.inbox import Event, Handler
from cms.intake.v1 import events_pb2
from scheduling import store


def first_contact_recorded(conn: Connection, event: Event) -> None:
    """Keeps the first contact of a claim, so that one that nobody books an interview for shows."""
    told = cast(events_pb2.FirstContactRecorded, event.message)
    store.keep_first_contact(
        conn, claim_ref=event.claim_ref, first_contact_time=told.first_contact_time.ToDatetime(UTC)
    )


HANDLERS: Mapping[str, Handler] = {"FirstContactRecorded": first_contact_recorded}
