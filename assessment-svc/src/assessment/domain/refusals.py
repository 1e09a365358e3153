"""Refusals of the assessment service, each with its reason."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from assessment.domain.evidence import Document
from assessment.domain.items import Item
from chassis.errors import CmsError, FailedPrecondition, NotFound, PermissionDenied, Violation


class WorkNotFound(NotFound):
    """No such claim was submitted."""

    def __init__(self, claim_ref: str) -> None:
        super().__init__("WORK_NOT_FOUND", "no such claim was submitted", metadata={"claim_ref": claim_ref})


class NotStarted(FailedPrecondition):
    """The assessment was not started: StartAssessment comes first."""

    def __init__(self) -> None:
        super().__init__("NOT_STARTED", "the assessment was not started: start it first")


class AlreadyConfirmed(FailedPrecondition):
    """The claim was confirmed; later changes go through intake."""

    def __init__(self) -> None:
        super().__init__("ALREADY_CONFIRMED", "the claim was confirmed: amend its answers instead")


class DecisionNeeded(FailedPrecondition):
    """A crisis loan is confirmed by the decision on it."""

    def __init__(self) -> None:
        super().__init__("DECISION_NEEDED", "a crisis loan is confirmed by deciding it: DecideCrisisLoan")


class AssessmentClosed(FailedPrecondition):
    """The work ended without a confirmation, or after it: nothing can be done to it any more."""

    def __init__(self, reason: str) -> None:
        super().__init__("ASSESSMENT_CLOSED", f"the assessment is closed: {reason}", metadata={"closed_reason": reason})


class InterviewNeeded(FailedPrecondition):
    """Schemes are confirmed after an interview, and none is booked; the violations name them by their position."""

    def __init__(self, violations: Iterable[Violation] = ()) -> None:
        super().__init__(
            "INTERVIEW_NEEDED", "no interview is booked, and these schemes need one", violations=list(violations)
        )


class ItemsOpen(FailedPrecondition):
    """Items are neither confirmed nor corrected; the violations name their facts and the schemes that need them."""

    def __init__(self, items: Iterable[Item], *, schemes: Sequence[str]) -> None:
        found = list(items)
        violations = [
            Violation(field=item.fact, description=f"is {item.status}{_needed_by(item, schemes)}") for item in found
        ]
        metadata = {
            scheme: ",".join(item.fact for item in found if item.needed_by([scheme]))
            for scheme in schemes
            if any(item.needed_by([scheme]) for item in found)
        }
        super().__init__(
            "ITEMS_OPEN", "items are neither confirmed nor corrected", violations=violations, metadata=metadata
        )


def _needed_by(item: Item, schemes: Sequence[str]) -> str:
    return f", needed by {', '.join(item.needed_by(schemes))}"


class ProposalsOpen(FailedPrecondition):
    """Facts have a proposal that nobody has agreed to; the violations name them and the schemes that need them."""

    def __init__(self, items: Iterable[Item], *, schemes: Sequence[str]) -> None:
        advice = "the paying systems cannot hold this value: agree to its `proposal` by CorrectItem with accept_transliteration"
        violations = [Violation(field=item.fact, description=f"{advice}{_needed_by(item, schemes)}") for item in items]
        super().__init__("PROPOSALS_OPEN", "facts have a proposal that nobody has agreed to", violations=violations)


class ClaimChanged(CmsError):
    """The claim was amended while the call was on its way: read it again."""

    code: ClassVar[str] = "ABORTED"

    def __init__(self) -> None:
        super().__init__("CLAIM_CHANGED", "the claim was amended since its items were read: start the assessment again")


class OfficeRequired(PermissionDenied):
    """The assessor's token names no office."""

    def __init__(self) -> None:
        super().__init__("OFFICE_REQUIRED", "the token names no office")


class OtherOffice(PermissionDenied):
    """Another office holds the interview."""

    def __init__(self) -> None:
        super().__init__("OTHER_OFFICE", "assessors can work only on their own office's claims")


class OtherScheme(PermissionDenied):
    """Caseworkers confirm child maintenance and nothing else; assessors confirm every other scheme (contract.md)."""

    def __init__(self) -> None:
        super().__init__(
            "OTHER_SCHEME", "caseworkers confirm only child maintenance; assessors confirm every other scheme"
        )


class EvidenceOutstanding(FailedPrecondition):
    """Evidence that these schemes need was asked for and has not come; the violations name each kind with its day."""

    def __init__(self, documents: Iterable[Document], *, schemes: Iterable[str]) -> None:
        needing = ", ".join(schemes)
        violations = [
            Violation(field=found.kind, description=f"is due on {found.due_on}, needed by {needing}")
            for found in documents
        ]
        super().__init__(
            "EVIDENCE_OUTSTANDING",
            "evidence was asked for and has not come: record it, or decide to do without it",
            violations=violations,
        )
