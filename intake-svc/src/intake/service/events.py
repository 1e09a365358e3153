"""Events of the domain as the contract's messages, in the outbox."""

from chassis import outbox
from chassis.conversions import timestamp
from chassis.database import Connection
from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.intake.v1 import events_pb2
from intake.domain.call import Call
from intake.domain.claim import (
    Claim,
    ClaimAmended,
    ClaimSubmitted,
    ClaimWithdrawn,
    CrisisLoanRequested,
    Event,
    FirstContactRecorded,
)

Message = (
    events_pb2.FirstContactRecorded
    | events_pb2.ClaimSubmitted
    | events_pb2.ClaimAmended
    | events_pb2.CrisisLoanRequested
    | events_pb2.ClaimWithdrawn
)


def announce(conn: Connection, claim: Claim, event: Event) -> None:
    """Writes the event to the outbox, at the claim's version."""
    outbox.append(conn, claim_ref=claim.claim_ref, version=claim.version, event=_message(claim, event))


def announce_end(conn: Connection, ended: Call, *, version: int) -> None:
    """Writes to the outbox that a call ended; `version` is that of its claim."""
    if ended.ended is None:
        raise ValueError("the call has not ended")
    message = events_pb2.CallEnded(end_time=timestamp(ended.ended))
    outbox.append(conn, claim_ref=ended.claim_ref, version=version, event=message)


def _message(claim: Claim, event: Event) -> Message:
    schemes = [number_of(common_pb2.Scheme, scheme) for scheme in claim.schemes]
    match event:
        case FirstContactRecorded():
            return events_pb2.FirstContactRecorded(
                first_contact_time=timestamp(event.first_contact_time), schemes=schemes
            )
        case ClaimSubmitted():
            return events_pb2.ClaimSubmitted(
                schemes=schemes,
                submit_time=timestamp(event.submit_time),
                first_contact_time=timestamp(event.first_contact_time),
            )
        case ClaimAmended():
            return events_pb2.ClaimAmended(changed_fields=event.changed_fields)
        case CrisisLoanRequested():
            return events_pb2.CrisisLoanRequested()
        case ClaimWithdrawn():
            return events_pb2.ClaimWithdrawn(withdraw_time=timestamp(event.withdraw_time))
