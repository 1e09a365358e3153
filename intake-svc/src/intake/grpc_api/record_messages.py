"""A check of records as a message."""

from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.intake.v1 import intake_pb2 as pb
from intake.domain.record_check import RecordCheck, RecordFinding


def record_check(check: RecordCheck, language: str) -> pb.RecordCheck:
    """The check, with what to ask in the language of the call."""
    state = "MADE" if check.made else "NOT_MADE"
    return pb.RecordCheck(
        state=number_of(pb.RecordCheckState, state), findings=[_finding(one, language) for one in check.findings]
    )


def _finding(finding: RecordFinding, language: str) -> pb.RecordFinding:
    return pb.RecordFinding(
        system=number_of(common_pb2.System, finding.system),
        code=finding.code,
        field=finding.field,
        question_id=finding.question_id,
        ask=finding.ask.spoken(language),
        needs_person=finding.needs_person,
    )
