"""SchedulingService: messages to the domain and back."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from chassis import call
from chassis.contract import allowed_roles
from chassis.conversions import is_uuid, time_of, timestamp
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, PermissionDenied, Violation
from chassis.idempotency import first_answer, run_once
from chassis.pages import page_size, place_of, token_of
from chassis.postcodes import Postcodes
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import scheduling_pb2
from scheduling.clients import Intake
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Channel, NearOffice, Need, Office
from scheduling.domain.search import Offer, Page, Wish
from scheduling.service import bookings, changes, search

USUAL_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100

_METHODS = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"].methods_by_name
_MAY_SEE = allowed_roles(_METHODS["GetAppointment"])

Booking = Callable[[Connection, Claim], Appointment]


class SchedulingApi:
    """cms.scheduling.v1.SchedulingService."""

    def __init__(self, *, directory: Directory, postcodes: Postcodes, intake: Intake, target: timedelta) -> None:
        self._directory = directory
        self._postcodes = postcodes
        self._intake = intake
        self._target = target

    def FindSlots(self, request: scheduling_pb2.FindSlotsRequest) -> scheduling_pb2.FindSlotsResponse:
        """Free slots near a postcode or at an office."""
        _refuse(_search_faults(request))
        page = _page(request)
        wish = self._wish(self._offices(request), request)
        with call.current().database.transaction() as conn:
            found = search.find_slots(conn, wish, directory=self._directory, page=page, target=self._target)
        response = scheduling_pb2.FindSlotsResponse(slots=[_slot(offer) for offer in found.offers])
        if found.more:
            response.next_page_token = token_of(request, found.offers[-1].slot.slot_id)
        if found.earliest_within_target:
            response.earliest_within_target.CopyFrom(_slot(found.earliest_within_target))
        return response

    def BookAppointment(self, request: scheduling_pb2.BookAppointmentRequest) -> scheduling_pb2.BookAppointmentResponse:
        """Books the given slot, or the earliest one."""
        _refuse(_booking_faults(request))
        if not request.earliest:
            slot = partial(
                bookings.book_slot, directory=self._directory, slot_id=UUID(request.slot_id), target=self._target
            )
            return self._book(request, slot, near=())
        near = search.offices_near(self._directory, self._postcodes, request.postcode)
        wish = self._wish(near, request)
        earliest = partial(bookings.book_earliest, directory=self._directory, wish=wish, target=self._target)
        return self._book(request, earliest, near=near)

    def MoveAppointment(self, request: scheduling_pb2.MoveAppointmentRequest) -> scheduling_pb2.MoveAppointmentResponse:
        """Gives an appointment another slot."""
        _refuse(_unless_uuid(appointment_id=request.appointment_id, slot_id=request.slot_id))
        move = partial(
            changes.move,
            change=_change(request),
            slot_id=UUID(request.slot_id),
            directory=self._directory,
        )
        return run_once(
            request, move, lambda moved: scheduling_pb2.MoveAppointmentResponse(appointment=self._appointment(moved))
        )

    def CancelAppointment(
        self, request: scheduling_pb2.CancelAppointmentRequest
    ) -> scheduling_pb2.CancelAppointmentResponse:
        """Cancels an appointment."""
        _refuse(_unless_uuid(appointment_id=request.appointment_id))
        cancel = partial(changes.cancel, change=_change(request), reason=request.reason, vault=call.current().vault)

        def respond(cancelled: Appointment) -> scheduling_pb2.CancelAppointmentResponse:
            shown = self._appointment(cancelled, cancel_reason=request.reason)
            return scheduling_pb2.CancelAppointmentResponse(appointment=shown)

        return run_once(request, cancel, respond)

    def RecordAttendance(
        self, request: scheduling_pb2.RecordAttendanceRequest
    ) -> scheduling_pb2.RecordAttendanceResponse:
        """Records whether the claimant came."""
        _refuse(_unless_uuid(appointment_id=request.appointment_id))
        record = partial(changes.record_attendance, change=_change(request), attended=request.attended)
        return run_once(
            request, record, lambda ended: scheduling_pb2.RecordAttendanceResponse(appointment=self._appointment(ended))
        )

    def GetAppointment(self, request: scheduling_pb2.GetAppointmentRequest) -> scheduling_pb2.GetAppointmentResponse:
        """An appointment by its id or by its claim; assessors can see only their own office's."""
        _refuse(_appointment_faults(request))
        with call.current().database.transaction() as conn:
            if request.appointment_id:
                found = bookings.appointment_by_id(conn, UUID(request.appointment_id))
            else:
                found = bookings.appointment_of_claim(conn, request.claim_ref)
            _refuse_other_office(found)
            reason = changes.cancel_reason(conn, found, call.current().vault)
        return scheduling_pb2.GetAppointmentResponse(appointment=self._appointment(found, cancel_reason=reason))

    def _book(
        self, request: scheduling_pb2.BookAppointmentRequest, booking: Booking, *, near: Sequence[NearOffice]
    ) -> scheduling_pb2.BookAppointmentResponse:
        with call.current().database.transaction() as conn:
            first = first_answer(conn, request)
        if first is not None:
            return scheduling_pb2.BookAppointmentResponse.FromString(first)
        claim = bookings.claim_to_book(self._intake, request.claim_ref)

        def respond(appointment: Appointment) -> scheduling_pb2.BookAppointmentResponse:
            return scheduling_pb2.BookAppointmentResponse(appointment=self._appointment(appointment, near=near))

        return run_once(request, lambda conn: booking(conn, claim), respond)

    def _offices(self, request: scheduling_pb2.FindSlotsRequest) -> list[NearOffice]:
        if request.postcode:
            return search.offices_near(self._directory, self._postcodes, request.postcode)
        return [NearOffice(office=self._directory.office(request.office_code), distance_km=0.0)]

    @staticmethod
    def _wish(
        offices: Sequence[NearOffice],
        request: scheduling_pb2.FindSlotsRequest | scheduling_pb2.BookAppointmentRequest,
    ) -> Wish:
        channel = request.channel or common_pb2.CHANNEL_OFFICE
        return Wish(
            offices=offices,
            channel=Channel(name_of(common_pb2.Channel, channel, field="channel")),
            needs=frozenset(
                Need(name_of(scheduling_pb2.AppointmentNeed, need, field=f"needs[{index}]"))
                for index, need in enumerate(request.needs)
            ),
        )

    def _appointment(
        self, appointment: Appointment, *, near: Sequence[NearOffice] = (), cancel_reason: str = ""
    ) -> scheduling_pb2.Appointment:
        distances = {found.office.code: found.distance_km for found in near}
        office = self._directory.office(appointment.office_code)
        return scheduling_pb2.Appointment(
            appointment_id=str(appointment.appointment_id),
            claim_ref=appointment.claim_ref,
            office=_office(office, distances.get(office.code, 0.0)),
            assessor_id=appointment.assessor_id,
            start_time=timestamp(appointment.start_time),
            end_time=timestamp(appointment.end_time),
            channel=number_of(common_pb2.Channel, appointment.channel),
            state=number_of(scheduling_pb2.AppointmentState, appointment.state),
            lead_time_seconds=int(appointment.lead_time.total_seconds()),
            target_time=timestamp(appointment.target_time),
            within_target=appointment.within_target,
            version=appointment.version,
            needs=[number_of(scheduling_pb2.AppointmentNeed, need) for need in sorted(appointment.needs)],
            cancel_reason=cancel_reason,
        )


