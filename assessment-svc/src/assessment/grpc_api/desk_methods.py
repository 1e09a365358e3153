"""The method that shows an assessor all of one claim."""

from assessment.clients import Change, Intake, OpenQuestion, Outcomes, Refusal
from assessment.domain.blocks import Block
from assessment.domain.clocks import Targets
from assessment.grpc_api.evidence_methods import evidence_message
from assessment.grpc_api.messages import assessment_message, clock_messages, dispute_message, scheme_numbers
from assessment.service import picture
from chassis.conversions import timestamp
from chassis.enums import number_of
from cms.assessment.v1 import desk_pb2
from cms.common.v1 import common_pb2


class DeskMethods:
    """Shows a claim."""

    def __init__(self, intake: Intake, outcomes: Outcomes, targets: Targets) -> None:
        self._intake = intake
        self._outcomes = outcomes
        self._targets = targets

    def GetAssessment(self, request: desk_pb2.GetAssessmentRequest) -> desk_pb2.GetAssessmentResponse:
        """The claim as its assessor sees it."""
        found = picture.show(self._intake, self._outcomes, self._targets, request.claim_ref)
        checked = () if found.interview.refusals_known else ("legacy-gateway",)
        return desk_pb2.GetAssessmentResponse(
            assessment=assessment_message(found.work, found.interview),
            open_questions=[_open_question(question) for question in found.interview.open_questions],
            likely_refusals=[_refusal(refusal) for refusal in found.interview.refusals],
            blocks=[_block(block) for block in found.blocks],
            evidence=evidence_message(found.evidence) if found.evidence else None,
            clocks=clock_messages(found.clocks),
            disputes=[dispute_message(dispute) for dispute in found.disputes],
            changes=[_change(change, after_confirmation=found.is_delta(change)) for change in found.changes],
            systems=found.followed.systems,
            transfers=found.followed.transfers,
            notices=found.followed.notices,
            not_reached=dict.fromkeys((*checked, *found.followed.not_reached)),
        )


def _open_question(question: OpenQuestion) -> desk_pb2.OpenQuestion:
    return desk_pb2.OpenQuestion(
        question_id=question.fact,
        text=question.text,
        group=question.group,
        gap=question.gap,
        required=question.required,
        schemes=scheme_numbers(question.schemes),
    )


def _refusal(refusal: Refusal) -> desk_pb2.LikelyRefusal:
    return desk_pb2.LikelyRefusal(
        system=number_of(common_pb2.System, refusal.system),
        code=refusal.code,
        field=refusal.field,
        question_id=refusal.fact,
        ask=refusal.ask,
        needs_person=refusal.needs_person,
    )


def _block(block: Block) -> desk_pb2.Block:
    return desk_pb2.Block(
        kind=number_of(desk_pb2.BlockKind, block.kind), name=block.name, schemes=scheme_numbers(block.schemes)
    )


def _change(change: Change, *, after_confirmation: bool) -> desk_pb2.RecordChange:
    return desk_pb2.RecordChange(
        fact=change.fact,
        old=change.old,
        new=change.new,
        by=change.by,
        at=timestamp(change.at),
        reason=change.reason,
        claim_version=change.claim_version,
        after_confirmation=after_confirmation,
    )
