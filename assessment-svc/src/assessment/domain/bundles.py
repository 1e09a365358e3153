"""A bundle: a day's work that was taken along, and what becomes of each finding when it is brought back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from assessment.domain.items import Check, Evidence, Facts, Item, ItemStatus
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Violation


class Outcome(StrEnum):
    """The outcome of a finding, or of a fact without one."""

    APPLIED = "APPLIED"
    CHANGED = "CHANGED"
    CHECKED = "CHECKED"
    GONE = "GONE"
    NEW = "NEW"
    REFUSED = "REFUSED"


class BundleState(StrEnum):
    """The state of a bundle. Only TAKEN is not an end."""

    TAKEN = "TAKEN"
    RETURNED = "RETURNED"
    DISCARDED = "DISCARDED"


class BundleNotFound(NotFound):
    """The caller took no such bundle."""

    def __init__(self) -> None:
        super().__init__("BUNDLE_NOT_FOUND", "no such bundle was taken by you")


class BundleEnded(FailedPrecondition):
    """The bundle was brought back already, or given up."""

    def __init__(self, state: BundleState) -> None:
        super().__init__("BUNDLE_ENDED", f"the bundle was {state.lower()} already", metadata={"state": state})


class BundleAltered(InvalidArgument):
    """The content that was brought back is not what the device of this bundle signed and encrypted."""

    def __init__(self, description: str) -> None:
        super().__init__(
            "BUNDLE_ALTERED",
            "the content was altered, or is not of this bundle: nothing was recorded",
            violations=[Violation(field="content", description=description)],
        )


class NothingToTake(FailedPrecondition):
    """The caller has no interviews on that day."""

    def __init__(self) -> None:
        super().__init__("NOTHING_TO_TAKE", "you hold no interviews on this day that can be taken along")


@dataclass(frozen=True, kw_only=True)
class TakenClaim:
    """A claim as it was taken: for each fact the version at which it was answered.

    `correcting` are facts whose corrections intake has been asked for, on the claim at `correcting_version`; None: none yet.
    """

    claim_ref: str
    claim_version: int
    answered: Mapping[str, int]
    correcting: frozenset[str] | None = None
    correcting_version: int = 0


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle. `device_key` is the public key of what it brings back."""

    bundle_id: str
    state: BundleState = BundleState.TAKEN
    taken_by: str
    office_code: str
    taken_time: datetime
    return_by: datetime
    device_key: bytes
    claims: tuple[TakenClaim, ...] = ()

    def expect_out(self) -> None:
        """Raises BundleEnded."""
        if self.state is not BundleState.TAKEN:
            raise BundleEnded(self.state)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A finding on one fact. A correction has the right value, as JSON, and a reason; a dispute may have the other version."""

    fact: str
    status: ItemStatus
    evidence: Evidence | None = None
    value: object = None
    reason: str = ""
    accept_transliteration: bool = False

    @property
    def check(self) -> Check:
        """The finding as a check of the item. Of a dispute it has what is held against the answer, and why."""
        if self.status is not ItemStatus.DISPUTED:
            return Check(fact=self.fact, status=self.status, evidence=self.evidence)
        return Check(fact=self.fact, status=self.status, evidence=self.evidence, other=self.value, reason=self.reason)


@dataclass(frozen=True, kw_only=True)
class FactOutcome:
    """The outcome of a fact; `finding` is None where there was none, and the fact changed."""

    fact: str
    outcome: Outcome
    finding: Finding | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A claim that was brought back, beside the claim as it is now: what became of each finding and of each changed fact."""

    claim_ref: str
    facts: tuple[FactOutcome, ...] = field(default=())
    refused_reason: str = ""

    @property
    def applied(self) -> tuple[Finding, ...]:
        """The findings to record."""
        return tuple(one.finding for one in self.facts if one.outcome is Outcome.APPLIED and one.finding is not None)

    @property
    def corrections(self) -> tuple[Finding, ...]:
        """Those of them that correct a fact."""
        return tuple(found for found in self.applied if found.status is ItemStatus.CORRECTED)

    def overtaken(self, then: Facts, now: Facts) -> "Comparison":
        """The comparison where the claim has gone on since its corrections were made: what was answered anew is not applied."""
        corrected = {finding.fact for finding in self.corrections}
        anew = {fact for fact in corrected if now.answered.get(fact) != then.answered.get(fact)}
        facts = tuple(
            replace(one, outcome=Outcome.CHANGED if one.fact in now.answered else Outcome.GONE)
            if one.fact in anew
            else one
            for one in self.facts
        )
        return replace(self, facts=facts)


def compare(
    taken: TakenClaim, findings: Sequence[Finding], *, facts: Facts, items: Mapping[str, Item], taken_time: datetime
) -> Comparison:
    """Compares what was brought back with the claim's facts and items as they are now."""
    found = {finding.fact: finding for finding in findings}
    outcomes = [
        FactOutcome(fact=fact, finding=finding, outcome=_outcome(fact, taken, facts, items, taken_time))
        for fact, finding in found.items()
    ]
    changed = [one for one in _changed(taken, facts) if one.fact not in found]
    return Comparison(claim_ref=taken.claim_ref, facts=(*outcomes, *changed))


def refused(taken: TakenClaim, findings: Iterable[Finding], *, reason: str) -> Comparison:
    """The comparison of a claim to which nothing can be recorded any more."""
    outcomes = tuple(FactOutcome(fact=one.fact, finding=one, outcome=Outcome.REFUSED) for one in findings)
    return Comparison(claim_ref=taken.claim_ref, facts=outcomes, refused_reason=reason)


def _outcome(fact: str, taken: TakenClaim, facts: Facts, items: Mapping[str, Item], taken_time: datetime) -> Outcome:
    if taken.correcting and fact in taken.correcting:
        return Outcome.APPLIED  # the answer is newer because this correction made it so
    if fact not in facts.answered:
        return Outcome.GONE
    if facts.answered[fact] != taken.answered[fact]:
        return Outcome.CHANGED
    item = items.get(fact)
    if item is not None and item.checked is not None and item.checked.at > taken_time:
        return Outcome.CHECKED
    return Outcome.APPLIED


def _changed(taken: TakenClaim, facts: Facts) -> Iterator[FactOutcome]:
    for fact, version in taken.answered.items():
        if fact not in facts.answered:
            yield FactOutcome(fact=fact, outcome=Outcome.GONE)
        elif facts.answered[fact] != version:
            yield FactOutcome(fact=fact, outcome=Outcome.CHANGED)
    for fact in facts.answered:
        if fact not in taken.answered:
            yield FactOutcome(fact=fact, outcome=Outcome.NEW)