def _change(
    request: scheduling_pb2.MoveAppointmentRequest
    | scheduling_pb2.CancelAppointmentRequest
    | scheduling_pb2.RecordAttendanceRequest,
) -> changes.Change:
    return changes.Change(
        appointment_id=UUID(request.appointment_id), version=request.version, permit=_refuse_other_office
    )


def _refuse(violations: Iterator[Violation]) -> None:
    found = list(violations)
    if found:
        raise InvalidArgument.of(*found)


def _search_faults(request: scheduling_pb2.FindSlotsRequest) -> Iterator[Violation]:
    yield from _unless_one_of(postcode=request.postcode, office_code=request.office_code)
    yield from _needs_faults(request.needs)
    yield from _time_faults(request)


def _time_faults(request: scheduling_pb2.FindSlotsRequest) -> Iterator[Violation]:
    times: list[datetime | None] = []
    for name in ("from", "until"):
        try:
            times.append(_time(request, name))
        except InvalidArgument as error:
            yield from error.violations
    if len(times) == 2 and None not in times and times[1] < times[0]:  # type: ignore[operator]
        yield Violation(field="until", description="is before from")


def _booking_faults(request: scheduling_pb2.BookAppointmentRequest) -> Iterator[Violation]:
    yield from _unless_one_of(slot_id=request.slot_id, earliest=request.earliest)
    yield from _unless_uuid(slot_id=request.slot_id)
    yield from _needs_faults(request.needs)
    if request.earliest and not request.postcode:
        yield Violation(field="postcode", description="is required with earliest")


