"""The content of a notice, and the decision whether the authority needs a further version."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from la_notifier.domain.facts import ClaimFacts, sought, told_benefit
from la_notifier.domain.notices import NoticeKind, NoticeState

Content = dict[str, Any]
"""The fields of the interface but for `notice_id`, `version`, `supersedes` and `kind`."""

# The script's codes for income of people other than the claimant say so only in their texts.
_PARTNERS_INCOME = {"EARNINGS": "PARTNER_EARNINGS", "PENSION": "PARTNER_PENSION"}


@dataclass(frozen=True, kw_only=True)
class PreviousVersion:
    """A version of the notice that exists already. `may_be_held`: it was sent, or a send began and was not answered."""

    kind: NoticeKind
    state: NoticeState
    may_be_held: bool

    @property
    def counts_as_told(self) -> bool:
        """Whether the authority has this version or may have it, and did not refuse it."""
        return self.may_be_held and self.state is not NoticeState.REFUSED


def one_month_after(day: date) -> date:
    """The same day of the next month, or that month's last day: 31 January gives 28 or 29 February."""
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def next_kind(facts: ClaimFacts, versions: Sequence[PreviousVersion]) -> NoticeKind:
    """The kind of the next version: CLAIM once the claim is submitted and the authority was not told of it, then CHANGE.

    Before submission it is INTENTION until the authority was told of that, then CHANGE.
    """
    told = {version.kind for version in versions if version.counts_as_told}
    if facts.claim_on and NoticeKind.CLAIM not in told:
        return NoticeKind.CLAIM
    return NoticeKind.CHANGE if told else NoticeKind.INTENTION


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """A version that is to be sent."""

    version: int
    kind: NoticeKind
    content: Content


def next_version(
    facts: ClaimFacts, content: Content, previous: Sequence[PreviousVersion], newest: Content | None
) -> NewVersion | None:
    """The version to send; None where the newest (the last, with the content `newest`) says the same and was not superseded."""
    if previous and previous[-1].state is not NoticeState.SUPERSEDED and newest == content:
        return None
    return NewVersion(version=len(previous) + 1, kind=next_kind(facts, previous), content=content)


def withdrawn_version(previous: Sequence[PreviousVersion], newest: Content | None) -> NewVersion | None:
    """The version that withdraws a notice, with what it said last; None where the authority was never told, or is told."""
    if newest is None or not any(version.counts_as_told for version in previous):
        return None
    if previous[-1].kind is NoticeKind.WITHDRAWN:
        return None
    return NewVersion(version=len(previous) + 1, kind=NoticeKind.WITHDRAWN, content=newest)


def content_of(facts: ClaimFacts, *, authority_code: str, intention_on: date) -> Content:
    """The content of a notice. Before submission it has no particulars: they are not complete yet.

    `facts` must be of a claim for which something is `sought` and no facts are missing. Both clocks run one month from the
    intention: one for the claim to reach the authority (Housing Benefit Regulations 2006, regulation 84), one for its proof.
    """
    due = one_month_after(intention_on)
    content = {
        "authority_code": authority_code,
        "claim_ref": facts.claim_ref,
        "benefit": told_benefit(facts),
        "seeks": sought(facts),
        "first_contact_on": facts.first_contact_on.isoformat(),
        "intention_on": intention_on.isoformat(),
        "claim_on": facts.claim_on.isoformat() if facts.claim_on else None,
        "claim_due_on": due.isoformat(),
        "proof_due_on": due.isoformat(),
        "claimant": _person(facts.answers, ""),
        "partner": _partner(facts.answers),
        "address": {"lines": facts.answers["address"]["lines"], "postcode": facts.postcode},
        "tenancy": _tenancy(facts.answers),
        "language": facts.language,
    }
    return _known(content | (_particulars(facts.answers) if facts.claim_on else {}))


def _person(answers: Mapping[str, Any], prefix: str) -> Content:
    names = ("nino", "title", "surname", "forenames", "date_of_birth")
    return _known({name: answers.get(prefix + name) for name in names})


def _partner(answers: Mapping[str, Any]) -> Content | None:
    """None while a part that the authority cannot do without is not known: the call may still go on."""
    needed = ("partner_surname", "partner_forenames", "partner_date_of_birth")
    return _person(answers, "partner_") if all(name in answers for name in needed) else None


def _tenancy(answers: Mapping[str, Any]) -> Content:
    names = ("landlord", "rent_amount", "rent_period", "moved_in_on")
    return _known({"kind": answers["tenure"]} | {name: answers.get(name) for name in names})


def _particulars(answers: Mapping[str, Any]) -> Content:
    return {
        "household": [
            *(_member(child, non_dependant=False) for child in answers.get("children", [])),
            *(_member(person, non_dependant=True) for person in answers.get("non_dependants", [])),
        ],
        "income": [
            *_weekly("EARNINGS", answers.get("part_time_earnings")),
            *_weekly("PENSION", answers.get("pension_weekly")),
            *(_other_income(entry) for entry in answers.get("other_income", [])),
        ],
        "capital_band": answers.get("capital_band"),
    }


def _member(entry: Mapping[str, Any], *, non_dependant: bool) -> Content:
    return _known(
        {
            "relationship": entry["relationship"],
            "date_of_birth": entry.get("date_of_birth"),
            "non_dependant": non_dependant,
        }
    )


def _weekly(kind: str, amount: str | None) -> list[Content]:
    return [{"kind": kind, "amount": amount, "period": "WEEKLY"}] if amount and Decimal(amount) > 0 else []


def _other_income(entry: Mapping[str, Any]) -> Content:
    kind = str(entry["kind"])
    return {"kind": _PARTNERS_INCOME.get(kind, kind), "amount": entry["amount"], "period": entry["period"]}


def _known(content: Content) -> Content:
    return {name: value for name, value in content.items() if value is not None}
