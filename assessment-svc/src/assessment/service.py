"""The use cases of an assessment: load, decide, save, on the connection given; calls to intake stay outside of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value

from assessment.clients import Amendment, Intake, Interview
from assessment.domain.assessments import Assessment, AssessmentConfirmed
from assessment.domain.items import Check, Checked
from assessment.domain.refusals import OfficeRequired, OtherOffice, WorkNotFound
from assessment.enums import number_of
from assessment.store import assessments as store
from chassis import access_log, call, clock, crash, outbox
from chassis.database import Connection
from chassis.idempotency import first_answer
from cms.assessment.v1 import events_pb2
from cms.common.v1 import common_pb2

_ASSESSOR = "ASSESSOR"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A fact to correct: what CorrectItem asks. `version` is the assessment's, `request_id` the caller's."""

    claim_ref: str
    fact: str
    value: Value
    accept_transliteration: bool
    reason: str
    version: int
    request_id: UUID


def office_to_list(wanted: str) -> str:
    """The office whose work the caller may list, which is their own. Raises OfficeRequired, OtherOffice."""
    office = call.current().identity.office
    if office is None:
        raise OfficeRequired
    if wanted not in ("", office):
        raise OtherOffice
    return office


def read_interview(intake: Intake, claim_ref: str) -> Interview:
    """The claim's interview for the caller, read before the transaction that needs it.

    Raises WorkNotFound, OfficeRequired, OtherOffice, and what intake refuses.
    """
    with call.current().database.transaction() as conn:
        assessment = _permitted(store.read_assessment(conn, claim_ref), claim_ref)
    return intake.get_interview(claim_ref, purpose=assessment.purpose)


def amend_claim(intake: Intake, request: Message, correction: Correction) -> Interview:
    """Changes the fact in intake's record, before the transaction that marks the item; gives the interview after it.

    `request` is the message whose retry may come: what it has done is not done again, and its own effect on the
    assessment's version does not refuse it. The amendment's request_id follows from the caller's, so that a retry
    after a crash between the two services completes the correction.
    """
    with call.current().database.transaction() as conn:
        assessment = _permitted(store.read_assessment(conn, correction.claim_ref), correction.claim_ref)
        first = first_answer(conn, request)
    if first is not None:
        return intake.get_interview(correction.claim_ref, purpose=assessment.purpose)
    assessment.check_correctable(correction.fact, version=correction.version)
    amended = intake.amend(_amendment(correction, assessment.claim_version), purpose=assessment.purpose)
    crash.point("correction.after_amendment")
    return amended


def _amendment(correction: Correction, claim_version: int) -> Amendment:
    return Amendment(
        claim_ref=correction.claim_ref,
        claim_version=claim_version,
        fact=correction.fact,
        value=correction.value,
        accept_transliteration=correction.accept_transliteration,
        reason=correction.reason,
        request_id=uuid5(correction.request_id, "amend"),
    )


def start_assessment(conn: Connection, claim_ref: str, interview: Interview) -> Assessment:
    """Begins the assessment, or takes it up again. Raises AlreadyConfirmed."""
    return _change(conn, claim_ref, lambda assessment: assessment.start(interview.facts))


def verify_items(
    conn: Connection, claim_ref: str, interview: Interview, *, checks: Sequence[Check], version: int
) -> Assessment:
    """Marks what was found. See Assessment.verify."""
    return _change(
        conn,
        claim_ref,
        lambda assessment: assessment.verify(checks, version=version, facts=interview.facts, checked=_by_caller()),
    )


def correct_item(conn: Connection, claim_ref: str, interview: Interview, *, fact: str) -> Assessment:
    """Marks the item whose fact was amended. See Assessment.correct."""
    return _change(
        conn,
        claim_ref,
        lambda assessment: assessment.correct(fact, facts=interview.facts, checked=_by_caller()),
    )


def confirm_assessment(
    conn: Connection, claim_ref: str, interview: Interview, *, schemes: Sequence[str], version: int
) -> Assessment:
    """Confirms the schemes at the claim's present version, and tells the gateway. See Assessment.confirm."""
    caller = call.current().identity

    def confirm(assessment: Assessment) -> Assessment:
        assessment.check_open(version)
        confirmed, event = assessment.confirm(
            assessment.schemes_to_confirm(schemes, as_assessor=caller.has(_ASSESSOR)),
            version=version,
            facts=interview.facts,
            office_code=caller.office or assessment.office_code or "",
            checked=_by_caller(),
        )
        _tell(conn, event)
        return confirmed

    return _change(conn, claim_ref, confirm)


def show_again(conn: Connection, claim_ref: str) -> Assessment:
    """Before the first answer to a request is given to its repeat: as any showing it is permitted, and logged.

    Raises as `read_interview` does.
    """
    return _shown(conn, _permitted(store.read_assessment(conn, claim_ref), claim_ref))


def reopen_items(conn: Connection, claim_ref: str, *, changed: Sequence[str], claim_version: int) -> None:
    """After word of an amendment: nobody has looked at these facts yet. See Assessment.amended."""
    before = store.lock_assessment(conn, claim_ref)
    if before is not None:
        store.save_assessment(conn, before, before.amended(changed, claim_version=claim_version))


def _change(conn: Connection, claim_ref: str, change: Callable[[Assessment], Assessment]) -> Assessment:
    before = _permitted(store.lock_assessment(conn, claim_ref), claim_ref)
    after = change(before)
    store.save_assessment(conn, before, after)
    return _shown(conn, after)


def _shown(conn: Connection, assessment: Assessment) -> Assessment:
    access_log.record_access(conn, claim_ref=assessment.claim_ref, purpose=assessment.purpose)
    return assessment


def _permitted(assessment: Assessment | None, claim_ref: str) -> Assessment:
    caller = call.current().identity
    if assessment is None:
        raise WorkNotFound(claim_ref)
    # A caseworker has no local office: child maintenance has no interview there (contract.md).
    if caller.has(_ASSESSOR):
        assessment.check_office(caller.office)
    return assessment


def _by_caller() -> Checked:
    return Checked(by=call.current().identity.subject, at=clock.now())


def _tell(conn: Connection, event: AssessmentConfirmed) -> None:
    message = events_pb2.AssessmentConfirmed(
        claim_version=event.claim_version,
        schemes=[number_of(common_pb2.Scheme, scheme) for scheme in event.schemes],
        office_code=event.office_code,
        assessor_id=event.assessor_id,
    )
    outbox.append(conn, claim_ref=event.claim_ref, version=event.version, event=message)
