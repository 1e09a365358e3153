"""The method that closes schemes without a confirmation."""

from assessment.clients import Interview
from assessment.domain.states import ClosedReason
from assessment.grpc_api.messages import named_schemes, respond_once
from assessment.service import closing
from chassis.enums import name_of
from chassis.errors import InvalidArgument, Violation
from cms.assessment.v1 import closing_pb2, record_pb2

_WITHOUT_ANSWERS = Interview(version=0, questions={})


class ClosingMethods:
    """Closes schemes."""

    def CloseAssessment(self, request: closing_pb2.CloseAssessmentRequest) -> closing_pb2.CloseAssessmentResponse:
        """Closes schemes of the claim."""
        reason = ClosedReason(name_of(record_pb2.ClosedReason, request.reason, field="reason"))
        if reason is ClosedReason.LOAN_REFUSED:
            raise InvalidArgument.of(Violation(field="reason", description="comes from DecideCrisisLoan"))
        if request.duplicate_of and reason is not ClosedReason.DUPLICATE:
            raise InvalidArgument.of(Violation(field="duplicate_of", description="is given with DUPLICATE alone"))
        if request.duplicate_of == request.claim_ref:
            raise InvalidArgument.of(Violation(field="duplicate_of", description="is the claim itself"))
        return respond_once(
            request,
            closing_pb2.CloseAssessmentResponse,
            _WITHOUT_ANSWERS,
            lambda conn: closing.close_assessment(
                conn,
                request.claim_ref,
                schemes=named_schemes(request.schemes),
                reason=reason,
                duplicate_of=request.duplicate_of or None,
                version=request.version,
            ),
        )
