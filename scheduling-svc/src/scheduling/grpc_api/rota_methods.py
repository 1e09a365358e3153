"""Rotas."""

from chassis.conversions import day_of, time_of
from chassis.enums import name_of
from chassis.idempotency import run_once
from cms.common.v1 import common_pb2
from cms.scheduling.v1 import rotas_pb2
from scheduling.domain.directory import Directory
from scheduling.domain.offices import Assessor, Channel
from scheduling.domain.rotas import Rota
from scheduling.domain.shifts import Shift
from scheduling.grpc_api.replanning_messages import ReplanningMessages
from scheduling.grpc_api.showing import shown
from scheduling.service import rotas
from scheduling.service.rotas import Published


class RotaMethods:
    """Publishes rotas."""

    def __init__(self, directory: Directory, messages: ReplanningMessages) -> None:
        self._directory = directory
        self._messages = messages

    def PublishRota(self, request: rotas_pb2.PublishRotaRequest) -> rotas_pb2.PublishRotaResponse:
        """Publishes an assessor's shifts at an office."""
        # What is checked by the clock is checked with the change: a repeat gets the first answer at any time.
        response = run_once(
            request, lambda conn: rotas.publish(conn, self._rota(request), self._directory), self._published
        )
        return shown(response, purpose="replanning")

    def _rota(self, request: rotas_pb2.PublishRotaRequest) -> Rota:
        assessor = self._directory.assessor(request.assessor_id)
        return rotas.rota_of(
            self._directory,
            assessor.assessor_id,
            request.office_code,
            work=[_shift(request, index, assessor) for index in range(len(request.shifts))],
            weeks=[day_of(monday, field=f"weeks[{index}]") for index, monday in enumerate(request.weeks)],
        )

    def _published(self, published: Published) -> rotas_pb2.PublishRotaResponse:
        return rotas_pb2.PublishRotaResponse(
            added=len(published.change.added),
            kept=len(published.change.kept),
            removed=len(published.change.removed),
            moved=self._messages.moved(published.replanned),
            not_moved=self._messages.not_moved(published.replanned.not_moved),
            still_to_move=published.replanned.still_to_move,
        )


def _shift(request: rotas_pb2.PublishRotaRequest, index: int, assessor: Assessor) -> Shift:
    shift, field = request.shifts[index], f"shifts[{index}]"
    return Shift(
        assessor_id=assessor.assessor_id,
        office_code=request.office_code,
        start_time=time_of(shift.start, field=f"{field}.start"),
        end_time=time_of(shift.end, field=f"{field}.end"),
        channel=Channel(name_of(common_pb2.Channel, shift.channel, field=f"{field}.channel")),
        skills=(frozenset(shift.skills) or assessor.skills) | {assessor.sex},
        emergency_slots=shift.emergency_slots,
    )
