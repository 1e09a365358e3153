"""Events that intake hears. They come in any order and more than once; of two bookings the later one stays."""

from collections.abc import Mapping
from typing import cast

from chassis.conversions import time_of
from chassis.database import Connection
from chassis.enums import name_of
from chassis.inbox import Event, Handler
from cms.assessment.v1 import events_pb2 as assessment_events
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.scheduling.v1 import events_pb2
from intake.domain.claim import Booking
from intake.service.claims import record_booking, record_end, record_evidence_complete
from intake.service.counting import count_rejection


def appointment_booked(conn: Connection, event: Event) -> None:
    """Records the office of an interview that was booked or moved: its assessors may read the claim.

    A cancelled interview leaves the claim with its office until another one is booked. Raises NotFound for an unknown claim.
    """
    message = cast(events_pb2.AppointmentBooked | events_pb2.AppointmentMoved, event.message)
    booking = Booking(
        appointment_id=message.appointment_id,
        office_code=message.office_code,
        assessor_id=message.assessor_id,
        booked_time=event.occurred_time,
    )
    record_booking(conn, event.claim_ref, booking)


def transfer_rejected(conn: Connection, event: Event) -> None:
    """Counts a rejection by the way in which the claim came. Raises NotFound for an unknown claim."""
    count_rejection(conn, event.claim_ref)


def decision_recorded(conn: Connection, event: Event) -> None:
    """Closes the claim when each of its schemes is decided. Raises NotFound for an unknown claim."""
    message = cast(gateway_events.DecisionRecorded, event.message)
    record_end(conn, event.claim_ref, name_of(common_pb2.Scheme, message.scheme, field="scheme"))


def evidence_completed(conn: Connection, event: Event) -> None:
    """Dates the claim's second clock: all evidence is in. Raises NotFound for an unknown claim."""
    message = cast(assessment_events.EvidenceCompleted, event.message)
    record_evidence_complete(conn, event.claim_ref, at=time_of(message.complete_time, field="complete_time"))


def assessment_closed(conn: Connection, event: Event) -> None:
    """Closes the claim with the last of its schemes that is closed or decided. Raises NotFound for an unknown claim."""
    message = cast(assessment_events.AssessmentClosed, event.message)
    for scheme in message.schemes:
        record_end(conn, event.claim_ref, name_of(common_pb2.Scheme, scheme, field="schemes"))


HANDLERS: Mapping[str, Handler] = {
    "AppointmentBooked": appointment_booked,
    "AppointmentMoved": appointment_booked,
    "AssessmentClosed": assessment_closed,
    "DecisionRecorded": decision_recorded,
    "EvidenceCompleted": evidence_completed,
    "TransferRejected": transfer_rejected,
}
