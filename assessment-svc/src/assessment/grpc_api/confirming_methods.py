"""The methods that confirm schemes, and tell of what was confirmed."""

from assessment.clients import Intake
from assessment.domain.assessments import Confirmation
from assessment.grpc_api.messages import named_schemes, respond_once
from assessment.service import assessing, reading
from chassis import call
from chassis.conversions import timestamp
from chassis.enums import number_of
from cms.assessment.v1 import assessment_pb2
from cms.common.v1 import common_pb2


class ConfirmingMethods:
    """Confirms schemes."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def ConfirmAssessment(
        self, request: assessment_pb2.ConfirmAssessmentRequest
    ) -> assessment_pb2.ConfirmAssessmentResponse:
        """Confirms schemes of the claim."""
        schemes = named_schemes(request.schemes)
        interview = reading.read_interview(self._intake, request.claim_ref)
        return respond_once(
            request,
            assessment_pb2.ConfirmAssessmentResponse,
            interview,
            lambda conn: assessing.confirm_assessment(
                conn, request.claim_ref, interview, schemes=schemes, version=request.version
            ),
        )

    def GetConfirmations(
        self, request: assessment_pb2.GetConfirmationsRequest
    ) -> assessment_pb2.GetConfirmationsResponse:
        """The confirmations of the claim, for another service."""
        with call.current().database.transaction() as conn:
            found = reading.confirmations_of(conn, request.claim_ref)
        return assessment_pb2.GetConfirmationsResponse(confirmations=[_confirmation(one) for one in found])


def _confirmation(given: Confirmation) -> assessment_pb2.Confirmation:
    return assessment_pb2.Confirmation(
        scheme=number_of(common_pb2.Scheme, given.scheme),
        claim_version=given.claim_version,
        office_code=given.office_code,
        assessor_id=given.assessor_id,
        confirm_time=timestamp(given.confirm_time),
        loan_amount=given.loan_amount,
    )
