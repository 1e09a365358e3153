"""Events that the service hears, each handed to a use case."""

from collections.abc import Mapping
from typing import cast

from assessment.consumers import delays
from assessment.domain.reports import (
    Acceptance,
    Appointment,
    Attendance,
    Attended,
    Decision,
    Rejection,
    Submission,
    Withdrawal,
)
from assessment.service import emergencies, reports
from chassis.conversions import time_of
from chassis.database import Connection
from chassis.enums import name_of
from chassis.erasure import claim_erased
from chassis.inbox import Event, Handler
from cms.common.v1 import common_pb2
from cms.gateway.v1 import events_pb2 as gateway_events
from cms.intake.v1 import events_pb2 as intake_events
from cms.scheduling.v1 import events_pb2 as scheduling_events


def claim_submitted(conn: Connection, event: Event) -> None:
    """A claim becomes work."""
    message = cast(intake_events.ClaimSubmitted, event.message)
    submit_time = time_of(message.submit_time, field="submit_time")
    submission = Submission(
        schemes=[name_of(common_pb2.Scheme, scheme, field="schemes") for scheme in message.schemes],
        submit_time=submit_time,
        first_contact_time=(
            time_of(message.first_contact_time, field="first_contact_time")
            if message.HasField("first_contact_time")
            else submit_time
        ),
    )
    reports.take_submission(conn, event.claim_ref, submission)


def claim_amended(conn: Connection, event: Event) -> None:
    """Facts that were checked have changed."""
    message = cast(intake_events.ClaimAmended, event.message)
    reports.reopen_items(conn, event.claim_ref, changed=message.changed_fields, claim_version=event.version)


def claim_withdrawn(conn: Connection, event: Event) -> None:
    """The claim's work is closed, perhaps before the claim is known."""
    message = cast(intake_events.ClaimWithdrawn, event.message)
    withdrawal = Withdrawal(withdraw_time=time_of(message.withdraw_time, field="withdraw_time"))
    reports.take_withdrawal(conn, event.claim_ref, withdrawal)


def appointment_booked(conn: Connection, event: Event) -> None:
    """The claim's interview is known, perhaps before the claim is; so is one that was moved."""
    message = cast(scheduling_events.AppointmentBooked | scheduling_events.AppointmentMoved, event.message)
    appointment = Appointment(
        appointment_id=message.appointment_id,
        office_code=message.office_code,
        assessor_id=message.assessor_id,
        start_time=time_of(message.start_time, field="start_time"),
        channel=name_of(common_pb2.Channel, message.channel, field="channel"),
        booked_time=event.occurred_time,
    )
    reports.take_booking(conn, event.claim_ref, appointment)
    if isinstance(message, scheduling_events.AppointmentBooked):
        emergencies.count_booking(
            conn, message.office_code, booked_time=event.occurred_time, lead_seconds=message.lead_time_seconds
        )


def appointment_cancelled(conn: Connection, event: Event) -> None:
    """The claim's interview will not be held. Where the claim was withdrawn, its work is closed and the office stays."""
    message = cast(scheduling_events.AppointmentCancelled, event.message)
    if not message.claim_withdrawn:
        reports.take_cancellation(conn, event.claim_ref, event.occurred_time)


def appointment_attended(conn: Connection, event: Event) -> None:
    """The claimant came to the interview."""
    _take_attendance(conn, event, Attended.ATTENDED)


def appointment_missed(conn: Connection, event: Event) -> None:
    """The claimant did not come: another interview is to be booked, or the claim is not pursued."""
    _take_attendance(conn, event, Attended.MISSED)


def _take_attendance(conn: Connection, event: Event, outcome: Attended) -> None:
    message = cast(scheduling_events.AppointmentAttended | scheduling_events.AppointmentMissed, event.message)
    attendance = Attendance(
        appointment_id=message.appointment_id,
        outcome=outcome,
        start_time=time_of(message.start_time, field="start_time"),
        heard_time=event.occurred_time,
    )
    reports.take_attendance(conn, event.claim_ref, attendance)


def decision_recorded(conn: Connection, event: Event) -> None:
    """A scheme of the claim was decided; its clocks stop."""
    message = cast(gateway_events.DecisionRecorded, event.message)
    scheme = name_of(common_pb2.Scheme, message.scheme, field="scheme")
    reports.take_decision(conn, event.claim_ref, Decision(scheme=scheme, decided_time=event.occurred_time))


def transfer_accepted(conn: Connection, event: Event) -> None:
    """A paying system holds the claim."""
    message = cast(gateway_events.TransferAccepted, event.message)
    system = name_of(common_pb2.System, message.system, field="system")
    reports.take_acceptance(conn, event.claim_ref, Acceptance(system=system, accepted_time=event.occurred_time))


def transfer_rejected(conn: Connection, event: Event) -> None:
    """A paying system rejected the claim's record."""
    message = cast(gateway_events.TransferRejected, event.message)
    rejection = Rejection(
        system=name_of(common_pb2.System, message.system, field="system"),
        rejected_time=event.occurred_time,
        transfer_id=message.transfer_id,
        question_ids=list(message.question_ids),
    )
    reports.take_rejection(conn, event.claim_ref, rejection)


HANDLERS: Mapping[str, Handler] = {
    "ClaimSubmitted": claim_submitted,
    "ClaimAmended": claim_amended,
    "ClaimWithdrawn": claim_withdrawn,
    "AppointmentBooked": appointment_booked,
    "AppointmentMoved": appointment_booked,
    "AppointmentCancelled": appointment_cancelled,
    "AppointmentAttended": appointment_attended,
    "AppointmentMissed": appointment_missed,
    "DecisionRecorded": decision_recorded,
    "TransferAccepted": transfer_accepted,
    "TransferRejected": transfer_rejected,
    "ClaimErased": claim_erased,
    **delays.HANDLERS,
}
