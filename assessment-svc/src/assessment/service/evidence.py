"""Evidence: what a claim needs, asking for it, recording it, doing without it, and whether all of it is in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from assessment.clients import Interview
from assessment.data.evidence import EVIDENCE
from assessment.domain.assessments import Assessment
from assessment.domain.evidence import ClaimEvidence, Document, EvidenceState, held_up
from assessment.domain.items import Checked, Evidence, ItemStatus
from assessment.domain.refusals import NotStarted
from assessment.domain.states import AssessmentState
from assessment.service.reading import permitted
from assessment.store import assessments
from assessment.store import evidence as store
from chassis import access_log, call, clock, logs, outbox
from chassis.conversions import date_message, timestamp
from chassis.database import Connection
from cms.assessment.v1 import events_pb2

_ANY_OFFICE = ("PROCESSING_OFFICER", "SERVICE")
"""Roles that have no office, and see the evidence of every claim."""


@dataclass(frozen=True, kw_only=True)
class EvidenceShown:
    """The evidence of a claim. `facts_known`: whether its needs are those of its facts, not all that its schemes may need.

    `day` is that of first contact, by which the rules go.
    """

    assessment: Assessment
    evidence: ClaimEvidence
    complete_time: datetime | None
    facts_known: bool
    day: date


def evidence_of(conn: Connection, assessment: Assessment) -> EvidenceShown:
    """The evidence of an assessment that the caller may see, unlogged."""
    noted = store.noted(conn, assessment.claim_ref)
    ids, day = noted["evidence_needs"], _day(noted["since"])
    needs = EVIDENCE.needed(schemes=assessment.schemes, day=day, given=None) if ids is None else EVIDENCE.named(ids)
    evidence = ClaimEvidence(needs=needs, documents=_documents(conn, assessment))
    return EvidenceShown(
        assessment=assessment,
        evidence=evidence,
        complete_time=noted["evidence_complete_time"],
        facts_known=ids is not None,
        day=day,
    )


def show_evidence(conn: Connection, claim_ref: str) -> EvidenceShown:
    """All evidence of a claim. Raises WorkNotFound, OtherScheme, OfficeRequired, OtherOffice."""
    return _logged(conn, evidence_of(conn, _for_caller(assessments.read_assessment(conn, claim_ref), claim_ref)))


def request_evidence(
    conn: Connection, claim_ref: str, *, kinds: Sequence[str], facts: Sequence[str], due_on: date | None
) -> EvidenceShown:
    """Asks for documents. Raises as `show_evidence` does, NotStarted, AlreadyConfirmed, AssessmentClosed, InvalidArgument."""
    before = _locked(conn, claim_ref)
    today = clock.today()
    due = EVIDENCE.due_on(due_on, today=today)
    before.assessment.check_items(facts)
    after = before.evidence.request(
        kinds,
        facts=facts,
        due_on=due,
        remind_on=EVIDENCE.reminder_after(today, due_on=due),
        requested=_by_caller(),
    )
    saved = _save(conn, before, before.assessment.evidence_due(after.due_on), after)
    message = events_pb2.EvidenceRequested(due_on=date_message(due))
    outbox.append(conn, claim_ref=claim_ref, version=saved.assessment.version, event=message)
    return _logged(conn, saved)


def record_evidence(
    conn: Connection, claim_ref: str, *, kind: str, seen_on: date, facts: Sequence[str]
) -> EvidenceShown:
    """Records a document that was seen. Raises as `show_evidence` does, AlreadyConfirmed, AssessmentClosed, InvalidArgument."""
    before = _locked(conn, claim_ref)
    before.assessment.check_unfinished()
    if facts and not before.assessment.begun:
        raise NotStarted
    before.assessment.check_items(facts)
    after, seen = before.evidence.see(kind, facts=facts, seen_on=seen_on, settled=_by_caller())
    return _logged(conn, _save(conn, before, _proved(before.assessment, [seen]), after))


def waive_evidence(conn: Connection, claim_ref: str, *, kinds: Sequence[str], reason: str) -> EvidenceShown:
    """Does without documents. Raises as `show_evidence` does, AlreadyConfirmed, AssessmentClosed, InvalidArgument."""
    before = _locked(conn, claim_ref)
    before.assessment.check_unfinished()
    after = before.evidence.waive(kinds, reason=reason, settled=_by_caller())
    return _logged(conn, _save(conn, before, before.assessment, after))


def keep_up(
    conn: Connection,
    before: Assessment,
    after: Assessment,
    interview: Interview | None,
    *,
    seen: Mapping[Evidence, Sequence[str]],
) -> Assessment:
    """Keeps the evidence in step with an act at a desk, before that is saved; gives the assessment as it is to be saved.

    The needs of the facts are noted, unless the act came without an interview. `seen` are documents that the act showed, with
    the facts that they prove. What was seen before the assessment began proves its items. The assessment is locked by this
    transaction.
    """
    known = evidence_of(conn, after)
    evidence = known.evidence.answered_anew(_answered_anew(before, after))
    if interview is not None:
        needs = EVIDENCE.needed(schemes=after.schemes, day=known.day, given=interview.given)
        evidence = replace(evidence, needs=needs)
        store.note_needs(conn, after.claim_ref, [need.id for need in needs])
    for document, facts in seen.items():
        evidence, _ = evidence.see(document.kind, facts=facts, seen_on=document.seen_on, settled=_by_caller())
    if not before.items:
        after = _proved(after, evidence.documents)
    return _settle(conn, known, after, evidence).assessment


def _answered_anew(before: Assessment, after: Assessment) -> set[str]:
    """Facts with other answers than those that were proved. A correction is what the document showed, and is proved by it."""
    return {
        fact
        for fact, item in after.items.items()
        if fact in before.items
        and item.answered_version != before.items[fact].answered_version
        and item.status is ItemStatus.UNCHECKED
    }


def awaited(conn: Connection, assessment: Assessment, schemes: Sequence[str]) -> list[tuple[Document, set[str]]]:
    """The documents that were asked for, have not come and hold up some of these schemes, with those that each holds up."""
    needed_by = {fact: item.needed_by(assessment.schemes) for fact, item in assessment.items.items()}
    outstanding = [document for document in _documents(conn, assessment) if document.is_outstanding]
    found = [(document, held_up([document], schemes=schemes, needed_by=needed_by)) for document in outstanding]
    return [(document, held) for document, held in found if held]


def remind(conn: Connection) -> bool:
    """Announces the reminders that are due of one claim; returns whether there was one, so that there may be more.

    Nobody is reminded of a day that is over: then a person decides what follows.
    """
    today = clock.today()
    found = store.claim_to_remind(conn, today)
    if found is None:
        return False
    claim_ref, version = found["claim_ref"], found["version"]
    if not found["awaited"]:
        store.end_reminders(conn, claim_ref)
        return True
    due = store.reminders_of(conn, claim_ref, today)
    for row in due:
        following = EVIDENCE.reminder_after(today, due_on=row["due_on"])
        store.note_reminder(conn, row["evidence_id"], remind_on=following, is_told=row["due_on"] >= today)
    for due_on in sorted({row["due_on"] for row in due if row["due_on"] >= today}):
        number = max(row["reminders"] for row in due if row["due_on"] == due_on) + 1
        message = events_pb2.EvidenceReminderDue(due_on=date_message(due_on), number=number)
        outbox.append(conn, claim_ref=claim_ref, version=version, event=message)
        logs.get().info("evidence reminder due", claim_ref=claim_ref)
    return True


def _locked(conn: Connection, claim_ref: str) -> EvidenceShown:
    return evidence_of(conn, _for_caller(assessments.lock_assessment(conn, claim_ref), claim_ref))


def _for_caller(assessment: Assessment | None, claim_ref: str) -> Assessment:
    identity = call.current().identity
    if assessment is not None and any(identity.has(role) for role in _ANY_OFFICE):
        return assessment
    return permitted(assessment, claim_ref).assessment


def _documents(conn: Connection, assessment: Assessment) -> tuple[Document, ...]:
    return store.documents_of(conn, call.current().vault, assessment.claim_ref)


def _save(conn: Connection, before: EvidenceShown, assessment: Assessment, evidence: ClaimEvidence) -> EvidenceShown:
    after = _settle(conn, before, assessment, evidence)
    assessments.save_assessment(conn, before.assessment, after.assessment)
    return after


def _settle(conn: Connection, before: EvidenceShown, assessment: Assessment, evidence: ClaimEvidence) -> EvidenceShown:
    """Writes the documents and what follows from them. The assessment is the caller's to save."""
    claim_ref = assessment.claim_ref
    store.save_documents(
        conn, call.current().vault, claim_ref, before=before.evidence.documents, after=evidence.documents
    )
    if not assessment.state.is_end and evidence.due_on != assessment.evidence_due_on:
        assessment = assessment.evidence_due(evidence.due_on)
    complete_time = _complete_time(before.complete_time, assessment, evidence)
    if complete_time != before.complete_time:
        store.note_complete(conn, claim_ref, complete_time)
        _announce(conn, assessment, complete_time)
    return replace(before, assessment=assessment, evidence=evidence, complete_time=complete_time)


