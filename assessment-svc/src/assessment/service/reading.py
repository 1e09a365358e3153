"""Reads and corrects a claim's record in intake, before the transaction that needs it."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value

from assessment.clients import Amendment, Answer, Intake, Interview
from assessment.domain.assessments import Assessment, Confirmation
from assessment.domain.disputes import Dispute
from assessment.domain.refusals import WorkNotFound
from assessment.domain.schemes import CRISIS_LOAN, Desk
from assessment.store import assessments as store
from assessment.store import confirmations, crisis_loans
from chassis import call, crash
from chassis.database import Connection
from chassis.idempotency import first_answer


@dataclass(frozen=True, kw_only=True)
class Permitted:
    """An assessment, the caller's desks at which they may work on it, and its open disputes where they are to be shown."""

    assessment: Assessment
    desks: frozenset[Desk]
    disputes: tuple[Dispute, ...] = ()

    @property
    def purpose(self) -> str:
        """The purpose of reading the claimant's answers."""
        return self.assessment.purpose


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A request to correct a fact. `version` is the assessment's, `request_id` the caller's."""

    claim_ref: str
    fact: str
    value: Value
    accept_transliteration: bool
    reason: str
    version: int
    request_id: UUID


def read_interview(intake: Intake, claim_ref: str) -> Interview:
    """Reads the claim's interview for the caller.

    Raises WorkNotFound, OtherScheme, OfficeRequired, OtherOffice, and intake's refusals.
    """
    with call.current().database.transaction() as conn:
        work = permitted(store.read_assessment(conn, claim_ref), claim_ref)
    return intake.get_interview(claim_ref, purpose=work.purpose)


def amend_claim(intake: Intake, request: Message, correction: Correction) -> Interview:
    """Changes the fact in intake's record; gives the interview after the change.

    A repeat of `request` changes nothing again, and the version that it changed itself does not refuse it. The
    amendment's request_id is derived from the caller's, so that a retry after a crash between the two services completes
    the correction.
    """
    with call.current().database.transaction() as conn:
        work = permitted(store.read_assessment(conn, correction.claim_ref), correction.claim_ref)
        first = first_answer(conn, request)
    if first is not None:
        return intake.get_interview(correction.claim_ref, purpose=work.purpose)
    work.assessment.check_correctable(correction.fact, version=correction.version, desks=work.desks)
    amended = intake.amend(_amendment(correction, work.assessment.claim_version), purpose=work.purpose)
    crash.point("correction.after_amendment")
    return amended


def _amendment(correction: Correction, claim_version: int) -> Amendment:
    return Amendment(
        claim_ref=correction.claim_ref,
        claim_version=claim_version,
        answers=(
            Answer(
                fact=correction.fact,
                value=correction.value,
                accept_transliteration=correction.accept_transliteration,
            ),
        ),
        reason=correction.reason,
        request_id=uuid5(correction.request_id, "amend"),
    )


def confirmations_of(conn: Connection, claim_ref: str) -> list[Confirmation]:
    """The confirmations of a claim; none before its first confirmation. Raises WorkNotFound."""
    found = confirmations.of_claim(conn, claim_ref)
    if found is None:
        raise WorkNotFound(claim_ref)
    return [_with_loan(conn, claim_ref, one) if one.scheme == CRISIS_LOAN else one for one in found]


def _with_loan(conn: Connection, claim_ref: str, confirmation: Confirmation) -> Confirmation:
    decided = crisis_loans.of_claim(conn, call.current().vault, claim_ref)
    if decided is None:  # confirmed by an earlier release, which had no decisions
        return confirmation
    return replace(confirmation, loan_amount=str(decided.decision.amount))


def permitted(assessment: Assessment | None, claim_ref: str) -> Permitted:
    """The assessment, if the caller may work on it. Raises WorkNotFound, OtherScheme, OfficeRequired, OtherOffice."""
    if assessment is None:
        raise WorkNotFound(claim_ref)
    desks = assessment.desks_for(desks_of_caller(), office=call.current().identity.office)
    return Permitted(assessment=assessment, desks=desks)


def desks_of_caller() -> frozenset[Desk]:
    """The desks of the caller's roles: one at least, by the contract's roles."""
    identity = call.current().identity
    return frozenset(desk for desk in Desk if identity.has(desk))
