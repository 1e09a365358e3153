"""Somebody else at the gRPC door of a process that is under attack."""

from typing import Any

import grpc
import httpx

from chassis.runtime import Process
from chassis.testing import HTTP, open_channel
from cms.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc
from tests.support.bystander import expect_soon


def ask(process: Process, token: str) -> grpc.StatusCode:
    """A call of somebody else, on a connection of their own."""
    with open_channel(process, token, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            scheduling_pb2_grpc.SchedulingServiceStub(channel).GetAppointment(
                scheduling_pb2.GetAppointmentRequest(claim_ref="C0000000000A"),
                metadata=(("authorization", f"Bearer {token}"),),
                timeout=5,
            )
        except grpc.RpcError as error:
            refused: Any = error
            code: grpc.StatusCode = refused.code()
            return code
        return grpc.StatusCode.OK


def holds(process: Process, token: str) -> None:
    """Asserts that a bystander, its health and the operations port are answered, each within a second."""
    with httpx.Client(timeout=5, base_url=f"http://127.0.0.1:{process.operations.port}") as client:
        expect_soon(lambda: ask(process, token), grpc.StatusCode.NOT_FOUND)
        expect_soon(lambda: client.get("/healthz").status_code, 200)
        expect_soon(lambda: client.get("/metrics").status_code, 200)


def refusals(process: Process, reason: str) -> float:
    """How many refusals of the door were counted for this reason."""
    lines = HTTP.get(f"http://127.0.0.1:{process.operations.port}/metrics").text.splitlines()
    counted = [line for line in lines if line.startswith(f'chassis_refusals_total{{door="grpc",reason="{reason}"}}')]
    return float(counted[0].rpartition(" ")[2]) if counted else 0.0
