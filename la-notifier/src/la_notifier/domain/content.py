"""The content of a notice, and the decision whether the authority needs a further version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from la_notifier.domain.awards import Award
from la_notifier.domain.date_of_claim import months_after
from la_notifier.domain.disclosure import Content, Disclosure
from la_notifier.domain.facts import ClaimFacts, sought, told_benefit
from la_notifier.domain.notices import NoticeKind, NoticeState

_WHOLE_CLAIM = {NoticeKind.CLAIM, NoticeKind.AWARD}
"""Kinds that tell of a submitted claim by themselves: each version is whole."""


@dataclass(frozen=True, kw_only=True)
class PreviousVersion:
    """A version of the notice that exists already. `may_be_held`: it was sent, or a send began and was not answered.

    `is_followed`: nobody waits for a later one. The last version is followed only where it was given up after a refusal.
    """

    kind: NoticeKind
    state: NoticeState
    may_be_held: bool
    is_followed: bool = False

    @property
    def counts_as_told(self) -> bool:
        """Whether the authority has this version or may have it, and did not refuse it."""
        return self.may_be_held and self.state is not NoticeState.REFUSED

    @property
    def stands(self) -> bool:
        """Whether the last version was not given up."""
        return self.state is not NoticeState.SUPERSEDED and not self.is_followed


def one_month_after(day: date) -> date:
    """The same day of the next month, or that month's last day: 31 January gives 28 or 29 February."""
    return months_after(day, 1)


def next_kind(
    facts: ClaimFacts, versions: Sequence[PreviousVersion], *, award: Mapping[str, Any] | None, newest: Content | None
) -> NoticeKind:
    """The kind of the next version, which says `award`; the newest says `newest`.

    AWARD where the authority was not told of this decision. Otherwise CLAIM once the claim is submitted and the authority
    was not told of it, then CHANGE. Before submission it is INTENTION until the authority was told of that, then CHANGE.
    After a withdrawal that it may hold, the authority is told anew.
    """
    told = {version.kind for version in _since_withdrawal(versions) if version.counts_as_told}
    if award and not _knows_award(versions, award, newest):
        return NoticeKind.AWARD
    if facts.claim_on and not told & _WHOLE_CLAIM:
        return NoticeKind.CLAIM
    return NoticeKind.CHANGE if told else NoticeKind.INTENTION


def _knows_award(versions: Sequence[PreviousVersion], award: Mapping[str, Any], newest: Content | None) -> bool:
    """Whether the authority was told of this decision: the newest version says it, and is not itself the untold news."""
    if newest is None or newest.get("award") != award or versions[-1].kind is NoticeKind.WITHDRAWN:
        return False
    return versions[-1].kind is not NoticeKind.AWARD or versions[-1].counts_as_told


def _since_withdrawal(versions: Sequence[PreviousVersion]) -> Sequence[PreviousVersion]:
    """The versions after the last withdrawal that the authority may hold."""
    ends = [n for n, one in enumerate(versions, 1) if one.kind is NoticeKind.WITHDRAWN and one.counts_as_told]
    return versions[ends[-1] if ends else 0 :]


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """A version that is to be sent."""

    version: int
    kind: NoticeKind
    content: Content


def next_version(
    facts: ClaimFacts, content: Content, previous: Sequence[PreviousVersion], newest: Content | None
) -> NewVersion | None:
    """The version to send; None where the newest (the last, with the content `newest`) says the same and stands."""
    if previous and previous[-1].stands and newest == content:
        return None
    kind = next_kind(facts, previous, award=content.get("award"), newest=newest)
    return NewVersion(version=len(previous) + 1, kind=kind, content=content)


def withdrawn_version(
    table: Disclosure, previous: Sequence[PreviousVersion], newest: Content | None
) -> NewVersion | None:
    """The version that withdraws a notice; None where the authority was never told of anything, or is told already."""
    if newest is None or not any(version.counts_as_told for version in _since_withdrawal(previous)):
        return None
    if previous[-1].kind is NoticeKind.WITHDRAWN and previous[-1].stands:
        return None
    return NewVersion(version=len(previous) + 1, kind=NoticeKind.WITHDRAWN, content=table.withdrawn(newest))


def content_of(
    table: Disclosure, facts: ClaimFacts, *, authority_code: str, intention_on: date, award: Award | None = None
) -> Content:
    """The content of a notice, from the table alone. Before submission it has no particulars: they are not complete yet.

    `facts` must be of a claim for which something is `sought` and no facts are missing. Both clocks run one month from the
    intention: one for the claim to reach the authority (Housing Benefit Regulations 2006, regulation 84), one for its proof.
    """
    due = one_month_after(intention_on)
    derived = {
        "authority_code": authority_code,
        "claim_ref": facts.claim_ref,
        "benefit": told_benefit(facts),
        "seeks": sought(facts),
        "first_contact_on": facts.first_contact_on.isoformat(),
        "intention_on": intention_on.isoformat(),
        "claim_on": facts.claim_on.isoformat() if facts.claim_on else None,
        "claim_due_on": due.isoformat(),
        "proof_due_on": due.isoformat(),
        "language": facts.language,
        **(_of_award(award) if award else {}),
    }
    return table.content(facts.answers, derived, is_submitted=facts.claim_on is not None, is_decided=award is not None)


def _of_award(award: Award) -> Mapping[str, str | None]:
    return {
        "award_benefit": award.benefit,
        "award_outcome": award.outcome.value,
        "award_from": award.from_day.isoformat(),
        "award_to": award.to_day.isoformat() if award.to_day else None,
    }
