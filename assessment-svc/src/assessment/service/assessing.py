"""Changes to an assessment. The interview was read from intake before the transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from assessment.clients import Interview
from assessment.domain.assessments import Assessment, AssessmentConfirmed
from assessment.domain.checks import checks_of_groups
from assessment.domain.items import Check, Checked, Evidence, GroupCheck
from assessment.domain.refusals import EvidenceOutstanding, InterviewNeeded
from assessment.service import disputes, evidence
from assessment.service.reading import Permitted, permitted
from assessment.store import assessments as store
from assessment.store import confirmations, interim_payments
from chassis import access_log, call, clock, outbox
from chassis.database import Connection
from chassis.enums import number_of
from cms.assessment.v1 import events_pb2
from cms.common.v1 import common_pb2


def start_assessment(conn: Connection, claim_ref: str, interview: Interview) -> Permitted:
    """Starts or resumes the assessment. See Assessment.start."""
    return change(conn, claim_ref, interview, lambda work: work.assessment.start(interview.facts, desks=work.desks))


def verify_items(
    conn: Connection,
    claim_ref: str,
    interview: Interview,
    *,
    checks: Sequence[Check],
    groups: Sequence[GroupCheck],
    version: int,
) -> Permitted:
    """Records the checks, and those for which groups stand. See Assessment.verify."""
    facts, by = interview.facts, by_caller()
    work = _locked(conn, claim_ref)
    work.assessment.check_open(version, desks=work.desks)
    items = work.assessment.synchronised(facts).items_at(work.desks)
    every = [*checks, *checks_of_groups(groups, checks, items=items, facts=facts)]
    after = work.assessment.verify(every, version=version, facts=facts, checked=by, desks=work.desks)
    return _saved(conn, work, after, interview, by=by, checks=every)


def correct_item(conn: Connection, claim_ref: str, interview: Interview, *, fact: str) -> Permitted:
    """Marks the item whose fact was amended. See Assessment.correct."""
    return change(
        conn,
        claim_ref,
        interview,
        lambda work: work.assessment.correct(fact, facts=interview.facts, checked=by_caller(), desks=work.desks),
    )


def confirm_assessment(
    conn: Connection, claim_ref: str, interview: Interview, *, schemes: Sequence[str], version: int
) -> Permitted:
    """Confirms the schemes at the claim's present version; the gateway hears of it. See Assessment.confirm."""

    def act(work: Permitted) -> Assessment:
        work.assessment.check_open(version, desks=work.desks)
        chosen = work.assessment.schemes_to_confirm(schemes, desks=work.desks)
        waiting = work.assessment.waiting_for_interview(chosen)
        unbooked = [InterviewNeeded(waiting, wanted=schemes)] if waiting else []
        return confirm(conn, work, interview, schemes=chosen, unbooked=unbooked)

    return change(conn, claim_ref, interview, act)


def confirm(
    conn: Connection,
    work: Permitted,
    interview: Interview,
    *,
    schemes: tuple[str, ...],
    unbooked: Sequence[InterviewNeeded] = (),
) -> Assessment:
    """The assessment with these schemes confirmed; the confirmation and its event are written. See Assessment.confirm."""
    current = work.assessment.synchronised(interview.facts)
    awaited = evidence.awaited(conn, current, schemes)
    confirmed, event = work.assessment.confirm(
        schemes,
        facts=interview.facts,
        office_code=call.current().identity.office or work.assessment.office_code or "",
        checked=by_caller(),
        interview=unbooked,
        evidence=[EvidenceOutstanding(awaited)] if awaited else [],
    )
    confirmations.add(conn, event, confirm_time=clock.now())
    _append_event(conn, event)
    return confirmed


def show_again(conn: Connection, claim_ref: str) -> Permitted:
    """Checks and logs the reading before a repeat gets the first answer.

    Raises as `read_interview` does.
    """
    return _logged(conn, permitted(store.read_assessment(conn, claim_ref), claim_ref))


def change(
    conn: Connection,
    claim_ref: str,
    interview: Interview | None,
    act: Callable[[Permitted], Assessment],
    *,
    by: Checked | None = None,
    checks: Sequence[Check] = (),
) -> Permitted:
    """Changes an assessment on which the caller may work, and logs what the response shows. Raises as `permitted` does.

    The claim's evidence and disputes keep in step; `interview` is None for an act without it. `checks` may name documents and
    raise disputes; then `by` is the same as that with which `act` marks the items.
    """
    work = _locked(conn, claim_ref)
    return _saved(conn, work, act(work), interview, by=by or by_caller(), checks=checks)


def _locked(conn: Connection, claim_ref: str) -> Permitted:
    return permitted(store.lock_assessment(conn, claim_ref), claim_ref)


def _saved(
    conn: Connection,
    work: Permitted,
    after: Assessment,
    interview: Interview | None,
    *,
    by: Checked,
    checks: Sequence[Check] = (),
) -> Permitted:
    """Saves what the caller did. `checks` may name documents and raise disputes.

    A check of an answer that has changed meanwhile counts for nothing, nor does its document: nobody held it against the new
    answer.
    """
    counted = [check for check in checks if check.fact in after.items and after.items[check.fact].checked == by]
    after = evidence.keep_up(conn, work.assessment, after, interview, seen=_documents(counted))
    store.save_assessment(conn, work.assessment, after)
    if after.closed_schemes != work.assessment.closed_schemes:
        interim_payments.take_back_needless(conn, after.claim_ref)
    disputes.follow(conn, work.assessment, after, checks=checks, by=by)
    return _logged(conn, replace(work, assessment=after))


def _documents(checks: Sequence[Check]) -> Mapping[Evidence, Sequence[str]]:
    """The documents that these checks name, with the facts that each proves."""
    named = [check for check in checks if check.evidence is not None]
    return {
        document: [check.fact for check in named if check.evidence == document]
        for document in dict.fromkeys(check.evidence for check in named if check.evidence is not None)
    }


def _logged(conn: Connection, work: Permitted) -> Permitted:
    access_log.record_access(conn, claim_ref=work.assessment.claim_ref, purpose=work.purpose)
    return replace(work, disputes=disputes.open_disputes(conn, work.assessment))


def by_caller() -> Checked:
    """The caller, now."""
    return Checked(by=call.current().identity.subject, at=clock.now())


def _append_event(conn: Connection, event: AssessmentConfirmed) -> None:
    message = events_pb2.AssessmentConfirmed(
        claim_version=event.claim_version,
        schemes=[number_of(common_pb2.Scheme, scheme) for scheme in event.schemes],
        office_code=event.office_code,
        assessor_id=event.assessor_id,
    )
    outbox.append(conn, claim_ref=event.claim_ref, version=event.version, event=message)
