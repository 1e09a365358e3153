"""Events that scheduling hears."""

from collections.abc import Mapping
from typing import cast

from chassis.conversions import time_of
from chassis.database import Connection
from chassis.enums import name_of
from chassis.inbox import Event, Handler
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from scheduling.domain.claims import FirstContact
from scheduling.service import bookings, offers
from scheduling.service.erasures import erase_claim


def first_contact_recorded(conn: Connection, event: Event) -> None:
    """Keeps the first contact of a claim, so that a claim that nobody books an interview for shows."""
    message = cast(events_pb2.FirstContactRecorded, event.message)
    first_contact = FirstContact(
        claim_ref=event.claim_ref,
        claim_version=event.version,
        first_contact_time=time_of(message.first_contact_time, field="first_contact_time"),
        schemes=tuple(name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in message.schemes),
    )
    bookings.keep_first_contact(conn, first_contact)


def claim_withdrawn(conn: Connection, event: Event) -> None:
    """Cancels the claim's interview, and keeps that none is booked afterwards."""
    message = cast(events_pb2.ClaimWithdrawn, event.message)
    bookings.end_claim(conn, event.claim_ref, withdrawn_time=time_of(message.withdraw_time, field="withdraw_time"))


def assessment_closed(conn: Connection, event: Event) -> None:
    """Ends the interviews of a claim of which nothing is left that has one, as those of a withdrawn claim."""
    message = cast(assessment_events.AssessmentClosed, event.message)
    if message.ends_assessment:
        bookings.end_claim(conn, event.claim_ref, withdrawn_time=time_of(message.close_time, field="close_time"))


def call_ended(conn: Connection, event: Event) -> None:
    """Gives up the slots that were offered for the claim until then."""
    message = cast(events_pb2.CallEnded, event.message)
    offers.end_call(conn, event.claim_ref, ended=time_of(message.end_time, field="end_time"))


def claim_erased(conn: Connection, event: Event) -> None:
    """Destroys the claim's key, and forgets the needs of its interviews."""
    erase_claim(conn, event.claim_ref)


HANDLERS: Mapping[str, Handler] = {
    "FirstContactRecorded": first_contact_recorded,
    "ClaimWithdrawn": claim_withdrawn,
    "AssessmentClosed": assessment_closed,
    "CallEnded": call_ended,
    "ClaimErased": claim_erased,
}
