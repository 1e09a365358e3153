"""The methods by which an assessor checks and corrects the facts of a claim."""

from collections.abc import Sequence

from google.protobuf import json_format

from assessment.clients import Intake
from assessment.domain.items import Check, Evidence, GroupCheck, ItemStatus
from assessment.grpc_api.evidence_methods import seen_day
from assessment.grpc_api.messages import respond_once
from assessment.service import assessing, reading
from chassis.conversions import uuid_of
from chassis.enums import name_of
from chassis.errors import InvalidArgument, Violation
from cms.assessment.v1 import assessment_pb2, record_pb2


class AssessingMethods:
    """Checks and corrects facts."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def StartAssessment(self, request: assessment_pb2.StartAssessmentRequest) -> assessment_pb2.StartAssessmentResponse:
        """Starts or resumes an assessment."""
        interview = reading.read_interview(self._intake, request.claim_ref)
        return respond_once(
            request,
            assessment_pb2.StartAssessmentResponse,
            interview,
            lambda conn: assessing.start_assessment(conn, request.claim_ref, interview),
        )

    def VerifyItems(self, request: assessment_pb2.VerifyItemsRequest) -> assessment_pb2.VerifyItemsResponse:
        """Records checks of items."""
        checks, groups = _checks(request.items), _groups(request.groups)
        if not checks and not groups:
            raise InvalidArgument.of(Violation(field="items", description="is required, or groups"))
        interview = reading.read_interview(self._intake, request.claim_ref)
        return respond_once(
            request,
            assessment_pb2.VerifyItemsResponse,
            interview,
            lambda conn: assessing.verify_items(
                conn, request.claim_ref, interview, checks=checks, groups=groups, version=request.version
            ),
        )

    def CorrectItem(self, request: assessment_pb2.CorrectItemRequest) -> assessment_pb2.CorrectItemResponse:
        """Corrects a fact in intake's record, then marks its item."""
        interview = reading.amend_claim(self._intake, request, _correction(request))
        return respond_once(
            request,
            assessment_pb2.CorrectItemResponse,
            interview,
            lambda conn: assessing.correct_item(conn, request.claim_ref, interview, fact=request.fact),
        )


def _checks(given: Sequence[assessment_pb2.ItemCheck]) -> list[Check]:
    """The checks of a request. Raises InvalidArgument naming every field at fault."""
    checks, violations = [], list[Violation]()
    for index, check in enumerate(given):
        try:
            checks.append(_check(check, f"items[{index}]"))
        except InvalidArgument as error:
            violations += error.violations
    if violations:
        raise InvalidArgument.of(*violations)
    return checks


def _check(given: assessment_pb2.ItemCheck, path: str) -> Check:
    status = ItemStatus(name_of(record_pb2.ItemStatus, given.status, field=f"{path}.status"))
    if status is ItemStatus.CORRECTED:
        raise InvalidArgument.of(Violation(field=f"{path}.status", description="is set only by CorrectItem"))
    evidence = _evidence(given.evidence, f"{path}.evidence") if given.HasField("evidence") else None
    other = json_format.MessageToDict(given.other_value) if given.HasField("other_value") else None
    if status is not ItemStatus.DISPUTED and (other is not None or given.reason):
        raise InvalidArgument.of(
            Violation(field=f"{path}.status", description="is not DISPUTED: nothing is held against it")
        )
    return Check(fact=given.fact, status=status, evidence=evidence, other=other, reason=given.reason)


def _groups(given: Sequence[assessment_pb2.GroupCheck]) -> list[GroupCheck]:
    return [
        GroupCheck(
            group=check.group,
            evidence=_evidence(check.evidence, f"groups[{index}].evidence") if check.HasField("evidence") else None,
        )
        for index, check in enumerate(given)
    ]


def _evidence(given: record_pb2.Evidence, path: str) -> Evidence:
    kind = name_of(record_pb2.EvidenceKind, given.kind, field=f"{path}.kind")
    seen_on = seen_day(given.seen_on, field=f"{path}.seen_on")
    return Evidence(kind=kind, seen_on=seen_on)


def _correction(request: assessment_pb2.CorrectItemRequest) -> reading.Correction:
    return reading.Correction(
        claim_ref=request.claim_ref,
        fact=request.fact,
        value=request.value,
        accept_transliteration=request.accept_transliteration,
        reason=request.reason,
        version=request.version,
        request_id=uuid_of(request.request_id, field="request_id"),
    )
