"""The assessment of a claim. A claim is confirmed when every item was checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from assessment.domain.items import Check, Checked, Facts, Item, ItemStatus
from assessment.domain.refusals import (
    AlreadyConfirmed,
    ClaimChanged,
    ItemsOpen,
    NotStarted,
    OfficeRequired,
    OtherOffice,
    OtherScheme,
    ProposalsOpen,
)
from chassis.errors import InvalidArgument, StaleVersion, Violation

CHILD_MAINTENANCE = "CHILD_MAINTENANCE"


class AssessmentState(StrEnum):
    """The state of an assessment."""

    READY = "READY"
    IN_PROGRESS = "IN_PROGRESS"
    CONFIRMED = "CONFIRMED"


@dataclass(frozen=True, kw_only=True)
class AssessmentConfirmed:
    """An assessor confirmed these schemes of a claim, with its facts at `claim_version`."""

    claim_ref: str
    version: int
    claim_version: int
    schemes: tuple[str, ...]
    office_code: str
    assessor_id: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The assessment of one claim. Assessors' acts change `version`; `claim_version` is the version of the items' facts."""

    claim_ref: str
    state: AssessmentState = AssessmentState.READY
    version: int = 1
    claim_version: int = 0
    schemes: tuple[str, ...]
    confirmed_schemes: tuple[str, ...] = ()
    confirmed: Checked | None = None
    appointment_id: str | None = None
    office_code: str | None = None
    items: Mapping[str, Item] = field(default_factory=dict)

    @property
    def purpose(self) -> str:
        """The purpose of reading the claimant's answers, for the access logs here and in intake."""
        return f"appointment {self.appointment_id}" if self.appointment_id else f"work item {self.claim_ref}"

    def check_office(self, office: str | None) -> None:
        """Raises OfficeRequired, or OtherOffice if another office holds the interview. Unbooked work belongs to any office."""
        if office is None:
            raise OfficeRequired
        if self.office_code not in (None, office):
            raise OtherOffice

    def synchronised(self, facts: Facts) -> Self:
        """Takes the facts as they are now: items of new answers are unchecked, items of removed facts are dropped.

        Raises ClaimChanged if the facts are older than the items: another call has read newer ones.
        """
        if facts.version < self.claim_version:
            raise ClaimChanged
        items = {fact: self._item_at(fact, version) for fact, version in facts.answered.items()}
        return replace(self, items=items, claim_version=facts.version)

    def _item_at(self, fact: str, answered_version: int) -> Item:
        if self._stands(fact, answered_version):
            return self.items[fact]
        return Item(fact=fact, answered_version=answered_version)

    def _stands(self, fact: str, answered_version: int) -> bool:
        return fact in self.items and self.items[fact].answered_version == answered_version

    def start(self, facts: Facts) -> Self:
        """Starts or resumes the assessment; the version stays if nothing is new. Raises AlreadyConfirmed."""
        if self.state is AssessmentState.CONFIRMED:
            raise AlreadyConfirmed
        begun = replace(self.synchronised(facts), state=AssessmentState.IN_PROGRESS)
        return self if begun == self else begun._next()

    def verify(self, checks: Sequence[Check], *, version: int, facts: Facts, checked: Checked) -> Self:
        """Records the checks of facts whose answers are still those of `version`.

        A fact with a newer answer stays unchecked, because the assessor has not seen that answer. Checks of removed facts
        are ignored. Raises InvalidArgument naming checks of facts that are unknown or given twice.
        """
        self.check_open(version)
        current = self.synchronised(facts)
        _check_names(checks, known={*self.items, *current.items})
        found = {
            check.fact: replace(
                current.items[check.fact], status=check.status, evidence=check.evidence, checked=checked
            )
            for check in checks
            if check.fact in current.items and self._stands(check.fact, current.items[check.fact].answered_version)
        }
        return replace(current, items={**current.items, **found})._next()

    def check_correctable(self, fact: str, *, version: int) -> None:
        """Raises the reason why the fact cannot be corrected, before the claim's record is changed."""
        self.check_open(version)
        if fact not in self.items:
            raise InvalidArgument.of(Violation(field="fact", description="is no item of this assessment"))

    def correct(self, fact: str, *, facts: Facts, checked: Checked) -> Self:
        """Marks the fact as corrected; a fact that was cleared is no longer an item.

        The claim's record was changed already, under the claim's version, so the assessment's version is not checked.
        """
        self._check_begun()
        current = self.synchronised(facts)
        items = dict(current.items)
        if fact in items:
            items[fact] = replace(items[fact], status=ItemStatus.CORRECTED, evidence=None, checked=checked)
        return replace(current, items=items)._next()

    def amended(self, changed: Iterable[str], *, claim_version: int) -> Self:
        """Unchecks these facts, which were answered anew at `claim_version`.

        The answered version stays the one that assessors have seen, so that a check of it cannot count for the new
        answer. A confirmed assessment does not change.
        """
        if self.state is AssessmentState.CONFIRMED:
            return self
        names = set(changed)
        reset = {
            name: Item(fact=name, answered_version=item.answered_version)
            for name, item in self.items.items()
            if name in names and item.answered_version < claim_version
        }
        return replace(self, items={**self.items, **reset})

    def schemes_to_confirm(self, wanted: Sequence[str], *, as_assessor: bool) -> tuple[str, ...]:
        """The wanted schemes, or all that are not confirmed yet. Raises InvalidArgument, OtherScheme, AlreadyConfirmed."""
        unknown = [index for index, scheme in enumerate(wanted) if scheme not in self.schemes]
        if unknown:
            raise InvalidArgument.of(
                *(Violation(field=f"schemes[{index}]", description="was not claimed") for index in unknown)
            )
        left = tuple(scheme for scheme in self.schemes if scheme not in self.confirmed_schemes)
        chosen = tuple(scheme for scheme in self.schemes if scheme in wanted) or left
        if any((scheme == CHILD_MAINTENANCE) == as_assessor for scheme in chosen):
            raise OtherScheme
        if not chosen or not set(chosen) <= set(left):
            raise AlreadyConfirmed
        return chosen

    def confirm(
        self, schemes: tuple[str, ...], *, version: int, facts: Facts, office_code: str, checked: Checked
    ) -> tuple[Self, AssessmentConfirmed]:
        """Confirms these schemes; gives the event too. Raises ItemsOpen, and ProposalsOpen for what no system can hold."""
        self.check_open(version)
        current = self.synchronised(facts)
        unsettled = {fact: item.status for fact, item in current.items.items() if not item.settled}
        if unsettled:
            raise ItemsOpen(unsettled)
        if facts.proposed:
            raise ProposalsOpen(sorted(facts.proposed))
        confirmed_schemes = (*self.confirmed_schemes, *schemes)
        whole = set(confirmed_schemes) == set(self.schemes)
        confirmed = replace(
            current,
            confirmed_schemes=confirmed_schemes,
            confirmed=checked,
            state=AssessmentState.CONFIRMED if whole else AssessmentState.IN_PROGRESS,
        )._next()
        return confirmed, confirmed._event(schemes, office_code=office_code, assessor_id=checked.by)

    def _event(self, schemes: tuple[str, ...], *, office_code: str, assessor_id: str) -> AssessmentConfirmed:
        return AssessmentConfirmed(
            claim_ref=self.claim_ref,
            version=self.version,
            claim_version=self.claim_version,
            schemes=schemes,
            office_code=office_code,
            assessor_id=assessor_id,
        )

    def check_open(self, version: int) -> None:
        """Raises StaleVersion, NotStarted or AlreadyConfirmed."""
        if version != self.version:
            raise StaleVersion(given=version, current=self.version)
        self._check_begun()

    def _check_begun(self) -> None:
        if self.state is AssessmentState.READY:
            raise NotStarted
        if self.state is AssessmentState.CONFIRMED:
            raise AlreadyConfirmed

    def _next(self) -> Self:
        return replace(self, version=self.version + 1)


def _check_names(checks: Sequence[Check], *, known: set[str]) -> None:
    violations, earlier = list[Violation](), set[str]()
    for index, check in enumerate(checks):
        if check.fact not in known:
            violations.append(Violation(field=f"items[{index}].fact", description="is no item of this assessment"))
        elif check.fact in earlier:
            violations.append(Violation(field=f"items[{index}].fact", description="is given twice"))
        earlier.add(check.fact)
    if violations:
        raise InvalidArgument.of(*violations)
