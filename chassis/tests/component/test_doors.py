"""Both doors of a service, with a real database and bus behind them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import call, clock, outbox
from chassis.errors import FailedPrecondition
from chassis.idempotency import run_once
from chassis.runtime import Process, Runtime, Service
from chassis.settings import ServiceSettings
from chassis.testing import HTTP, DatabaseUrls, NotCalled, SettingsOf, Tokens, as_logged, open_channel, running
from cms.scheduling.v1 import appointments_pb2, events_pb2, scheduling_pb2, scheduling_pb2_grpc

CLAIM = "C0000000000A"


class Api(NotCalled):
    """Books whatever is asked, once for each request."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def FindSlots(self, request: Any) -> Any:
        raise ZeroDivisionError(request.postcode)

    def BookAppointment(self, request: Any) -> Any:
        def book(conn: Any) -> str:
            event = events_pb2.AppointmentBooked(appointment_id="A1")
            outbox.append(conn, claim_ref=request.claim_ref, version=1, event=event)
            return str(uuid4())

        return as_logged(run_once(request, book, self._booked))

    def GetAppointment(self, request: Any) -> Any:
        raise FailedPrecondition("NOT_BOOKED", "no interview is booked", metadata={"claim_ref": request.claim_ref})

    @staticmethod
    def _booked(appointment_id: str) -> Any:
        appointment = appointments_pb2.Appointment(appointment_id=appointment_id)
        appointment.start_time.FromDatetime(clock.now())
        return scheduling_pb2.BookAppointmentResponse(appointment=appointment)


@pytest.fixture
def process(settings_of: SettingsOf) -> Iterator[Process]:
    service = Service(
        name="scheduling-svc",
        settings=settings_of(ServiceSettings, "scheduling-svc"),
        contract=scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
        migrations=Path("no-migrations"),
        api=Api,
    )
    with running(service) as started:
        yield started


def post(process: Process, method: str, body: Any, token: str = "", **headers: str) -> httpx.Response:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    content = body if isinstance(body, bytes) else None
    return HTTP.post(
        f"http://127.0.0.1:{process.http.port}/cms.scheduling.v1.SchedulingService/{method}",
        content=content,
        json=None if content is not None else body,
        headers={"Content-Type": "application/json", **authorization, **headers},
    )


def raw_method(channel: grpc.Channel, method: str) -> Any:
    """The method on bytes, without a message class of the client's."""
    unary: Any = channel.unary_unary
    return unary(f"/cms.scheduling.v1.SchedulingService/{method}")


def test_a_method_is_called_by_either_door_and_a_retry_gets_the_first_answer(process: Process, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    request_id = str(uuid4())

    by_http = post(process, "BookAppointment", {"claimRef": CLAIM, "requestId": request_id}, token)
    with open_channel(process) as channel:
        by_grpc = scheduling_pb2_grpc.SchedulingServiceStub(channel).BookAppointment(
            scheduling_pb2.BookAppointmentRequest(claim_ref=CLAIM, request_id=request_id),
            metadata=(("authorization", f"Bearer {token}"),),
            timeout=5,
        )

    assert by_http.status_code == 200
    assert by_http.json()["appointment"]["appointmentId"] == by_grpc.appointment.appointment_id
    assert by_http.json()["appointment"]["withinTarget"] is False  # fields without presence are printed


def test_the_same_request_id_with_another_body_is_refused(process: Process, tokens: Tokens) -> None:
    token, request_id = tokens.issue("OPERATOR"), str(uuid4())
    post(process, "BookAppointment", {"claimRef": CLAIM, "requestId": request_id}, token)

    second = post(process, "BookAppointment", {"claimRef": "C00000000010", "requestId": request_id}, token)

    assert second.status_code == 409
    assert second.json()["code"] == "already_exists"
    assert second.json()["details"][0]["debug"]["reason"] == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"claim_ref", "request_id"}),
        ({"claimRef": CLAIM, "requestId": "no-uuid"}, {"request_id"}),
        ({"claimRef": CLAIM, "requestId": str(uuid4()), "channel": 77}, {"channel"}),
        ({"claimRef": "a\x00b", "requestId": str(uuid4())}, {"claim_ref"}),
        ({"claimRef": {"x": 1}, "requestId": str(uuid4())}, {"claim_ref"}),
        ({"claimReff": "secret", "requestId": str(uuid4())}, {"claimReff"}),
    ],
)
def test_bad_input_names_the_fields_and_never_the_value(
    process: Process, tokens: Tokens, body: Any, fields: set[str]
) -> None:
    answer = post(process, "BookAppointment", body, tokens.issue("OPERATOR"))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    violations = answer.json()["details"][1]["debug"]["fieldViolations"]
    assert {violation["field"] for violation in violations} == fields
    assert "no-uuid" not in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b'{"claimRef": ' + b"[" * 60_000, b'"' * 3])
