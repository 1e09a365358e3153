"""The owners of the gateway's facts, in memory: intake and assessment-svc."""

from collections.abc import Sequence
from typing import Any

from chassis import clock
from chassis.errors import CmsError, NotFound
from cms.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from cms.common.v1 import common_pb2
from legacy_gateway.domain import Facts
from legacy_gateway.domain.trust import SchemeConfirmation
from legacy_gateway.systems import RULES


def good_facts(**answers: Any) -> Facts:
    """Facts of a single person that fit the records, with these answers changed; None takes one away."""
    today = clock.today()
    given: dict[str, Any] = {
        "language": "EN",
        "title": "MR",
        "surname": "O'Brien-Lukasz",
        "forenames": "Seán",
        "date_of_birth": "1980-02-29",
        "sex": "M",
        "nino": "AB123456C",
        "address": {"lines": ["12 High St", "Leeds"], "postcode": "AL3 5SA"},
        "telephone": "+441132960000",
        "has_partner": False,
        "ever_worked": True,
        "last_employer": "Kirkstall Forge Ltd",
        "last_job_ended": "2026-01-31",
        "last_job_reason": "REDUNDANT",
        "earlier_claim": "NONE",
        "available_from": today.isoformat(),
        "hours_available": 40.0,
        "job_goal_1": "Fitter",
        "education_hours": 0.0,
        "jury_service": False,
        "capital": "1250.50",
        "pension_weekly": "0.00",
        "has_account": True,
        "sort_code": "012345",
        "account_number": "00123456",
        "account_name": "S O'Brien",
        "joint_claim": False,
    }
    changed = given | {"forenames": "Sean"} | answers
    return Facts(
        answers={name: value for name, value in changed.items() if value is not None},
        contact_on=today,
        evidence_on=None,
        operator="OP000001",
        operator_grade="AO",
        claim_state="SUBMITTED",
    )


class IntakeInMemory:
    """Facts by claim and version; what is not there is not found, and all is away while `error` is set."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, int], Facts] = {}
        self.withdrawn: set[str] = set()
        self.error: CmsError | None = None
        self.asked: list[tuple[str, int]] = []

    def facts(self, claim_ref: str, version: int) -> Facts:
        self.asked.append((claim_ref, version))
        if self.error is not None:
            raise self.error
        if (claim_ref, version) not in self.known:
            raise NotFound("CLAIM", "no such claim")
        return self.known[claim_ref, version]

    def state(self, claim_ref: str) -> str:
        if self.error is not None:
            raise self.error
        return "WITHDRAWN" if claim_ref in self.withdrawn else "SUBMITTED"


class AssessmentInMemory:
    """Says that every scheme of every claim was confirmed from the start; of a claim in `known`, what `known` has."""

    def __init__(self) -> None:
        self.known: dict[str, list[SchemeConfirmation]] = {}
        self.error: CmsError | None = None
        self.asked: list[str] = []

    def confirmations(self, claim_ref: str) -> Sequence[SchemeConfirmation]:
        self.asked.append(claim_ref)
        if self.error is not None:
            raise self.error
        everything = [
            SchemeConfirmation(scheme=scheme, claim_version=1, office_code="100123", assessor_id="ASSESS01")
            for rules in RULES.values()
            for scheme in rules.schemes
        ]
        return self.known.get(claim_ref, everything)


class AssessmentDoor(assessment_pb2_grpc.AssessmentServiceServicer):
    """GetConfirmations of a claim that was confirmed; who asked is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def GetConfirmations(self, request: Any, context: Any) -> Any:
        self.asked.append((request.claim_ref, dict(context.invocation_metadata())["authorization"]))
        confirmation = assessment_pb2.Confirmation(
            scheme=common_pb2.SCHEME_JOBSEEKERS_ALLOWANCE,
            claim_version=7,
            office_code="100123",
            assessor_id="ASSESS01",
        )
        return assessment_pb2.GetConfirmationsResponse(confirmations=[confirmation])
