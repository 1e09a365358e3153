"""The methods for evidence: what is needed, asking for it, recording it, doing without it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.type import date_pb2

from assessment.data.evidence import EVIDENCE
from assessment.domain.evidence import Document, Need
from assessment.service import evidence as service
from assessment.service.evidence import EvidenceShown
from chassis import call, clock
from chassis.conversions import date_message, day_of, timestamp
from chassis.database import Connection
from chassis.enums import name_of, number_of
from chassis.errors import InvalidArgument, Text, Violation
from chassis.idempotency import run_once
from cms.assessment.v1 import evidence_pb2, record_pb2

Response = TypeVar("Response", bound=Message)


class EvidenceMethods:
    """Evidence of a claim's facts."""

    def GetEvidence(self, request: evidence_pb2.GetEvidenceRequest) -> evidence_pb2.GetEvidenceResponse:
        """All evidence of a claim."""
        with call.current().database.transaction() as conn:
            shown = service.show_evidence(conn, request.claim_ref)
        return evidence_pb2.GetEvidenceResponse(evidence=evidence_message(shown))

    def RequestEvidence(self, request: evidence_pb2.RequestEvidenceRequest) -> evidence_pb2.RequestEvidenceResponse:
        """Asks the claimant for documents."""
        kinds = _kinds(request.kinds)
        due_on = day_of(request.due_on, field="due_on") if request.HasField("due_on") else None
        return _respond_once(
            request,
            evidence_pb2.RequestEvidenceResponse,
            lambda conn: service.request_evidence(
                conn, request.claim_ref, kinds=kinds, facts=list(request.facts), due_on=due_on
            ),
        )

    def RecordEvidence(self, request: evidence_pb2.RecordEvidenceRequest) -> evidence_pb2.RecordEvidenceResponse:
        """Records a document that was seen."""
        kind = name_of(record_pb2.EvidenceKind, request.kind, field="kind")
        seen_on = seen_day(request.seen_on, field="seen_on")
        return _respond_once(
            request,
            evidence_pb2.RecordEvidenceResponse,
            lambda conn: service.record_evidence(
                conn, request.claim_ref, kind=kind, seen_on=seen_on, facts=list(request.facts)
            ),
        )

    def WaiveEvidence(self, request: evidence_pb2.WaiveEvidenceRequest) -> evidence_pb2.WaiveEvidenceResponse:
        """Does without documents."""
        kinds = _kinds(request.kinds)
        return _respond_once(
            request,
            evidence_pb2.WaiveEvidenceResponse,
            lambda conn: service.waive_evidence(conn, request.claim_ref, kinds=kinds, reason=request.reason),
        )


def seen_day(given: date_pb2.Date, *, field: str) -> date:
    """The day on which a document was seen. Raises InvalidArgument naming `field` for a day that is yet to come."""
    seen_on = day_of(given, field=field)
    if seen_on > clock.today():
        raise InvalidArgument.of(Violation(field=field, description="is in the future"))
    return seen_on


def evidence_message(shown: EvidenceShown) -> evidence_pb2.ClaimEvidence:
    """The evidence of a claim."""
    assessment, evidence = shown.assessment, shown.evidence
    message = evidence_pb2.ClaimEvidence(
        claim_ref=assessment.claim_ref,
        state=number_of(record_pb2.AssessmentState, assessment.state),
        needs=[_need(need, shown) for need in evidence.needs],
        documents=[_document(document) for document in evidence.documents],
        complete_time=timestamp(shown.complete_time),
        version=assessment.version,
    )
    if evidence.due_on is not None:
        message.due_on.CopyFrom(date_message(evidence.due_on))
    return message


def _respond_once(
    request: Any, response: Callable[..., Response], use_case: Callable[[Connection], EvidenceShown]
) -> Response:
    return run_once(
        request,
        use_case,
        lambda shown: response(evidence=evidence_message(shown)),
        show_again=lambda conn: service.show_evidence(conn, request.claim_ref),
    )


def _kinds(given: Sequence[Any]) -> list[str]:
    return [name_of(record_pb2.EvidenceKind, kind, field=f"kinds[{index}]") for index, kind in enumerate(given)]


def _need(need: Need, shown: EvidenceShown) -> evidence_pb2.EvidenceNeed:
    documents = shown.evidence.documents
    return evidence_pb2.EvidenceNeed(
        need_id=need.id,
        name=_words(need.name),
        facts=need.facts,
        kinds=[_kind(kind) for kind in need.kinds],
        met=any(document.meets(need) for document in documents),
        requested=any(document.is_outstanding and document.answers(need) for document in documents),
        if_it_applies=not shown.facts_known,
    )


def _document(document: Document) -> evidence_pb2.Document:
    message = evidence_pb2.Document(
        kind=_kind(document.kind),
        state=number_of(evidence_pb2.EvidenceState, document.state),
        facts=document.facts,
        reminders=document.reminders,
        reason=document.reason,
    )
    if document.requested is not None:
        message.requested_by = document.requested.by
        message.request_time.CopyFrom(timestamp(document.requested.at))
    if document.due_on is not None:
        message.due_on.CopyFrom(date_message(document.due_on))
    if document.seen_on is not None:
        message.seen_on.CopyFrom(date_message(document.seen_on))
    if document.settled is not None:
        message.settled_by = document.settled.by
        message.settle_time.CopyFrom(timestamp(document.settled.at))
    return message


def _kind(kind: str) -> evidence_pb2.EvidenceKindName:
    return evidence_pb2.EvidenceKindName(
        kind=number_of(record_pb2.EvidenceKind, kind), name=_words(EVIDENCE.kinds[kind])
    )


def _words(text: Text) -> evidence_pb2.Words:
    return evidence_pb2.Words(en=text.en, cy=text.cy)
