"""An intake that knows every claim, an assessment that confirmed it and its interview, for the services that ask them."""

from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.testing import secure_port
from cms.assessment.v1 import assessment_pb2, assessment_pb2_grpc, evidence_pb2
from cms.common.v1 import common_pb2
from cms.gateway.v1 import decisions_pb2, gateway_pb2_grpc
from cms.intake.v1 import intake_pb2, intake_pb2_grpc
from cms.scheduling.v1 import appointments_pb2, scheduling_pb2, scheduling_pb2_grpc

CLAIM_VERSION = 7


class IntakeStandIn(
    intake_pb2_grpc.IntakeServiceServicer,
    assessment_pb2_grpc.AssessmentServiceServicer,
    scheduling_pb2_grpc.SchedulingServiceServicer,
    gateway_pb2_grpc.LegacyGatewayServiceServicer,
):
    """Every claim is submitted, made contact now, and gives these answers; an amendment is version 8."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self._amended: dict[str, Any] = {}

    def GetAppointment(self, request: Any, context: Any) -> scheduling_pb2.GetAppointmentResponse:
        """An interview in three days, as it was booked."""
        start = Timestamp()
        start.FromDatetime(clock.now() + timedelta(days=3))
        appointment = appointments_pb2.Appointment(
            appointment_id=request.appointment_id,
            state=appointments_pb2.APPOINTMENT_STATE_BOOKED,
            start_time=start,
            channel=common_pb2.CHANNEL_OFFICE,
            version=1,
        )
        return scheduling_pb2.GetAppointmentResponse(appointment=appointment)

    def GetEvidence(self, request: Any, context: Any) -> evidence_pb2.GetEvidenceResponse:
        """A document that is awaited."""
        passport = evidence_pb2.EvidenceKindName(name=evidence_pb2.Words(en="a passport", cy="pasbort"))
        awaited = evidence_pb2.Document(kind=passport, state=evidence_pb2.EVIDENCE_STATE_REQUESTED)
        return evidence_pb2.GetEvidenceResponse(evidence=evidence_pb2.ClaimEvidence(documents=[awaited]))

    def GetDecisions(self, request: Any, context: Any) -> decisions_pb2.GetDecisionsResponse:
        """No decision, so that claimants are told of none."""
        return decisions_pb2.GetDecisionsResponse()

    def CheckEntitlement(self, request: Any, context: Any) -> intake_pb2.CheckEntitlementResponse:
        """Entitles everybody."""
        return intake_pb2.CheckEntitlementResponse(purpose=f"work item {request.claim_ref}")

    def GetClaim(self, request: Any, context: Any) -> intake_pb2.GetClaimResponse:
        """A submitted claim."""
        claim = intake_pb2.Claim(
            claim_ref=request.claim_ref,
            state=intake_pb2.CLAIM_STATE_SUBMITTED,
            version=CLAIM_VERSION,
            first_contact_time=_now(),
        )
        return intake_pb2.GetClaimResponse(claim=claim)

    def GetInterview(self, request: Any, context: Any) -> intake_pb2.GetInterviewResponse:
        """The surname and the tenure."""
        return intake_pb2.GetInterviewResponse(interview=self._interview(request.claim_ref))

    def AmendAnswers(self, request: Any, context: Any) -> intake_pb2.AmendAnswersResponse:
        """The interview with the change."""
        self._amended[request.claim_ref] = request.answers[0].question_id
        return intake_pb2.AmendAnswersResponse(interview=self._interview(request.claim_ref))

    def GetClaimFacts(self, request: Any, context: Any) -> intake_pb2.GetClaimFactsResponse:
        """All facts."""
        facts = intake_pb2.ClaimFacts(
            claim_ref=request.claim_ref,
            version=request.version or CLAIM_VERSION,
            state=intake_pb2.CLAIM_STATE_SUBMITTED,
            schemes=[common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE],
            language=common_pb2.LANGUAGE_EN,
            operator="OP000001",
            operator_grade="AO",
            first_contact_time=_now(),
            submit_time=_now(),
        )
        json_format.ParseDict(dict(self._answers), facts.answers)
        return intake_pb2.GetClaimFactsResponse(facts=facts)

    def GetHistory(self, request: Any, context: Any) -> intake_pb2.GetHistoryResponse:
        """No claim was changed."""
        return intake_pb2.GetHistoryResponse()

    def GetConfirmations(self, request: Any, context: Any) -> assessment_pb2.GetConfirmationsResponse:
        """Every scheme, confirmed at the claim's version."""
        confirmations = [
            assessment_pb2.Confirmation(
                scheme=scheme, claim_version=CLAIM_VERSION, office_code="100101", assessor_id="AS000001"
            )
            for scheme in common_pb2.Scheme.values()
            if scheme
        ]
        return assessment_pb2.GetConfirmationsResponse(confirmations=confirmations)

    def _interview(self, claim_ref: str) -> intake_pb2.Interview:
        amended = self._amended.get(claim_ref)
        questions = []
        for name in ("surname", "tenure"):
            question = intake_pb2.Question(id=name, text=name, answered_version=8 if name == amended else 3)
            question.answer.string_value = "given"
            questions.append(question)
        version = CLAIM_VERSION + (1 if amended else 0)
        return intake_pb2.Interview(claim_ref=claim_ref, version=version, questions=questions)


def _now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


@contextmanager
def serving(answers: Mapping[str, Any]) -> Iterator[str]:
    """The address at which such an intake answers, and such an assessment."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    stand_in = IntakeStandIn(answers)  # type: ignore[abstract]
    intake_pb2_grpc.add_IntakeServiceServicer_to_server(stand_in, server)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(stand_in, server)
    scheduling_pb2_grpc.add_SchedulingServiceServicer_to_server(stand_in, server)
    gateway_pb2_grpc.add_LegacyGatewayServiceServicer_to_server(stand_in, server)
    port = secure_port(server, "intake-svc", "assessment-svc", "scheduling-svc", "legacy-gateway")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()
