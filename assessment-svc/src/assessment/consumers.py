"""What the service hears. Events come in any order and more than once; the newest word of each kind stays."""

from collections.abc import Mapping
from datetime import UTC
from typing import cast

from assessment import service
from assessment.domain.work import Appointment
from assessment.enums import name_of
from assessment.store import events as store
from chassis.database import Connection
from chassis.inbox import Event, Handler
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2 as intake_events
from cms.scheduling.v1 import events_pb2 as scheduling_events


def claim_submitted(conn: Connection, event: Event) -> None:
    """A claim becomes work."""
    message = cast(intake_events.ClaimSubmitted, event.message)
    schemes = [name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in message.schemes]
    submit_time = message.submit_time.ToDatetime(UTC)
    store.record_submission(conn, event.claim_ref, schemes=schemes, submit_time=submit_time)


def claim_amended(conn: Connection, event: Event) -> None:
    """Facts that were checked have changed."""
    message = cast(intake_events.ClaimAmended, event.message)
    service.reopen_items(conn, event.claim_ref, changed=message.changed_fields, claim_version=event.version)


def appointment_booked(conn: Connection, event: Event) -> None:
    """The claim's interview is known; it may be so before the claim is."""
    message = cast(scheduling_events.AppointmentBooked, event.message)
    appointment = Appointment(
        appointment_id=message.appointment_id,
        office_code=message.office_code,
        assessor_id=message.assessor_id,
        start_time=message.start_time.ToDatetime(UTC),
        channel=name_of(common_pb2.Channel, message.channel, field="channel"),
        booked_time=event.occurred_time,
    )
    store.record_appointment(conn, event.claim_ref, appointment)


def transfer_accepted(conn: Connection, event: Event) -> None:
    """A system that pays holds the claim."""
    message = cast(gateway_events.TransferAccepted, event.message)
    system = name_of(common_pb2.System, message.system, field="system")
    store.record_acceptance(conn, event.claim_ref, system=system, accepted_time=event.occurred_time)


def transfer_rejected(conn: Connection, event: Event) -> None:
    """A system refused the record: its questions are to correct, until it accepts."""
    message = cast(gateway_events.TransferRejected, event.message)
    store.record_refusal(
        conn,
        event.claim_ref,
        system=name_of(common_pb2.System, message.system, field="system"),
        transfer_id=message.transfer_id,
        question_ids=list(message.question_ids),
        rejected_time=event.occurred_time,
    )


HANDLERS: Mapping[str, Handler] = {
    "ClaimSubmitted": claim_submitted,
    "ClaimAmended": claim_amended,
    "AppointmentBooked": appointment_booked,
    "TransferAccepted": transfer_accepted,
    "TransferRejected": transfer_rejected,
}
