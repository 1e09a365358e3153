"""Appointments: booked, moved, cancelled, attended and shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from uuid import UUID

from chassis import call
from chassis.database import Connection
from chassis.errors import Violation
from chassis.idempotency import first_answer, run_once
from chassis.postcodes import Postcodes
from cms.scheduling.v1 import scheduling_pb2
from scheduling.clients import Intake
from scheduling.domain.appointments import Appointment
from scheduling.domain.claims import Claim
from scheduling.domain.directory import Directory
from scheduling.domain.offers import channels_for
from scheduling.domain.offices import NearOffice
from scheduling.domain.slots import SlotId
from scheduling.grpc_api.faults import language_faults, needs_faults, refuse, unless_one_of, unless_slot_id, unless_uuid
from scheduling.grpc_api.messages import appointment_message, needs_of, refuse_other_office, wanted_channel, wish_of
from scheduling.grpc_api.own_calls import expect_own_call
from scheduling.grpc_api.showing import shown
from scheduling.service import bookings, changes, search

Booking = Callable[[Connection, Claim], Appointment]


class AppointmentMethods:
    """Books interviews, changes them and shows them."""

    def __init__(self, directory: Directory, postcodes: Postcodes, intake: Intake, target: timedelta) -> None:
        self._directory = directory
        self._postcodes = postcodes
        self._intake = intake
        self._target = target

    def BookAppointment(self, request: scheduling_pb2.BookAppointmentRequest) -> scheduling_pb2.BookAppointmentResponse:
        """Books the given slot, or the earliest one."""
        refuse(chain(_booking_faults(request), language_faults(request.language, self._directory)))
        if not request.earliest:
            slot = partial(
                bookings.book_slot,
                directory=self._directory,
                slot_id=SlotId.read(request.slot_id),
                target=self._target,
                needs=needs_of(request),
                language=request.language,
                near=self._near(request.postcode),
                wanted=wanted_channel(request),
            )
            return self._book(request, slot, near=())
        near = search.offices_near(self._directory, self._postcodes, request.postcode)
        wish = wish_of(near, request)
        _, *others = channels_for(wanted_channel(request), wish.needs)
        wish = replace(wish, spill_over=others[0] if others else None)
        earliest = partial(bookings.book_earliest, directory=self._directory, wish=wish, target=self._target)
        return self._book(request, earliest, near=near)

    def MoveAppointment(self, request: scheduling_pb2.MoveAppointmentRequest) -> scheduling_pb2.MoveAppointmentResponse:
        """Gives an appointment another slot."""
        refuse(_move_faults(request))
        expect_own_call(self._intake, request)
        move = partial(
            changes.move,
            change=_change(request),
            slot_id=SlotId.read(request.slot_id),
            directory=self._directory,
            near=self._near(request.postcode),
        )
        response = run_once(
            request,
            move,
            lambda moved: scheduling_pb2.MoveAppointmentResponse(
                appointment=appointment_message(moved, self._directory)
            ),
        )
        return shown(response, purpose="change")

    def CancelAppointment(
        self, request: scheduling_pb2.CancelAppointmentRequest
    ) -> scheduling_pb2.CancelAppointmentResponse:
        """Cancels an appointment."""
        refuse(unless_uuid(appointment_id=request.appointment_id))
        expect_own_call(self._intake, request)
        cancel = partial(changes.cancel, change=_change(request), reason=request.reason, vault=call.current().vault)

        def respond(cancelled: Appointment) -> scheduling_pb2.CancelAppointmentResponse:
            message = appointment_message(cancelled, self._directory, cancel_reason=request.reason)
            return scheduling_pb2.CancelAppointmentResponse(appointment=message)

        return shown(run_once(request, cancel, respond), purpose="change")

    def RecordAttendance(
        self, request: scheduling_pb2.RecordAttendanceRequest
    ) -> scheduling_pb2.RecordAttendanceResponse:
        """Records whether the claimant came."""
        refuse(unless_uuid(appointment_id=request.appointment_id))
        record = partial(changes.record_attendance, change=_change(request), attended=request.attended)
        response = run_once(
            request,
            record,
            lambda ended: scheduling_pb2.RecordAttendanceResponse(
                appointment=appointment_message(ended, self._directory)
            ),
        )
        return shown(response, purpose="change")

    def GetAppointment(self, request: scheduling_pb2.GetAppointmentRequest) -> scheduling_pb2.GetAppointmentResponse:
        """An appointment by its id or by its claim; assessors can see only their own office's."""
        refuse(_appointment_faults(request))
        with call.current().database.transaction() as conn:
            if request.appointment_id:
                found = bookings.appointment_by_id(conn, UUID(request.appointment_id))
            else:
                found = bookings.appointment_of_claim(conn, request.claim_ref)
            refuse_other_office(found)
            reason = changes.cancel_reason(conn, found, call.current().vault)
        response = scheduling_pb2.GetAppointmentResponse(
            appointment=appointment_message(found, self._directory, cancel_reason=reason)
        )
        return shown(response, purpose=self._intake.purpose(found.claim_ref))

    def _near(self, postcode: str) -> Sequence[NearOffice]:
        return search.offices_near(self._directory, self._postcodes, postcode) if postcode else ()

    def _book(
        self, request: scheduling_pb2.BookAppointmentRequest, booking: Booking, *, near: Sequence[NearOffice]
    ) -> scheduling_pb2.BookAppointmentResponse:
        with call.current().database.transaction() as conn:
            first = first_answer(conn, request)
        if first is not None:
            return shown(scheduling_pb2.BookAppointmentResponse.FromString(first), purpose="booking")
        claim = bookings.claim_to_book(self._intake, request.claim_ref)
        self._intake.purpose(request.claim_ref)

        def respond(appointment: Appointment) -> scheduling_pb2.BookAppointmentResponse:
            return scheduling_pb2.BookAppointmentResponse(
                appointment=appointment_message(appointment, self._directory, near=near)
            )

        return shown(run_once(request, lambda conn: booking(conn, claim), respond), purpose="booking")


def _change(
    request: scheduling_pb2.MoveAppointmentRequest
    | scheduling_pb2.CancelAppointmentRequest
    | scheduling_pb2.RecordAttendanceRequest,
) -> changes.Change:
    return changes.Change(
        appointment_id=UUID(request.appointment_id), version=request.version, permit=refuse_other_office
    )


def _move_faults(request: scheduling_pb2.MoveAppointmentRequest) -> Iterator[Violation]:
    yield from unless_uuid(appointment_id=request.appointment_id)
    yield from unless_slot_id(slot_id=request.slot_id)


def _booking_faults(request: scheduling_pb2.BookAppointmentRequest) -> Iterator[Violation]:
    yield from unless_one_of(slot_id=request.slot_id, earliest=request.earliest)
    yield from unless_slot_id(slot_id=request.slot_id)
    yield from needs_faults(request.needs)
    if request.earliest and not request.postcode:
        yield Violation(field="postcode", description="is required with earliest")


def _appointment_faults(request: scheduling_pb2.GetAppointmentRequest) -> Iterator[Violation]:
    yield from unless_one_of(appointment_id=request.appointment_id, claim_ref=request.claim_ref)
    yield from unless_uuid(appointment_id=request.appointment_id)
