"""intake-svc and assessment-svc in one process that answers from memory, so that the gateway is what is measured.

Every claim is a submitted and confirmed claim for Income Support. It prints its address and serves until its input ends.
"""

import sys
from collections.abc import Mapping
from concurrent import futures
from typing import Any

import grpc

from chassis import clock
from chassis.testing import secure_port
from cms.assessment.v1 import assessment_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from cms_local.cases import load_cases
from tests.growth.intake_stand_in import IntakeStandIn

CHILD = {"name": "Ann", "date_of_birth": "2004-02-29", "relationship": "SON_OR_DAUGHTER"}


class Owners(IntakeStandIn):
    """The intake of the tests of growth, with the facts made once."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(answers)
        self._facts = super().GetClaimFacts(intake_pb2.GetClaimFactsRequest(), None)

    def GetClaimFacts(self, request: Any, context: Any) -> intake_pb2.GetClaimFactsResponse:
        """All facts, the same for each claim."""
        return self._facts


def answers() -> dict[str, Any]:
    """The answers of a lone parent."""
    return {
        **load_cases(clock.today())[0].answers,
        "language": "EN",
        "nino": "AB123456C",
        "joint_claim": False,
        "sort_code": "200000",
        "telephone": "+441632960123",
        "is_group": "LP",
        "part_time_hours": 0.0,
        "capital": "1250.50",
        "children": [CHILD],
        "other_income": [],
    }


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    owners = Owners(answers())  # type: ignore[abstract]
    intake_pb2_grpc.add_IntakeServiceServicer_to_server(owners, server)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(owners, server)
    port = secure_port(server, "intake-svc", "assessment-svc")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None).wait()