def _complete_time(noted: datetime | None, assessment: Assessment, evidence: ClaimEvidence) -> datetime | None:
    if assessment.state is AssessmentState.CLOSED:
        return noted
    confirmed = assessment.state is AssessmentState.CONFIRMED
    return evidence.complete_time(noted, confirmed=confirmed, now=clock.now())


def _announce(conn: Connection, assessment: Assessment, complete_time: datetime | None) -> None:
    if complete_time is not None:
        message = events_pb2.EvidenceCompleted(complete_time=timestamp(complete_time))
        outbox.append(conn, claim_ref=assessment.claim_ref, version=assessment.version, event=message)


def _proved(assessment: Assessment, documents: Iterable[Document]) -> Assessment:
    """The assessment whose items show the documents that prove them; the assessor says whether they are right."""
    for document in documents:
        facts = [fact for fact in document.facts if fact in assessment.items]
        if document.state is EvidenceState.SEEN and document.seen_on is not None:
            assessment = assessment.prove(Evidence(kind=document.kind, seen_on=document.seen_on), facts)
    return assessment


def _day(since: datetime) -> date:
    return since.astimezone(clock.LONDON).date()


def _by_caller() -> Checked:
    return Checked(by=call.current().identity.subject, at=clock.now())


def _logged(conn: Connection, shown: EvidenceShown) -> EvidenceShown:
    claim_ref = shown.assessment.claim_ref
    access_log.record_access(conn, claim_ref=claim_ref, purpose=f"work item {claim_ref}")
    return shown
