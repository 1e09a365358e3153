"""Refusals of the assessment service, each with its reason."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from assessment.domain.evidence import Document
from assessment.domain.items import Item
from chassis.errors import CmsError, FailedPrecondition, NotFound, PermissionDenied, Violation, as_many_as_fit


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
        super().__init__(
            "ALREADY_CONFIRMED",
            "it was confirmed: AmendAnswers changes its answers, and the paying systems get the change",
        )


class AlreadyClosed(FailedPrecondition):
    """Schemes were closed without a confirmation; the violations name them by their position where the caller named them."""

    def __init__(self, schemes: Sequence[str], *, wanted: Sequence[str]) -> None:
        super().__init__(
            "ALREADY_CLOSED",
            f"nothing follows any more from what was closed: {', '.join(schemes)}",
            violations=_at_their_places(schemes, wanted, "was closed"),
        )


class DecisionNeeded(FailedPrecondition):
    """A crisis loan is confirmed by the decision on it."""

    def __init__(self) -> None:
        super().__init__("DECISION_NEEDED", "a crisis loan is confirmed by deciding it: DecideCrisisLoan")


class AssessmentClosed(FailedPrecondition):
    """The work ended without a confirmation, or after it: nothing can be done to it any more."""

    def __init__(self, reason: str) -> None:
        super().__init__("ASSESSMENT_CLOSED", f"the assessment is closed: {reason}", metadata={"closed_reason": reason})


class InterviewNeeded(FailedPrecondition):
    """Schemes are confirmed after an interview, and none is booked; the violations name them, by their position if given."""

    def __init__(self, schemes: Sequence[str], *, wanted: Sequence[str]) -> None:
        super().__init__(
            "INTERVIEW_NEEDED",
            "no interview is booked, and these schemes need one",
            violations=_at_their_places(schemes, wanted, "needs an interview first"),
        )


def _at_their_places(schemes: Sequence[str], wanted: Sequence[str], fault: str) -> list[Violation]:
    places = {scheme: f"schemes[{index}]" for index, scheme in enumerate(wanted)}
    return [Violation(field=places.get(scheme, "schemes"), description=f"{scheme} {fault}") for scheme in schemes]


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
    """Evidence was asked for and has not come; the violations name each kind with its day and the schemes that it holds up."""

    def __init__(self, awaited: Iterable[tuple[Document, Collection[str]]]) -> None:
        violations = [
            Violation(
                field=document.kind,
                description=f"was asked for and is due on {document.due_on}, needed by {', '.join(sorted(held))}",
            )
            for document, held in awaited
        ]
        super().__init__(
            "EVIDENCE_OUTSTANDING",
            "evidence was asked for and has not come: record it, or decide to do without it",
            violations=violations,
        )


def open_items(
    items: Iterable[Item], *, schemes: Sequence[str], proposed: Collection[str]
) -> Iterator[FailedPrecondition]:
    """The refusals for items that hold the schemes up: ItemsOpen, and ProposalsOpen for values that no system can hold."""
    needed = [item for item in items if item.needed_by(schemes)]
    if unsettled := [item for item in needed if not item.settled]:
        yield ItemsOpen(unsettled, schemes=schemes)
    if unagreed := [item for item in needed if item.fact in proposed]:
        yield ProposalsOpen(unagreed, schemes=schemes)


def all_of(refusals: Sequence[FailedPrecondition]) -> FailedPrecondition:
    """One refusal that names what all of these name, so that nobody learns of it piece by piece.

    It has the reason of the first, and the words of all. It names as many as one answer can carry, and says how many there are
    besides.
    """
    first, *others = refusals
    every = [violation for one in refusals for violation in one.violations]
    named = as_many_as_fit(every)
    left_out = len(every) - len(named)
    if not others and not left_out:
        return first
    words = [one.message for one in refusals]
    return FailedPrecondition(
        first.reason,
        "; ".join([*words, f"{left_out} more are not named here: GetAssessment shows all"] if left_out else words),
        violations=named,
        metadata=_of_the_named(first.metadata, {violation.field for violation in named}),
    )


def _of_the_named(metadata: Mapping[str, str], fields: Collection[str]) -> dict[str, str]:
    """The facts by scheme of ItemsOpen, without those that the answer does not name."""
    named = {scheme: [fact for fact in facts.split(",") if fact in fields] for scheme, facts in metadata.items()}
    return {scheme: ",".join(facts) for scheme, facts in named.items() if facts}
