"""Messages that several methods have in common."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chassis import call
from chassis.contract import allowed_roles
from chassis.conversions import time_of, timestamp
from chassis.enums import name_of, number_of
from chassis.errors import PermissionDenied
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import appointments_pb2, offers_pb2, scheduling_pb2
from scheduling.domain.appointments import Appointment
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice, Need, Office
from scheduling.domain.reasons import Reasoned
from scheduling.domain.search import Wish

_MINUTE = timedelta(minutes=1)

Timed = scheduling_pb2.FindSlotsRequest | offers_pb2.OfferSlotsRequest
Wishing = Timed | scheduling_pb2.BookAppointmentRequest

_METHODS = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"].methods_by_name
_MAY_SEE = allowed_roles(_METHODS["GetAppointment"])


def wish_of(offices: Sequence[NearOffice], request: Wishing) -> Wish:
    """The wish that a request states, at these offices."""
    return Wish(
        offices=offices,
        channel=wanted_channel(request) or Channel.OFFICE,
        needs=needs_of(request),
        language=request.language,
    )


def needs_of(request: Wishing) -> frozenset[Need]:
    """The needs that a request states: a language is a need of an interpreter."""
    stated = frozenset(
        Need(name_of(appointments_pb2.AppointmentNeed, need, field=f"needs[{index}]"))
        for index, need in enumerate(request.needs)
    )
    return stated | {Need.INTERPRETER} if request.language else stated


def wanted_channel(request: Wishing) -> Channel | None:
    """The channel that a request names; None where it names none."""
    return Channel(name_of(common_pb2.Channel, request.channel, field="channel")) if request.channel else None


def time_in(request: Timed, field: str) -> datetime | None:
    """The time in a field of a request; None where it is absent."""
    return time_of(getattr(request, field), field=field) if request.HasField(field) else None  # type: ignore[arg-type]


def slot_message(offer: Reasoned) -> appointments_pb2.Slot:
    """A slot that is offered."""
    slot, office = offer.free.slot, offer.free.office
    return appointments_pb2.Slot(
        slot_id=str(slot.slot_id),
        office=office_message(office.office, office.distance_km),
        assessor_id=slot.assessor_id,
        start_time=timestamp(slot.start_time),
        end_time=timestamp(slot.end_time),
        channel=number_of(common_pb2.Channel, slot.channel),
        within_target=offer.free.within_target,
        travel_minutes=slot.travel // _MINUTE,
        reason=number_of(appointments_pb2.OfferReason, offer.reason),
    )


def office_message(office: Office, distance_km: float = 0.0) -> appointments_pb2.Office:
    """An office, and how far it is from the postcode that was asked about."""
    return appointments_pb2.Office(code=office.code, name=office.name, distance_km=round(distance_km, 1))


def appointment_message(
    appointment: Appointment, directory: Directory, *, near: Sequence[NearOffice] = (), cancel_reason: str = ""
) -> appointments_pb2.Appointment:
    """An appointment; `near` are the offices that were found, with their distances."""
    distances = {found.office.code: found.distance_km for found in near}
    office = directory.office(appointment.office_code)
    return appointments_pb2.Appointment(
        appointment_id=str(appointment.appointment_id),
        claim_ref=appointment.claim_ref,
        office=office_message(office, distances.get(office.code, 0.0)),
        assessor_id=appointment.assessor_id,
        start_time=timestamp(appointment.start_time),
        end_time=timestamp(appointment.end_time),
        channel=number_of(common_pb2.Channel, appointment.channel),
        state=number_of(appointments_pb2.AppointmentState, appointment.state),
        lead_time_seconds=int(appointment.lead_time.total_seconds()),
        target_time=timestamp(appointment.target_time),
        within_target=appointment.within_target,
        version=appointment.version,
        arranged_version=appointment.arranged_version,
        needs=[number_of(appointments_pb2.AppointmentNeed, need) for need in sorted(appointment.needs)],
        cancel_reason=cancel_reason,
        attempt=appointment.attempt,
        language=appointment.language,
        travel_minutes=appointment.travel // _MINUTE,
    )


def refuse_other_office(appointment: Appointment) -> None:
    """Raises PermissionDenied for an assessor of another office."""
    caller = call.current().identity
    # A caller with several roles has the rights of the widest (docs/adr/0013).
    if caller.roles & _MAY_SEE == {"ASSESSOR"} and caller.office != appointment.office_code:
        raise PermissionDenied("OTHER_OFFICE", "assessors can see only their own office's appointments")
