"""A chain without a database, for tests of the doors alone."""

from typing import Any, cast

import pytest

from chassis import logs, refusals
from chassis.chain import Chain, methods_of
from chassis.errors import FailedPrecondition
from chassis.identity import Verifier
from chassis.testing import ISSUER, Tokens
from cms.scheduling.v1 import scheduling_pb2 as pb


class Api:
    """Repeats the claim; fails for one that has no appointment."""

    def GetAppointment(self, request: pb.GetAppointmentRequest) -> pb.GetAppointmentResponse:
        if request.appointment_id == "none":
            raise FailedPrecondition(
                "NOT_BOOKED", "50% of nothing – no interview", metadata={"claim_ref": "C0000000000A"}
            )
        length = {"long": 5_000, "very long": 50_000}.get(request.appointment_id, 0)
        appointment = pb.Appointment(claim_ref=request.claim_ref, office=pb.Office(name="x" * length))
        return pb.GetAppointmentResponse(appointment=appointment)

    def BookAppointment(self, _request: pb.BookAppointmentRequest) -> pb.BookAppointmentResponse:
        return pb.BookAppointmentResponse()

    def FindSlots(self, request: pb.FindSlotsRequest) -> pb.FindSlotsResponse:
        raise ZeroDivisionError(request.postcode)


@pytest.fixture
def chain(tokens: Tokens) -> Chain:
    """Without a database: nothing here reads one."""
    logs.configure("scheduling-svc")
    return Chain(
        methods_of(pb.DESCRIPTOR.services_by_name["SchedulingService"], Api()),
        verifier=Verifier(tokens.jwks_file, issuer=ISSUER),
        database=cast(Any, None),
        vault=cast(Any, None),
    )


@pytest.fixture(autouse=True)
def fresh_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets each test log as many refusals as a second allows."""
    monkeypatch.setattr(refusals, "_lines", refusals._Lines())
