"""Messages of an assessment with its items, which most methods answer with."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from assessment.clients import Interview, Question
from assessment.domain.clocks import Reading
from assessment.domain.disputes import Dispute
from assessment.domain.items import Evidence, Item
from assessment.service import assessing
from assessment.service.reading import Permitted
from chassis.conversions import date_message, timestamp
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
    disputes = {dispute.fact: dispute for dispute in work.disputes}
    return record_pb2.Assessment(
        claim_ref=assessment.claim_ref,
        state=number_of(record_pb2.AssessmentState, assessment.state),
        items=[
            _item(items[fact], question, assessment.schemes, disputes.get(fact))
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


def clock_messages(readings: Iterable[Reading]) -> list[record_pb2.Clock]:
    """The clocks of a claim."""
    return [_clock(reading) for reading in readings]


def _clock(reading: Reading) -> record_pb2.Clock:
    message = record_pb2.Clock(
        scheme=number_of(common_pb2.Scheme, reading.scheme),
        kind=number_of(record_pb2.ClockKind, reading.clock),
        start_time=timestamp(reading.since),
        working_days=reading.working_days,
    )
    if reading.stopped is not None:
        message.stop_time.CopyFrom(timestamp(reading.stopped))
    if reading.target_time is not None:
        message.target_time.CopyFrom(timestamp(reading.target_time))
    return message


def dispute_message(dispute: Dispute) -> record_pb2.Dispute:
    """A dispute, open or ended."""
    message = record_pb2.Dispute(
        fact=dispute.fact,
        answered_version=dispute.answered_version,
        reason=dispute.reason,
        raised_by=dispute.raised.by,
        raise_time=timestamp(dispute.raised.at),
        settled_by=dispute.settled_by or "",
    )
    if dispute.other is not None:
        json_format.ParseDict(dispute.other, message.other_value)
    if dispute.outcome is not None:
        message.outcome = number_of(record_pb2.DisputeOutcome, dispute.outcome)
    if dispute.settled_time is not None:
        message.settle_time.CopyFrom(timestamp(dispute.settled_time))
    return message


def _item(item: Item, question: Question, schemes: Sequence[str], dispute: Dispute | None) -> record_pb2.Item:
    return record_pb2.Item(
        fact=item.fact,
        value=question.answer,
        proposal=question.proposal,
        status=number_of(record_pb2.ItemStatus, item.status),
        evidence=evidence_message(item.evidence) if item.evidence else None,
        text=question.text,
        schemes=scheme_numbers(item.needed_by(schemes)),
        group=question.group,
        dispute=dispute_message(dispute) if dispute else None,
    )


def evidence_message(evidence: Evidence) -> record_pb2.Evidence:
    """Proof that was seen."""
    return record_pb2.Evidence(
        kind=number_of(record_pb2.EvidenceKind, evidence.kind), seen_on=date_message(evidence.seen_on)
    )
