"""A chain without a database, for tests of the doors alone."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import pytest
from flask.testing import FlaskClient

from chassis import descriptors, logs, refusals
from chassis.chain import Chain, methods_of
from chassis.errors import FailedPrecondition
from chassis.http_connections import Bounds
from chassis.http_door import HttpDoor, application
from chassis.identity import Verifier
from chassis.origins import Origins
from chassis.testing import ISSUER, NotCalled, Tokens, as_logged
from chassis.testing.sites import PATIENCE_SECONDS, SECONDS, Site
from cms.scheduling.v1 import appointments_pb2
from cms.scheduling.v1 import scheduling_pb2 as pb

MakeSite = Callable[..., Site]


class Api(NotCalled):
    """Repeats the claim; fails for one that has no appointment."""

    def GetAppointment(self, request: pb.GetAppointmentRequest) -> pb.GetAppointmentResponse:
        if request.appointment_id == "none":
            raise FailedPrecondition(
                "NOT_BOOKED", "50% of nothing – no interview", metadata={"claim_ref": "C0000000000A"}
            )
        length = {"long": 5_000, "very long": 50_000}.get(request.appointment_id, 0)
        appointment = appointments_pb2.Appointment(
            claim_ref=request.claim_ref, office=appointments_pb2.Office(name="x" * length)
        )
        return as_logged(pb.GetAppointmentResponse(appointment=appointment))

    def BookAppointment(self, _request: pb.BookAppointmentRequest) -> pb.BookAppointmentResponse:
        return as_logged(pb.BookAppointmentResponse())

    def FindSlots(self, request: pb.FindSlotsRequest) -> pb.FindSlotsResponse:
        raise ZeroDivisionError(request.postcode)


@pytest.fixture
def chain(tokens: Tokens) -> Chain:
    """Without a database: nothing here reads one."""
    logs.configure("scheduling-svc")
    return Chain(
        methods_of(pb.DESCRIPTOR.services_by_name["SchedulingService"], Api()),
        verifier=Verifier(tokens.jwks_file, issuer=ISSUER, audience="scheduling-svc"),
        database=cast(Any, None),
        vault=cast(Any, None),
    )


@pytest.fixture(autouse=True)
def fresh_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets each test log as many refusals as a second allows."""
    monkeypatch.setattr(refusals, "_lines", refusals._Lines())


@pytest.fixture
def door(chain: Chain) -> FlaskClient:
    return application(chain, Origins("https://desk.example, loopback")).test_client()


@pytest.fixture
def passport(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.issue('OPERATOR')}"}


@pytest.fixture
def make_site(chain: Chain, tokens: Tokens) -> Iterator[MakeSite]:
    with ExitStack() as opened:

        def make(**bounds: Any) -> Site:
            usual = {"request_seconds": SECONDS, "answer_seconds": 60.0}
            descriptors.share(
                {"http": Bounds().connections}
            )  # as a service does: many connections need many open files
            door = HttpDoor(chain, host="127.0.0.1", port=0, origins=Origins(), bounds=Bounds(**(usual | bounds)))
            door.start()
            opened.callback(door.stop, 0)
            calm = Site(door, tokens.issue("OPERATOR"))
            usual_seconds = max(calm.seconds_to_answer() for _ in range(3))
            return replace(calm, patience=max(PATIENCE_SECONDS, 10 * usual_seconds))

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def attackers(site: Site) -> Iterator[Callable[[int], list[socket.socket]]]:
    with ExitStack() as opened:
        yield lambda number: [opened.enter_context(site.connect()) for _ in range(number)]