def _appointment_faults(request: scheduling_pb2.GetAppointmentRequest) -> Iterator[Violation]:
    yield from _unless_one_of(appointment_id=request.appointment_id, claim_ref=request.claim_ref)
    yield from _unless_uuid(appointment_id=request.appointment_id)


def _unless_one_of(**given: object) -> Iterator[Violation]:
    if sum(bool(value) for value in given.values()) != 1:
        for name in given:
            yield Violation(field=name, description=f"exactly one of {', '.join(given)} must be given")


def _unless_uuid(**given: str) -> Iterator[Violation]:
    for name, text in given.items():
        if text and not is_uuid(text):
            yield Violation(field=name, description="is not one that this service gave")


def _needs_faults(needs: Sequence[int]) -> Iterator[Violation]:
    for index, need in enumerate(needs):
        if need == scheduling_pb2.APPOINTMENT_NEED_UNSPECIFIED:
            yield Violation(field=f"needs[{index}]", description="names no need")


def _time(request: scheduling_pb2.FindSlotsRequest, field: str) -> datetime | None:
    return time_of(getattr(request, field), field=field) if request.HasField(field) else None  # type: ignore[arg-type]


def _page(request: scheduling_pb2.FindSlotsRequest) -> Page:
    place = place_of(request, UUID)
    return Page(
        since=_time(request, "from"),
        until=_time(request, "until"),
        size=page_size(request, usual=USUAL_PAGE_SIZE, largest=LARGEST_PAGE_SIZE),
        after=place[0] if place else None,
    )


def _refuse_other_office(appointment: Appointment) -> None:
    caller = call.current().identity
    # A caller with several roles has the rights of the widest (docs/adr/0013).
    if caller.roles & _MAY_SEE == {"ASSESSOR"} and caller.office != appointment.office_code:
        raise PermissionDenied("OTHER_OFFICE", "assessors can see only their own office's appointments")


def _slot(offer: Offer) -> scheduling_pb2.Slot:
    return scheduling_pb2.Slot(
        slot_id=str(offer.slot.slot_id),
        office=_office(offer.office.office, offer.office.distance_km),
        assessor_id=offer.slot.assessor_id,
        start_time=timestamp(offer.slot.start_time),
        end_time=timestamp(offer.slot.end_time),
        channel=number_of(common_pb2.Channel, offer.slot.channel),
        within_target=offer.within_target,
    )


def _office(office: Office, distance_km: float) -> scheduling_pb2.Office:
    return scheduling_pb2.Office(code=office.code, name=office.name, distance_km=round(distance_km, 1))
