"""The assessment of a claim. A scheme is confirmed when every item that it needs was checked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

from assessment.domain.checks import check_names
from assessment.domain.items import Check, Checked, Evidence, Facts, Item, ItemStatus
from assessment.domain.refusals import (
    AlreadyClosed,
    AlreadyConfirmed,
    AssessmentClosed,
    ClaimChanged,
    DecisionNeeded,
    NotStarted,
    OfficeRequired,
    OtherOffice,
    OtherScheme,
    all_of,
    open_items,
)
from assessment.domain.schemes import CRISIS_LOAN, WITHOUT_INTERVIEW, Desk, schemes_of
from assessment.domain.states import AssessmentState, Cause, ClosedReason, is_possible
from chassis.errors import FailedPrecondition, InvalidArgument, StaleVersion, Violation


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
class SchemesClosed:
    """A person closed these schemes without a confirmation."""

    claim_ref: str
    version: int
    schemes: tuple[str, ...]
    reason: ClosedReason
    duplicate_of: str | None
    closed: Checked


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """The confirmation of one scheme, with the claim's facts at `claim_version`. `loan_amount`: what was offered, in pounds."""

    scheme: str
    claim_version: int
    office_code: str
    assessor_id: str
    confirm_time: datetime
    loan_amount: str = ""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The assessment of one claim. Acts at its desks change `version`; `claim_version` is the version of the items' facts.

    `begun` are the desks that have started it. `evidence_due_on` is the last day for the evidence that was asked for.
    """

    claim_ref: str
    state: AssessmentState = AssessmentState.READY
    version: int = 1
    claim_version: int = 0
    schemes: tuple[str, ...]
    confirmed_schemes: tuple[str, ...] = ()
    closed_schemes: tuple[str, ...] = ()
    confirmed: Checked | None = None
    begun: frozenset[Desk] = frozenset()
    closed_reason: str | None = None
    closed_time: datetime | None = None
    appointment_id: str | None = None
    office_code: str | None = None
    interview_cancelled: bool = False
    evidence_due_on: date | None = None
    items: Mapping[str, Item] = field(default_factory=dict)

    @property
    def purpose(self) -> str:
        """The purpose of reading the claimant's answers, for the access logs here and in intake."""
        return f"work item {self.claim_ref}"

    def desks_for(self, callers: Iterable[Desk], *, office: str | None) -> frozenset[Desk]:
        """Those of the caller's desks at which they may work on this claim.

        Raises OtherScheme where the claim has no scheme of theirs, and for an assessor OfficeRequired, or OtherOffice if
        another office holds the interview. Unbooked work belongs to any office.
        """
        desks = {desk for desk in callers if schemes_of([desk], self.schemes)}
        if not desks:
            raise OtherScheme
        if desks == {Desk.ASSESSOR} or self._is_of(office):
            self._check_office(office)
            return frozenset(desks)
        return frozenset(desks - {Desk.ASSESSOR})

    def _is_of(self, office: str | None) -> bool:
        return office is not None and self.office_code in (None, office)

    def _check_office(self, office: str | None) -> None:
        if office is None:
            raise OfficeRequired
        if not self._is_of(office):
            raise OtherOffice

    def items_at(self, desks: Iterable[Desk]) -> Mapping[str, Item]:
        """The items that a scheme of these desks needs."""
        theirs = schemes_of(desks, self.schemes)
        return {fact: item for fact, item in self.items.items() if item.needed_by(theirs)}

    def synchronised(self, facts: Facts) -> Self:
        """Takes the facts as they are now: items of new answers are unchecked, items of removed facts are dropped.

        Raises ClaimChanged if the facts are older than the items: another call has read newer ones.
        """
        if facts.version < self.claim_version:
            raise ClaimChanged
        items = {
            fact: replace(self._item_at(fact, version), schemes=facts.schemes.get(fact, ()))
            for fact, version in facts.answered.items()
        }
        return replace(self, items=items, claim_version=facts.version)

    def _item_at(self, fact: str, answered_version: int) -> Item:
        if self._stands(fact, answered_version):
            return self.items[fact]
        return Item(fact=fact, answered_version=answered_version)

    def _stands(self, fact: str, answered_version: int) -> bool:
        return fact in self.items and self.items[fact].answered_version == answered_version

    def start(self, facts: Facts, *, desks: frozenset[Desk]) -> Self:
        """Starts or resumes the assessment at these desks; the version stays if nothing is new.

        Raises AlreadyConfirmed, AssessmentClosed.
        """
        self.check_unfinished()
        current = self.synchronised(facts)
        begun = replace(current._moved(Cause.START, current._state_begun), begun=self.begun | desks)
        return self if begun == self else begun._next()

    @property
    def _state_begun(self) -> AssessmentState:
        return AssessmentState.IN_PROGRESS if self.state is AssessmentState.READY else self.state

    def _moved(self, cause: Cause, state: AssessmentState) -> Self:
        """The assessment in that state. AssertionError where the table of states has no such way: a defect of ours."""
        assert is_possible(cause, self.state, state), f"{cause} leads from {self.state} to {state}"  # noqa: S101
        return replace(self, state=state)

    def evidence_due(self, due_on: date | None) -> Self:
        """Evidence is outstanding until that day; None: all that was asked for was seen, or a person does without it.

        Raises NotStarted, AlreadyConfirmed, AssessmentClosed.
        """
        self._check_begun(frozenset(Desk))
        if due_on is None:
            moved = self._moved(Cause.EVIDENCE_END, AssessmentState.IN_PROGRESS)
        else:
            moved = self._moved(Cause.EVIDENCE_REQUEST, AssessmentState.EVIDENCE_OUTSTANDING)
        return replace(moved, evidence_due_on=due_on)._next()

    def prove(self, evidence: Evidence, facts: Iterable[str]) -> Self:
        """Notes the document as the proof of these facts; whether they are right the assessor says.

        Raises InvalidArgument naming facts that are no items.
        """
        named = list(facts)
        self.check_items(named)
        proved = {fact: replace(self.items[fact], evidence=evidence) for fact in named}
        return replace(self, items={**self.items, **proved})

    def check_items(self, facts: Sequence[str]) -> None:
        """Raises InvalidArgument naming facts that are no items."""
        unknown = [index for index, fact in enumerate(facts) if fact not in self.items]
        if unknown:
            raise InvalidArgument.of(
                *(Violation(field=f"facts[{index}]", description="is no item of this assessment") for index in unknown)
            )

    def verify(
        self, checks: Sequence[Check], *, version: int, facts: Facts, checked: Checked, desks: frozenset[Desk]
    ) -> Self:
        """Records the checks of facts whose answers are still those of `version`.

        A fact with a newer answer stays unchecked, because the caller has not seen that answer. Checks of removed facts
        are ignored. Raises InvalidArgument naming checks of facts that are given twice, or that are unknown at these desks.
        """
        self.check_open(version, desks=desks)
        current = self.synchronised(facts)
        check_names(checks, known={*self.items_at(desks), *current.items_at(desks)})
        found = {
            check.fact: current.items[check.fact].found(check, checked=checked)
            for check in checks
            if check.fact in current.items and self._stands(check.fact, current.items[check.fact].answered_version)
        }
        return replace(current, items={**current.items, **found})._next()

    def check_correctable(self, fact: str, *, version: int, desks: frozenset[Desk]) -> None:
        """Raises the reason why the fact cannot be corrected, before the claim's record is changed."""
        self.check_open(version, desks=desks)
        if fact not in self.items_at(desks):
            raise InvalidArgument.of(Violation(field="fact", description="is no item of this assessment"))

    def correct(self, fact: str, *, facts: Facts, checked: Checked, desks: frozenset[Desk]) -> Self:
        """Marks the fact as corrected; a fact that was cleared is no longer an item.

        The claim's record was changed already, under the claim's version, so the assessment's version is not checked.
        """
        self._check_begun(desks)
        current = self.synchronised(facts)
        items = dict(current.items)
        if fact in items:
            items[fact] = replace(items[fact], status=ItemStatus.CORRECTED, evidence=None, checked=checked)
        return replace(current, items=items)._next()

    def amended(self, changed: Iterable[str], *, claim_version: int) -> Self:
        """Unchecks these facts, which were answered anew at `claim_version`.

        The answered version stays the one that assessors have seen, so that a check of it cannot count for the new
        answer. An assessment that is confirmed or closed does not change.
        """
        if self.state.is_end:
            return self
        names = set(changed)
        reset = {
            name: Item(fact=name, answered_version=item.answered_version, schemes=item.schemes)
            for name, item in self.items.items()
            if name in names and item.answered_version < claim_version
        }
        return replace(self, items={**self.items, **reset})

    def schemes_to_confirm(self, wanted: Sequence[str], *, desks: frozenset[Desk]) -> tuple[str, ...]:
        """The wanted schemes, or all at these desks, save those that wait for an interview where others do not.

        Raises InvalidArgument naming schemes that were not claimed, OtherScheme, AlreadyConfirmed, AlreadyClosed, and
        DecisionNeeded where only a crisis loan is left, or it is named: it is confirmed by the decision on it.
        """
        chosen = self._chosen(wanted, desks=desks)
        if CRISIS_LOAN in wanted or chosen == [CRISIS_LOAN]:
            raise DecisionNeeded
        chosen = [scheme for scheme in chosen if scheme != CRISIS_LOAN]
        waiting = self.waiting_for_interview(chosen)
        return tuple(chosen) if wanted else tuple(scheme for scheme in chosen if scheme not in waiting) or tuple(chosen)

    def waiting_for_interview(self, schemes: Sequence[str]) -> list[str]:
        """Those of the schemes that are confirmed after an interview, where none is booked."""
        return [one for one in schemes if one not in WITHOUT_INTERVIEW] if self._is_known_to_be_unbooked else []

    def check_undecided(self, scheme: str) -> None:
        """Raises AlreadyConfirmed or AlreadyClosed where the scheme is."""
        self._check_left([scheme], wanted=[scheme])

    def _chosen(self, wanted: Sequence[str], *, desks: frozenset[Desk]) -> list[str]:
        """The wanted schemes of these desks, or all that are neither confirmed nor closed."""
        unknown = [index for index, scheme in enumerate(wanted) if scheme not in self.schemes]
        if unknown:
            raise InvalidArgument.of(
                *(Violation(field=f"schemes[{index}]", description="was not claimed") for index in unknown)
            )
        theirs = schemes_of(desks, self.schemes)
        if not set(wanted) <= set(theirs):
            raise OtherScheme
        chosen = [scheme for scheme in theirs if scheme in wanted] or self._left(theirs)
        self._check_left(chosen or theirs, wanted=wanted)
        return chosen

    def _check_left(self, schemes: Sequence[str], *, wanted: Sequence[str]) -> None:
        if set(schemes) & set(self.confirmed_schemes):
            raise AlreadyConfirmed
        if closed := [scheme for scheme in schemes if scheme in self.closed_schemes]:
            raise AlreadyClosed(closed, wanted=wanted)

    @property
    def _is_known_to_be_unbooked(self) -> bool:
        """Whether no interview is booked: any office takes up an unbooked crisis loan, and an interview may be cancelled.

        To other unbooked claims intake admits an assessor only if it has heard of the booking, of which we may hear later.
        """
        return self.appointment_id is None and (CRISIS_LOAN in self.schemes or self.interview_cancelled)

    def left_at(self, desks: frozenset[Desk]) -> tuple[str, ...]:
        """The schemes of these desks that are neither confirmed nor closed."""
        return tuple(self._left(schemes_of(desks, self.schemes)))

    def _left(self, schemes: Iterable[str]) -> list[str]:
        return [scheme for scheme in schemes if scheme not in (*self.confirmed_schemes, *self.closed_schemes)]

    def confirm(
        self,
        schemes: tuple[str, ...],
        *,
        facts: Facts,
        office_code: str,
        checked: Checked,
        interview: Sequence[FailedPrecondition] = (),
        evidence: Sequence[FailedPrecondition] = (),
    ) -> tuple[Self, AssessmentConfirmed]:
        """Confirms these schemes; gives the event too. Schemes that were confirmed earlier stay so.

        Raises one refusal that names all that stands in the way: `interview`, what `open_items` finds, and `evidence`. Call
        `check_open` first.
        """
        current = self.synchronised(facts)
        opened = open_items(current.items.values(), schemes=schemes, proposed=facts.proposed)
        if refusals := [*interview, *opened, *evidence]:
            raise all_of(refusals)
        confirmed_schemes = (*self.confirmed_schemes, *schemes)
        whole = set(self.schemes) <= {*confirmed_schemes, *self.closed_schemes}
        moved = current._moved(Cause.CONFIRMATION, AssessmentState.CONFIRMED) if whole else current
        confirmed = replace(moved, confirmed_schemes=confirmed_schemes, confirmed=checked)._next()
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

    def close(
        self,
        wanted: Sequence[str],
        *,
        reason: ClosedReason,
        duplicate_of: str | None,
        version: int,
        closed: Checked,
        desks: frozenset[Desk],
    ) -> tuple[Self, SchemesClosed]:
        """Closes the wanted schemes, or all that are left at these desks; gives the event too.

        Raises StaleVersion, AssessmentClosed, AlreadyConfirmed, AlreadyClosed, OtherScheme, and InvalidArgument naming what was
        not claimed.
        """
        self._check_version(version)
        self.check_unfinished()
        schemes = tuple(self._chosen(wanted, desks=desks))
        after = replace(self, closed_schemes=(*self.closed_schemes, *schemes))._next()
        if not after._left(self.schemes):
            after = after._ended(reason, closed)
        event = SchemesClosed(
            claim_ref=self.claim_ref,
            version=after.version,
            schemes=schemes,
            reason=reason,
            duplicate_of=duplicate_of,
            closed=closed,
        )
        return after, event

    def _ended(self, reason: ClosedReason, closed: Checked) -> Self:
        if self.confirmed_schemes:
            return self._moved(Cause.CLOSING, AssessmentState.CONFIRMED)
        return replace(
            self._moved(Cause.CLOSING, AssessmentState.CLOSED), closed_reason=reason.value, closed_time=closed.at
        )

    def check_open(self, version: int, *, desks: frozenset[Desk]) -> None:
        """Raises StaleVersion, NotStarted, AlreadyConfirmed or AssessmentClosed."""
        self._check_version(version)
        self._check_begun(desks)

    def _check_version(self, version: int) -> None:
        if version != self.version:
            raise StaleVersion(given=version, current=self.version)

    def _check_begun(self, desks: frozenset[Desk]) -> None:
        self.check_unfinished()
        if not desks & self.begun:
            raise NotStarted

    def check_unfinished(self) -> None:
        """Raises AlreadyConfirmed, AssessmentClosed."""
        if self.state is AssessmentState.CLOSED:
            raise AssessmentClosed(self.closed_reason or "closed")
        if self.state is AssessmentState.CONFIRMED:
            raise AlreadyConfirmed

    def _next(self) -> Self:
        return replace(self, version=self.version + 1)
