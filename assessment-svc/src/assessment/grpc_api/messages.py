"""Messages of an assessment with its items, which most methods answer with."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from assessment.clients import Interview, Question
from assessment.domain.items import Evidence, Item
from assessment.service import assessing
from assessment.service.reading import Permitted
from chassis.conversions import date_message
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.idempotency import run_once
from cms.assessment.v1 import record_pb2
from cms.common.v1 import common_pb2

Response = TypeVar("Response", bound=Message)


def respond_once(
    request: Message,
    response: Callable[..., Response],
    interview: Interview,
    use_case: Callable[[Connection], Permitted],
) -> Response:
    """Runs the use case once. The response is kept whole, because its answers may be corrected before a repeat comes."""
    claim_ref: str = request.claim_ref  # type: ignore[attr-defined]
    return run_once(
        request,
        use_case,
        lambda work: response(assessment=assessment_message(work, interview)),
        show_again=lambda conn: assessing.show_again(conn, claim_ref),
    )


def assessment_message(work: Permitted, interview: Interview) -> record_pb2.Assessment:
    """The assessment as the caller's desks see it, with the answers of the interview."""
    assessment, items = work.assessment, work.assessment.items_at(work.desks)
    return record_pb2.Assessment(
        claim_ref=assessment.claim_ref,
        state=number_of(record_pb2.AssessmentState, assessment.state),
        items=[
            _item(items[fact], question, assessment.schemes)
            for fact, question in interview.questions.items()
            if fact in items
        ],
        claim_version=assessment.claim_version,
        version=assessment.version,
        schemes=scheme_numbers(assessment.schemes),
        confirmed_schemes=scheme_numbers(assessment.confirmed_schemes),
        closed_schemes=scheme_numbers(assessment.closed_schemes),
    )


def named_schemes(numbers: Sequence[Any]) -> list[str]:
    """The names of a request's `schemes`. Raises InvalidArgument naming the first that is unknown."""
    return [name_of(common_pb2.Scheme, number, field=f"schemes[{index}]") for index, number in enumerate(numbers)]


def scheme_numbers(schemes: Sequence[str]) -> list[Any]:
    """The numbers of schemes in a message."""
    return [number_of(common_pb2.Scheme, scheme) for scheme in schemes]


def _item(item: Item, question: Question, schemes: Sequence[str]) -> record_pb2.Item:
    return record_pb2.Item(
        fact=item.fact,
        value=question.answer,
        proposal=question.proposal,
        status=number_of(record_pb2.ItemStatus, item.status),
        evidence=evidence_message(item.evidence) if item.evidence else None,
        text=question.text,
        schemes=scheme_numbers(item.needed_by(schemes)),
    )


def evidence_message(evidence: Evidence) -> record_pb2.Evidence:
    """Proof that was seen."""
    return record_pb2.Evidence(
        kind=number_of(record_pb2.EvidenceKind, evidence.kind), seen_on=date_message(evidence.seen_on)
    )
