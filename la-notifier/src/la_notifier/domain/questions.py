"""Which questions of the interview supply a field of a notice, so that an officer knows what to ask when it is refused.

The catalogue says the same from its side, question by question (`needed_by = ["notice.…"]`); a test holds the two together.
"""

from collections.abc import Mapping

from la_notifier.domain.fields import without_places

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "address.lines": ("address",),
    "address.postcode": ("address",),
    "authority_code": ("address", "council"),
    "benefit": ("ever_worked", "claims_income_based"),
    "capital_band": ("capital",),
    "claimant.date_of_birth": ("date_of_birth",),
    "claimant.forenames": ("forenames",),
    "claimant.nino": ("nino",),
    "claimant.surname": ("surname",),
    "claimant.title": ("title",),
    "household.date_of_birth": ("children", "non_dependants"),
    "household.non_dependant": ("non_dependants",),
    "household.relationship": ("children", "non_dependants"),
    "income.amount": ("part_time_earnings", "pension_weekly", "other_income"),
    "income.kind": ("other_income",),
    "income.period": ("other_income",),
    "language": ("language",),
    "partner.date_of_birth": ("partner_date_of_birth",),
    "partner.forenames": ("partner_forenames",),
    "partner.nino": ("partner_nino",),
    "partner.surname": ("partner_surname",),
    "seeks": (
        "tenure",
        "liable_for_rent",
        "liable_for_council_tax",
        "wishes_housing_benefit",
        "wishes_council_tax_benefit",
    ),
    "tenancy.kind": ("tenure",),
    "tenancy.landlord": ("landlord",),
    "tenancy.moved_in_on": ("moved_in_on",),
    "tenancy.rent_amount": ("rent_amount",),
    "tenancy.rent_period": ("rent_period",),
}


def questions_of(field: str) -> tuple[str, ...]:
    """The questions that supply a field, or anything inside it; none where no question does."""
    path = without_places(field)
    inside = [ids for name, ids in QUESTIONS.items() if name == path or name.startswith(f"{path}.")]
    return tuple(dict.fromkeys(question for ids in inside for question in ids))
