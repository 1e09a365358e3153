"""What a local authority is told of a claim, and when: docs/interfaces/local-authority.md, as pure functions."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

Content = dict[str, Any]
"""What a notice tells: the interface's fields but for `notice_id`, `version`, `supersedes` and `kind`."""

_BENEFITS = {
    "INCOME_SUPPORT": "IS",
    # Income or contributions is for the paying system to decide.
    "JOBSEEKERS_ALLOWANCE": "JSA_UNDECIDED",
    "INCAPACITY_BENEFIT": "IB",
}
# The script's codes for income of others than the claimant say so only in their texts.
_PARTNERS_INCOME = {"EARNINGS": "PARTNER_EARNINGS", "PENSION": "PARTNER_PENSION"}
# "What is told": an intention goes out once these are known, and no notice can do without them.
_ALWAYS_NEEDED = ("surname", "forenames", "date_of_birth", "address", "tenure")
_WISH_OF_LIABILITY = {
    "liable_for_rent": "wishes_housing_benefit",
    "liable_for_council_tax": "wishes_council_tax_benefit",
}
# Who has no home to pay for is asked of no liability; who owns it, of no rent.
_NOTHING_TO_PAY = frozenset({"NON_DEPENDANT", "NONE"})
_NO_RENT = "OWNER_OCCUPIER"


class NoticeKind(StrEnum):
    """What a version of a notice tells."""

    INTENTION = "INTENTION"
    CLAIM = "CLAIM"
    CHANGE = "CHANGE"


class NoticeState(StrEnum):
    """Where a version of a notice stands."""

    WAITING = "WAITING"
    SENT = "SENT"
    RECEIVED = "RECEIVED"
    LOADED = "LOADED"
    REFUSED = "REFUSED"
    SUPERSEDED = "SUPERSEDED"


class NotToldReason(StrEnum):
    """Why a person has to see to it that the right authority knows."""

    NORTHERN_IRELAND = "NORTHERN_IRELAND"
    POSTCODE_UNKNOWN = "POSTCODE_UNKNOWN"
    AUTHORITY_UNKNOWN = "AUTHORITY_UNKNOWN"
    MOVED_AWAY = "MOVED_AWAY"
    NO_LONGER_SOUGHT = "NO_LONGER_SOUGHT"
    FACTS_MISSING = "FACTS_MISSING"


@dataclass(frozen=True, kw_only=True)
class ClaimFacts:
    """A claim as intake tells it. `claim_on` is the day of submission; days are those of Europe/London."""

    claim_ref: str
    version: int
    withdrawn: bool
    schemes: tuple[str, ...]
    language: str
    first_contact_time: datetime
    first_contact_on: date
    claim_on: date | None
    answers: Mapping[str, Any]

    @property
    def postcode(self) -> str:
        """The postcode of the claimant's address, which must not be among the `missing_facts`."""
        return str(self.answers["address"]["postcode"])


@dataclass(frozen=True, kw_only=True)
class NoticeVersion:
    """A version that exists. `may_be_held`: it was sent, or begun and not answered, so the authority may have it."""

    version: int
    kind: NoticeKind
    state: NoticeState
    may_be_held: bool
    content: Content

    @property
    def counts_as_told(self) -> bool:
        """Whether the authority has it or may have it, and did not refuse it."""
        return self.may_be_held and self.state is not NoticeState.REFUSED


def benefit_of(schemes: Sequence[str]) -> str | None:
    """The benefit that opens the gateway to housing benefit; None where none of the schemes does."""
    return next((benefit for scheme, benefit in _BENEFITS.items() if scheme in schemes), None)


