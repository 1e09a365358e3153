"""The outcome for displaced interviews, as messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from chassis import clock
from chassis.conversions import timestamp
from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import absences_pb2, appointments_pb2
from scheduling.domain.appointments import Appointment
from scheduling.domain.directory import Directory
from scheduling.domain.replanning import NotMoved, Solution
from scheduling.domain.slots import Slot
from scheduling.domain.working_time import within_target
from scheduling.grpc_api.messages import appointment_message, office_message
from scheduling.service.replanning import Moved, Replanned


@dataclass(frozen=True, kw_only=True)
class ReplanningMessages:
    """Makes them; `target` is that by which a slot is said to be within target, counted from now."""

    directory: Directory
    target: timedelta

    def moved(self, replanned: Replanned) -> list[absences_pb2.MovedAppointment]:
        """The interviews that were moved."""
        return [self._moved(one) for one in replanned.moved]

    def not_moved(self, left: Iterable[NotMoved]) -> list[absences_pb2.NotMovedAppointment]:
        """The interviews that nobody is there to hold."""
        return [self._not_moved(one) for one in left]

    def _moved(self, moved: Moved) -> absences_pb2.MovedAppointment:
        return absences_pb2.MovedAppointment(
            appointment=appointment_message(moved.after, self.directory),
            previous_start_time=timestamp(moved.before.start_time),
            previous_assessor_id=moved.before.assessor_id,
            previous_office_code=moved.before.office_code,
            previous_channel=number_of(common_pb2.Channel, moved.before.channel),
            disturbance=number_of(absences_pb2.Disturbance, moved.disturbance.name),
        )

    def _not_moved(self, left: NotMoved) -> absences_pb2.NotMovedAppointment:
        return absences_pb2.NotMovedAppointment(
            appointment=appointment_message(left.appointment, self.directory),
            urgency=number_of(absences_pb2.Urgency, left.urgency.name),
            solutions=[self._solution(one, left.appointment) for one in left.solutions],
            still_to_move=left.still_to_move,
        )

    def _solution(self, solution: Solution, appointment: Appointment) -> absences_pb2.Solution:
        message = absences_pb2.Solution(kind=number_of(absences_pb2.SolutionKind, solution.kind))
        if solution.slot is not None:
            message.slot.CopyFrom(self._slot(solution.slot, appointment))
            message.keeps_target = solution.slot.start_time <= appointment.target_time
        return message

    def _slot(self, slot: Slot, appointment: Appointment) -> appointments_pb2.Slot:
        office = self.directory.office(slot.office_code)
        return appointments_pb2.Slot(
            slot_id=str(slot.slot_id),
            office=office_message(office, self.directory.distance_km(appointment.office_code, slot.office_code)),
            assessor_id=slot.assessor_id,
            start_time=timestamp(slot.start_time),
            end_time=timestamp(slot.end_time),
            channel=number_of(common_pb2.Channel, slot.channel),
            within_target=within_target(clock.now(), slot.start_time, nation=office.nation, target=self.target),
        )
