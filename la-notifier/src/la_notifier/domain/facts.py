"""A claim as intake knows it, and the question whether its local authority gets a notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

_BENEFITS = {
    "INCOME_SUPPORT": "IS",
    # Where both are claimed, the paying system decides whether it is based on income or on contributions.
    "JOBSEEKERS_ALLOWANCE": "JSA_UNDECIDED",
    "INCAPACITY_BENEFIT": "IB",
}
# "What is told": an intention goes out once these are known, and no notice can be made without them.
_ALWAYS_NEEDED = ("surname", "forenames", "date_of_birth", "address", "tenure")
_WISH_OF_LIABILITY = {
    "liable_for_rent": "wishes_housing_benefit",
    "liable_for_council_tax": "wishes_council_tax_benefit",
}
# People without housing costs are not asked about liability, owner-occupiers not about rent.
_NOTHING_TO_PAY = frozenset({"NON_DEPENDANT", "NONE"})
_NO_RENT = "OWNER_OCCUPIER"


@dataclass(frozen=True, kw_only=True)
class ClaimFacts:
    """A claim at one version. `claim_on` is the day of submission; days are those of Europe/London."""

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

    @property
    def council(self) -> str | None:
        """GSS code of the authority that the claimant named, where the postcode alone does not tell."""
        chosen = self.answers.get("council")
        return None if chosen is None else str(chosen)

    @property
    def place(self) -> tuple[Any, str | None]:
        """The facts that decide about the authority: the address, and the council that the claimant named."""
        return self.answers.get("address"), self.council


def benefit_of(schemes: Sequence[str]) -> str | None:
    """The benefit that opens the gateway to housing benefit; None where none of the schemes does."""
    return next((benefit for scheme, benefit in _BENEFITS.items() if scheme in schemes), None)


def told_benefit(facts: ClaimFacts) -> str | None:
    """The benefit as the authority is told it: a claim for Jobseeker's Allowance may be for one of its kinds alone.

    Somebody who never worked can have only the income-based one. Catalogue 1 did not ask which is claimed.
    """
    benefit = benefit_of(facts.schemes)
    if benefit != "JSA_UNDECIDED":
        return benefit
    if facts.answers.get("ever_worked") is False:
        return "JSA_IB"
    return "JSA_C" if facts.answers.get("claims_income_based") is False else benefit


def sought(facts: ClaimFacts) -> str | None:
    """HB, CTB or BOTH: what the claimant is liable for and wishes to claim. None: no notice goes out.

    A non-dependant gets neither.
    """
    answers = facts.answers
    if facts.withdrawn or benefit_of(facts.schemes) is None or answers.get("tenure") == "NON_DEPENDANT":
        return None
    housing = answers.get("liable_for_rent") is True and answers.get("wishes_housing_benefit") is True
    council_tax = answers.get("liable_for_council_tax") is True and answers.get("wishes_council_tax_benefit") is True
    return {(True, True): "BOTH", (True, False): "HB", (False, True): "CTB"}.get((housing, council_tax))


def missing_facts(facts: ClaimFacts) -> tuple[str, ...]:
    """Names of the facts without which no notice can be made; none where it is certain that nothing is sought.

    They were known at first contact. An answer that was cleared is most often a slip that is corrected in the same call,
    so it neither withdraws what the authority was told nor ends the intention.
    """
    answers = facts.answers
    if facts.withdrawn or benefit_of(facts.schemes) is None or answers.get("tenure") in _NOTHING_TO_PAY:
        return ()
    needed = _ALWAYS_NEEDED if sought(facts) else _deciding(answers)
    return tuple(name for name in needed if name not in answers)


def _deciding(answers: Mapping[str, Any]) -> Sequence[str]:
    """The facts that decide whether anything is sought, as far as the others make them relevant."""
    if "tenure" not in answers:
        return ("tenure",)
    asked = {
        liability: wish
        for liability, wish in _WISH_OF_LIABILITY.items()
        if (answers["tenure"], liability) != (_NO_RENT, "liable_for_rent")
    }
    return [*asked, *(wish for liability, wish in asked.items() if answers.get(liability) is True)]