def sought(facts: ClaimFacts) -> str | None:
    """HB, CTB or BOTH: what the claimant is liable for and wishes to claim; None: no notice goes out.

    A non-dependant gets neither, whatever else was answered.
    """
    answers = facts.answers
    if facts.withdrawn or benefit_of(facts.schemes) is None or answers.get("tenure") == "NON_DEPENDANT":
        return None
    housing = answers.get("liable_for_rent") is True and answers.get("wishes_housing_benefit") is True
    council_tax = answers.get("liable_for_council_tax") is True and answers.get("wishes_council_tax_benefit") is True
    return {(True, True): "BOTH", (True, False): "HB", (False, True): "CTB"}.get((housing, council_tax))


def missing_facts(facts: ClaimFacts) -> tuple[str, ...]:
    """Names of facts without which nobody can say what to tell; none where it is certain that there is nothing.

    They were there at first contact. What was taken back is most often a slip that is put right in the same call, so
    it neither gives up what was told nor ends the intention.
    """
    answers = facts.answers
    if facts.withdrawn or benefit_of(facts.schemes) is None or answers.get("tenure") in _NOTHING_TO_PAY:
        return ()
    needed = _ALWAYS_NEEDED if sought(facts) else _deciding(answers)
    return tuple(name for name in needed if name not in answers)


def _deciding(answers: Mapping[str, Any]) -> Sequence[str]:
    """The facts that decide whether anything is sought, as far as the others make them matter."""
    if "tenure" not in answers:
        return ("tenure",)
    asked = {
        liability: wish
        for liability, wish in _WISH_OF_LIABILITY.items()
        if (answers["tenure"], liability) != (_NO_RENT, "liable_for_rent")
    }
    return [*asked, *(wish for liability, wish in asked.items() if answers.get(liability) is True)]


def one_month_after(day: date) -> date:
    """The same day of the next month, or that month's last day: 31 January gives 28 or 29 February."""
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def next_kind(facts: ClaimFacts, versions: Sequence[NoticeVersion]) -> NoticeKind:
    """The kind of the next version: CLAIM once there is a claim that the authority was not told of, then CHANGE.

    Before there is a claim it is INTENTION, until the authority was told of that.
    """
    told = {version.kind for version in versions if version.counts_as_told}
    if facts.claim_on and NoticeKind.CLAIM not in told:
        return NoticeKind.CLAIM
    return NoticeKind.CHANGE if told else NoticeKind.INTENTION


def is_news(content: Content, versions: Sequence[NoticeVersion]) -> bool:
    """Whether a version must be made: the newest one (the last) tells something else, or was given up."""
    return not versions or versions[-1].content != content or versions[-1].state is NoticeState.SUPERSEDED


def content_of(facts: ClaimFacts, *, authority_code: str, intention_on: date) -> Content:
    """What the authority is told. Before submission the particulars stay out: they are not complete yet.

    `facts` must be of a claim for which something is `sought` and of which no facts are missing. Both clocks run one month
    from the intention: for the claim to reach the authority (Housing Benefit Regulations 2006, regulation 84), and for the
    proof that goes with it.
    """
    due = one_month_after(intention_on)
    content = {
        "authority_code": authority_code,
        "claim_ref": facts.claim_ref,
        "benefit": benefit_of(facts.schemes),
        "seeks": sought(facts),
        "first_contact_on": facts.first_contact_on.isoformat(),
        "intention_on": intention_on.isoformat(),
        "claim_on": facts.claim_on.isoformat() if facts.claim_on else None,
        "claim_due_on": due.isoformat(),
        "proof_due_on": due.isoformat(),
        "claimant": _person(facts.answers, ""),
        "partner": _person(facts.answers, "partner_") if "partner_surname" in facts.answers else None,
        "address": {"lines": facts.answers["address"]["lines"], "postcode": facts.postcode},
        "tenancy": _tenancy(facts.answers),
        "language": facts.language,
    }
    return _known(content | (_particulars(facts.answers) if facts.claim_on else {}))


def _person(answers: Mapping[str, Any], prefix: str) -> Content:
    names = ("nino", "title", "surname", "forenames", "date_of_birth")
    return _known({name: answers.get(prefix + name) for name in names})


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
