"""Events of the domain as the contract's messages, in the outbox."""

from chassis import outbox
from chassis.database import Connection
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from intake.domain.claim import Claim, ClaimAmended, ClaimSubmitted, Event, FirstContactRecorded

Message = events_pb2.FirstContactRecorded | events_pb2.ClaimSubmitted | events_pb2.ClaimAmended


def announce(conn: Connection, claim: Claim, event: Event) -> None:
    """Writes the event to the outbox, at the claim's version."""
    outbox.append(conn, claim_ref=claim.claim_ref, version=claim.version, event=_message(event))


def _message(event: Event) -> Message:
    match event:
        case FirstContactRecorded():
            contact = events_pb2.FirstContactRecorded()
            contact.first_contact_time.FromDatetime(event.first_contact_time)
            return contact
        case ClaimSubmitted():
            schemes = [common_pb2.Scheme.Value(f"SCHEME_{scheme}") for scheme in event.schemes]
            submitted = events_pb2.ClaimSubmitted(schemes=schemes)
            submitted.submit_time.FromDatetime(event.submit_time)
            submitted.first_contact_time.FromDatetime(event.first_contact_time)
            return submitted
        case ClaimAmended():
            return events_pb2.ClaimAmended(changed_fields=event.changed_fields)