def test_a_malformed_body_is_an_invalid_argument_by_either_door(process: Process, tokens: Tokens, body: bytes) -> None:
    token = tokens.issue("OPERATOR")

    by_http = post(process, "BookAppointment", body, token)
    with open_channel(process) as channel, pytest.raises(grpc.RpcError) as by_grpc:
        raw_method(channel, "BookAppointment")(
            b"\x0a\xff\xff" + body, metadata=(("authorization", f"Bearer {token}"),), timeout=5
        )

    assert (by_http.status_code, by_http.json()["code"]) == (400, "invalid_argument")
    assert by_grpc.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, "permission_denied"),
        ({"aud": "another"}, "unauthenticated"),
        ({"iss": "another"}, "unauthenticated"),
        ({"exp": 1}, "unauthenticated"),
        ({"sub": "not a staff id"}, "unauthenticated"),
    ],
)
def test_a_token_without_the_role_is_refused(
    process: Process, tokens: Tokens, claims: dict[str, Any], code: str
) -> None:
    answer = post(process, "BookAppointment", {}, tokens.issue("SUPPORT", **claims))

    assert answer.json()["code"] == code


def test_a_call_without_a_token_is_unauthenticated(process: Process) -> None:
    assert post(process, "BookAppointment", {}).json()["code"] == "unauthenticated"


def test_a_denial_is_in_the_access_log(process: Process, tokens: Tokens, database_urls: DatabaseUrls) -> None:
    post(process, "BookAppointment", {"claimRef": CLAIM}, tokens.issue("SUPPORT", subject="SUP1"))

    import psycopg

    with psycopg.connect(database_urls.owner) as conn:
        rows = conn.execute("SELECT subject, method, outcome, reason FROM access_log").fetchall()
    assert rows == [("SUP1", "/cms.scheduling.v1.SchedulingService/BookAppointment", "DENIED", "ROLE")]


def test_a_defect_is_internal_and_hides_its_cause(process: Process, tokens: Tokens) -> None:
    answer = post(process, "FindSlots", {"postcode": "CANARY"}, tokens.issue("OPERATOR"))

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "CANARY" not in answer.text
    assert "division" not in answer.text


def test_errors_carry_their_details_over_grpc(process: Process, tokens: Tokens) -> None:
    with open_channel(process) as channel, pytest.raises(grpc.RpcError) as raised:
        scheduling_pb2_grpc.SchedulingServiceStub(channel).GetAppointment(
            scheduling_pb2.GetAppointmentRequest(claim_ref=CLAIM),
            metadata=(("authorization", f"Bearer {tokens.issue('SUPPORT')}"),),
            timeout=5,
        )

    status = rpc_status.from_call(cast(Any, raised.value))
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert raised.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert (info.reason, dict(info.metadata)) == ("NOT_BOOKED", {"claim_ref": CLAIM})


def test_the_http_door_keeps_to_the_connect_protocol(process: Process, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")

    plain = post(process, "BookAppointment", b"{}", token, **{"Content-Type": "text/plain"})
    late = post(process, "BookAppointment", {}, token, **{"Connect-Timeout-Ms": "0"})
    unknown = post(process, "NoSuchMethod", {}, token)
    large = post(process, "BookAppointment", b'{"claimRef":"' + b"x" * 1_100_000 + b'"}', token)

    assert plain.status_code == 415
    assert (late.status_code, late.json()["code"]) == (504, "deadline_exceeded")
    assert (unknown.status_code, unknown.json()["code"]) == (501, "unimplemented")
    assert (large.status_code, large.json()["code"]) == (429, "resource_exhausted")


def test_an_event_without_receipts_stays_unfinished_and_shows(
    process: Process, tokens: Tokens, database_urls: DatabaseUrls
) -> None:
    post(process, "BookAppointment", {"claimRef": CLAIM, "requestId": str(uuid4())}, tokens.issue("OPERATOR"))

    assert "chassis_outbox_unfinished 1.0" in httpx.get(f"http://127.0.0.1:{process.operations.port}/metrics").text


def test_outside_of_a_call_there_is_no_call() -> None:
    with pytest.raises(LookupError):
        call.current()
