"""The fields of a notice by the names that the interface with the authorities gives them."""

import re

FIELDS = (
    *("notice_id", "version", "supersedes", "kind", "authority_code", "claim_ref", "benefit", "seeks"),
    *("first_contact_on", "intention_on", "claim_on", "claim_due_on", "proof_due_on"),
    *("claimant.nino", "claimant.title", "claimant.surname", "claimant.forenames", "claimant.date_of_birth"),
    *("partner.nino", "partner.surname", "partner.forenames", "partner.date_of_birth"),
    *("address.lines", "address.postcode"),
    *("tenancy.kind", "tenancy.landlord", "tenancy.rent_amount", "tenancy.rent_period", "tenancy.moved_in_on"),
    *("household", "income", "capital_band", "language"),
    *("award.benefit", "award.outcome", "award.from", "award.to"),
)
"""The interface's fields in its order."""

_OF_ENTRIES = (
    *("household.relationship", "household.date_of_birth", "household.non_dependant"),
    *("income.kind", "income.amount", "income.period"),
)
# An authority may number the entries of a list (`household[0].relationship`).
_INDEX = re.compile(r"\[\d*\]|(?<=\.)\d+\.|\.\d+$")


def without_places(name: str) -> str:
    """The name of a field without the numbers of entries."""
    return _INDEX.sub("", name)


def is_field(name: str) -> bool:
    """Whether a notice has this field, or fields inside it."""
    path = without_places(name)
    return any(field == path or field.startswith(f"{path}.") for field in (*FIELDS, *_OF_ENTRIES))
